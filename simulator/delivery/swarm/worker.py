"""A swarm worker: one process, one loop, all its subscribers.

Rule of the module: the loop never waits for anything but its selector and the pipe to the parent,
and ends at once when that pipe closes. Before everybody is subscribed a connection that fails
repeatedly fails the worker; afterwards every loss is reported and reconnected with backoff.
"""

import gc
import selectors
import traceback
from collections import deque
from multiprocessing.connection import Connection as Pipe
from typing import Final

from simulator.alerts.recognise import identify
from simulator.clock import Clock, SystemClock
from simulator.delivery.messages import (
    Begin,
    ClockTell,
    Ended,
    Failed,
    ProbeSeen,
    Ready,
    Stop,
    SwarmOrder,
)
from simulator.delivery.room import hint
from simulator.delivery.swarm.addresses import Addresses
from simulator.delivery.swarm.attendance import Attendance, Step
from simulator.delivery.swarm.desk import Desk
from simulator.delivery.swarm.farewell import discard_sessions
from simulator.delivery.swarm.intake import Intake
from simulator.delivery.swarm.outbox import FLUSH_NS, Outbox
from simulator.delivery.swarm.recognise import Recogniser
from simulator.delivery.swarm.roster import enlist
from simulator.delivery.swarm.schedule import Agenda
from simulator.delivery.swarm.subscriber import (
    PROBE,
    Subscriber,
)
from simulator.delivery.vitals import raise_descriptor_limit
from simulator.delivery.wire.order import Cause, State
from simulator.delivery.wire.packets import ConnAck, Packet, Publish
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.stamps import StampClock
from simulator.errors import BrokerError
from simulator.measure.receipts import NO_TIME, ReceiptFlag
from simulator.randomness import Streams
from simulator.units import NS_PER_MS, NS_PER_S

MOST_HANDSHAKES: Final = 256  # at a time: more only wait in the broker's listen queue
ATTEMPTS: Final = 3  # of one connection before the worker gives up its start
_PROGRESS_NS: Final = 100 * NS_PER_MS
_RAMP_NS: Final = 5 * NS_PER_MS
_LONGEST_WAIT_NS: Final = NS_PER_S
_REASONS: Final = {Cause.UNREACHABLE: "unreachable", Cause.REFUSED: "refused"}


