"""Whatever is written is read back, wherever it is cut, and no bytes do worse than be refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.delivery.wire.codec import Codec, IncompletePacketError, ProtocolViolationError
from simulator.delivery.wire.mqtt5 import Mqtt5
from simulator.delivery.wire.mqtt311 import Mqtt311
from simulator.delivery.wire.packets import PubAck, PubComp, Publish, PubRec, PubRel

CODECS: list[Codec] = [Mqtt311(), Mqtt5()]

topics = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0+#"), min_size=1, max_size=60
)
packet_ids = st.integers(1, 65_535)


@st.composite
def messages(draw: st.DrawFn) -> Publish:
    qos = draw(st.integers(0, 2))
    return Publish(
        topic=draw(topics),
        payload=draw(st.binary(max_size=300)),
        qos=qos,
        retain=draw(st.booleans()),
        dup=draw(st.booleans()) if qos else False,
        packet_id=draw(packet_ids) if qos else 0,
    )


def written(codec: Codec, message: Publish) -> bytes:
    return codec.publish(
        message.topic,
        message.payload,
        qos=message.qos,
        retain=message.retain,
        packet_id=message.packet_id,
        dup=message.dup,
    )


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.protocol)
@given(message=messages(), before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_a_message_is_read_as_written(
    codec: Codec, message: Publish, before: bytes, after: bytes
) -> None:
    data = written(codec, message)
    buffer = bytearray(before + data + after)
    assert codec.read(buffer, len(before), len(buffer)) == (message, len(data))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.protocol)
@given(message=messages(), data=st.data())
def test_a_cut_message_is_incomplete(codec: Codec, message: Publish, data: st.DataObject) -> None:
    whole = written(codec, message)
    end = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(IncompletePacketError):
        codec.read(whole, 0, end)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.protocol)
@given(packet_id=packet_ids)
def test_acknowledgements_are_read_as_written(codec: Codec, packet_id: int) -> None:
    pairs = [
        (codec.puback, PubAck),
        (codec.pubrec, PubRec),
        (codec.pubrel, PubRel),
        (codec.pubcomp, PubComp),
    ]
    for write, packet in pairs:
        assert codec.read(write(packet_id), 0, 4) == (packet(packet_id=packet_id), 4)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.protocol)
@given(message=messages(), noise=st.binary(min_size=1, max_size=40), data=st.data())
def test_any_bytes_are_read_refused_or_waited_for(
    codec: Codec, message: Publish, noise: bytes, data: st.DataObject
) -> None:
    spoilt = bytearray(written(codec, message))
    place = data.draw(st.integers(0, len(spoilt) - 1))
    spoilt[place] ^= data.draw(st.integers(1, 255))
    for candidate in (bytes(spoilt), noise):
        try:
            _, used = codec.read(candidate, 0, len(candidate))
        except (IncompletePacketError, ProtocolViolationError):
            continue
        assert 2 <= used <= len(candidate)
