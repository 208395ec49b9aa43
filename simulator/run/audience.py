"""Whom a run plays to: the scenario's groups of subscribers, or as many as were asked for.

Rule of the module: pure; a scenario, its timeline and the settings come in, planned subscribers go
out, the same for ``run`` as for ``validate``.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction

from simulator.delivery.absences import Pace
from simulator.delivery.group_words import cautions
from simulator.delivery.placement import place
from simulator.delivery.populations import Audience, Setting, populate
from simulator.errors import ScenarioError
from simulator.measure.plan import PlannedGroup, PlannedSubscriber, Session
from simulator.model import simulate
from simulator.model.timeline import EventKind, Timeline
from simulator.scenario import Scenario, pointed
from simulator.settings import RunSettings, load_settings
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Whom a run would play to, by default.

    Attributes:
        groups: of the scenario, and controls.
        cautions: what a user should know before the run, sentences.
    """

    groups: tuple[PlannedGroup, ...]
    cautions: tuple[str, ...]

    def lines(self) -> list[str]:
        """For people."""
        total = sum(group.members for group in self.groups)
        lines = [f"  {total} subscribers in {len(self.groups)} groups"]
        name = max((len(group.name) for group in self.groups), default=0)
        kind = max((len(group.kind) for group in self.groups), default=0)
        lines += [
            f"  {group.members:>7} {group.name:<{name}}  {group.kind:<{kind}}  {group.why}"
            for group in self.groups
        ]
        return lines + [f"  note: {caution}" for caution in self.cautions]

    def document(self) -> dict[str, object]:
        """For scripts."""
        return {
            "total": sum(group.members for group in self.groups),
            "groups": [asdict(group) for group in self.groups],
            "cautions": list(self.cautions),
        }


def rehearse(scenario: Scenario, where: str) -> Rehearsal:
    """Plan the subscribers of a run without options, as far as the environment says no more.

    Args:
        scenario: with groups of subscribers.
        where: what it was loaded from, for errors.

    Raises:
        ScenarioError: for a group that no such run could have.
    """
    settings = load_settings({})
    timeline = simulate(scenario, settings.seed)
    try:
        planned = audience(scenario, timeline, settings)
    except ScenarioError as error:
        raise pointed(error, where) from None
    return Rehearsal(
        groups=planned.groups, cautions=tuple(cautions(scenario.subscribers or (), settings.qos))
    )


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


def lead_in_ns(settings: RunSettings, timeline: Timeline) -> int:
    """How long the exercise's clock runs before the first alert, wall ns.

    Args:
        settings: with ``lead_in`` in scenario time, or ``launch``, and the speed.
        timeline: what is played; without a launch its first event stands for it.
    """
    scenario_ns = settings.lead_in
    if scenario_ns == "launch":
        if not timeline.alerts:
            return 0
        launches = [
            event.at_ns
            for event in timeline.events
            if event.kind is EventKind.TRUTH and event.name == "launch"
        ]
        scenario_ns = timeline.alerts[0].at_ns - (launches or [timeline.events[0].at_ns])[0]
    return max(0, int(scenario_ns / Fraction(settings.speed)))
