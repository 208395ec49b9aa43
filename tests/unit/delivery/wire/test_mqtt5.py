"""Reading MQTT 5 through the Rust codec, and what our adapter adds to it."""

import mqtt5
import pytest

from simulator.delivery.wire.codec import IncompletePacketError, ProtocolViolationError
from simulator.delivery.wire.mqtt5 import Mqtt5
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
)
from simulator.delivery.wire.versions import codec_for

PACKETS: list[tuple[bytes, Packet]] = [
    (  # a broker that speaks MQTT 3.1.1 only says so in its own version
        bytes([0x20, 2, 0, 1]),
        ConnAck(session_present=False, code=0x84, reason="unsupported protocol version"),
    ),
    (
        mqtt5.ConnAckPacket(session_present=True).write(),
        ConnAck(session_present=True, code=0, reason="success"),
    ),
    (
        mqtt5.ConnAckPacket(
            reason_code=mqtt5.ConnAckReasonCode.NOT_AUTHORIZED, reason_str="no such user"
        ).write(),
        ConnAck(session_present=False, code=0x87, reason="no such user"),
    ),
    (
        mqtt5.ConnAckPacket(server_keep_alive=20, receive_max=10, max_packet_size=20_480).write(),
        ConnAck(
            session_present=False,
            code=0,
            reason="success",
            keep_alive_s=20,
            receive_max=10,
            max_packet_bytes=20_480,
        ),
    ),
    (b"\x30\x05\x00\x01a\x00x", Publish(topic="a", payload=b"x")),
    (b"\x31\x04\x00\x01a\x00", Publish(topic="a", payload=b"", retain=True)),
    (
        b"\x3a\x07\x00\x01a\x00\x07\x00x",
        Publish(topic="a", payload=b"x", qos=1, dup=True, packet_id=7),
    ),
    (b"\x34\x06\x00\x01a\xff\xff\x00", Publish(topic="a", payload=b"", qos=2, packet_id=65_535)),
    (
        mqtt5.PublishPacket(
            "a", b"x", content_type="text/plain", user_properties=[("k", "v")]
        ).write(),
        Publish(topic="a", payload=b"x"),
    ),
    (b"\x40\x02\x02\x01", PubAck(packet_id=513)),
    (b"\x40\x03\x02\x01\x97", PubAck(packet_id=513, code=0x97)),
    (b"\x50\x02\x00\x01", PubRec(packet_id=1)),
    (b"\x62\x02\x00\x01", PubRel(packet_id=1)),
    (b"\x70\x03\x00\x01\x92", PubComp(packet_id=1, code=0x92)),
    (b"\x90\x07\x00\x09\x00\x00\x01\x02\x87", SubAck(packet_id=9, codes=(0, 1, 2, 0x87))),
    (b"\xd0\x00", PingResp()),
    (b"\xe0\x01\x8b", Disconnect(code=0x8B, reason="server shutting down")),
]

VIOLATIONS = {
    "reserved type 0": b"\x00\x00",
    "PINGREQ from a broker": b"\xc0\x00",
    "SUBSCRIBE with text that is not UTF-8": b"\x82\x07\x00\x01\x00\x00\x01\x80\x80",
    "AUTH without asking": mqtt5.AuthPacket().write(),
    "CONNACK with an unknown code": b"\x20\x03\x00\x77\x00",
    "QoS 3": b"\x36\x06\x00\x01a\x00\x01\x00",
    "topic longer than the packet": b"\x30\x03\x00\x05a",
    "topic not UTF-8": b"\x30\x05\x00\x01\xff\x00x",
    "topic with NUL": b"\x30\x05\x00\x02a\x00\x00",
    "topic with a wildcard": b"\x30\x04\x00\x01#\x00",
    "empty topic, by an alias that we did not allow": b"\x32\x08\x00\x00\x00\x01\x03\x23\x00\x01",
    "packet id 0": b"\x32\x06\x00\x01a\x00\x00\x00",
    "PUBACK of packet id 0": b"\x40\x02\x00\x00",
    "no room for properties": b"\x30\x03\x00\x01a",
    "unknown property": b"\x30\x06\x00\x01a\x02\xff\x00",
    "user property that is not UTF-8": b"\x30\x0b\x00\x01a\x07\x26\x00\x01\xff\x00\x01v",
    "response topic that is not UTF-8": b"\x30\x08\x00\x01a\x04\x08\x00\x01\xff",
    "correlation data cut": b"\x30\x06\x00\x01a\x02\x09\x00",
    "reason that is not UTF-8": b"\x20\x07\x00\x00\x04\x1f\x00\x01\xff",
    "acknowledgement's reason that is not UTF-8": b"\x40\x08\x00\x01\x00\x04\x1f\x00\x01\xff",
    "subscription's reason that is not UTF-8": b"\x90\x08\x00\x01\x04\x1f\x00\x01\xff\x00",
    "farewell that is not UTF-8": b"\xe0\x06\x8b\x04\x1f\x00\x01\xff",
    "remaining length of five bytes": b"\x30\x80\x80\x80\x80\x01",
    "larger than we take": b"\x30\xff\xff\xff\x7f",
}


