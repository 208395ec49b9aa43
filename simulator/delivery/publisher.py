"""The publisher: the child process that sends the alerts at their intended times.

Rule of the module: one loop, one thread; a due alert goes before everything else, then composing,
then retained states, then reports to the run. Waiting ends a moment early and the rest is spun
away, so that the machine's timer does not show in the figures. A lost publishing connection ends
the process with Failed: what a broker did with unacknowledged messages cannot be known, and sending
them again would count the instrument's repeats as the broker's. If the run goes away the process
goes at once without DISCONNECT, so that the last wills clear every state.
"""

import contextlib
import gc
import select
import selectors
import traceback
from collections import deque
from multiprocessing.connection import Connection as Pipe
from typing import Final

from simulator.clock import Clock, SystemClock
from simulator.delivery import vitals
from simulator.delivery.guardians import Guardian, Guardians
from simulator.delivery.messages import (
    Ended,
    Failed,
    Health,
    Play,
    Probe,
    Published,
    PublishOrder,
    Ready,
    Stop,
)
from simulator.delivery.preflight import PARTING_NS
from simulator.delivery.sending import LOOKAHEAD_NS, Composed, Sender
from simulator.delivery.warmth import Warmth
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import resolve
from simulator.errors import BrokerUnreachableError
from simulator.units import NS_PER_MS, NS_PER_S, NS_PER_US

_SPIN_NS: Final = 300 * NS_PER_US
_WALK_NS: Final = 150 * NS_PER_US  # what warming the way to the interface takes, and more
_NEAR_NS: Final = 1_500 * NS_PER_US  # epoll waits whole milliseconds: sleep over the last one
_QUIET_NS: Final = 500 * NS_PER_US  # no background work this close to a due alert
_PIECES: Final = 16  # of background work in one turn, so that sockets are served in between
_FULL_NS: Final = 5 * NS_PER_MS  # how long to leave a full pipe alone
_TICK_NS: Final = 100 * NS_PER_MS
_SHORT_TICK_NS: Final = 5 * NS_PER_MS
_HEALTH_NS: Final = NS_PER_S
PATIENCE_NS: Final = 5 * NS_PER_S  # for the last acknowledgements
_PROBE_QOS: Final = 1
_GONE: Final = (EOFError, BrokenPipeError, ConnectionResetError)
_REASONS: Final = {
    Cause.UNREACHABLE: "unreachable",
    Cause.TIMEOUT: "unreachable",
    Cause.VIOLATION: "unreachable",
    Cause.REFUSED: "refused",
}


def publisher_main(pipe: Pipe, order: PublishOrder) -> None:
    """Serve one run: connect, report Ready, obey Probe, Play and Stop."""
    try:
        Publisher(pipe, order, SystemClock()).run()
    except _GONE:
        return  # the run is gone: end without DISCONNECT
    except BrokerUnreachableError as error:
        _last_words(pipe, Failed(reason="unreachable", detail=str(error)))
    except Exception:  # noqa: BLE001  # whatever it is, the run must hear of it
        _last_words(pipe, Failed(reason="internal", detail=traceback.format_exc()))


def _last_words(pipe: Pipe, failed: Failed) -> None:
    with contextlib.suppress(*_GONE):
        pipe.send(failed)


