"""MQTT 5 (OASIS Standard, 7 March 2019), the client's side, on the ``mqtt5`` Rust codec.

Rule of the module: pure, and no property is set on a message unless the connection is told to let
its messages expire: one message with a property that a 3.1.1 subscriber matches kills the embedded
broker's 3.1.1 listener for good. Beside it the session expiry of a persistent CONNECT is written.

The Rust codec panics on text that is not UTF-8 (mqtt5 0.8.0), so text is checked first. Should it
panic on something else, that comes as an exception outside ``Exception``: a violation by the
peer, not our end.
"""

from collections.abc import Sequence
from typing import Final

import mqtt5

from simulator.delivery.wire.codec import (
    Buffer,
    ProtocolViolationError,
    check_topic,
    frame,
)
from simulator.delivery.wire.packets import (
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
    Will,
)
from simulator.delivery.wire.properties import check_text

# What a broker that speaks MQTT 3.1.1 only answers to our CONNECT: its CONNACK with return code 1
# (MQTT 3.1.1 section 3.1.2.2), which has no properties.
_OLDER: Final = b"\x20\x02\x00\x01"
_UNSUPPORTED: Final = ConnAck(
    session_present=False, code=0x84, reason="unsupported protocol version"
)
_TO_BROKERS: Final = frozenset({1, 8, 10, 12})  # CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ


class Mqtt5:
    """The codec of MQTT 5.

    Args:
        message_expiry_s: message expiry interval of everything published, wall seconds; 0: none,
            and no property at all.
    """

    def __init__(self, message_expiry_s: int = 0) -> None:
        self._expiry_s = message_expiry_s or None

    @property
    def protocol(self) -> str:
        """``5``."""
        return "5"

    def connect(
        self,
        *,
        client_id: str,
        clean: bool,
        keep_alive_s: int,
        will: Will | None = None,
        username: str | None = None,
        password: str | None = None,
        session_expiry_s: int = 0,
    ) -> bytes:
        """CONNECT (section 3.1); ``session_expiry_s`` is written only if it is not 0."""
        return mqtt5.ConnectPacket(
            client_id,
            username=username,
            password=None if password is None else password.encode(),
            clean_start=clean,
            will=None
            if will is None
            else mqtt5.Will(
                will.topic, payload=will.payload, qos=mqtt5.QoS(will.qos), retain=will.retain
            ),
            keep_alive=keep_alive_s,
            session_expiry_interval=session_expiry_s,
        ).write()

    def subscribe(self, packet_id: int, filters: Sequence[tuple[str, int]]) -> bytes:
        """SUBSCRIBE (section 3.8); RETAIN then marks stored copies only, as in MQTT 3.1.1."""
        return mqtt5.SubscribePacket(
            packet_id,
            [
                mqtt5.TopicFilter(pattern, max_qos=mqtt5.QoS(qos), retain_as_published=False)
                for pattern, qos in filters
            ],
        ).write()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool = False,
        packet_id: int = 0,
        dup: bool = False,
    ) -> bytes:
        """PUBLISH (section 3.3), its message expiry the one property it may have."""
        return mqtt5.PublishPacket(
            topic,
            payload,
            qos=mqtt5.QoS(qos),
            retain=retain,
            packet_id=packet_id if qos else None,
            duplicate=dup,
            message_expiry_interval=self._expiry_s,
        ).write()

    def puback(self, packet_id: int) -> bytes:
        """PUBACK (section 3.4)."""
        return mqtt5.PubAckPacket(packet_id).write()

    def pubrec(self, packet_id: int) -> bytes:
        """PUBREC (section 3.5)."""
        return mqtt5.PubRecPacket(packet_id).write()

    def pubrel(self, packet_id: int) -> bytes:
        """PUBREL (section 3.6)."""
        return mqtt5.PubRelPacket(packet_id).write()

    def pubcomp(self, packet_id: int) -> bytes:
        """PUBCOMP (section 3.7)."""
        return mqtt5.PubCompPacket(packet_id).write()

    def pingreq(self) -> bytes:
        """PINGREQ (section 3.12)."""
        return mqtt5.PingReqPacket().write()

    def disconnect(self) -> bytes:
        """DISCONNECT (section 3.14)."""
        return mqtt5.DisconnectPacket().write()

    def read(self, buffer: Buffer, start: int, end: int) -> tuple[Packet, int]:
        """One packet from the broker; see Codec.read."""
        body, stop = frame(buffer, start, end)
        if buffer[start] >> 4 in _TO_BROKERS:
            raise ProtocolViolationError(f"packet type {buffer[start] >> 4} is not for a client")
        if stop - start == len(_OLDER) and buffer[start:stop] == _OLDER:
            return _UNSUPPORTED, stop - start
        check_text(buffer, start, body, stop)
        return _translate(_decode(buffer, start, stop)), stop - start


