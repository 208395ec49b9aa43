"""Which alert a message is, and the memory that answers without decoding."""

import json

import pytest

from simulator.delivery.messages import SwarmOrder
from simulator.delivery.swarm.recognise import FrameMemory, KnownFrame, Recogniser
from simulator.delivery.wire.mqtt5 import Mqtt5
from simulator.delivery.wire.mqtt311 import Mqtt311
from simulator.delivery.wire.packets import Publish
from simulator.measure.receipts import UNKNOWN, ReceiptFlag

LIVE, STATE = "alertsim/v1/alerts/miyagi/launch", "alertsim/v1/state/miyagi"
OTHER = "alertsim/v1/alerts/niigata/launch"
FLAG = ReceiptFlag


def identify(payload: bytes) -> str | None:
    found = json.loads(payload).get("id")
    return found if isinstance(found, str) else None


def payload(identifier: str, text: str = "") -> bytes:
    return json.dumps({"id": identifier, "text": text}).encode()


@pytest.fixture
def recogniser() -> Recogniser:
    order = SwarmOrder(
        worker=0,
        endpoints={},
        subscribers=(),
        identifiers={"r-miyagi-1": 0, "r-niigata-1": 1},
        topics=(LIVE, OTHER),
        state_topics=(STATE, "alertsim/v1/state/niigata"),
    )
    return Recogniser(order, identify)


def judge(recogniser: Recogniser, topic: str, data: bytes, **fields: int) -> tuple[int, FLAG]:
    message = Publish(
        topic=topic,
        payload=data,
        qos=fields.get("qos", 0),
        retain=bool(fields.get("retain")),
        dup=bool(fields.get("dup")),
        packet_id=7 if fields.get("qos") else 0,
    )
    alert, flags = recogniser.judge(message)
    return alert, FLAG(flags)


@pytest.mark.parametrize(("qos", "flag"), [(0, FLAG(0)), (1, FLAG.QOS_1), (2, FLAG.QOS_2)])
def test_an_alert_on_its_topic(recogniser: Recogniser, qos: int, flag: FLAG) -> None:
    assert judge(recogniser, LIVE, payload("r-miyagi-1"), qos=qos) == (0, flag)


def test_flags_of_the_packet_are_kept(recogniser: Recogniser) -> None:
    assert judge(recogniser, OTHER, payload("r-niigata-1"), qos=1, retain=1, dup=1) == (
        1,
        FLAG.QOS_1 | FLAG.RETAIN | FLAG.DUP,
    )


def test_the_state_copy_is_told_apart(recogniser: Recogniser) -> None:
    data = payload("r-miyagi-1")
    assert judge(recogniser, LIVE, data) == (0, FLAG(0))
    assert judge(recogniser, STATE, data, retain=1) == (0, FLAG.STATE | FLAG.RETAIN)


def test_an_empty_state_is_cleared_and_never_malformed(recogniser: Recogniser) -> None:
    assert judge(recogniser, STATE, b"") == (UNKNOWN, FLAG.STATE | FLAG.CLEARED)
    assert judge(recogniser, LIVE, b"") == (UNKNOWN, FLAG.MALFORMED)


@pytest.mark.parametrize(
    "data", [b"hello", b"\xff\xfe", b"[]", b"{}", b'{"id": 1}', b"[" * 100_000]
)
def test_what_is_no_payload_of_ours_is_malformed(recogniser: Recogniser, data: bytes) -> None:
    assert judge(recogniser, LIVE, data) == (UNKNOWN, FLAG.MALFORMED)
    assert judge(recogniser, STATE, data) == (UNKNOWN, FLAG.MALFORMED | FLAG.STATE)


@pytest.mark.parametrize(
    ("topic", "identifier"),
    [
        (LIVE, "another-run-miyagi-1"),
        (OTHER, "r-miyagi-1"),
        ("somewhere/else", "r-miyagi-1"),
        ("alertsim/v1/state/niigata", "r-miyagi-1"),
    ],
)
def test_another_run_or_another_topic_is_foreign(
    recogniser: Recogniser, topic: str, identifier: str
) -> None:
    alert, flags = judge(recogniser, topic, payload(identifier))
    assert alert == UNKNOWN
    assert flags & FLAG.FOREIGN


def test_an_altered_message_is_foreign_and_the_genuine_one_stays(recogniser: Recogniser) -> None:
    genuine, altered = payload("r-miyagi-1", "shelter"), payload("r-miyagi-1", "all clear")
    assert judge(recogniser, LIVE, genuine) == (0, FLAG(0))
    assert judge(recogniser, LIVE, altered) == (UNKNOWN, FLAG.FOREIGN)
    assert judge(recogniser, LIVE, genuine) == (0, FLAG(0))


