"""The child processes of one round and the ledger they report to, served by one loop.

Rule of the module: what ``simulator.run`` does with its children, without its progress display and
its event loop: receipts go straight into a real Ledger; everything else is kept by type. A child
that fails ends the round.
"""

import contextlib
import selectors
import socket
from collections.abc import Callable, Iterator
from typing import TypeVar

from benchmarks.harness import CLOCK, BenchmarkError
from simulator.delivery.brokers.base import LOOPBACK, Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.children import Child
from simulator.delivery.messages import (
    Acknowledged,
    Connections,
    Ended,
    Failed,
    Receipts,
    Sent,
    Stop,
)
from simulator.measure.ledger import Ledger
from simulator.measure.receipts import ReceiptBatch
from simulator.units import NS_PER_S

_HANDLED = 4
_START_NS = 60 * NS_PER_S
_GRACE_NS = 2 * NS_PER_S
_Message = TypeVar("_Message")


class Party:
    """Children by name.

    Attributes:
        ledger: takes receipts, sends and connection changes once it is there.
        handled_ns: when the last receipt so far was handled in its worker, monotonic ns.
        sent_ns: by alert number, monotonic ns.
        booked_ns: when the ledger had taken it in, monotonic ns.
        counted: receipts while they are only counted.
    """

    def __init__(self) -> None:
        self.ledger: Ledger | None = None
        self.handled_ns = 0
        self.booked_ns = 0
        self.counted = 0
        self._only_count = False
        self.sent_ns: dict[int, int] = {}
        self._selector = selectors.DefaultSelector()
        self._children: dict[str, Child] = {}
        self._heard: dict[tuple[str, type], object] = {}
        self._early: list[object] = []

    def start(self, name: str, target: Callable[..., None], order: object) -> Child:
        """Start a child and listen to it."""
        child = Child(name, target, order)
        self._children[name] = child
        self._selector.register(child, selectors.EVENT_READ, child)
        return child

    def child(self, name: str) -> Child:
        """The child of this name."""
        return self._children[name]

    def open_ledger(self, ledger: Ledger) -> None:
        """Book what was reported so far, and everything from now on."""
        self.ledger = ledger
        early, self._early = self._early, []
        for message in early:
            self._book(ledger, message)

    def only_count(self) -> None:
        """Count receipts from now on and forget them: what the ledger costs, it does not cost."""
        self._only_count = True

    def heard(self, name: str, kind: type[_Message]) -> _Message | None:
        """The last message of this kind from this child."""
        message = self._heard.get((name, kind))
        return message if isinstance(message, kind) else None

    def await_message(
        self, name: str, kind: type[_Message], timeout_ns: int = _START_NS
    ) -> _Message:
        """Wait for a child to say this.

        Raises:
            BenchmarkError: if it does not in time.
        """
        self.pump(lambda: (name, kind) in self._heard, timeout_ns, f"{kind.__name__} from {name}")
        message = self.heard(name, kind)
        if message is None:
            raise BenchmarkError(f"{name} never said {kind.__name__}")
        return message

    def pump(self, done: Callable[[], bool], timeout_ns: int, what: str) -> None:
        """Serve the children until done.

        Raises:
            BenchmarkError: if that takes longer than the timeout, or a child fails.
        """
        deadline_ns = CLOCK.monotonic_ns() + timeout_ns
        while not done():
            left_ns = deadline_ns - CLOCK.monotonic_ns()
            if left_ns <= 0:
                raise BenchmarkError(f"not in time: {what}")
            for key, _ in self._selector.select(left_ns / NS_PER_S):
                self._read(key.data)

    def _read(self, child: Child) -> None:
        try:
            while child.poll():
                self._take(child.name, child.recv())
        except EOFError:
            self._selector.unregister(child)
            if self.heard(child.name, Ended) is None:
                raise BenchmarkError(f"{child.name} died: {child.said()}") from None

    def _take(self, name: str, message: object) -> None:
        if isinstance(message, Failed):
            raise BenchmarkError(f"{name}: {message.reason}: {message.detail}")
        if isinstance(message, Receipts | Connections | Sent | Acknowledged):
            if self._only_count:
                self._count(message)
            elif self.ledger is None:
                self._early.append(message)
            else:
                self._book(self.ledger, message)
        else:
            self._heard[name, type(message)] = message

    def _count(self, message: object) -> None:
        if isinstance(message, Receipts):
            batch = ReceiptBatch.from_bytes(message.rows)
            self.counted += len(batch.rows)
            self.handled_ns = int(batch.rows[-1, _HANDLED])
            self.booked_ns = CLOCK.monotonic_ns()

    def _book(self, ledger: Ledger, message: object) -> None:
        match message:
            case Receipts():
                batch = ReceiptBatch.from_bytes(message.rows)
                ledger.receipts(batch)
                self.handled_ns = int(batch.rows[-1, _HANDLED])
                self.booked_ns = CLOCK.monotonic_ns()
            case Connections():
                for event in message.events:
                    ledger.connection(event)
            case Sent():
                self.sent_ns[message.alert] = message.sent_ns
                ledger.sent(message.alert, message.composed_ns, message.sent_ns)
            case Acknowledged():
                ledger.acknowledged(message.alert, message.at_ns)
            case _:
                raise TypeError(type(message).__name__)

    def stop(self) -> None:
        """End every child in order, at most two seconds each."""
        for child in self._children.values():
            child.send(Stop(grace_ns=_GRACE_NS))
        with contextlib.suppress(BenchmarkError):
            self.pump(
                lambda: all(self.heard(name, Ended) for name in self._children),
                _GRACE_NS,
                "the end",
            )
        self._selector.close()
        for child in self._children.values():
            child.close(_GRACE_NS // 4)


def fresh_broker() -> Broker:
    """An embedded broker on ports that the system finds free: nobody looks for it, or shares it."""
    with socket.create_server((LOOPBACK, 0)) as one, socket.create_server((LOOPBACK, 0)) as two:
        ports = (int(one.getsockname()[1]), int(two.getsockname()[1]))
    return EmbeddedBroker(ports=ports, announce=False)


@contextlib.contextmanager
def party() -> Iterator[Party]:
    """A party that is stopped whatever happens."""
    members = Party()
    try:
        yield members
    finally:
        members.stop()
