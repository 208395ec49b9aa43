"""Playing activations for docs/validation.py: what the model says, read off a clock like the press.

Published times are whole minutes, so each replication is read off a clock of whole minutes, its
launch at a random second of the minute. Faults of the day are left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulator.model import Timeline, simulate
from simulator.randomness import Streams
from simulator.scenario import Scenario, load_scenario
from simulator.scenario.schema import RecordedMessage
from simulator.units import NS_PER_MIN

SEED: Final = 2022
REPLICATIONS: Final = 400
TAIL: Final = 0.05
RARE: Final = 0.05
WARNINGS: Final = ("launch", "take-shelter")
FIRST: Final = "first alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One kind of message of an activation, beside the replications.

    Attributes:
        case: the scenario.
        regime: the chain profile.
        kind: ``FIRST``, or what a later message says.
        published: minutes from launch to it.
        played: minutes from launch to it, and at which fraction of a minute the launch was, in
            each replication that sends it.
        sent: share of the replications that send it.
    """

    case: str
    regime: str
    kind: str
    published: int
    played: tuple[tuple[float, float], ...]
    sent: float

    def clock(self, stretched: float = 1.0) -> list[int]:
        """Whole minutes, rising; all times from the launch stretched by a factor."""
        return sorted(int(minutes * stretched + second) for minutes, second in self.played)

    def interval(self, stretched: float = 1.0) -> tuple[int, int] | None:
        """Least and most minutes without the tails; None if it is never sent."""
        found = self.clock(stretched)
        if not found:
            return None
        tail = int(TAIL * len(found))
        return found[tail], found[len(found) - 1 - tail]

    def covers(self, stretched: float = 1.0) -> bool:
        """Whether the model expects the message, at about that time."""
        span = self.interval(stretched)
        return span is not None and self.sent >= RARE and span[0] <= self.published <= span[1]

    @property
    def rank(self) -> float:
        """Share of the replications below the published figure, half of those equal counted."""
        found = self.clock()
        below = sum(minutes < self.published for minutes in found)
        equal = sum(minutes == self.published for minutes in found)
        return (below + equal / 2) / len(found) if found else 0.0


def scenario_of(name: str, laws: Mapping[str, Any] | None = None) -> Scenario:
    """A shipped scenario without the faults of its day.

    Args:
        name: of the scenario.
        laws: fields of laws of its chain to play it with instead, by stage.
    """
    document = load_scenario(name).resolved()
    document.pop("channel_faults", None)
    for launch in document["launches"]:
        launch.pop("faults", None)
    for path, fields in (laws or {}).items():
        place = document["chain"]
        for part in path.split("."):
            place = place[part]
        place.update(fields)
    return Scenario.model_validate(document)


def under_the_laws_of(name: str, other: str) -> Scenario:
    """A shipped scenario with the stages of another one, and the policy of its own time."""
    document, donor = scenario_of(name).resolved(), scenario_of(other).resolved()
    document["chain"] = donor["chain"] | {"policy": document["chain"]["policy"]}
    known = {source["id"] for source in document["sources"]}
    document["sources"] += [source for source in donor["sources"] if source["id"] not in known]
    return Scenario.model_validate(document)


def play(scenario: Scenario, replications: int = REPLICATIONS) -> list[Timeline]:
    """Replications of a scenario."""
    return [simulate(scenario, SEED, number) for number in range(replications)]


def messages(scenario: Scenario, timelines: Sequence[Timeline]) -> list[Message]:
    """The published messages of a scenario: the first alert and what followed it."""
    alerts = [recorded for recorded in scenario.record if recorded.event in WARNINGS]
    later = [recorded for recorded in scenario.record if recorded.event not in WARNINGS]
    return [
        _message(scenario, timelines, FIRST, alerts[0], WARNINGS),
        *(
            _message(scenario, timelines, recorded.event, recorded, (recorded.event,))
            for recorded in later
        ),
    ]


def _message(
    scenario: Scenario,
    timelines: Sequence[Timeline],
    kind: str,
    recorded: RecordedMessage,
    events: Iterable[str],
) -> Message:
    launched_ns = scenario.offset_ns(scenario.launches[0].at)
    found = []
    for timeline in timelines:
        sent = [alert.at_ns for alert in timeline.alerts if alert.event in events]
        if sent:
            second = Streams(SEED, timeline.replication).stream("validation/second").uniform()
            found.append(((min(sent) - launched_ns) / NS_PER_MIN, second))
    return Message(
        case=scenario.id,
        regime=str(scenario.chain.profile),
        kind=kind,
        published=(scenario.offset_ns(recorded.at) - launched_ns) // NS_PER_MIN,
        played=tuple(found),
        sent=len(found) / len(timelines),
    )


def table(title: str, heads: Sequence[str], rows: Sequence[str], note: str = "") -> str:
    """A section with a table and a note below it."""
    lines = [title, "", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *rows, ""]
    return "\n".join([*lines, note, ""] if note else lines)


def between(span: tuple[int, int] | None) -> str:
    """An interval in words."""
    return "never" if span is None else f"{span[0]} to {span[1]}"


def yes(answer: bool) -> str:
    """An answer; a no stands out."""
    return "yes" if answer else "**no**"


def count(answers: Iterable[bool]) -> str:
    """How many of how many."""
    found = list(answers)
    return f"{sum(found)} of {len(found)}"


def names(slugs: Iterable[str]) -> str:
    """Prefectures, by name."""
    return ", ".join(sorted(slugs)) or "none"