class GiveUpError(Exception):
    """The start has failed; carries what Failed needs.

    Args:
        reason: see Failed.
        detail: see Failed.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def worker_main(pipe: Pipe, order: SwarmOrder) -> None:
    """Run a worker until it is told to stop or its parent is gone.

    Args:
        pipe: duplex, to the parent; Stop comes in, everything else goes out.
        order: whom to connect where.
    """
    try:
        worker = Worker(pipe, order, SystemClock())
        worker.run()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent is gone: so are we
    except GiveUpError as error:
        pipe.send(Failed(reason=error.reason, detail=error.detail))
    except BrokerError as error:
        pipe.send(Failed(reason="unreachable", detail=str(error)))
    except Exception:  # noqa: BLE001 - whatever it is, the parent must learn of it
        pipe.send(Failed(reason="internal", detail=traceback.format_exc()))


class Worker:
    """The loop and its state.

    Args:
        pipe: to the parent.
        order: whom to connect where.
        clock: the host's clocks.

    Raises:
        BrokerUnreachableError: if a broker's name is unknown.
    """

    def __init__(self, pipe: Pipe, order: SwarmOrder, clock: Clock) -> None:
        self._pipe = pipe
        self._order = order
        self._clock = clock
        self._now = clock.monotonic_ns
        self._poller = Poller()
        self._agenda = Agenda()
        self._attendance = Attendance()
        self._outbox = Outbox(pipe.send)
        self._desk = Desk(
            f"worker-{order.worker}",
            pipe.send,
            self._outbox,
            clock,
            asks_clock=order.asks_clock,
        )
        self._stamps = StampClock(clock)
        recogniser = Recogniser(order, identify)
        self._intake = Intake(clock, self._stamps, recogniser, self._outbox, self._on_change)
        self._jitter = Streams(order.seed).stream(f"swarm/worker-{order.worker}/backoff")
        self._addresses = Addresses(order)
        self._subscribers, self._probes = enlist(order)
        everybody = [*self._subscribers, *self._probes.subscribers]
        self._expected = sum(each.joins_ns == NO_TIME for each in everybody)
        self._to_open = deque(each for each in everybody if each.joins_ns == NO_TIME)
        for each in self._subscribers:
            if each.joins_ns != NO_TIME:
                self._agenda.put(each, each.joins_ns)
        self._handshakes: set[Subscriber] = set()
        self._connected = self._subscribed = 0
        self._ready = self._stopping = False
        self._grace_ns = 0
        self._started_ns = self._now()
        self._opened = 0
        self._lag_max_ns = 0
        self._next_flush_ns = self._next_health_ns = self._next_progress_ns = self._started_ns

    # --- the loop ---

    def run(self) -> None:
        """Serve until Stop.

        Raises:
            EOFError: if the parent is gone (also BrokenPipeError, ConnectionResetError).
            GiveUpError: if the start fails.
        """
        raise_descriptor_limit()
        self._poller.selector.register(self._pipe, selectors.EVENT_READ, None)
        asked_ns = self._now()
        while not self._stopping:
            began_ns = self._now()
            self._housekeep(began_ns)
            quiet_ns, asked_ns = asked_ns, self._now()
            ready, wait_ns = self._poller.select(0), 0
            if not ready:
                quiet_ns = asked_ns  # nobody had anything then
                wait_ns = self._wait_ns()
                ready = self._poller.select(wait_ns)
            started_ns = self._now()
            self._stamps.check(started_ns)
            for key, events in ready:
                subscriber: Subscriber | None = key.data
                if subscriber is None:
                    self._obey(self._pipe.recv())
                elif events != selectors.EVENT_READ or subscriber.number == PROBE:
                    self._serve(subscriber, events, quiet_ns)
                elif self._intake.read(subscriber, quiet_ns):
                    self._settle(subscriber)
            idle_ns = min(started_ns - asked_ns, max(0, wait_ns))  # longer, and it overslept
            self._lag_max_ns = max(self._lag_max_ns, self._now() - began_ns - idle_ns)
        self._end()

    def _wait_ns(self) -> int:
        """How long nothing needs doing unless a socket says so."""
        now_ns = self._now()
        until = self._next_health_ns
        if self._outbox.pending:
            until = min(until, self._next_flush_ns)
        for due in (self._agenda.next_ns(), self._attendance.next_ns()):
            if due is not None:
                until = min(until, due)
        if not self._ready:
            until = min(until, self._next_progress_ns)
        if self._to_open:
            until = min(until, now_ns + _RAMP_NS)
        return min(until - now_ns, _LONGEST_WAIT_NS)

    def _housekeep(self, now_ns: int) -> None:
        if self._to_open:
            self._ramp(now_ns)
        for subscriber in self._agenda.due(now_ns):
            self._attend(subscriber, now_ns)
        for subscriber, step in self._attendance.due(now_ns):
            self._step(subscriber, step)
        if now_ns >= self._next_flush_ns:
            self._next_flush_ns = now_ns + FLUSH_NS
            self._outbox.flush()
        if not self._ready and now_ns >= self._next_progress_ns:
            self._next_progress_ns = now_ns + _PROGRESS_NS
            self._desk.progress(self._connected, self._subscribed, self._expected)
        if now_ns >= self._next_health_ns:
            self._next_health_ns = now_ns + NS_PER_S
            self._tell_health()

    def _obey(self, message: object) -> None:
        if isinstance(message, Stop):
            self._stopping = True
            self._grace_ns = message.grace_ns
        elif isinstance(message, ClockTell):
            self._desk.told(message)
        elif isinstance(message, Begin):
            self._attendance.begin(self._subscribers, message.start_ns)

    def _end(self) -> None:
        """Read what is there, say goodbye, report, leave no session behind."""
        for key, events in self._poller.select(0):
            if key.data is not None:
                self._serve(key.data, events, self._now())
        for subscriber in (*self._subscribers, *self._probes.subscribers):
            if subscriber.connection.paused:
                self._look(subscriber)
            subscriber.connection.disconnect()
            self._poller.update(subscriber.connection, subscriber)
        self._outbox.flush()
        self._tell_health()
        self._poller.close()
        left = discard_sessions(
            [
                (each.connection.order, self._addresses.of(each))
                for each in self._subscribers
                if not each.connection.order.clean
            ],
            self._intake.buffer,
            self._clock,
            self._now() + self._grace_ns // 2,
        )
        self._pipe.send(Ended(name=self._desk.name, sessions_left=left))

    def _tell_health(self) -> None:
        self._desk.health(self._lag_max_ns, self._intake.counters, self._stamps)
        self._lag_max_ns = 0

    # --- connections ---

    def _ramp(self, now_ns: int) -> None:
        """Open as many as the ramp allows by now."""
        allowed = 1 + (now_ns - self._started_ns) * self._order.ramp_per_s // NS_PER_S
        while self._to_open and self._opened < allowed and len(self._handshakes) < MOST_HANDSHAKES:
            self._opened += 1
            self._open(self._to_open.popleft(), now_ns)

    def _open(self, subscriber: Subscriber, now_ns: int) -> None:
        connection = subscriber.connection
        subscriber.floor_ns, subscriber.full, subscriber.flags = now_ns, False, 0
        self._handshakes.add(subscriber)
        connection.open(self._addresses.of(subscriber), now_ns)
        self._settle(subscriber)

    def _attend(self, subscriber: Subscriber, now_ns: int) -> None:
        """Its time has come: reconnect, or keep alive."""
        if subscriber.connection.state is State.IDLE:
            self._open(subscriber, now_ns)
        else:
            subscriber.connection.tick(now_ns)
            self._settle(subscriber)

    def _step(self, subscriber: Subscriber, step: Step) -> None:
        """Its plan wants something of it."""
        connection = subscriber.connection
        if step is Step.RETURN:
            subscriber.away = False
            if connection.state is State.IDLE:
                self._open(subscriber, self._now())
        elif step is Step.LOOK:
            if connection.paused:
                self._look(subscriber)
                self._settle(subscriber)
        else:
            subscriber.away = True
            if connection.state is not State.IDLE:
                self._look(subscriber)  # what has come by now, has come
                self._leave(subscriber)

    def _look(self, subscriber: Subscriber) -> None:
        """Read a socket that is not watched, until there is nothing left."""
        counters = self._intake.counters
        while True:
            asked_ns, reads = self._now(), counters.reads
            self._intake.read(subscriber, 0)
            if counters.reads == reads:
                break
        subscriber.floor_ns = max(subscriber.floor_ns, asked_ns)
        if subscriber.connection.paused:
            self._attendance.look(subscriber, asked_ns + subscriber.reads_every_ns)

    def _leave(self, subscriber: Subscriber) -> None:
        connection = subscriber.connection
        if subscriber.conduct is not None and subscriber.conduct.abrupt:
            connection.close(Cause.ORDERLY, "the plan cut it off")
        else:
            connection.disconnect()
        self._settle(subscriber)

    def _serve(self, subscriber: Subscriber, events: int, quiet_ns: int) -> None:
        """Its socket is ready."""
        connection = subscriber.connection
        if subscriber.number == PROBE:
            for packet in connection.handle(events, self._now(), self._intake.buffer):
                if not isinstance(packet, Publish):
                    self._on_change(subscriber, packet)
                elif self._probes.seen(subscriber, packet.payload):
                    self._pipe.send(ProbeSeen(payload=packet.payload, at_ns=self._now()))
        else:
            if events & selectors.EVENT_WRITE:
                connection.writable(self._now())
            if events & selectors.EVENT_READ:
                self._intake.read(subscriber, quiet_ns)
        if connection.events != connection.registered:
            self._settle(subscriber)

    def _settle(self, subscriber: Subscriber) -> None:
        """Follow the connection's state in the selector and on the agenda."""
        connection = subscriber.connection
        if self._poller.update(connection, subscriber):
            self._agenda.put(subscriber, connection.deadline_ns)
        else:
            self._lost(subscriber)

    def _on_change(self, subscriber: Subscriber, packet: Packet) -> None:
        """A packet that is not a message has passed the state machine."""
        connection = subscriber.connection
        if connection.state is State.CLOSED:
            return
        if isinstance(packet, ConnAck):
            subscriber.connected = True
            self._connected += subscriber.joins_ns == NO_TIME
            subscriber.flags = int(ReceiptFlag.SESSION) if connection.session_present else 0
            self._desk.connected(subscriber)
        if connection.state is State.UP and subscriber in self._handshakes:
            self._handshakes.discard(subscriber)
            self._subscribed += subscriber.joins_ns == NO_TIME
            subscriber.attempts = 0
            subscriber.up = True
            self._agenda.put(subscriber, connection.deadline_ns)
            self._desk.subscribed(subscriber)
            if subscriber.reads_every_ns:
                connection.paused = True
                self._attendance.look(subscriber, self._now() + subscriber.reads_every_ns)
                self._settle(subscriber)
            if not self._ready and self._subscribed == self._expected:
                self._all_up()

    def _all_up(self) -> None:
        self._ready = True
        self._desk.progress(self._connected, self._subscribed, self._expected)
        self._outbox.flush()
        gc.collect()
        gc.freeze()  # what stands now stays: no pause over it while we measure
        self._pipe.send(Ready(connections=self._subscribed))

    def _lost(self, subscriber: Subscriber) -> None:
        """Its connection is closed and released: report it and plan the next attempt."""
        connection = subscriber.connection
        self._handshakes.discard(subscriber)
        counted = subscriber.joins_ns == NO_TIME
        self._subscribed -= subscriber.up and counted
        subscriber.up = False
        if subscriber.connected:
            self._connected -= counted
            subscriber.connected = False
            self._desk.closed(subscriber)
        if self._stopping or subscriber.away:
            subscriber.attempts = 0
            return
        subscriber.attempts += 1
        if counted and not self._ready and subscriber.attempts >= ATTEMPTS:
            endpoint = connection.order.endpoint
            raise GiveUpError(
                _REASONS.get(connection.cause, "lost"),
                f"{connection.order.client} at {endpoint.host}:{endpoint.port} "
                f"(MQTT {endpoint.protocol}): {connection.reason}{hint(connection.reason)}",
            )
        wait_ns = subscriber.backoff.wait_ns(subscriber.attempts - 1, self._jitter.uniform())
        self._agenda.put(subscriber, self._now() + wait_ns)
