"""What a launch will be taken for, and what it is: belief and truth on the scale of the scenario.

Rule of the module: listed facts and facts that follow from a flight come in, one record goes out,
so that the chain plays both alike; what is listed goes first. Nothing is drawn here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulator.model.timeline import AlertEvent
from simulator.scenario.chain import Moment
from simulator.scenario.laws import Provenance
from simulator.scenario.rules import danger_remains, says_wrong, stays_in_force
from simulator.scenario.schema import Belief, Launch, Outcome, Scenario
from simulator.scenario.values import prefectures_in
from simulator.units import NS_PER_MS

if TYPE_CHECKING:
    from simulator.model.geometry import Geometry

_NOTHING_ARRIVES: Final = ("fell-in-sea", "not-coming", "not-falling")
_SAID_AS_IT_IS: Final = {
    Outcome.PASSED: AlertEvent.PASSAGE,
    Outcome.FELL_ON_LAND: AlertEvent.FELL_ON_LAND,
    Outcome.INTERCEPTED: AlertEvent.INTERCEPTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One launch as the chain will see it, and as it is.

    Attributes:
        event: what the first message says.
        warned: whom it warns; may be empty.
        believed_ns: predicted arrival at each of them, scenario ns; where none is predicted, the
            prefecture is left out.
        over_ns: instant that the chain speaks of: the predicted passage or impact, scenario ns.
        figure: where that instant comes from.
        closing: what the closing message will say, None if there is none.
        cancels: whether that is that a lost flight is not coming.
        true_ns: true arrival at each prefecture, scenario ns.
        outcome: how the flight really ends; None: as believed.
        ends_ns: when, scenario ns; the launch where that is not known.
        lost_ns: from when on there is nothing to follow, scenario ns; None: it is followed.
        geometry: what follows from its flight, None if it has none.
        wrong: whether the chain will find that it was wrong.
        danger: whether people have to stay in shelter after what really happened.
        lingers: whether the warning stays in force after closing message and correction.
    """

    event: AlertEvent
    warned: tuple[str, ...]
    believed_ns: Mapping[str, int]
    over_ns: int | None
    figure: Provenance | None
    closing: AlertEvent | None
    cancels: bool = False
    true_ns: Mapping[str, int]
    outcome: Outcome | None
    ends_ns: int
    lost_ns: int | None
    geometry: "Geometry | None" = None

    wrong: bool = field(init=False)
    danger: bool = field(init=False)
    lingers: bool = field(init=False)

    def __post_init__(self) -> None:
        """Asked in every replication, answered once."""
        object.__setattr__(self, "wrong", says_wrong(self.closing, self.outcome))
        object.__setattr__(self, "danger", danger_remains(self.outcome))
        object.__setattr__(self, "lingers", stays_in_force(self.closing, self.outcome))


def outlook(scenario: Scenario, launch: Launch) -> Outlook | None:
    """What a launch will be taken for; None if the chain will not see it."""
    found = flight_geometry(scenario, launch)
    if found is not None:
        return _from_flight(scenario, launch, found)
    if launch.belief is None:
        return None
    return _listed(scenario, launch, launch.belief)


def _listed(scenario: Scenario, launch: Launch, belief: Belief) -> Outlook:
    truth, warned = launch.truth, prefectures_in(belief.prefectures or ())
    everybody = _everybody(belief, warned)
    believed = _everywhere(scenario, belief.arrival, everybody)
    if truth is not None:
        true_ns = _everywhere(scenario, truth.arrival, everybody)
    else:
        # Without a truth of its own the belief is true.
        true_ns = {} if belief.outcome in _NOTHING_ARRIVES else believed
    ends_ns = scenario.offset_ns(launch.at if truth is None else truth.at)
    vanished = truth is not None and truth.outcome is Outcome.VANISHED
    return Outlook(
        event=AlertEvent(belief.event or AlertEvent.LAUNCH),
        warned=warned,
        believed_ns=believed,
        over_ns=None if belief.arrival is None else scenario.offset_ns(belief.arrival),
        figure=belief.arrival,
        closing=None if belief.outcome is None else AlertEvent(belief.outcome),
        true_ns=true_ns,
        outcome=None if truth is None else truth.outcome,
        ends_ns=ends_ns,
        lost_ns=ends_ns if vanished else None,
    )


