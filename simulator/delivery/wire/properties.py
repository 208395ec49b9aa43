"""The text inside MQTT 5 properties, checked before the Rust codec sees it.

Rule of the module: pure. The codec (mqtt5 0.8.0) panics on text that is not UTF-8; a publisher may
have put such text there, and not every broker looks. Lengths and places of properties are left to
the codec. Section numbers are those of the standard:
https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html
"""

from typing import Final

from simulator.delivery.wire.codec import Buffer, ProtocolViolationError, read_text

CONNACK: Final = 2
PUBLISH: Final = 3
SUBACK: Final = 9
UNSUBACK: Final = 11
DISCONNECT: Final = 14
AUTH: Final = 15

# Section 2.2.2.2.
_FIXED: Final = (
    dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1)
    | dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2)
    | dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4)
)
_SUBSCRIPTION_ID: Final = 0x0B
_TEXT: Final = frozenset({0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F})
_BINARY: Final = frozenset({0x09, 0x16})
_USER: Final = 0x26
_CONTINUES: Final = 0x80

# Bytes before the properties, section 3.x.2 of each packet; the acknowledgements have three.
_BEFORE: Final = {CONNACK: 2, SUBACK: 2, UNSUBACK: 2, DISCONNECT: 1, AUTH: 1}
_BEFORE_OF_ACKNOWLEDGEMENTS: Final = 3


def check_text(buffer: Buffer, start: int, body: int, stop: int) -> None:
    """Check the topic, if it is a message, and every text property of one whole packet.

    Args:
        buffer: holds the packet.
        start: index of its first byte.
        body: index after its fixed header.
        stop: index after its last byte.

    Raises:
        ProtocolViolationError: if a text is not UTF-8 or does not fit, or a property is unknown.
    """
    first = buffer[start]
    kind = first >> 4
    if kind == PUBLISH:
        _, position = read_text(buffer, body, stop)
        position += 2 if first & 0x06 else 0
    else:
        position = body + _BEFORE.get(kind, _BEFORE_OF_ACKNOWLEDGEMENTS)
    if position < stop:
        length, position = _number(buffer, position, stop)
        _walk(buffer, position, min(position + length, stop))


def _walk(buffer: Buffer, position: int, stop: int) -> None:
    while position < stop:
        name = buffer[position]
        position += 1
        if name in _FIXED:
            position += _FIXED[name]
        elif name == _SUBSCRIPTION_ID:
            _, position = _number(buffer, position, stop)
        elif name in _TEXT:
            _, position = read_text(buffer, position, stop)
        elif name == _USER:
            _, position = read_text(buffer, position, stop)
            _, position = read_text(buffer, position, stop)
        elif name in _BINARY and position + 2 <= stop:
            position += 2 + (buffer[position] << 8 | buffer[position + 1])
        else:
            raise ProtocolViolationError(f"unknown or cut property {name:#x}")


def _number(buffer: Buffer, position: int, stop: int) -> tuple[int, int]:
    """A variable byte integer and the index after it; the codec checks that it is not too long."""
    value = shift = 0
    while position < stop:
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _CONTINUES:
            break
        shift += 7
    return value, position