class Publisher:
    """The loop.

    Args:
        pipe: to the run.
        order: what to publish as.
        clock: where time comes from.
    """

    def __init__(self, pipe: Pipe, order: PublishOrder, clock: Clock) -> None:
        self._pipe = pipe
        self._order = order
        self._clock = clock
        self._poller = Poller()
        self._warmth = Warmth()
        self._buffer = ReadBuffer()
        self._address = resolve(order.endpoint)
        self._connection = Connection(
            ConnectionOrder(
                endpoint=order.endpoint,
                client=order.client,
                keep_alive_s=order.keep_alive_s,
                message_expiry_s=order.message_expiry_s,
            )
        )
        self._outbox: deque[object] = deque()
        self._guardians = Guardians(order, self._address, self._poller, self._buffer, self._report)
        self._sender = Sender(self._connection, order.context, clock, self._report, self._written)
        self._is_ready = False
        self._playing = False
        self._stop_ns: int | None = None
        self._part_ns: int | None = None
        self._over = False
        self._tick_ns = 0
        self._health_ns = 0
        self._report_ns = 0
        self._lag_ns = 0
        self._reads = 0

    # --- the loop ---

    def run(self) -> None:
        """Until the run says stop, goes away, or the broker is lost."""
        now_ns = self._clock.monotonic_ns()
        self._poller.selector.register(self._pipe, selectors.EVENT_READ, self._pipe)
        self._connection.open(self._address, now_ns)
        self._guardians.open(now_ns)
        self._follow()
        try:
            while not self._over:
                self._turn()
        finally:
            self._connection.close()
            self._poller.update(self._connection, self._connection)
            self._guardians.abandon_all(self._clock.monotonic_ns())
            self._poller.close()
            self._warmth.close()

    def _turn(self) -> None:
        ready = self._poller.select(self._timeout_ns())
        began_ns = self._clock.monotonic_ns()
        for key, events in ready:
            if key.data is self._pipe:
                self._obey(self._pipe.recv())
            elif isinstance(key.data, Guardian):
                self._guardians.handle(key.data, events, began_ns)
            else:
                self._serve(events, began_ns)
        idle_ns = self._send_due()
        self._work()
        if self._over:
            return
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._tick_ns:
            self._tick(now_ns)
        self._lag_ns = max(self._lag_ns, now_ns - began_ns - idle_ns)

    def _timeout_ns(self) -> int:
        """How long to wait for events: whole milliseconds, ending before the next thing to do."""
        now_ns = self._clock.monotonic_ns()
        if self._guardians.has_work and self._may_work(now_ns):
            return 0
        due_ns, compose_ns = self._sender.due_ns, self._sender.compose_ns
        wait_ns = self._tick_ns - now_ns
        if due_ns is not None:
            wait_ns = min(wait_ns, due_ns - now_ns - _NEAR_NS)
        if compose_ns is not None:
            wait_ns = min(wait_ns, compose_ns - now_ns)
        if self._outbox:
            wait_ns = min(wait_ns, self._report_ns - now_ns)
        return max(0, wait_ns // NS_PER_MS * NS_PER_MS)

    def _serve(self, events: int, now_ns: int) -> None:
        connection = self._connection
        packets = connection.handle(events, now_ns, self._buffer)
        self._reads += 1
        self._sender.stamp(now_ns)
        self._sender.received(packets, now_ns)
        self._follow()

    def _follow(self) -> None:
        connection = self._connection
        if connection.state is State.IDLE or self._poller.update(connection, connection):
            return
        if self._stop_ns is None:
            where = f"{self._order.endpoint.host}:{self._order.endpoint.port}"
            reason = "lost" if self._is_ready else _REASONS.get(connection.cause, "lost")
            self._fail(reason, f"{where}: {connection.reason}")

    def _fail(self, reason: str, detail: str) -> None:
        while self._outbox:
            self._pipe.send(self._outbox.popleft())
        self._pipe.send(self._health())
        self._pipe.send(Failed(reason=reason, detail=detail))
        self._over = True

    # --- alerts ---

    def _send_due(self) -> int:
        """Send what is due; wait for what is due at once. Returns the ns spent waiting."""
        due_ns = self._sender.due_ns
        if due_ns is None or self._over:
            return 0
        clock = self._clock
        began_ns = clock.monotonic_ns()
        if due_ns - began_ns > _NEAR_NS:
            return 0
        clock.sleep_ns(due_ns - began_ns - _SPIN_NS)
        now_ns = clock.monotonic_ns()
        if due_ns - now_ns > _WALK_NS:
            self._warmth.walk()
            now_ns = clock.monotonic_ns()
        while now_ns < due_ns:
            now_ns = clock.monotonic_ns()
        while due_ns is not None and due_ns <= now_ns:
            self._sender.send_one()
            due_ns = self._sender.due_ns
        self._follow()
        return max(0, now_ns - began_ns)

    def _written(self, item: Composed) -> None:
        in_force = item.alert.planned.in_force
        self._guardians.set(item.alert.planned.prefecture, item.payload if in_force else b"")

    # --- everything else ---

    def _may_work(self, now_ns: int) -> bool:
        due_ns = self._sender.due_ns
        return due_ns is None or due_ns - now_ns > _QUIET_NS

    def _work(self) -> None:
        for _ in range(_PIECES):
            if self._over or not self._work_a_piece(self._clock.monotonic_ns()):
                return

    def _work_a_piece(self, now_ns: int) -> bool:
        """Compose, else write a state, else report; False if there is nothing to do now."""
        compose_ns = self._sender.compose_ns
        quiet = self._may_work(now_ns)
        if compose_ns is not None and now_ns >= compose_ns + (0 if quiet else LOOKAHEAD_NS // 2):
            self._sender.compose_next()
        elif quiet and self._guardians.has_work:
            self._guardians.write_one(now_ns)
        elif quiet and self._outbox and now_ns >= self._report_ns:
            self._send_report(now_ns)
        else:
            return False
        return True

    def _send_report(self, now_ns: int) -> None:
        if select.select([], [self._pipe], [], 0)[1]:
            self._pipe.send(self._outbox.popleft())
        else:
            self._report_ns = now_ns + _FULL_NS  # a busy run must not hold up its own publisher

    def _report(self, message: object) -> None:
        self._outbox.append(message)

    @property
    def _settled(self) -> bool:
        """Whether nothing is expected to change soon: no start, no end."""
        return self._is_ready and self._stop_ns is None

    def _tick(self, now_ns: int) -> None:
        self._tick_ns = now_ns + (_TICK_NS if self._settled else _SHORT_TICK_NS)
        self._connection.tick(now_ns)
        self._follow()
        self._guardians.tick(now_ns)
        if now_ns >= self._health_ns:
            self._health_ns = now_ns + _HEALTH_NS
            self._report(self._health())
        if self._stop_ns is not None:
            self._try_to_end(now_ns, self._stop_ns)
        elif not self._is_ready:
            self._greet()
        elif self._playing and self._sender.all_written:
            patient = now_ns < self._sender.last_sent_ns + PATIENCE_NS
            if not (self._sender.waiting and patient):
                self._playing = False
                self._report(Published(unacknowledged=self._sender.unacknowledged))

    def _greet(self) -> None:
        failure = self._guardians.failure
        if failure is not None and not self._over:
            cause, reason = failure
            self._fail(_REASONS.get(cause, "lost"), f"a state's connection: {reason}")
        elif self._connection.state is State.UP and self._guardians.up == len(self._guardians):
            self._is_ready = True
            self._report(Ready(connections=1 + len(self._guardians)))

    def _obey(self, message: object) -> None:
        match message:
            case Probe():
                self._connection.publish(message.topic, message.payload, qos=_PROBE_QOS)
                self._follow()
            case Play():
                self._sender.play(message)
                self._playing = True
                gc.freeze()  # the schedule is not garbage: do not look at it again
            case Stop():
                self._stop_ns = self._clock.monotonic_ns() + message.grace_ns
                self._tick_ns = 0
                self._sender.drop_rest()
                self._guardians.clear_all()
            case _:
                raise TypeError(f"the publisher does not know {type(message).__name__}")

    def _try_to_end(self, now_ns: int, stop_ns: int) -> None:
        """Settle, then part, then end; each with its time limit."""
        connection = self._connection
        if self._part_ns is None:
            lost = connection.state is State.IDLE
            written = lost or not (connection.queued_bytes or self._sender.waiting)
            if now_ns < stop_ns and not (written and self._guardians.settled):
                return
            # The broker closes, not we: see preflight.
            self._part_ns = now_ns + PARTING_NS
            if connection.state is State.UP:
                connection.send(connection.codec.disconnect())
                self._follow()
            self._guardians.part(now_ns)
        closed = connection.state is State.IDLE and self._guardians.all_closed
        if not closed and now_ns < self._part_ns:
            return
        while self._outbox:
            self._pipe.send(self._outbox.popleft())
        self._pipe.send(self._health())
        self._pipe.send(Ended(name="publisher"))
        self._over = True

    def _health(self) -> Health:
        lag_ns, self._lag_ns = self._lag_ns, 0
        return Health(
            name="publisher",
            cpu_ns=vitals.cpu_ns(),
            lag_max_ns=lag_ns,
            reads=self._reads,
            messages=0,
            rss_bytes=vitals.rss_bytes(),
        )
