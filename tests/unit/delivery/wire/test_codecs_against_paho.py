"""Every packet we write, byte for byte as paho writes it, in both versions of MQTT."""

from collections.abc import Callable
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulator.delivery.wire.codec import Codec
from simulator.delivery.wire.packets import Will
from simulator.delivery.wire.versions import codec_for

MakePaho = Callable[..., Any]
LONG = "ä" * 200


@pytest.fixture(params=["3.1.1", "5"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def codec(protocol: str) -> Codec:
    return codec_for(protocol)


@pytest.fixture
def connected(paho: MakePaho, protocol: str) -> Any:
    wire = paho(protocol)
    wire.connect(keepalive=60)
    wire.accept()
    return wire


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("keep_alive_s", [1, 60, 65_535])
def test_connect(
    paho: MakePaho, codec: Codec, protocol: str, keep_alive_s: int, *, clean: bool
) -> None:
    wire = paho(protocol, "siren-1", clean=clean)
    options = {"clean_start": clean} if protocol == "5" else {}
    said = wire.connect(keepalive=keep_alive_s, **options)
    assert codec.connect(client_id="siren-1", clean=clean, keep_alive_s=keep_alive_s) == said


@pytest.mark.parametrize(
    "will",
    [
        Will(topic="state/miyagi", retain=True),
        Will(topic="state/miyagi", payload=b"gone", qos=2),
        Will(topic=LONG, payload=b"x" * 1000, qos=0, retain=True),
    ],
)
def test_connect_with_a_will(paho: MakePaho, codec: Codec, protocol: str, will: Will) -> None:
    wire = paho(protocol)
    wire.client.will_set(will.topic, will.payload, qos=will.qos, retain=will.retain)
    said = wire.connect(keepalive=60)
    assert codec.connect(client_id="paho", clean=True, keep_alive_s=60, will=will) == said


@pytest.mark.parametrize(
    ("username", "password"), [("miyagi", None), ("miyagi", "secret"), ("宮城", "pässword")]
)
def test_connect_with_a_user(
    paho: MakePaho, codec: Codec, protocol: str, username: str, password: str | None
) -> None:
    wire = paho(protocol)
    wire.client.username_pw_set(username, password)
    said = wire.connect(keepalive=60)
    ours = codec.connect(
        client_id="paho", clean=True, keep_alive_s=60, username=username, password=password
    )
    assert ours == said


def test_a_persistent_session_writes_its_expiry_in_mqtt_5_only(paho: MakePaho) -> None:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    said = paho("5").connect(keepalive=60, clean_start=False, properties=properties)
    ours: dict[str, Any] = {"client_id": "paho", "clean": False, "keep_alive_s": 60}
    assert codec_for("5").connect(**ours, session_expiry_s=3600) == said
    older = codec_for("3.1.1")
    assert older.connect(**ours, session_expiry_s=3600) == older.connect(**ours)


@pytest.mark.parametrize(
    "filters",
    [
        [("alertsim/v1/alerts/miyagi/+", 1)],
        [("a/#", 0), ("+/b", 1), ("$share/g/c", 2)],
        [(LONG, 2)],
    ],
)
def test_subscribe(connected: Any, codec: Codec, filters: list[tuple[str, int]]) -> None:
    _, packet_id = connected.client.subscribe(filters)
    assert codec.subscribe(packet_id, filters) == connected.said()


@pytest.mark.parametrize("retain", [True, False])
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("size", [0, 1, 100, 121, 127, 128, 3000, 16_383, 20_000])
def test_publish(connected: Any, codec: Codec, qos: int, size: int, *, retain: bool) -> None:
    payload = bytes(index % 251 for index in range(size))
    sent = connected.client.publish("a/宮城", payload, qos=qos, retain=retain)
    ours = codec.publish("a/宮城", payload, qos=qos, retain=retain, packet_id=sent.mid)
    assert ours == connected.said()


def test_acknowledgements_of_a_receiver(connected: Any, codec: Codec) -> None:
    connected.tell(codec.publish("a", b"one", qos=1, packet_id=513))
    assert codec.puback(513) == connected.said()
    connected.tell(codec.publish("a", b"two", qos=2, packet_id=65_535))
    assert codec.pubrec(65_535) == connected.said()
    connected.tell(codec.pubrel(65_535))
    assert codec.pubcomp(65_535) == connected.said()
    assert [message.payload for message in connected.heard] == [b"one", b"two"]


def test_release_of_a_sender(connected: Any, codec: Codec) -> None:
    sent = connected.client.publish("a", b"x", qos=2)
    connected.said()
    connected.tell(codec.pubrec(sent.mid))
    assert codec.pubrel(sent.mid) == connected.said()


def test_a_repeated_message_carries_dup(connected: Any, codec: Codec) -> None:
    connected.tell(codec.publish("a", b"x", qos=1, packet_id=7, dup=True))
    connected.said()
    assert connected.heard[0].dup


def test_ping_and_disconnect(connected: Any, codec: Codec) -> None:
    connected.client._send_pingreq()
    assert codec.pingreq() == connected.said()
    connected.client.disconnect()
    assert codec.disconnect() == connected.said()
