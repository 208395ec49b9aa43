"""What a broker's answers during the handshake mean for us.

Rule of the module: pure; an answer goes in, an objection in words comes out, empty if there is
none. Whatever would cut a run in its middle is an objection before it.
"""

from typing import Final

from simulator.alerts.alert import MAX_PAYLOAD_BYTES
from simulator.delivery.wire.codec import Buffer
from simulator.delivery.wire.order import ConnectionOrder
from simulator.delivery.wire.packets import FAILURE, ConnAck, SubAck

NEEDED_PACKET_BYTES: Final = MAX_PAYLOAD_BYTES + 1024  # the payload, its topic and the headers
TOO_SMALL: Final = "the broker takes packets of at most"

_FIRST: Final = frozenset({0x20, 0xE0})  # of CONNACK; some brokers say DISCONNECT instead
_SHOWN_BYTES: Final = 16
_ALERT: Final = b"\x15\x03"  # a TLS record
INSTEAD: Final = "closed by the broker instead of CONNACK"
SPEAKS_TLS: Final = "not MQTT: this port speaks TLS"
SPEAKS_HTTP: Final = "not MQTT: this port speaks HTTP, perhaps WebSocket"


def not_mqtt(buffer: Buffer, end: int) -> str:
    """Objection to the first bytes that came back, ``buffer[:end]``, at least one."""
    if buffer[0] in _FIRST:
        return ""
    first = bytes(buffer[: min(end, _SHOWN_BYTES)])
    if first.startswith(_ALERT):
        return SPEAKS_TLS
    if first.startswith(b"HTTP/"):
        return SPEAKS_HTTP
    return f"not MQTT: it answered CONNECT with {first!r}"


def refused(packet: ConnAck) -> str:
    """Objection to CONNACK: the broker's own, or ours to its limits."""
    if packet.code:
        return f"connection refused: {packet.reason}"
    taken = packet.max_packet_bytes
    if taken is not None and taken < NEEDED_PACKET_BYTES:
        return f"{TOO_SMALL} {taken} bytes, ours may have {NEEDED_PACKET_BYTES}"
    return ""


def not_granted(order: ConnectionOrder, packet: SubAck) -> str:
    """Objection to SUBACK: every filter must be granted at the QoS asked for."""
    for (pattern, qos), code in zip(order.filters, packet.codes, strict=True):
        if code != qos:
            answer = f"refused (code {code})"
            if code < FAILURE:
                answer = f"granted QoS {code}: ask for QoS {code} at most (--qos {code})"
            return f"subscription to {pattern} at QoS {qos} {answer}"
    return ""
