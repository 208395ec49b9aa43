"""Whom a run plays to: the scenario's groups of subscribers, or as many as were asked for.

Rule of the module: pure; a scenario, its timeline and the settings come in, planned subscribers go
out, the same for ``run`` as for ``validate``.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from simulator.delivery.absences import Pace
from simulator.delivery.placement import place
from simulator.delivery.populations import Audience, Setting, populate
from simulator.errors import ScenarioError
from simulator.measure.plan import PlannedSubscriber, Session
from simulator.model.timeline import Timeline
from simulator.scenario import Scenario
from simulator.settings import RunSettings
from simulator.units import NS_PER_S
from simulator.world.geography import prefectures


def audience(
    scenario: Scenario,
    timeline: Timeline,
    settings: RunSettings,
    *,
    run: str = "run",
    spoken: Sequence[str] = ("3.1.1", "5"),
    protocol: str = "mixed",
) -> Audience:
    """Plan everybody.

    Args:
        scenario: with or without groups of subscribers.
        timeline: what is played.
        settings: how it is played.
        run: run id.
        spoken: MQTT versions that the broker is used with.
        protocol: version of subscribers that name none; ``mixed``: in turn.

    Raises:
        ScenarioError: for a group that this run cannot have.
    """
    populations = {entry.slug: entry.population for entry in prefectures()}
    qos = settings.qos if settings.subscribe_qos is None else settings.subscribe_qos
    session = Session(settings.session)
    if scenario.subscribers is None:
        placed = place(
            settings.subscribers,
            timeline.prefectures,
            populations,
            run=run,
            root=settings.root,
            qos=qos,
            protocol=protocol,
            session=session,
        )
        return Audience(placed, ())
    at_ns = [alert.at_ns for alert in timeline.alerts] or [0]
    try:
        return populate(
            scenario.subscribers,
            Pace(
                epoch=timeline.epoch,
                first_ns=min(at_ns),
                last_ns=max(at_ns),
                speed=Fraction(settings.speed),
                repeat=settings.repeat,
                gap_ns=settings.gap,
            ),
            timeline.prefectures,
            populations,
            Setting(
                run=run,
                root=settings.root,
                seed=settings.seed,
                subscribers=settings.subscribers
                if "subscribers" in settings.model_fields_set
                else None,
                qos=qos,
                protocol=protocol,
                spoken=tuple(spoken),
                session=session,
                keep_alive_s=max(1, settings.keep_alive // NS_PER_S),
            ),
        )
    except ScenarioError as error:
        raise ScenarioError(
            error.message, scenario.id, error.field, error.value, error.remedy
        ) from None


def begun(subscribers: Sequence[PlannedSubscriber], start_ns: int) -> list[PlannedSubscriber]:
    """Subscribers as the ledger wants them, once the start is known (monotonic ns)."""
    return [
        replace(each, joins_ns=start_ns + each.conduct.joins_ns)
        if each.conduct is not None and each.conduct.joins_ns is not None
        else each
        for each in subscribers
    ]


def last_step_ns(subscribers: Sequence[PlannedSubscriber]) -> int:
    """When the last planned join or return is due, wall ns after the first intended send."""
    return max(
        (each.conduct.last_ns for each in subscribers if each.conduct is not None), default=0
    )
