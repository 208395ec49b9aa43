"""What a codec is: packets to bytes and bytes to packets, for one version of MQTT.

Rule of the module: pure. ``read`` looks at a slice of a buffer and either returns one whole packet
and its length, or says that bytes are missing, or that the peer broke the protocol. Framing (packet
type, flags and remaining length) is the same in both versions and lives here.
"""

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

from simulator.delivery.wire.packets import Packet, Will
from simulator.errors import BrokerError

Buffer: TypeAlias = bytearray | memoryview | bytes

MAX_PACKET_BYTES: Final = 1024 * 1024  # larger frames end the connection: everything is bounded
_MAX_LENGTH_BYTES: Final = 4
_CONTINUES: Final = 0x80


class IncompletePacketError(Exception):
    """The buffer ends before the packet does: read on. Not a failure.

    Args:
        needed: bytes the whole packet needs, 0 while its length is not known.
    """

    def __init__(self, needed: int = 0) -> None:
        super().__init__(needed)
        self.needed = needed


class ProtocolViolationError(BrokerError):
    """The peer sent bytes that are not MQTT, or not what a client may be sent."""


class Codec(Protocol):
    """One version of MQTT, from the client's side."""

    @property
    def protocol(self) -> str:
        """``3.1.1`` or ``5``."""
        ...

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
        """CONNECT; ``session_expiry_s`` matters to MQTT 5 only, where 0 ends it with the link."""
        ...

    def subscribe(self, packet_id: int, filters: Sequence[tuple[str, int]]) -> bytes:
        """SUBSCRIBE to (topic filter, QoS) pairs, at least one."""
        ...

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
        """PUBLISH; a packet id (1 to 65535) above QoS 0, none at QoS 0."""
        ...

    def puback(self, packet_id: int) -> bytes:
        """PUBACK, success."""
        ...

    def pubrec(self, packet_id: int) -> bytes:
        """PUBREC, success."""
        ...

    def pubrel(self, packet_id: int) -> bytes:
        """PUBREL, success."""
        ...

    def pubcomp(self, packet_id: int) -> bytes:
        """PUBCOMP, success."""
        ...

    def pingreq(self) -> bytes:
        """PINGREQ."""
        ...

    def disconnect(self) -> bytes:
        """DISCONNECT: normal, so that the broker discards the will."""
        ...

    def read(self, buffer: Buffer, start: int, end: int) -> tuple[Packet, int]:
        """One packet from ``buffer[start:end]`` and the number of bytes it took.

        Raises:
            IncompletePacketError: if the packet is not whole yet.
            ProtocolViolationError: if these bytes cannot become one.
        """
        ...


def frame(buffer: Buffer, start: int, end: int) -> tuple[int, int]:
    """Find one packet's boundaries (MQTT 3.1.1 and 5, section 2.1).

    Returns:
        Index of its first byte after the fixed header, and index after its last byte.

    Raises:
        IncompletePacketError: if the packet is not whole yet.
        ProtocolViolationError: if the length is malformed or above MAX_PACKET_BYTES.
    """
    length = 0
    for count in range(_MAX_LENGTH_BYTES):
        position = start + 1 + count
        if position >= end:
            raise IncompletePacketError
        byte = buffer[position]
        length |= (byte & 0x7F) << (7 * count)
        if byte < _CONTINUES:
            body = position + 1
            if body + length - start > MAX_PACKET_BYTES:
                raise ProtocolViolationError(
                    f"a packet of {body + length - start} bytes is larger than {MAX_PACKET_BYTES}"
                )
            if body + length > end:
                raise IncompletePacketError(body + length - start)
            return body, body + length
    raise ProtocolViolationError("a remaining length of more than four bytes")


def read_text(buffer: Buffer, start: int, end: int) -> tuple[str, int]:
    """One UTF-8 string with its two-byte length, and the index after it (section 1.5.3).

    Raises:
        ProtocolViolationError: if it does not fit, is not UTF-8 or holds U+0000.
    """
    body = start + 2
    if body > end:
        raise ProtocolViolationError("a string without its length")
    stop = body + (buffer[start] << 8 | buffer[start + 1])
    if stop > end:
        raise ProtocolViolationError("a string longer than its packet")
    try:
        text = bytes(buffer[body:stop]).decode()
    except UnicodeDecodeError as error:
        raise ProtocolViolationError("a string that is not UTF-8") from error
    if "\0" in text:
        raise ProtocolViolationError("a string with U+0000")
    return text, stop


def check_topic(topic: str) -> None:
    """Refuse what cannot be a topic name (section 4.7).

    Raises:
        ProtocolViolationError: if it is empty or holds a wildcard.
    """
    if not topic or "+" in topic or "#" in topic:
        raise ProtocolViolationError(f"{topic!r} is not a topic name")
