"""Remote workers: who is let in, and their reports on the run's clock."""

import socket
import threading
from array import array
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe
from typing import Any

import pytest

from simulator.clock import ManualClock
from simulator.delivery.messages import (
    Begin,
    ClockAsk,
    ClockTell,
    Connections,
    Health,
    Hello,
    ProbeSeen,
    Progress,
    Receipts,
)
from simulator.delivery.remote import Door, RemoteChild
from simulator.delivery.room import Limits
from simulator.delivery.swarm.desk import EAGER_ANSWERS, Desk
from simulator.delivery.swarm.outbox import Outbox
from simulator.errors import BrokerUnreachableError
from simulator.measure.receipts import NO_TIME, ConnectionChange, ConnectionEvent, ReceiptBatch
from simulator.units import NS_PER_S

AHEAD_NS = 5_000 * NS_PER_S  # their clock minus ours
THERE_NS, BACK_NS = 100_000, 300_000  # what a message takes, on our clock

LIMITS = Limits(descriptors=1_024, ports=28_000)


class Far:
    """A remote worker's end of the line, and the run's."""

    def __init__(self, domain: str = "there", bound_ns: int = NS_PER_S) -> None:
        ours, theirs = socket.socketpair()
        self.pipe: Pipe[Any, Any] = Pipe(theirs.detach())
        self.clock = ManualClock(monotonic=100 * NS_PER_S)
        self.child = RemoteChild(
            Hello(worker=3, host="far", domain=domain, limits=LIMITS),
            Pipe(ours.detach()),
            domain="here",
            clock=self.clock,
            drift_ppm=0,
            bound_ns=bound_ns,
            fate=lambda: None,
        )

    def theirs_ns(self) -> int:
        return self.clock.monotonic_ns() + AHEAD_NS

    def round_trip(self) -> None:
        """Two questions, the second of which tells when the first was answered."""
        told_ns, reached_ns = None, 0
        for _ in range(2):
            asked_ns = self.theirs_ns()
            self.clock.advance(THERE_NS)
            self.pipe.send(ClockAsk(theirs_ns=asked_ns, told_ns=told_ns, reached_ns=reached_ns))
            assert isinstance(self.child.recv(), ClockAsk)
            answer = self.pipe.recv()
            assert isinstance(answer, ClockTell)
            self.clock.advance(BACK_NS)
            told_ns, reached_ns = answer.ours_ns, self.theirs_ns()

    def over(self, message: object) -> Any:
        self.pipe.send(message)
        assert self.child.poll()
        return self.child.recv()

    def rows(self, received_ns: int) -> Any:
        row = (7, 1, received_ns, 10, received_ns + 500, 4)
        message = self.over(Receipts(rows=array("q", row).tobytes()))
        return ReceiptBatch.from_bytes(message.rows).rows[0].tolist()

    def close(self) -> None:
        self.pipe.close()
        self.child.close()


@pytest.fixture
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.close()


def test_a_receipt_arrives_on_our_clock_with_the_offsets_bound_in_its_uncertainty(
    far: Far,
) -> None:
    far.round_trip()
    true_ns = far.clock.monotonic_ns()
    row = far.rows(true_ns + AHEAD_NS)
    assert row[:2] == [7, 1]
    assert row[2] - row[3] <= true_ns <= row[2]
    assert row[3] == 10 + THERE_NS + BACK_NS
    assert row[4] - row[2] == 500
    known = far.child.known_clock(0, far.clock.monotonic_ns())
    assert known is not None
    assert (known.client, known.domain, known.one_way, known.beyond) == (
        *("worker-3 on far", "there"),
        *(1, 0),
    )
    assert known.estimate is not None
    assert known.estimate.bound.low_ns <= -AHEAD_NS <= known.estimate.bound.high_ns


def test_without_a_bound_or_beyond_the_limit_there_is_no_time(far: Far) -> None:
    row = far.rows(far.theirs_ns())
    assert (row[2], row[4]) == (NO_TIME, NO_TIME)
    strict = Far(bound_ns=THERE_NS)
    strict.round_trip()
    row = strict.rows(strict.theirs_ns())
    assert (row[2], row[4]) == (NO_TIME, NO_TIME)
    known = strict.child.known_clock(0, strict.clock.monotonic_ns())
    assert known is not None
    assert (known.one_way, known.beyond) == (0, 1)
    strict.close()