def _decode(buffer: Buffer, start: int, stop: int) -> mqtt5.Packet:
    """One whole frame through the Rust codec."""
    try:
        with memoryview(buffer) as view, view[start:stop] as part:
            packet, used = mqtt5.read(part)
    except (ValueError, IndexError) as error:
        raise ProtocolViolationError(f"MQTT 5: {error}") from error
    except BaseException as error:
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise ProtocolViolationError(f"MQTT 5: {error}") from error
    if used != stop - start:
        raise ProtocolViolationError("MQTT 5: a packet shorter than its remaining length")
    return packet


def _identified(packet_id: int | None) -> int:
    if not packet_id:
        raise ProtocolViolationError("packet identifier 0")
    return packet_id


def _translate(packet: mqtt5.Packet) -> Packet:  # noqa: PLR0911 - one return per packet type
    match packet:
        case mqtt5.PublishPacket():
            check_topic(packet.topic)
            qos = int(packet.qos)  # the Rust enumeration itself is true even at 0
            return Publish(
                topic=packet.topic,
                payload=packet.payload,
                qos=qos,
                retain=packet.retain,
                dup=packet.duplicate,
                packet_id=_identified(packet.packet_id) if qos else 0,
            )
        case mqtt5.PubAckPacket():
            return PubAck(packet_id=_identified(packet.packet_id), code=int(packet.reason_code))
        case mqtt5.PubRecPacket():
            return PubRec(packet_id=_identified(packet.packet_id), code=int(packet.reason_code))
        case mqtt5.PubRelPacket():
            return PubRel(packet_id=_identified(packet.packet_id), code=int(packet.reason_code))
        case mqtt5.PubCompPacket():
            return PubComp(packet_id=_identified(packet.packet_id), code=int(packet.reason_code))
        case mqtt5.SubAckPacket():
            return SubAck(
                packet_id=_identified(packet.packet_id),
                codes=tuple(int(code) for code in packet.reason_codes),
            )
        case mqtt5.ConnAckPacket():
            return ConnAck(
                session_present=packet.session_present,
                code=int(packet.reason_code),
                reason=packet.reason_str or _words(packet.reason_code.name),
                keep_alive_s=packet.server_keep_alive,
                receive_max=packet.receive_max,
                max_packet_bytes=packet.max_packet_size,
                stated=_stated(packet),
            )
        case mqtt5.PingRespPacket():
            return PingResp()
        case mqtt5.DisconnectPacket():
            return Disconnect(
                code=int(packet.reason_code),
                reason=packet.reason_str or _words(packet.reason_code.name),
            )
        case _:
            raise ProtocolViolationError(f"{type(packet).__name__} is not for a client")


def _stated(packet: mqtt5.ConnAckPacket) -> tuple[tuple[str, str], ...]:
    """The broker's limits (section 3.2.2.3); what it does not say is the standard's default."""
    size, keep_alive_s = packet.max_packet_size, packet.server_keep_alive
    return (
        ("receive maximum", str(packet.receive_max)),
        ("maximum packet size", "no limit stated" if size is None else f"{size} bytes"),
        ("maximum QoS", str(int(packet.max_qos))),
        ("retained messages", _yes(packet.retain_available)),
        ("wildcard subscriptions", _yes(packet.wildcard_subscription_available)),
        ("shared subscriptions", _yes(packet.shared_subscription_available)),
        ("subscription identifiers", _yes(packet.subscription_id_available)),
        ("topic alias maximum", str(packet.topic_alias_max)),
        ("keep alive", "as asked for" if keep_alive_s is None else f"{keep_alive_s} s imposed"),
    )


def _yes(available: object) -> str:
    return "available" if available else "not available"


def _words(name: str) -> str:
    return name.lower().replace("_", " ")