def test_the_first_seen_is_taken_for_genuine_so_one_of_two_is_always_foreign(
    recogniser: Recogniser,
) -> None:
    first, second = payload("r-miyagi-1", "a"), payload("r-miyagi-1", "b")
    flags = [judge(recogniser, LIVE, data)[1] for data in (first, second)]
    assert flags == [FLAG(0), FLAG.FOREIGN]


def test_a_payload_on_a_foreign_topic_does_not_become_the_genuine_one(
    recogniser: Recogniser,
) -> None:
    judge(recogniser, "somewhere/else", payload("r-miyagi-1", "altered"))
    assert judge(recogniser, LIVE, payload("r-miyagi-1")) == (0, FLAG(0))


def learn(memory: FrameMemory, codec: Mqtt311 | Mqtt5, data: bytes, alert: int) -> bool:
    message, _ = codec.read(data, 0, len(data))
    assert isinstance(message, Publish)
    return memory.learn(data, 0, len(data), message, (alert, 0)) is not None


@pytest.mark.parametrize("codec", [Mqtt311(), Mqtt5()])
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("size", [0, 10, 200, 20_000])
def test_a_known_frame_is_found_whatever_its_packet_id(
    codec: Mqtt311 | Mqtt5, qos: int, size: int
) -> None:
    memory = FrameMemory()
    data = codec.publish("a/b", b"x" * size, qos=qos, packet_id=1)
    assert learn(memory, codec, data, 5)
    again = codec.publish("a/b", b"x" * size, qos=qos, packet_id=65_535)
    buffer = bytearray(b"..." + again + b"...")
    found = memory.find(buffer, 3, 3 + len(again))
    assert found is not None
    assert (found.alert, found.qos, found.size) == (5, qos, len(again))


@pytest.mark.parametrize("qos", [0, 1])
def test_any_changed_byte_but_the_packet_id_is_unknown(qos: int) -> None:
    memory, codec = FrameMemory(), Mqtt311()
    data = codec.publish("a/b", b"payload", qos=qos, packet_id=0x0101)
    learn(memory, codec, data, 5)
    packet_id = range(7, 9) if qos else range(0)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        found = memory.find(changed, 0, len(changed))
        assert (found is not None) == (place in packet_id), place


def test_frames_of_equal_length_are_told_apart() -> None:
    memory, codec = FrameMemory(), Mqtt311()
    frames = [codec.publish(f"a/{n}", b"same", qos=0) for n in range(5)]
    frames += [codec.publish("a/0", b"sam%d" % n, qos=0) for n in range(5)]
    for alert, data in enumerate(frames):
        learn(memory, codec, data, alert)
    found = [memory.find(bytearray(data), 0, len(data)) for data in frames]
    assert [known.alert for known in found if known] == list(range(10))


def test_a_copy_with_dup_is_not_remembered() -> None:
    memory, codec = FrameMemory(), Mqtt311()
    assert not learn(memory, codec, codec.publish("a", b"x", qos=1, packet_id=1, dup=True), 1)
    assert len(memory) == 0


def test_memory_is_bounded_in_frames_and_the_oldest_goes() -> None:
    memory, codec = FrameMemory(max_frames=3), Mqtt311()
    frames = [codec.publish("a", b"%d" % n, qos=0) for n in range(10)]
    for alert, data in enumerate(frames):
        learn(memory, codec, data, alert)
        assert len(memory) <= 3
    known = [memory.find(bytearray(data), 0, len(data)) for data in frames]
    assert [each.alert for each in known if each] == [7, 8, 9]
    assert sum(len(bucket) for bucket in memory._buckets.values()) == 3


def test_memory_is_bounded_in_bytes() -> None:
    memory, codec = FrameMemory(max_bytes=1000), Mqtt311()
    for alert in range(10):
        learn(memory, codec, codec.publish("a", b"%d" % alert * 300, qos=0), alert)
    assert len(memory) == 3
    assert not learn(memory, codec, codec.publish("a", b"x" * 1001, qos=0), 11)
    assert len(memory) == 3


def test_a_forgotten_frame_keeps_no_other_alive() -> None:
    memory, codec = FrameMemory(max_frames=2), Mqtt311()
    frames: list[KnownFrame] = []
    for n in range(4):
        data = codec.publish("a", b"%d" % n, qos=0)
        message, _ = codec.read(data, 0, len(data))
        assert isinstance(message, Publish)
        known = memory.learn(data, 0, len(data), message, (n, 0))
        assert known is not None
        known.following = frames[0] if frames else known
        frames.append(known)
    assert [frames.index(known.following) for known in frames] == [0, 1, 0, 0]