def test_connections_and_probes_arrive_on_our_clock_too(far: Far) -> None:
    far.round_trip()
    at_ns = far.theirs_ns()
    closed = ConnectionEvent(
        subscriber=1, change=ConnectionChange.CLOSED, at_ns=at_ns, last_alive_ns=at_ns - 5
    )
    opened = ConnectionEvent(subscriber=1, change=ConnectionChange.CONNECTED, at_ns=at_ns)
    message = far.over(Connections(events=(closed, opened)))
    ours_ns = far.clock.monotonic_ns()
    for event in message.events:
        assert abs(event.at_ns - ours_ns) <= BACK_NS
    assert message.events[0].at_ns - message.events[0].last_alive_ns == 5
    assert message.events[1].last_alive_ns == NO_TIME
    seen = far.over(ProbeSeen(payload=b"x", at_ns=at_ns))
    assert abs(seen.at_ns - ours_ns) <= BACK_NS


def test_a_planned_start_leaves_on_their_clock(far: Far) -> None:
    far.round_trip()
    far.child.send(Begin(start_ns=far.clock.monotonic_ns()))
    assert abs(far.pipe.recv().start_ns - far.theirs_ns()) <= BACK_NS


def test_a_worker_on_our_clock_is_taken_at_its_word() -> None:
    near = Far(domain="here")
    assert near.rows(123)[2:5] == [123, 10, 623]
    near.child.send(Begin(start_ns=9))
    assert near.pipe.recv() == Begin(start_ns=9)
    assert near.child.known_clock(0, 1) is None
    assert near.over(Progress(connected=1, subscribed=1, total=1)).total == 1
    near.close()


def test_a_line_that_breaks_is_an_end(far: Far) -> None:
    far.pipe.close()
    with pytest.raises(EOFError):
        far.child.recv()
    far.child.send(Begin(start_ns=1))  # says nothing: the end tells
    assert (far.child.ended(), far.child.said(), far.child.name) == (None, "", "worker-3")


def test_a_worker_asks_often_at_first_and_then_with_its_health() -> None:
    said: list[object] = []
    clock = ManualClock(monotonic=5)
    desk = Desk("worker-0", said.append, Outbox(said.append), clock, asks_clock=True)
    desk.told(ClockTell(ours_ns=77))
    assert said == [ClockAsk(theirs_ns=5, told_ns=77, reached_ns=5)]
    for _ in range(2 * EAGER_ANSWERS):
        desk.told(ClockTell(ours_ns=78))
    assert len(said) == EAGER_ANSWERS - 1


# --- the door ---


@pytest.fixture
def door() -> Iterator[Door]:
    with socket.create_server(("127.0.0.1", 0)) as scheduler:
        opened = Door(("127.0.0.1", scheduler.getsockname()[1]))
        yield opened
        opened.close()


def _knock(door: Door, *shown: bytes, hello: object = None) -> threading.Thread:
    def come() -> None:
        with Pipe(socket.create_connection((door.host, door.port)).detach()) as pipe:
            for each in shown:
                pipe.send_bytes(each)
            if hello is not None:
                pipe.send(hello)
                pipe.poll(5)

    thread = threading.Thread(target=come)
    thread.start()
    return thread


def test_who_shows_the_secret_and_says_hello_comes_in(door: Door) -> None:
    hello = Hello(worker=1, host="far", domain="there", limits=LIMITS)
    thread = _knock(door, door.secret.encode(), hello=hello)
    found = door.admit(5 * NS_PER_S)
    assert found is not None
    assert found[0] == hello
    found[1].close()
    thread.join()


@pytest.mark.parametrize(
    ("shown", "hello"),
    [
        ((b"0" * 64,), Hello(worker=1, host="far", domain="there", limits=LIMITS)),
        ((b"0" * 100_000,), None),
        ((), None),
    ],
    ids=["another secret", "too much", "nothing"],
)
def test_nobody_else_does(door: Door, shown: tuple[bytes, ...], hello: object) -> None:
    thread = _knock(door, *shown, hello=hello)
    assert door.admit(5 * NS_PER_S) is None
    thread.join()


def test_a_stranger_with_the_secret_who_is_no_worker_does_not(door: Door) -> None:
    thread = _knock(door, door.secret.encode(), hello=Health)
    assert door.admit(5 * NS_PER_S) is None
    thread.join()


def test_nobody_came(door: Door) -> None:
    assert door.admit(1) is None


def test_no_way_to_the_hosts_is_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(BrokerUnreachableError, match="no way to"):
            Door(("127.0.0.1", unused.getsockname()[1]))
