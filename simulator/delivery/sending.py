"""The measured sender: composes ahead, writes on time, stamps before its own socket write.

Rule of the module: a message is written when it is due and never waits for the acknowledgement of
an earlier one (that would be coordinated omission), except where the broker of an MQTT 5
connection allows only so many unacknowledged messages. ``sent_ns`` is taken immediately before the
socket write that takes the first byte. Nothing is sent twice: a lost connection ends the run.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from simulator.alerts.compose import ExerciseContext, compose, encode, sent_for
from simulator.clock import Clock
from simulator.delivery.messages import Acknowledged, Play, Sent
from simulator.delivery.pacer import composition_times
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.packets import FAILURE, Packet, PubAck, PubComp, PubRec
from simulator.measure.plan import ScheduledAlert
from simulator.units import NS_PER_MS

LOOKAHEAD_NS: Final = 100 * NS_PER_MS
COMPOSE_COST_NS: Final = 3 * NS_PER_MS  # ten times the measured cost: room for a busy machine
_MOST_QUEUED_BYTES: Final = 4 * 1024 * 1024
_MOST_IDS: Final = 60_000  # of 65,535, so that probes always find one


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A message ready to be written.

    Attributes:
        alert: what it is.
        payload: what it says.
        frame: the MQTT packet.
        packet_id: its packet id, 0 at QoS 0.
        composed_ns: when it was composed, monotonic ns.
    """

    alert: ScheduledAlert
    payload: bytes
    frame: bytes
    packet_id: int
    composed_ns: int


class Sender:
    """The schedule on its way out through one connection.

    Args:
        connection: the publishing connection.
        context: what the run's messages share, until a Play brings the final one.
        clock: where time comes from.
        report: takes Sent and Acknowledged.
        after: called with each message once it is written.
    """

    def __init__(
        self,
        connection: Connection,
        context: ExerciseContext,
        clock: Clock,
        report: Callable[[object], None],
        after: Callable[[Composed], None],
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._report = report
        self._after = after
        self._schedule: tuple[ScheduledAlert, ...] = ()
        self._begins: list[int] = []
        self._context = context
        self._next = 0
        self._composed: deque[Composed] = deque()
        self._unstamped: deque[tuple[int, Composed]] = deque()
        self._unacknowledged: dict[int, int] = {}
        self._refused = 0
        self.last_sent_ns = 0

    def play(self, order: Play) -> None:
        """Take the schedule on."""
        self._schedule = order.schedule
        self._context = order.context
        self._begins = composition_times(
            [alert.intended_ns for alert in order.schedule],
            lookahead_ns=LOOKAHEAD_NS,
            cost_ns=COMPOSE_COST_NS,
        )
        self._next = 0

    # --- composing ---

    @property
    def compose_ns(self) -> int | None:
        """When the next message is to be composed; None if all are, or no packet id is free."""
        if self._next == len(self._schedule) or len(self._connection.outgoing) >= _MOST_IDS:
            return None
        return self._begins[self._next]

    def compose_next(self) -> None:
        """Compose one message."""
        alert, context = self._schedule[self._next], self._context
        self._next += 1
        composed_ns = self._clock.monotonic_ns()
        payload = compose_payload(alert, self._schedule, context, composed_ns)
        packet_id = self._connection.take_packet_id() if alert.qos else 0
        self._composed.append(
            Composed(
                alert=alert,
                payload=payload,
                frame=self._connection.codec.publish(
                    alert.topic, payload, qos=alert.qos, packet_id=packet_id
                ),
                packet_id=packet_id,
                composed_ns=composed_ns,
            )
        )

    # --- sending ---

    @property
    def due_ns(self) -> int | None:
        """When the next composed message is due; None if there is none, or it must wait."""
        if not self._composed or self._must_wait(self._composed[0]):
            return None
        return self._composed[0].alert.intended_ns

    def _must_wait(self, head: Composed) -> bool:
        if self._connection.queued_bytes > _MOST_QUEUED_BYTES:
            return True
        limited = head.packet_id and len(self._unacknowledged) >= self._connection.receive_max
        return bool(limited)

    def send_one(self) -> None:
        """Write the next composed message now."""
        item = self._composed.popleft()
        connection = self._connection
        if item.packet_id:
            self._unacknowledged[item.packet_id] = item.alert.number
        start = connection.written_bytes + connection.queued_bytes
        self._unstamped.append((start, item))
        sent_ns = self._clock.monotonic_ns()
        connection.send(item.frame)
        self.stamp(sent_ns)

    def stamp(self, sent_ns: int) -> None:
        """Report each message whose first byte left in the write before which this was taken."""
        while self._unstamped and self._connection.written_bytes > self._unstamped[0][0]:
            _, item = self._unstamped.popleft()
            self.last_sent_ns = sent_ns
            self._report(
                Sent(
                    alert=item.alert.number,
                    composed_ns=item.composed_ns,
                    sent_ns=sent_ns,
                    size_bytes=len(item.payload),
                )
            )
            self._after(item)

    # --- acknowledgements ---

    def received(self, packets: list[Packet], at_ns: int) -> None:
        """Match acknowledgements to alerts."""
        for packet in packets:
            if not isinstance(packet, PubAck | PubRec | PubComp):
                continue
            failed = packet.code >= FAILURE
            if isinstance(packet, PubRec) and not failed:
                continue  # halfway: PUBCOMP is the acknowledgement of QoS 2
            number = self._unacknowledged.pop(packet.packet_id, None)
            if number is None:
                continue  # a probe's
            if failed:
                self._refused += 1
            else:
                self._report(Acknowledged(alert=number, at_ns=at_ns))

    @property
    def waiting(self) -> int:
        """Messages written and not acknowledged."""
        return len(self._unacknowledged)

    @property
    def unacknowledged(self) -> int:
        """Messages that the broker has not accepted: not acknowledged, or refused."""
        return len(self._unacknowledged) + self._refused

    @property
    def all_written(self) -> bool:
        """Whether the whole schedule has left this process."""
        return self._next == len(self._schedule) and not self._composed and not self._unstamped

    def drop_rest(self) -> None:
        """Send nothing more: what is not written stays unsent."""
        for item in self._composed:
            self._connection.outgoing.discard(item.packet_id)
        self._composed.clear()
        self._next = len(self._schedule)


def compose_payload(
    alert: ScheduledAlert,
    schedule: Sequence[ScheduledAlert],
    context: ExerciseContext,
    composed_ns: int,
) -> bytes:
    """The bytes of one message.

    Args:
        alert: which one.
        schedule: all of them, by number, for those that it refers to.
        context: what the run's messages share.
        composed_ns: now, monotonic ns.
    """
    earlier = [schedule[number] for number in alert.references]
    message = compose(
        planned=alert.planned,
        identifier=alert.identifier,
        sequence=alert.sequence,
        repetition=alert.repetition,
        references=[
            (each.identifier, sent_for(context, each.planned, each.intended_ns)) for each in earlier
        ],
        intended_ns=alert.intended_ns,
        composed_ns=composed_ns,
        context=context,
    )
    return encode(message, context.payload_format)