def _from_flight(scenario: Scenario, launch: Launch, found: "Geometry") -> Outlook:
    start_ns = scenario.offset_ns(launch.at)
    belief, truth = launch.belief or Belief(), launch.truth
    listed = belief.prefectures
    warned = found.warned if listed is None else prefectures_in(listed)
    if belief.arrival is not None:
        believed = _everywhere(scenario, belief.arrival, warned)
        over_ns: int | None = scenario.offset_ns(belief.arrival)
    else:
        believed = _later(start_ns, found.believed_ms)
        over_ns = None if found.over_ms is None else start_ns + found.over_ms * NS_PER_MS
    outcome = found.outcome if truth is None else truth.outcome
    ends_ns = start_ns + found.ends_ms * NS_PER_MS
    followed = found.followed_until(found.over_ms or 0)
    event = AlertEvent.TAKE_SHELTER if found.impact else AlertEvent.LAUNCH
    event = event if belief.event is None else AlertEvent(belief.event)
    closing = _closing(scenario, launch, event, outcome, followed=followed)
    return Outlook(
        event=event,
        warned=warned,
        believed_ns=believed,
        over_ns=over_ns,
        figure=belief.arrival or found.figure,
        closing=closing if belief.outcome is None else AlertEvent(belief.outcome),
        cancels=not followed and scenario.chain.on_loss == "notices",
        true_ns=_later(start_ns, found.true_ms)
        if truth is None
        else _everywhere(scenario, truth.arrival, _everybody(belief, warned)),
        outcome=outcome,
        ends_ns=ends_ns if truth is None else scenario.offset_ns(truth.at),
        lost_ns=None if found.lost_ms is None else start_ns + found.lost_ms * NS_PER_MS,
        geometry=found,
    )


def flight_geometry(scenario: Scenario, launch: Launch) -> "Geometry | None":
    """What follows from a launch's flight: tracks, arrivals, who sees it; None if it has none."""
    facts = launch.flight
    if facts is None:
        return None
    from simulator.model.geometry import geometry  # noqa: PLC0415  # replays do not need the world

    start_ns = scenario.offset_ns(launch.at)
    breaks_up, lost = (
        None if at is None else scenario.offset_ns(at) - start_ns
        for at in (facts.breaks_up, facts.lost)
    )
    policy, sensing, area = scenario.chain.policy, scenario.sensing, scenario.area
    return geometry(facts, policy, breaks_up, lost, sensing=sensing, corridor=area)


def _closing(
    scenario: Scenario, launch: Launch, event: AlertEvent, outcome: Outcome, *, followed: bool
) -> AlertEvent | None:
    """What the closing message will say, None if it will not be closed but corrected or lifted."""
    shelter = event is AlertEvent.TAKE_SHELTER
    if not followed:
        if scenario.chain.on_loss == "notices":
            return AlertEvent.NOT_FALLING if shelter else AlertEvent.NOT_COMING
        return None if shelter else AlertEvent.PASSAGE
    if outcome in _SAID_AS_IT_IS:
        return _SAID_AS_IT_IS[outcome]
    if not shelter:
        return AlertEvent.NOT_COMING
    as_planned = launch.flight is not None and launch.flight.predicted is None
    return AlertEvent.FELL_IN_SEA if as_planned else AlertEvent.NOT_FALLING


def _everybody(belief: Belief, warned: tuple[str, ...]) -> tuple[str, ...]:
    """Whom the first message warns, and whom a later one."""
    return warned if belief.escalation is None else (*warned, *belief.escalation.prefectures)


def _everywhere(
    scenario: Scenario, moment: Moment | None, warned: tuple[str, ...]
) -> Mapping[str, int]:
    """One listed moment for every warned prefecture."""
    return {} if moment is None else dict.fromkeys(warned, scenario.offset_ns(moment))


def _later(start_ns: int, after_ms: Mapping[str, int]) -> Mapping[str, int]:
    return {slug: start_ns + milliseconds * NS_PER_MS for slug, milliseconds in after_ms.items()}
