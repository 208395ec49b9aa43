"""Absences: when a member of a group joins, leaves and returns, in wall time. Pure.

Rule of the module: a group, the pace of a run and the member's own stream come in, its conduct
goes out. Outages and joins are declared in scenario time and shrink with the speed; the rhythm in
which a device tries again is wall time and does not, so at a high speed that is what decides when
a device is back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final

from simulator.delivery.backoff import DOUBLINGS, Backoff
from simulator.errors import ScenarioError
from simulator.measure.plan import Absence, Conduct
from simulator.randomness import Stream
from simulator.scenario.subscribers import AnyGroup, Flapping, Late, Offline, Slow
from simulator.scenario.values import Instant
from simulator.units import format_clock

MOST_ABSENCES: Final = 100_000
_SETTLED: Final = 64  # waits played one by one at the end of a long outage


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When the messages of a scenario go out, and how fast it is played.

    Attributes:
        epoch: scenario time zero.
        first_ns: the first message, scenario ns.
        last_ns: the last one, scenario ns.
        speed: scenario seconds per wall second.
        repeat: how often the timeline is played.
        gap_ns: wall ns between two playings.
    """

    epoch: datetime
    first_ns: int
    last_ns: int
    speed: Fraction = Fraction(1)
    repeat: int = 1
    gap_ns: int = 0

    @property
    def period_ns(self) -> int:
        """From one playing to the next, wall ns."""
        return self.wall_ns(self.last_ns) + self.gap_ns

    def wall_ns(self, scenario_ns: int) -> int:
        """Scenario time as wall ns after the first intended send."""
        return (scenario_ns - self.first_ns) * self.speed.denominator // self.speed.numerator


def conduct_of(group: AnyGroup, pace: Pace, stream: Stream) -> Conduct | None:
    """When one member of a group is away and how it reads; None if there is nothing to say.

    Raises:
        ScenarioError: if no message goes out in the time that the group speaks of.
    """
    match group:
        case Late():
            low, high = (
                each.offset_ns(pace.epoch) for each in (group.joins_from, group.joins_until)
            )
            _check_inside(group, pace, ("joins_from", group.joins_from), high)
            return Conduct(joins_ns=pace.wall_ns(low + int((high - low) * stream.uniform())))
        case Offline():
            leaves, returns = (each.offset_ns(pace.epoch) for each in (group.leaves, group.returns))
            _check_inside(group, pace, ("leaves", group.leaves), returns)
            shift = int(group.spread * stream.uniform()) if group.spread else 0
            outages = _played(pace, [(leaves + shift, returns + shift)])
            return Conduct(absences=tuple(Absence(leaves_ns=a, returns_ns=b) for a, b in outages))
        case Flapping():
            return _flapping(group, pace, stream)
        case Slow():
            return Conduct(reads_every_ns=group.reads_every)
        case _:
            return None


def _flapping(group: Flapping, pace: Pace, stream: Stream) -> Conduct:
    first = group.first_outage.offset_ns(pace.epoch)
    whole = (group.outages - 1) * group.every + group.outage
    _check_inside(group, pace, ("first_outage", group.first_outage), first + whole)
    if group.outages * pace.repeat > MOST_ABSENCES:
        raise _error(
            group,
            "outages",
            str(group.outages),
            f"{group.outages} outages in each of {pace.repeat} playings are more than "
            f"{MOST_ABSENCES}",
            "lower outages or --repeat",
        )
    if not group.together:
        first += int((group.every or group.outage) * stream.uniform())
    outages = _played(
        pace,
        [
            (first + turn * group.every, first + turn * group.every + group.outage)
            for turn in range(group.outages)
        ],
    )
    backoff = Backoff(
        first_ns=group.backoff.first,
        longest_ns=group.backoff.longest,
        jitter=group.backoff.jitter,
    )
    return Conduct(
        absences=absences_of(outages, backoff, stream),
        abrupt=True,
        retry_first_ns=backoff.first_ns,
        retry_longest_ns=backoff.longest_ns,
        jitter=backoff.jitter,
    )


def _played(pace: Pace, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Scenario spans as wall spans of every playing, joined where they meet; past ones left out."""
    joined: list[tuple[int, int]] = []
    for playing in range(pace.repeat):
        for start, end in spans:
            shift = playing * pace.period_ns
            begins, ends = pace.wall_ns(start) + shift, pace.wall_ns(end) + shift
            if ends <= 0 or ends == begins:
                continue
            if joined and begins <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
            else:
                joined.append((begins, ends))
    return joined


def absences_of(
    outages: Sequence[tuple[int, int]], backoff: Backoff, stream: Stream
) -> tuple[Absence, ...]:
    """How long a device is away that tries again in its own rhythm.

    Args:
        outages: wall spans in which nothing gets through, in order, apart from each other.
        backoff: its rhythm.
        stream: for its jitter.

    Returns:
        From the beginning of an outage to the first attempt that falls into none. An outage that
        begins before that is no new loss: there was no connection to lose.
    """
    found: list[Absence] = []
    turn = 0
    while turn < len(outages):
        leaves = back = outages[turn][0]
        tried = 0
        while turn < len(outages) and outages[turn][0] <= back:
            until = outages[turn][1]
            if until <= back and back > leaves:
                turn += 1
                continue
            if tried > DOUBLINGS and until - back > _SETTLED * backoff.longest_ns:
                # Its rhythm no longer changes: of an outage of hours only the end is played.
                whole = (until - back) // backoff.longest_ns - _SETTLED
                back += whole * backoff.longest_ns
            back += backoff.wait_ns(tried, stream.uniform() if backoff.jitter else 1.0)
            tried += 1
        found.append(Absence(leaves_ns=leaves, returns_ns=back))
    return tuple(found)


def _check_inside(group: AnyGroup, pace: Pace, start: tuple[str, Instant], ends_ns: int) -> None:
    """Refuse a time in which no message goes out: the group would be like any other.

    Args:
        group: whose time it is.
        pace: when messages go out.
        start: the field that says when it begins, and what it says.
        ends_ns: when it ends, scenario ns.
    """
    field, written = start
    if written.offset_ns(pace.epoch) <= pace.last_ns and ends_ns >= pace.first_ns:
        return
    first, last = (format_clock(pace.epoch, at) for at in (pace.first_ns, pace.last_ns))
    raise _error(
        group,
        field,
        written.text,
        "this lies outside the scenario's time",
        f"messages go out from {first} to {last}: write a time that begins before the last and "
        "ends after the first of them",
    )


def _error(group: AnyGroup, field: str, value: str, message: str, remedy: str) -> ScenarioError:
    return ScenarioError(
        message, field=f"subscribers.{group.id}.{field}", value=value, remedy=remedy
    )