@pytest.fixture
def codec() -> Mqtt5:
    return Mqtt5()


@pytest.mark.parametrize(("data", "packet"), PACKETS)
def test_every_packet_of_a_broker(codec: Mqtt5, data: bytes, packet: Packet) -> None:
    assert codec.read(data, 0, len(data)) == (packet, len(data))


@pytest.mark.parametrize(("data", "packet"), PACKETS)
def test_a_packet_amid_others_leaves_the_buffer_free(
    codec: Mqtt5, data: bytes, packet: Packet
) -> None:
    buffer = bytearray(b"\xd0\x00" + data + b"\xd0\x00")
    assert codec.read(buffer, 2, len(buffer)) == (packet, len(data))
    buffer.clear()  # BufferError if the codec still held a view


@pytest.mark.parametrize("data", [data for data, _ in PACKETS])
def test_cut_anywhere_it_is_incomplete(codec: Mqtt5, data: bytes) -> None:
    for end in range(len(data)):
        with pytest.raises(IncompletePacketError):
            codec.read(data + b"\xff" * 9, 0, end)


@pytest.mark.parametrize("data", VIOLATIONS.values(), ids=VIOLATIONS)
def test_violations(codec: Mqtt5, data: bytes) -> None:
    with pytest.raises(ProtocolViolationError):
        codec.read(data, 0, len(data))


def test_a_panic_of_the_codec_is_a_violation(codec: Mqtt5, monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    def read(_: memoryview) -> None:
        raise panic("index out of range")

    monkeypatch.setattr(mqtt5, "read", read)
    with pytest.raises(ProtocolViolationError, match="index out of range"):
        codec.read(b"\xd0\x00", 0, 2)


def test_an_interrupt_in_the_codec_stays_one(codec: Mqtt5, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: memoryview) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mqtt5, "read", read)
    with pytest.raises(KeyboardInterrupt):
        codec.read(b"\xd0\x00", 0, 2)


def test_a_message_of_ours_has_no_property(codec: Mqtt5) -> None:
    topic, payload = "alertsim/v1/alerts/miyagi/launch", b"payload"
    for qos in (0, 1, 2):
        data = codec.publish(topic, payload, qos=qos, retain=True, packet_id=1)
        assert data.endswith(b"\x00" + payload)  # a property length of zero
        read, _ = mqtt5.read(memoryview(data))
        assert isinstance(read, mqtt5.PublishPacket)
        assert (read.content_type, read.message_expiry_interval) == (None, None)
        assert (read.user_properties, read.response_topic) == ([], None)


def test_retain_marks_stored_copies_only_as_in_311(codec: Mqtt5) -> None:
    read, _ = mqtt5.read(memoryview(codec.subscribe(1, [("a", 1)])))
    assert isinstance(read, mqtt5.SubscribePacket)
    assert [each.retain_as_published for each in read.topic_filters] == [False]


def test_it_names_its_version(codec: Mqtt5) -> None:
    assert codec.protocol == "5"


def test_a_property_is_written_only_where_messages_are_to_expire() -> None:
    plain = Mqtt5().publish("a", b"x", qos=1, packet_id=7)
    assert plain == b"\x32\x07\x00\x01a\x00\x07\x00x"
    expiring = Mqtt5(90).publish("a", b"x", qos=1, packet_id=7)
    assert expiring == b"\x32\x0c\x00\x01a\x00\x07\x05\x02\x00\x00\x00\x5ax"  # section 3.3.2.3.3
    assert Mqtt5().read(expiring, 0, len(expiring))[0] == Publish(
        topic="a", payload=b"x", qos=1, packet_id=7
    )
    assert codec_for("5", 90).publish("a", b"x", qos=1, packet_id=7) == expiring
    old = codec_for("3.1.1").publish("a", b"x", qos=1, packet_id=7)
    assert codec_for("3.1.1", 90).publish("a", b"x", qos=1, packet_id=7) == old
