"""When a schedule is due, and whether it then starts a run.

Rule of the module: pure; the time is an argument. Wall time says when cron is due, monotonic time
how long a loop has paused. Every due instant is decided upon exactly once, whatever the clock does:
one that passed while nobody looked counts, one that comes again does not. A schedule never piles
up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from cronsim import CronSim

from simulator.service.schedules_model import Schedule, ScheduleState, zone_of
from simulator.units import NS_PER_S, format_duration, parse_duration, wall_datetime

STEPPED_BACK_NS: Final = 24 * 3600 * NS_PER_S
MOST_COUNTED: Final = 1000
_LONGEST_PAUSE_NS: Final = 300 * NS_PER_S
_MOST_DOUBLED: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Times at which no run is started.

    Attributes:
        reason: of the catalogue of metrics.
        times: how many.
        why: one sentence for people.
    """

    reason: str
    times: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What to do with a schedule now.

    Attributes:
        start: whether to start its run.
        decided_ns: latest due instant that this decides upon, wall ns since the Unix epoch.
        skips: what is not started, and why.
    """

    start: bool
    decided_ns: int
    skips: tuple[Skip, ...] = ()


def next_due_ns(schedule: Schedule, after_ns: int) -> int | None:
    """The first instant of cron after this one, wall ns; None for a loop, or if there is none.

    Daylight saving time as in Debian's cron: an hour that is left out runs right after the gap, an
    hour that comes twice runs once; expressions with a star in minute or hour follow real time.
    """
    return None if schedule.cron is None else next(_instants(schedule, after_ns), None)


def _instants(schedule: Schedule, after_ns: int) -> Iterator[int]:
    # From the start of the second: cron knows no fractions, and a float would lose the last ones.
    begin = wall_datetime(after_ns // NS_PER_S * NS_PER_S).astimezone(zone_of(schedule.zone))
    last_ns = after_ns
    for moment in CronSim(schedule.cron or "", begin):
        at_ns = int(moment.astimezone(UTC).timestamp()) * NS_PER_S
        if at_ns > last_ns:  # around a change of the clocks one instant may stand twice
            last_ns = at_ns
            yield at_ns


def turn(schedule: Schedule, state: ScheduleState, now_ns: int, *, playing: bool) -> Turn:
    """What a cron schedule does at this instant.

    Args:
        schedule: with a cron expression.
        state: how it went so far.
        now_ns: wall ns since the Unix epoch.
        playing: whether the run it started last still plays or waits.
    """
    decided_ns = state.decided_ns
    if decided_ns > now_ns + STEPPED_BACK_NS:
        decided_ns = now_ns  # that clock was wrong, or this would be silent for as long
    due, more = _due(schedule, decided_ns, now_ns)
    if not due:
        return Turn(start=False, decided_ns=decided_ns)
    latest_ns, grace_ns = due[-1], parse_duration(schedule.grace)
    too_late = now_ns - latest_ns > grace_ns
    missed = len(due) - 1 + int(too_late)
    skips = []
    if missed:
        many = f"{missed:,} or more times" if more else "once" if missed == 1 else f"{missed} times"
        skips.append(
            Skip(
                reason="missed",
                times=missed,
                why=f"due {many} while the service was away or the clock jumped; started late is "
                f"only the latest, and that only within its grace of {format_duration(grace_ns)}",
            )
        )
    if playing and not too_late:
        skips.append(
            Skip(
                reason="still-playing", times=1, why=f"its last run, {state.last_run}, still plays"
            )
        )
    return Turn(start=not playing and not too_late, decided_ns=latest_ns, skips=tuple(skips))


def _due(schedule: Schedule, after_ns: int, now_ns: int) -> tuple[list[int], bool]:
    """Instants after the one and up to the other; whether there are more than were counted."""
    found: list[int] = []
    for at_ns in _instants(schedule, after_ns):
        if at_ns > now_ns:
            return found, False
        found.append(at_ns)
        if len(found) == MOST_COUNTED:
            break
    else:
        return found, False
    # Too many to list: of the rest only those that may still start matter.
    since_ns = max(found[-1], now_ns - parse_duration(schedule.grace))
    latest_ns = found[-1]
    for at_ns in _instants(schedule, since_ns):
        if at_ns > now_ns:
            break
        latest_ns = at_ns
    return [*found[:-1], latest_ns], True


def pause_ns(schedule: Schedule, state: ScheduleState) -> int:
    """How long a loop waits after the end of a run, wall ns; doubled after each run that failed."""
    pause = parse_duration(schedule.pause)
    doubled = pause << min(state.failures, _MOST_DOUBLED)
    return max(pause, min(doubled, _LONGEST_PAUSE_NS))
