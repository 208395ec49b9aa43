"""MQTT 3.1.1 (OASIS Standard, 29 October 2014), the client's side.

Rule of the module: pure, and strict where a byte out of place would make us misread what follows.
Section numbers are those of the standard:
http://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
"""

from collections.abc import Callable, Sequence
from typing import Final

from simulator.delivery.wire.codec import (
    Buffer,
    ProtocolViolationError,
    check_topic,
    frame,
    read_text,
)
from simulator.delivery.wire.packets import (
    ConnAck,
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

CONNACK: Final = 2
PUBLISH: Final = 3
PUBACK: Final = 4
PUBREC: Final = 5
PUBREL: Final = 6
PUBCOMP: Final = 7
SUBACK: Final = 9
PINGRESP: Final = 13

RETURN_CODES: Final = (  # section 3.2.2.3
    "accepted",
    "unacceptable protocol version",
    "client identifier rejected",
    "server unavailable",
    "bad user name or password",
    "not authorized",
)
_GRANTS: Final = frozenset({0, 1, 2, 0x80})  # section 3.9.3
_ACKNOWLEDGEMENTS: Final[dict[int, Callable[..., Packet]]] = {
    PUBACK: PubAck,
    PUBREC: PubRec,
    PUBREL: PubRel,
    PUBCOMP: PubComp,
}
_LONGEST_TEXT: Final = 0xFFFF
_TWO_BYTES: Final = 2
_HIGHEST_QOS: Final = 2


def _length(count: int) -> bytes:
    """Remaining length (section 2.2.3)."""
    out = bytearray()
    while True:
        count, low = divmod(count, 0x80)
        out.append(low | 0x80 if count else low)
        if not count:
            return bytes(out)


def _sized(data: bytes) -> bytes:
    if len(data) > _LONGEST_TEXT:
        raise ValueError(f"{len(data)} bytes do not fit an MQTT string of at most {_LONGEST_TEXT}")
    return len(data).to_bytes(2, "big") + data


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + _length(len(body)) + body


class Mqtt311:
    """The codec of MQTT 3.1.1."""

    @property
    def protocol(self) -> str:
        """``3.1.1``."""
        return "3.1.1"

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
        """CONNECT (section 3.1); the session's expiry is the broker's affair in this version."""
        del session_expiry_s
        if password is not None and username is None:
            username = ""  # a password needs the user name flag (MQTT-3.1.2-22)
        flags = clean << 1
        body = _sized(client_id.encode())
        if will is not None:
            flags |= 0x04 | will.qos << 3 | will.retain << 5
            body += _sized(will.topic.encode()) + _sized(will.payload)
        if username is not None:
            flags |= 0x80
            body += _sized(username.encode())
        if password is not None:
            flags |= 0x40
            body += _sized(password.encode())
        head = b"\x00\x04MQTT\x04" + bytes((flags,)) + keep_alive_s.to_bytes(2, "big")
        return _packet(0x10, head + body)

    def subscribe(self, packet_id: int, filters: Sequence[tuple[str, int]]) -> bytes:
        """SUBSCRIBE (section 3.8)."""
        body = b"".join(_sized(pattern.encode()) + bytes((qos,)) for pattern, qos in filters)
        return _packet(0x82, packet_id.to_bytes(2, "big") + body)

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
        """PUBLISH (section 3.3)."""
        first = 0x30 | dup << 3 | qos << 1 | retain
        identifier = packet_id.to_bytes(2, "big") if qos else b""
        return _packet(first, _sized(topic.encode()) + identifier + payload)

    def puback(self, packet_id: int) -> bytes:
        """PUBACK (section 3.4)."""
        return b"\x40\x02" + packet_id.to_bytes(2, "big")

    def pubrec(self, packet_id: int) -> bytes:
        """PUBREC (section 3.5)."""
        return b"\x50\x02" + packet_id.to_bytes(2, "big")

    def pubrel(self, packet_id: int) -> bytes:
        """PUBREL (section 3.6)."""
        return b"\x62\x02" + packet_id.to_bytes(2, "big")

    def pubcomp(self, packet_id: int) -> bytes:
        """PUBCOMP (section 3.7)."""
        return b"\x70\x02" + packet_id.to_bytes(2, "big")

    def pingreq(self) -> bytes:
        """PINGREQ (section 3.12)."""
        return b"\xc0\x00"

    def disconnect(self) -> bytes:
        """DISCONNECT (section 3.14)."""
        return b"\xe0\x00"

    def read(self, buffer: Buffer, start: int, end: int) -> tuple[Packet, int]:
        """One packet from the broker; see Codec.read."""
        body, stop = frame(buffer, start, end)
        first = buffer[start]
        kind, flags = first >> 4, first & 0x0F
        if kind == PUBLISH:
            return _read_publish(buffer, flags, body, stop), stop - start
        if flags != (0x02 if kind == PUBREL else 0):
            raise ProtocolViolationError(f"packet type {kind} with flags {flags:#x}")
        return _read_other(buffer, kind, body, stop), stop - start


def _read_publish(buffer: Buffer, flags: int, body: int, stop: int) -> Publish:
    qos = flags >> 1 & 0x03
    if qos > _HIGHEST_QOS:
        raise ProtocolViolationError("a message at QoS 3")
    topic, position = read_text(buffer, body, stop)
    check_topic(topic)
    packet_id = 0
    if qos:
        packet_id = _read_id(buffer, position, stop)
        position += 2
    return Publish(
        topic=topic,
        payload=bytes(buffer[position:stop]),
        qos=qos,
        retain=bool(flags & 0x01),
        dup=bool(flags & 0x08),
        packet_id=packet_id,
    )


def _read_id(buffer: Buffer, position: int, stop: int) -> int:
    if position + 2 > stop:
        raise ProtocolViolationError("a packet without its identifier")
    packet_id = buffer[position] << 8 | buffer[position + 1]
    if packet_id == 0:
        raise ProtocolViolationError("packet identifier 0")
    return packet_id


def _read_other(buffer: Buffer, kind: int, body: int, stop: int) -> Packet:
    size = stop - body
    if kind in _ACKNOWLEDGEMENTS and size == _TWO_BYTES:
        return _ACKNOWLEDGEMENTS[kind](packet_id=_read_id(buffer, body, stop))
    if kind == PINGRESP and size == 0:
        return PingResp()
    if kind == CONNACK and size == _TWO_BYTES:
        present, code = buffer[body], buffer[body + 1]
        if present > 1 or code >= len(RETURN_CODES) or (code and present):
            raise ProtocolViolationError(f"CONNACK with flags {present:#x} and code {code}")
        return ConnAck(session_present=present == 1, code=code, reason=RETURN_CODES[code])
    if kind == SUBACK and size > _TWO_BYTES:
        packet_id = _read_id(buffer, body, stop)
        codes = tuple(bytes(buffer[body + 2 : stop]))
        if not _GRANTS.issuperset(codes):
            raise ProtocolViolationError(f"SUBACK with codes {codes}")
        return SubAck(packet_id=packet_id, codes=codes)
    raise ProtocolViolationError(f"packet type {kind} with {size} bytes is not for a client")
