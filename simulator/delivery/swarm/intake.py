"""From a readable socket to receipts: the hot path of the swarm.

Rule of the module: one recv per ready socket, one pass over its bytes, one send for all
acknowledgements. A frame that is known is not decoded: two comparisons of bytes recognise it. What
is not known goes through the codec and the connection's state machine.

What a stamp says: the kernel gives coalesced segments the latest stamp, so it belongs to the last
bytes of a block. A message that makes up a block by itself has the stamp as its own. Of several
messages in one block it is known that they arrived not after the stamp, and not long before the
socket was last known to be empty (the floor): what the kernel had on its queue then had reached the
interface, but not yet the socket.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.clock import Clock
from simulator.delivery.swarm.outbox import ROW, Outbox
from simulator.delivery.swarm.recognise import Recogniser
from simulator.delivery.swarm.subscriber import Subscriber
from simulator.delivery.wire.codec import IncompletePacketError, ProtocolViolationError, frame
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import READ_BYTES, Cause, ReadBuffer, State
from simulator.delivery.wire.packets import Packet, Publish
from simulator.delivery.wire.stamps import EARLY_NS, LAG_NS, StampClock
from simulator.measure.receipts import ReceiptFlag

_USER_STAMP: Final = int(ReceiptFlag.USER_STAMP)
_PUBACK: Final = b"\x40\x02"
_PUBREC: Final = b"\x50\x02"
_NO_ID: Final = b"\0\0"
_READY: Final = (State.UP, State.SUBACK)


@dataclass(slots=True)
class Counters:
    """What the intake has seen since the start."""

    reads: int = 0
    messages: int = 0
    most: int = 0
    stamps_missing: int = 0


class Intake:
    """Reads sockets for all subscribers of one worker.

    Args:
        clock: the host's clocks.
        stamps: converts kernel stamps.
        recogniser: judges what is decoded.
        outbox: takes the receipts.
        on_change: told of every packet that is not a message, after the state machine.
    """

    def __init__(
        self,
        clock: Clock,
        stamps: StampClock,
        recogniser: Recogniser,
        outbox: Outbox,
        on_change: Callable[[Subscriber, Packet], None],
    ) -> None:
        self.buffer = ReadBuffer()
        self.counters = Counters()
        self._now = clock.monotonic_ns
        self._stamps = stamps
        self._recogniser = recogniser
        self._outbox = outbox
        self._on_change = on_change

    def read(self, subscriber: Subscriber, quiet_ns: int) -> bool:
        """Read one block and report its messages.

        Args:
            subscriber: its socket is readable.
            quiet_ns: the last time at which the selector did not report this socket.

        Returns:
            False if nothing but reading goes on; True if the connection's state or what it waits
            for may have changed.
        """
        connection = subscriber.connection
        kept = len(connection.rest)
        before = self._now()
        end, stamp = connection.receive(self.buffer, before)
        if not end:
            return True
        counters = self.counters
        counters.reads += 1
        floor = subscriber.floor_ns
        if quiet_ns > floor and not subscriber.full:
            floor = quiet_ns
        layered = connection.layered
        full = subscriber.full = end - kept == READ_BYTES or (layered and connection.filled)
        after = self._now()
        converted = self._stamps.convert(stamp, floor_ns=floor, now_ns=after) if stamp else None
        if converted is None:
            counters.stamps_missing += 1
            received, own, source = after, after - floor, _USER_STAMP
        else:
            (received, own), source = converted, 0
        own += LAG_NS
        bound = received - floor + EARLY_NS
        if bound < own:  # noqa: PLR1730 - a call of max costs more than all of this
            bound = own
        subscriber.floor_ns = floor if full else before
        before_it = counters.messages
        ends = self._split(subscriber, end, received, bound, source)
        messages = counters.messages - before_it
        if messages > counters.most:  # noqa: PLR1730
            counters.most = messages
        if ends and messages == 1 and not full:
            self._outbox.settle_last(own)
        if connection.acknowledge:
            connection.send_acknowledgements()
        waits = bool(connection.unsent) or (layered and connection.pending)
        return connection.state is not State.UP or waits

    def _split(  # noqa: C901, PLR0912, PLR0915  # a call per message would cost more than its work
        self, subscriber: Subscriber, end: int, received: int, bound: int, source: int
    ) -> bool:
        """Go through the frames of a block; True if a reported message ends it exactly."""
        connection, memory, outbox = subscriber.connection, subscriber.memory, self._outbox
        number, acknowledge = subscriber.number, connection.acknowledge
        data, rows, room, width = self.buffer.data, outbox.data, len(outbox.data), ROW.size
        starts, now, pack = data.startswith, self._now, ROW.pack_into
        ready = connection.state is State.UP or connection.state is State.SUBACK
        guess, last = memory.guess, None
        used, position, reported_to, messages = outbox.used, 0, -1, 0
        flags = subscriber.flags | source
        while position < end:
            if (
                ready
                and position + guess.size <= end
                and starts(guess.head, position)
                and (not guess.qos or starts(guess.tail, position + guess.tail_at))
            ):
                known = guess
                stop = position + known.size
            else:
                stop = self._frame_end(connection, position, end)
                if not stop:
                    break
                found = memory.find(data, position, stop) if ready else None
                if found is None:
                    outbox.used = used
                    if self._decode(subscriber, position, stop, (received, bound, source)):
                        reported_to = stop
                    used = outbox.used
                    position = stop
                    ready = connection.state in _READY
                    flags = subscriber.flags | source  # CONNACK tells of the session
                    if connection.state is State.CLOSED:
                        break
                    continue
                known = found
                if last is not None:
                    last.following = known
            if last is None:
                memory.guess = known
            last, guess = known, known.following
            messages += 1
            if known.qos:
                at = position + known.tail_at - 2
                packet_id = data[at : at + 2]
                if packet_id == _NO_ID:
                    connection.close(Cause.VIOLATION, "packet identifier 0")
                    break
                if known.qos == 1:
                    acknowledge += _PUBACK + packet_id
                else:
                    acknowledge += _PUBREC + packet_id
                    code = packet_id[0] << 8 | packet_id[1]
                    if code in connection.incoming:
                        position = stop
                        continue
                    connection.incoming.add(code)
            if used == room:
                outbox.used = used
                outbox.flush()
                used = 0
            pack(rows, used, number, known.alert, received, bound, now(), known.flags | flags)
            used += width
            position = reported_to = stop
        outbox.used = used
        self.counters.messages += messages
        if position < end or connection.rest:
            connection.keep(self.buffer, position, end)
        return reported_to == end

    def _frame_end(self, connection: Connection, position: int, end: int) -> int:
        """Index after the frame, or 0 if there is no whole frame (yet)."""
        try:
            return frame(self.buffer.data, position, end)[1]
        except IncompletePacketError:
            return 0
        except ProtocolViolationError as error:
            connection.close(Cause.VIOLATION, str(error))
            return 0

    def _decode(
        self, subscriber: Subscriber, position: int, stop: int, stamp: tuple[int, int, int]
    ) -> bool:
        """One whole frame through the codec and the state machine; True if it was reported."""
        connection, data = subscriber.connection, self.buffer.data
        try:
            packet, _ = connection.codec.read(data, position, stop)
        except ProtocolViolationError as error:
            connection.close(Cause.VIOLATION, str(error))
            return False
        wanted = connection.process(packet, stamp[0])
        if not isinstance(packet, Publish):
            self._on_change(subscriber, packet)
            return False
        self.counters.messages += 1
        if not wanted:
            return False
        alert, flags = self._recogniser.judge(packet)
        subscriber.memory.learn(data, position, stop, packet, (alert, flags))
        received, bound, source = stamp
        flags |= subscriber.flags | source
        self._outbox.add(subscriber.number, alert, received, bound, self._now(), flags)
        return True
