"""A launch, ready to be played: whatever no draw can change, worked out once.

Rule of the module: pure; nothing is drawn here. When moments are, what the launch is taken for,
which law a stage follows and how it is described are looked up by every replication.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from simulator.errors import InternalError
from simulator.model.outlook import Outlook, outlook
from simulator.model.rows import Described
from simulator.model.timeline import AlertEvent
from simulator.scenario.chain import Watch
from simulator.scenario.laws import Law, Provenance, sampler
from simulator.scenario.schema import CorrectionNotice, Faults, Launch, Outcome, Scenario, Threat
from simulator.scenario.values import parts_in, prefectures_in
from simulator.units import NS_PER_MS

if TYPE_CHECKING:
    from simulator.model.sights import Sights

TAKE_SHELTER: Final = "take-shelter"  # parts of a launch that stages may belong to
WRONG_AREA: Final = "wrong-area"
SATELLITE: Final = "satellite"
RADAR: Final = "radar"

_RANKS: Final = (Threat.HIGH, Threat.MEDIUM, Threat.LOW)
RANKS: Final = len(_RANKS)
_FOUND_WRONG: Final = "Belief is found to differ from truth."
_REASON: Final = {
    "passed": "In truth it passed over Japan.",
    "fell-in-sea": "In truth it fell into the sea.",
    "vanished": "In truth it vanished in flight.",
    "fell-on-land": "In truth it fell on land.",
    "intercepted": "In truth it was intercepted.",
    "false-alarm": "In truth nothing was launched.",
}


class Step(NamedTuple):
    """A stage of a launch.

    Attributes:
        shown: its name, as written.
        described: how its figure is shown.
        stream: the stream that it draws from.
        draw_ns: how long it takes, from a fraction of that stream.
    """

    shown: str
    described: Described
    stream: str
    draw_ns: Callable[[float], int]


class Happening(NamedTuple):
    """Something that the flight does, or that the chain predicts for it.

    Attributes:
        at_ns: when, scenario time.
        name: what.
        prefecture: where, if it is in one place.
        described: how that is shown.
    """

    at_ns: int
    name: str
    prefecture: str | None
    described: Described


class Closing(NamedTuple):
    """How a warning is closed: what the message says, the stage before it, and its belief."""

    event: AlertEvent
    stage: str
    belief: str
    described: Described


class Escalation(NamedTuple):
    """A later prediction of an impact nearby.

    Attributes:
        prefectures: whom it warns.
        impact: what is predicted, if a time is.
        believed_ns: predicted arrival at each of them, scenario time.
        outlook: what the launch is taken for from then on.
    """

    prefectures: tuple[str, ...]
    impact: Happening | None
    believed_ns: Mapping[str, int]
    outlook: Outlook


class Steps(dict[tuple[str, str], Step]):
    """The stages of a launch, each worked out when it is first asked for.

    By name, a field of the scenario's chain, and by which of several messages of the launch the
    stage belongs to, empty for the first.

    Args:
        scenario: whose launch it is.
        launch: the launch.
    """

    def __init__(self, scenario: Scenario, launch: Launch) -> None:
        super().__init__()
        self._scenario = scenario
        self._launch = launch

    def law(self, name: str) -> Law | None:
        """The law of a stage; a launch that was announced finds the chain watching."""
        watch = self._scenario.chain.announced if self._launch.announced else None
        watching: Law | None = getattr(watch, name, None)
        law: Law | None = watching or getattr(self._scenario.chain, name)
        return law

    def __missing__(self, key: tuple[str, str]) -> Step:
        """Work it out.

        Raises:
            InternalError: if the scenario has no law for it; its checks should have refused it.
        """
        name, part = key
        law = self.law(name)
        if law is None:
            raise InternalError(f"the stage {name} has no law in scenario {self._scenario.id}")
        found = self[key] = Step(
            shown=name.replace("_", "-"),
            described=described(self._scenario, law),
            stream="/".join(filter(None, ("launch", self._launch.id, part, name))),
            draw_ns=sampler(law, self._scenario.epoch),
        )
        return found


class LaunchScript:
    """A launch, ready to be played.

    Args:
        scenario: whose launch it is.
        launch: the launch.

    Attributes:
        id: its name.
        at_ns: when it is.
        begins: what that is called.
        begun: how that is shown.
        by_mistake: whether the alert goes out with nothing sensed.
        truth: what the flight does, in order; empty where that is what the chain believes.
        outlook: what it will be taken for; None if the chain will not see it.
        steps: its stages.
        sensors: the stages in which sensors report where no flight says when.
        sights: what sensors make of its flight, None if it has none.
        phase: stream of where early warning from space is in its scan.
        watch: how the chain watches a launch that was announced, None if it does not.
        rank: how urgent it looks, 0 most.
        certain: from when on its impact is as good as certain, where the chain waits for that.
        lost_ns: when its track is lost, where that forces a second look.
        prediction: what is predicted before anything is decided, if anything is.
        wrongly: prefectures that a fault of the system warns besides.
        parts: of the prefectures that are warned in part only, codes of the municipalities.
        escalation: the later prediction of an impact nearby, None if there is none.
        channel: how its correction went out in history, where that was not J-ALERT.
        reason: what its correction says.
    """

    def __init__(self, scenario: Scenario, launch: Launch) -> None:
        self._scenario = scenario
        self.steps = Steps(scenario, launch)
        self.launch = launch
        self.id: Final = launch.id
        self.at_ns = scenario.offset_ns(launch.at)
        faults = launch.faults or Faults()
        self.by_mistake = faults.by_mistake
        self.begins = _begins(launch, faults)
        self.begun = described(scenario, launch.at, launch.title)
        self.watch: Watch | None = scenario.chain.announced if launch.announced else None
        self.rank = _RANKS.index(launch.threat)
        self.outlook = outlook(scenario, launch)
        self.sights = self._sights()
        self.sensors = tuple(
            self.steps[name, ""] for name in (SATELLITE, RADAR) if self.steps.law(name) is not None
        )
        self.phase = f"launch/{launch.id}/phase"
        self.truth = self._truth()
        self.certain = self._certain()
        self.lost_ns = self._lost_ns()
        self.prediction = self._prediction()
        warned = () if self.outlook is None else self.outlook.warned
        wrong = faults.wrong_area or ()
        self.wrongly = tuple(slug for slug in prefectures_in(wrong) if slug not in warned)
        listed = None if launch.belief is None else launch.belief.prefectures
        self.parts = {
            slug: codes for slug, codes in parts_in(wrong).items() if slug in self.wrongly
        } | parts_in(listed or ())
        self.escalation = self._escalation()
        notice = launch.correction or CorrectionNotice()
        self.channel = notice.historical_channel
        outcome = None if self.outlook is None else self.outlook.outcome
        self.reason = notice.reason or _REASON.get(str(outcome), "")

    @cached_property
    def closing(self) -> Closing | None:
        """How its warning is closed, None if there is no closing message."""
        found = self.outlook
        if found is None or found.closing is None:
            return None
        stage = "cancellation" if found.cancels else "confirmation"
        assumption = self.steps[stage, ""].described.assumption
        return Closing(
            found.closing, stage, f"believed-{found.closing}", Described(assumption=assumption)
        )

    @cached_property
    def discovered(self) -> tuple[str, Described]:
        """What the chain believes once it has found out, and how that is shown."""
        outcome = None if self.outlook is None else self.outlook.outcome
        shown = self.steps["discovery", ""].described
        return f"believed-{outcome}", shown._replace(note=_FOUND_WRONG)

    @cached_property
    def usual(self) -> tuple[Step, ...]:
        """The stages that it passes if all goes as expected, in their order."""
        keys = self._sensing() + self._warning() + self._following()
        return tuple(self.steps[key] for key in keys if self.steps.law(key[0]) is not None)

    def _sensing(self) -> list[tuple[str, str]]:
        if self.outlook is None or self.by_mistake:
            return []
        names = (SATELLITE, RADAR) if self.sights is None else ("relay", "forming")
        looks = ["second_look"] if self.lost_ns is not None else []
        return [(name, "") for name in (*names, "assessment", *looks)]

    def _warning(self) -> list[tuple[str, str]]:
        if self.outlook is None or not (self.outlook.warned or self.wrongly):
            return []
        found = [("issue", "")] if self.by_mistake else [("decision", ""), ("issue", "")]
        if self.escalation is not None:
            found += [("reassessment", ""), ("issue", TAKE_SHELTER)]
        if self.wrongly:
            found += [("discovery", WRONG_AREA), ("correction", WRONG_AREA)]
        return found

    def _following(self) -> list[tuple[str, str]]:
        outlook, closing = self.outlook, self.closing
        if outlook is None or not outlook.warned:
            return []
        found = [] if closing is None else [(closing.stage, ""), ("issue", closing.event)]
        if outlook.wrong:
            found += [("discovery", ""), ("correction", "")]
        return [*found, ("all_clear", "")] if outlook.lingers else found

    def _sights(self) -> "Sights | None":
        if self.outlook is None or self.outlook.geometry is None:
            return None
        from simulator.model.sights import Sights  # noqa: PLC0415  # replays do not need the world

        return Sights(self.outlook.geometry)

    def _truth(self) -> tuple[Happening, ...]:
        """As listed, or as the flight has it, which arrives in each prefecture on its own."""
        scenario, truth = self._scenario, self.launch.truth
        if truth is not None:
            moments = [(str(truth.outcome), truth.at), ("arrival", truth.arrival)]
            happenings = [
                Happening(scenario.offset_ns(moment), name, None, described(scenario, moment))
                for name, moment in moments
                if moment is not None
            ]
            return tuple(sorted(happenings, key=lambda one: one[:2]))
        if self.outlook is None or self.outlook.geometry is None:
            return ()
        shown = described(scenario, self.outlook.geometry.figure)
        happenings = [
            *(
                Happening(at_ns, "arrival", slug, shown)
                for slug, at_ns in self.outlook.true_ns.items()
            ),
            Happening(self.outlook.ends_ns, str(self.outlook.outcome), None, shown),
        ]
        return tuple(sorted(happenings, key=lambda one: one.at_ns))

    def _certain(self) -> Happening | None:
        """Where near certainty is asked for: the end of the powered phase, or of the track.

        Until then the predicted impact moves on. An announced direction is certain enough.
        """
        found = None if self.outlook is None else self.outlook.geometry
        if found is None or self._scenario.chain.certainty != "near" or self.watch is not None:
            return None
        lost_ms = found.powered_ms if found.lost_ms is None else found.lost_ms
        ready_ns = self.at_ns + min(found.powered_ms, lost_ms) * NS_PER_MS
        return Happening(ready_ns, "tracking", None, described(self._scenario, found.figure))

    def _lost_ns(self) -> int | None:
        """What is known is not much where the track was lost; an announced direction is enough."""
        if self.outlook is None or self.watch is not None or self.steps.law("second_look") is None:
            return None
        return self.outlook.lost_ns

    def _prediction(self) -> Happening | None:
        found = self.outlook
        if found is None or found.figure is None or found.over_ns is None:
            return None
        name = "predicted-passage" if found.event is AlertEvent.LAUNCH else "predicted-impact"
        return Happening(found.over_ns, name, None, described(self._scenario, found.figure))

    def _escalation(self) -> Escalation | None:
        found, belief = self.outlook, self.launch.belief
        listed = None if belief is None else belief.escalation
        if found is None or listed is None:
            return None
        impact: Happening | None = None
        if listed.arrival is not None:
            shown = described(self._scenario, listed.arrival)
            at_ns = self._scenario.offset_ns(listed.arrival)
            impact = Happening(at_ns, "predicted-impact", None, shown)
        over_ns = found.over_ns if impact is None else impact.at_ns
        warned = tuple(dict.fromkeys((*found.warned, *listed.prefectures)))
        return Escalation(
            prefectures=listed.prefectures,
            impact=impact,
            believed_ns={} if over_ns is None else dict.fromkeys(listed.prefectures, over_ns),
            outlook=replace(found, over_ns=over_ns, warned=warned),
        )


def _begins(launch: Launch, faults: Faults) -> str:
    """What truth calls it: of a false alarm nothing was launched."""
    if faults.by_mistake:
        return "mistake"
    truth = launch.truth
    nothing = truth is not None and truth.outcome is Outcome.FALSE_ALARM
    return "false-report" if nothing else "launch"


def described(scenario: Scenario, figure: Provenance, note: str | None = None) -> Described:
    """How one of the scenario's figures is shown.

    Args:
        scenario: in a fictional one everything is assumed.
        figure: the figure.
        note: what to say instead of its own note.
    """
    return Described(
        assumption=figure.assumption or scenario.fictional,
        sources=figure.sources,
        note=note or figure.note or "",
    )
