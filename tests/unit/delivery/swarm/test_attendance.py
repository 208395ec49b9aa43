"""Planned steps, in order."""

from typing import Any, cast

from simulator.delivery.swarm.attendance import Attendance, Step
from simulator.delivery.swarm.subscriber import RECONNECT, Subscriber
from simulator.delivery.wire.keepalive import NEVER
from simulator.measure.plan import Absence, Conduct
from simulator.measure.receipts import NO_TIME


def subscriber(number: int, conduct: Conduct | None = None) -> Subscriber:
    nothing = cast("Any", None)
    return Subscriber(number, nothing, nothing, None, conduct)


def steps(attendance: Attendance, now_ns: int) -> list[tuple[int, Step]]:
    return [(each.number, step) for each, step in attendance.due(now_ns)]


def away(*spans: tuple[int, int]) -> Conduct:
    return Conduct(absences=tuple(Absence(leaves_ns=a, returns_ns=b) for a, b in spans))


def test_nothing_happens_before_the_run_begins() -> None:
    attendance = Attendance()
    assert attendance.next_ns() is None
    assert steps(attendance, 10**18) == []


def test_everybody_follows_its_plan_from_the_start_of_the_run() -> None:
    attendance = Attendance()
    people = [
        subscriber(0),
        subscriber(1, away((10, 30), (50, 60))),
        subscriber(2, Conduct(joins_ns=20)),
        subscriber(3, Conduct(reads_every_ns=5)),
    ]
    attendance.begin(people, 1000)
    assert attendance.next_ns() == 1010
    assert steps(attendance, 1009) == []
    assert steps(attendance, 1030) == [(1, Step.LEAVE), (2, Step.RETURN), (1, Step.RETURN)]
    assert attendance.next_ns() == 1050
    assert steps(attendance, 5000) == [(1, Step.LEAVE), (1, Step.RETURN)]
    assert attendance.next_ns() is None


def test_what_was_due_before_the_start_is_done_at_once() -> None:
    attendance = Attendance()
    attendance.begin([subscriber(1, away((-500, 10)))], 1000)
    assert steps(attendance, 600) == [(1, Step.LEAVE)]
    assert attendance.next_ns() == 1010


def test_a_look_is_entered_by_who_looks() -> None:
    attendance, slow = Attendance(), subscriber(1, Conduct(reads_every_ns=5))
    attendance.begin([slow], 1000)
    assert attendance.next_ns() is None
    attendance.look(slow, 1005)
    assert steps(attendance, 1005) == [(1, Step.LOOK)]
    assert attendance.next_ns() is None


def test_who_joins_by_plan_is_away_and_not_waited_for() -> None:
    late, steady = subscriber(1, Conduct(joins_ns=5)), subscriber(2)
    assert (late.away, late.joins_ns) == (True, NEVER)
    assert (steady.away, steady.joins_ns) == (False, NO_TIME)


def test_a_plan_says_how_to_try_again_and_how_often_to_read() -> None:
    conduct = Conduct(retry_first_ns=7, retry_longest_ns=70, jitter=False, reads_every_ns=9)
    planned, steady = subscriber(1, conduct), subscriber(2)
    assert [planned.backoff.wait_ns(n, 0.0) for n in (0, 1, 9)] == [7, 14, 70]
    assert (planned.reads_every_ns, steady.reads_every_ns) == (9, 0)
    assert steady.backoff is RECONNECT
