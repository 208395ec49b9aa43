"""One MQTT client connection as a state machine over a stream of bytes.

Rule of the module: never blocks, never reads a clock, never raises for what the peer does: a broken
or refused connection becomes ``State.CLOSED`` with a cause and a reason. A closed connection keeps
its descriptor until ``release``, so that a selector can forget it first (see ``poller``).

    IDLE ─open─▶ CONNECTING ─advance─▶ CONNACK ─▶ SUBACK ─▶ UP ─▶ CLOSED ─release─▶ IDLE
                                           └── no filters, or session kept ──▶
"""

import selectors
from collections.abc import Callable
from typing import Final

from simulator.delivery.wire.codec import IncompletePacketError, ProtocolViolationError
from simulator.delivery.wire.handshake import not_granted, refused
from simulator.delivery.wire.keepalive import Act, KeepAlive
from simulator.delivery.wire.order import Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import (
    FAILURE,
    ConnAck,
    Disconnect,
    Packet,
    PingResp,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
)
from simulator.delivery.wire.stream import ByteStream
from simulator.delivery.wire.transport import Address, Transport, open_transport
from simulator.delivery.wire.versions import codec_for

_PACKET_IDS: Final = 65_535


class Connection(ByteStream):
    """One client connection; reopened after a loss with its session's memory kept.

    Args:
        order: what to connect as.
        transport: how to open the bytes below.

    Attributes:
        session_present: the last CONNACK's flag.
        receive_max: unacknowledged messages above QoS 0 that the broker takes at a time.
        stated: what the last CONNACK said of the broker (see ConnAck).
    """

    def __init__(
        self,
        order: ConnectionOrder,
        transport: Callable[[Address, ConnectionOrder], Transport] = open_transport,
    ) -> None:
        super().__init__(order, transport)
        self.codec = codec_for(order.endpoint.protocol, order.message_expiry_s)
        self.session_present = False
        self.receive_max = _PACKET_IDS
        self.stated: tuple[tuple[str, str], ...] = ()
        self.incoming: set[int] = set()  # QoS 2 ids received and not released
        self.outgoing: set[int] = set()  # ids of ours not yet acknowledged
        self.acknowledge = bytearray()  # acknowledgements to send with the next write
        self._last_id = 0
        self._subscribed = False
        self._subscribe_id = 0
        self._keep_alive = KeepAlive(order.keep_alive_s)

    # --- opening and closing ---

    def open(self, address: Address, now_ns: int) -> None:
        """Start connecting; a failure shows as CLOSED.

        Raises:
            RuntimeError: if the connection is open, or not released yet.
        """
        super().open(address, now_ns)
        self.session_present = False
        self.acknowledge.clear()
        self._keep_alive.opening(now_ns)

    def _begin(self) -> None:
        """Say CONNECT."""
        order = self.order
        self.send(
            self.codec.connect(
                client_id=order.client,
                clean=order.clean,
                keep_alive_s=order.keep_alive_s,
                will=order.will,
                username=order.endpoint.username,
                password=order.endpoint.password,
                session_expiry_s=0 if order.clean else order.session_expiry_s,
            )
        )

    def disconnect(self) -> None:
        """Say DISCONNECT, so that the broker discards the will, and close."""
        if self.state in {State.CONNACK, State.SUBACK, State.UP}:
            self.send(self.codec.disconnect())
        self.close(Cause.ORDERLY)

    # --- what a loop asks ---

    @property
    def deadline_ns(self) -> int:
        """When ``tick`` wants to be called next, monotonic ns."""
        return self._keep_alive.next_ns

    def tick(self, now_ns: int) -> None:
        """Keep alive, and give up what takes too long."""
        if self.state in {State.CLOSED, State.IDLE}:
            return
        act = self._keep_alive.act(now_ns, self.last_alive_ns)
        if act is Act.PING:
            self.send(self.codec.pingreq())
        elif act is Act.GIVE_UP:
            waited = "a sign of life" if self.state is State.UP else "the handshake"
            self.close(Cause.TIMEOUT, f"no answer in time to {waited}")

    # --- writing ---

    def take_packet_id(self) -> int:
        """A packet id not in use, entered as unacknowledged.

        Raises:
            RuntimeError: if all 65,535 are in use.
        """
        for _ in range(_PACKET_IDS):
            self._last_id = self._last_id % _PACKET_IDS + 1
            if self._last_id not in self.outgoing:
                self.outgoing.add(self._last_id)
                return self._last_id
        raise RuntimeError("all packet identifiers are in use")

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> int:
        """Send one message; the packet id, 0 at QoS 0. Its acknowledgement is read later."""
        packet_id = self.take_packet_id() if qos else 0
        self.send(self.codec.publish(topic, payload, qos=qos, retain=retain, packet_id=packet_id))
        return packet_id

    # --- reading ---

    def handle(self, events: int, now_ns: int, buffer: ReadBuffer) -> list[Packet]:
        """Serve a ready descriptor.

        Returns:
            What the owner may want, in order: ConnAck, SubAck, PubAck, PubRec, PubComp, and each
            Publish once, already acknowledged. Look at ``state`` afterwards.
        """
        if events & selectors.EVENT_WRITE:
            self.writable(now_ns)
        if not events & selectors.EVENT_READ:
            return []
        end, _ = self.receive(buffer, now_ns)
        packets: list[Packet] = []
        position = 0
        while position < end and self.state is not State.CLOSED:
            try:
                packet, used = self.codec.read(buffer.data, position, end)
            except IncompletePacketError:
                break
            except ProtocolViolationError as error:
                self.close(Cause.VIOLATION, str(error))
                break
            position += used
            if self.process(packet, now_ns):
                packets.append(packet)
        self.keep(buffer, position, end)
        self.send_acknowledgements()
        return packets

    def send_acknowledgements(self) -> None:
        """Everything acknowledged since the last time, in one write."""
        if self.acknowledge:
            self.send(self.acknowledge)
            self.acknowledge.clear()

    def process(self, packet: Packet, now_ns: int) -> bool:
        """Let the state machine see one packet.

        Returns:
            Whether the owner may want it; False for pings, releases and repeated QoS 2 messages.
        """
        match packet:
            case Publish():
                return self._received(packet)
            case PubRel():
                self.incoming.discard(packet.packet_id)
                self.acknowledge += self.codec.pubcomp(packet.packet_id)
                return False
            case PubAck() | PubComp():
                self.outgoing.discard(packet.packet_id)
            case PubRec():
                if packet.code >= FAILURE:
                    self.outgoing.discard(packet.packet_id)
                else:
                    self.acknowledge += self.codec.pubrel(packet.packet_id)
            case PingResp():
                self._keep_alive.answered()
                return False
            case ConnAck():
                self._connected(packet, now_ns)
            case SubAck():
                self._granted(packet, now_ns)
            case Disconnect():
                self.close(Cause.LOST, f"disconnected by the broker: {packet.reason}")
        return True

    def _received(self, packet: Publish) -> bool:
        if packet.qos == 0:
            return True
        if packet.qos == 1:
            self.acknowledge += self.codec.puback(packet.packet_id)
            return True
        fresh = packet.packet_id not in self.incoming
        self.incoming.add(packet.packet_id)
        self.acknowledge += self.codec.pubrec(packet.packet_id)
        return fresh

    def _connected(self, packet: ConnAck, now_ns: int) -> None:
        if self.state is not State.CONNACK:
            self.close(Cause.VIOLATION, "a second CONNACK")
            return
        if objection := refused(packet):
            self.close(Cause.REFUSED, objection)
            return
        self.session_present = packet.session_present
        self.receive_max, self.stated = packet.receive_max, packet.stated
        if packet.keep_alive_s is not None:
            self._keep_alive.impose(packet.keep_alive_s)
        if not packet.session_present:
            self.incoming.clear()
            self.outgoing.clear()
            self._last_id = 0
        if not self.order.filters or (packet.session_present and self._subscribed):
            self._is_up(now_ns)
            return
        self.state = State.SUBACK
        self._subscribe_id = self.take_packet_id()
        self.send(self.codec.subscribe(self._subscribe_id, self.order.filters))

    def _granted(self, packet: SubAck, now_ns: int) -> None:
        if self.state is not State.SUBACK or packet.packet_id != self._subscribe_id:
            self.close(Cause.VIOLATION, "a SUBACK that nobody asked for")
            return
        self.outgoing.discard(packet.packet_id)
        if len(packet.codes) != len(self.order.filters):
            self.close(Cause.VIOLATION, "a SUBACK for another number of filters")
            return
        if objection := not_granted(self.order, packet):
            self.close(Cause.REFUSED, objection)
            return
        self._subscribed = True
        self._is_up(now_ns)

    def _is_up(self, now_ns: int) -> None:
        self.state = State.UP
        self._keep_alive.up(now_ns)
