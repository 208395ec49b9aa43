"""Reading MQTT 3.1.1: what a broker may say, and everything that it may not."""

import pytest

from simulator.delivery.wire.codec import (
    MAX_PACKET_BYTES,
    IncompletePacketError,
    ProtocolViolationError,
)
from simulator.delivery.wire.mqtt311 import RETURN_CODES, Mqtt311
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
)

PACKETS: list[tuple[bytes, Packet]] = [
    (b"\x20\x02\x00\x00", ConnAck(session_present=False, code=0, reason="accepted")),
    (b"\x20\x02\x01\x00", ConnAck(session_present=True, code=0, reason="accepted")),
    (b"\x20\x02\x00\x05", ConnAck(session_present=False, code=5, reason="not authorized")),
    (b"\x30\x03\x00\x01a", Publish(topic="a", payload=b"")),
    (b"\x31\x05\x00\x01a\x00x", Publish(topic="a", payload=b"\x00x", retain=True)),
    (b"\x3a\x06\x00\x01a\x00\x07x", Publish(topic="a", payload=b"x", qos=1, dup=True, packet_id=7)),
    (b"\x34\x05\x00\x01a\xff\xff", Publish(topic="a", payload=b"", qos=2, packet_id=65_535)),
    (b"\x40\x02\x02\x01", PubAck(packet_id=513)),
    (b"\x50\x02\x00\x01", PubRec(packet_id=1)),
    (b"\x62\x02\x00\x01", PubRel(packet_id=1)),
    (b"\x70\x02\x00\x01", PubComp(packet_id=1)),
    (b"\x90\x06\x00\x09\x00\x01\x02\x80", SubAck(packet_id=9, codes=(0, 1, 2, 0x80))),
    (b"\xd0\x00", PingResp()),
]

VIOLATIONS = {
    "reserved type 0": b"\x00\x00",
    "CONNECT from a broker": b"\x10\x02\x00\x00",
    "SUBSCRIBE from a broker": b"\x82\x02\x00\x01",
    "PINGREQ from a broker": b"\xc0\x00",
    "DISCONNECT from a broker": b"\xe0\x00",
    "AUTH is MQTT 5": b"\xf0\x00",
    "CONNACK with flags": b"\x21\x02\x00\x00",
    "CONNACK of three bytes": b"\x20\x03\x00\x00\x00",
    "CONNACK with reserved bits": b"\x20\x02\x02\x00",
    "CONNACK with an unknown code": b"\x20\x02\x00\x06",
    "refusal with a session": b"\x20\x02\x01\x05",
    "QoS 3": b"\x36\x05\x00\x01a\x00\x01",
    "topic longer than the packet": b"\x30\x03\x00\x05a",
    "no topic length": b"\x30\x01\x00",
    "empty topic": b"\x30\x02\x00\x00",
    "topic with a wildcard": b"\x30\x03\x00\x01#",
    "topic with a single-level wildcard": b"\x30\x05\x00\x03a/+",
    "topic not UTF-8": b"\x30\x04\x00\x01\xffx",
    "topic with a surrogate": b"\x30\x05\x00\x03\xed\xa0\x80",
    "topic with NUL": b"\x30\x04\x00\x02a\x00",
    "QoS 1 without a packet id": b"\x32\x04\x00\x01a\x00",
    "packet id 0": b"\x32\x05\x00\x01a\x00\x00",
    "PUBACK of three bytes": b"\x40\x03\x00\x01\x00",
    "PUBACK with flags": b"\x41\x02\x00\x01",
    "PUBACK of packet id 0": b"\x40\x02\x00\x00",
    "PUBREL without its flag": b"\x60\x02\x00\x01",
    "SUBACK without codes": b"\x90\x02\x00\x01",
    "SUBACK with code 3": b"\x90\x03\x00\x01\x03",
    "PINGRESP with a body": b"\xd0\x01\x00",
    "remaining length of five bytes": b"\x30\x80\x80\x80\x80\x01",
    "larger than we take": b"\x30\xff\xff\xff\x7f",
}


@pytest.fixture
def codec() -> Mqtt311:
    return Mqtt311()


@pytest.mark.parametrize(("data", "packet"), PACKETS)
def test_every_packet_of_a_broker(codec: Mqtt311, data: bytes, packet: Packet) -> None:
    assert codec.read(data, 0, len(data)) == (packet, len(data))


@pytest.mark.parametrize(("data", "packet"), PACKETS)
def test_a_packet_amid_others(codec: Mqtt311, data: bytes, packet: Packet) -> None:
    buffer = bytearray(b"\xd0\x00" + data + b"\xd0\x00")
    assert codec.read(memoryview(buffer), 2, len(buffer)) == (packet, len(data))


@pytest.mark.parametrize("data", [data for data, _ in PACKETS])
def test_cut_anywhere_it_is_incomplete(codec: Mqtt311, data: bytes) -> None:
    for end in range(len(data)):
        with pytest.raises(IncompletePacketError) as caught:
            codec.read(data + b"\xff" * 9, 0, end)
        assert caught.value.needed in {0, len(data)}


@pytest.mark.parametrize("data", VIOLATIONS.values(), ids=VIOLATIONS)
def test_violations(codec: Mqtt311, data: bytes) -> None:
    with pytest.raises(ProtocolViolationError):
        codec.read(data, 0, len(data))


def test_the_largest_packet_is_taken_and_one_byte_more_is_not(codec: Mqtt311) -> None:
    overhead = len(codec.publish("a", b"x" * 100_000, qos=0)) - 100_000
    largest = codec.publish("a", bytes(MAX_PACKET_BYTES - overhead), qos=0)
    assert len(largest) == MAX_PACKET_BYTES
    assert codec.read(largest, 0, len(largest))[1] == MAX_PACKET_BYTES
    beyond = codec.publish("a", bytes(MAX_PACKET_BYTES - overhead + 1), qos=0)
    with pytest.raises(ProtocolViolationError, match="larger than"):
        codec.read(beyond, 0, 5)  # known from its first bytes: nothing need be buffered


def test_every_return_code_has_words(codec: Mqtt311) -> None:
    for code, words in enumerate(RETURN_CODES):
        packet, _ = codec.read(bytes((0x20, 2, 0, code)), 0, 4)
        assert isinstance(packet, ConnAck)
        assert (packet.code, packet.reason) == (code, words)


def test_a_password_needs_the_user_name_flag(codec: Mqtt311) -> None:
    letter = "p"
    data = codec.connect(client_id="c", clean=True, keep_alive_s=1, password=letter)
    assert data.endswith(b"\x04\xc2\x00\x01" + b"\x00\x01c" + b"\x00\x00" + b"\x00\x01p")


def test_a_string_longer_than_its_length_field_is_refused(codec: Mqtt311) -> None:
    with pytest.raises(ValueError, match="65536 bytes"):
        codec.publish("a" * 65_536, b"", qos=0)


def test_it_names_its_version(codec: Mqtt311) -> None:
    assert codec.protocol == "3.1.1"
