"""What a worker tells its parent about itself and its connections.

Rule of the module: it words reports and hands them over; it decides nothing. Probe connections are
the worker's own and are in no ledger.
"""

from collections.abc import Callable
from typing import Final

from simulator.clock import Clock
from simulator.delivery.messages import ClockAsk, ClockTell, Health, Progress
from simulator.delivery.swarm.intake import Counters
from simulator.delivery.swarm.outbox import Outbox
from simulator.delivery.swarm.subscriber import PROBE, Subscriber
from simulator.delivery.vitals import cpu_ns, rss_bytes
from simulator.delivery.wire.stamps import StampClock
from simulator.measure.receipts import NO_TIME, ConnectionChange, ConnectionEvent

EAGER_ANSWERS: Final = 64  # one right after the other: the quickest of them bounds the offset


class Desk:
    """The reports of one worker.

    Args:
        name: ``worker-N``.
        send: hands one message to the parent.
        outbox: keeps connection changes in order with receipts.
        clock: the host's clocks.
        asks_clock: ask the parent, which may be on another host, for its clock: often at first,
            then with every report of health.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[object], None],
        outbox: Outbox,
        clock: Clock,
        *,
        asks_clock: bool = False,
    ) -> None:
        self.name = name
        self._asks_clock = asks_clock
        self._answers = 0
        self._last: tuple[int, int] | None = None
        self._send = send
        self._outbox = outbox
        self._now = clock.monotonic_ns

    def connected(self, subscriber: Subscriber) -> None:
        """Its CONNACK was read."""
        present = subscriber.connection.session_present
        self._change(subscriber, ConnectionChange.CONNECTED, session_present=present)

    def subscribed(self, subscriber: Subscriber) -> None:
        """Every SUBACK was read and granted."""
        self._change(subscriber, ConnectionChange.SUBSCRIBED)

    def closed(self, subscriber: Subscriber) -> None:
        """Its connection ended, by its plan or not."""
        connection = subscriber.connection
        self._change(
            subscriber,
            ConnectionChange.OFFLINE if subscriber.away else ConnectionChange.CLOSED,
            last_alive_ns=connection.last_alive_ns,
            reason=connection.reason,
        )

    def progress(self, connected: int, subscribed: int, total: int) -> None:
        """How far the ramp is."""
        self._send(Progress(connected=connected, subscribed=subscribed, total=total))

    def health(self, lag_max_ns: int, counters: Counters, stamps: StampClock) -> None:
        """How the worker is doing."""
        self._send(
            Health(
                name=self.name,
                cpu_ns=cpu_ns(),
                lag_max_ns=lag_max_ns,
                reads=counters.reads,
                messages=counters.messages,
                rss_bytes=rss_bytes(),
                stamps_missing=counters.stamps_missing,
                clock_offset_ns=stamps.offset_ns,
                clock_error_ns=stamps.error_ns,
                clock_steps=stamps.steps,
                clock_slewed_ns=stamps.slewed_ns,
                clock_estimates=stamps.estimates,
                batch_max=counters.most,
            )
        )

        if self._asks_clock:
            self._ask()

    def told(self, answer: ClockTell) -> None:
        """The parent told its clock."""
        self._last = answer.ours_ns, self._now()
        self._answers += 1
        if self._answers < EAGER_ANSWERS:
            self._ask()

    def _ask(self) -> None:
        told_ns, reached_ns = self._last or (None, 0)
        self._send(ClockAsk(theirs_ns=self._now(), told_ns=told_ns, reached_ns=reached_ns))

    def _change(
        self,
        subscriber: Subscriber,
        change: ConnectionChange,
        *,
        last_alive_ns: int = NO_TIME,
        session_present: bool = False,
        reason: str = "",
    ) -> None:
        if subscriber.number != PROBE:
            self._outbox.change(
                ConnectionEvent(
                    subscriber=subscriber.number,
                    change=change,
                    at_ns=self._now(),
                    last_alive_ns=last_alive_ns,
                    session_present=session_present,
                    reason=reason,
                )
            )
