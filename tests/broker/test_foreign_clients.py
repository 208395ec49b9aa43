"""Clients that are not ours: they receive what is theirs, and what they report is in the books."""

import asyncio
import json
import sys
from pathlib import Path

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulator.delivery.aio import connect
from simulator.delivery.brokers.base import Broker
from simulator.delivery.messages import Play
from simulator.delivery.registry import ForeignClient
from simulator.measure.receipts import ReceiptFlag
from tests.broker.foreign import CLOCK, MakePlay, on_duty, play_on, reach, running

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
READY = "ready/drill"


async def publish(broker: Broker, *messages: tuple[str, bytes], retain: bool = False) -> None:
    async with connect(broker.endpoint("3.1.1"), "test", clock=CLOCK) as connection:
        for topic, payload in messages:
            await connection.publish(topic, payload, qos=1, retain=retain)


def theirs(play: Play, prefecture: str) -> list[str]:
    return [one.identifier for one in play.schedule if one.planned.prefecture == prefecture]


# --- they receive exactly what is theirs ------------------------------------------------------


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_mosquitto_sub_receives_exactly_its_prefecture(
    broker: Broker, make_play: MakePlay, protocol: str
) -> None:
    endpoint = broker.endpoint(protocol)
    await publish(broker, (READY, b"go"), retain=True)
    command = ["mosquitto_sub", "-p", str(endpoint.port), "-q", "1", "-F", "%t %p"]
    command += ["-V", "mqttv5" if protocol == "5" else "mqttv311"]
    with running(*command, "-t", READY, "-t", "alertsim/v1/alerts/miyagi/+") as process:
        assert process.stdout
        assert await asyncio.to_thread(process.stdout.readline) == f"{READY} go\n"
        play = await play_on(broker, make_play)
        await publish(broker, (READY, b"end"))
        lines: list[tuple[str, str]] = []
        while True:
            topic, _, payload = (await asyncio.to_thread(process.stdout.readline)).partition(" ")
            if topic == READY:
                break
            lines.append((topic, json.loads(payload)["id"]))

    assert lines == [
        ("alertsim/v1/alerts/miyagi/take-shelter", theirs(play, "miyagi")[0]),
        ("alertsim/v1/alerts/miyagi/passage", theirs(play, "miyagi")[1]),
    ]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_paho_receives_exactly_its_prefecture(
    broker: Broker, make_play: MakePlay, protocol: str
) -> None:
    endpoint = broker.endpoint(protocol)
    heard: list[str] = []
    subscribed = asyncio.Event()
    loop = asyncio.get_running_loop()
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id="paho",
        protocol=paho.MQTTv5 if protocol == "5" else paho.MQTTv311,
    )

    def on_subscribe(*_: object) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    def on_message(_client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        heard.append(json.loads(message.payload)["id"])

    client.on_subscribe, client.on_message = on_subscribe, on_message
    client.connect(endpoint.host, endpoint.port)
    client.loop_start()
    try:
        client.subscribe("alertsim/v1/alerts/niigata/+", qos=1)
        async with asyncio.timeout(5):
            await subscribed.wait()
        play = await play_on(broker, make_play)
        await reach(lambda: len(heard), 2)
    finally:
        client.disconnect()
        client.loop_stop()

    assert heard == theirs(play, "niigata")


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_aiomqtt_receives_exactly_its_prefecture(
    broker: Broker, make_play: MakePlay, protocol: str
) -> None:
    endpoint = broker.endpoint(protocol)
    heard: list[str] = []
    version = aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311
    async with (
        asyncio.timeout(20),
        aiomqtt.Client(endpoint.host, endpoint.port, protocol=version) as client,
    ):
        await client.subscribe("alertsim/v1/alerts/yamagata/+", qos=1)
        await client.subscribe(READY, qos=1)
        play = await play_on(broker, make_play)
        await publish(broker, (READY, b"end"))
        async for message in client.messages:
            if str(message.topic) == READY:
                break
            assert isinstance(message.payload, bytes)
            heard.append(json.loads(message.payload)["id"])

    assert heard == theirs(play, "yamagata")


# --- what they report is in the books ---------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "stamped"),
    [
        ("receipt_client_paho.py", True),
        ("receiver_aiomqtt.py", True),
        ("receiver_gmqtt.py", True),
        pytest.param("receiver_mosquitto_sub.sh", False, marks=pytest.mark.mosquitto),
    ],
)
async def test_receipts_of_the_shipped_examples_become_rows(
    broker: Broker, make_play: MakePlay, script: str, stamped: bool
) -> None:
    endpoint = broker.endpoint("3.1.1")
    identifiers: dict[str, int] = {}
    registered: list[ForeignClient] = []
    shell = ["sh"] if script.endswith(".sh") else [sys.executable]
    command = [*shell, str(EXAMPLES / script), endpoint.host, str(endpoint.port), "miyagi"]
    async with on_duty(broker, identifiers, registered) as service:
        registry = service.registry
        with running(*command):
            await reach(lambda: service.registry.online, 1)
            identifiers |= {one.identifier: one.number for one in make_play().schedule}
            # Anybody may publish anything on an alert topic: the example must live through it.
            topic = "alertsim/v1/alerts/miyagi/take-shelter"
            await publish(broker, (topic, b"\xff{"), (topic, b"[]"), (topic, b""))
            await play_on(broker, make_play, registry)
            await reach(lambda: registry.receipts, 2)
        early, late = registry.take_receipts().rows.tolist(), registry.settle().rows.tolist()

    assert [client.filters for client in registered] == [(("alertsim/v1/alerts/miyagi/+", 1),)]
    assert registry.refused == {}
    found = early + late
    assert [(row[0], row[1]) for row in found] == [(0, 0), (0, 3)]  # subscriber, alert
    sent = registry._rows._sent
    for _, alert, received_ns, uncertainty_ns, handled_ns, flags in found:
        assert sent[alert] <= received_ns - uncertainty_ns
        assert received_ns <= handled_ns <= CLOCK.monotonic_ns()
        assert flags == (ReceiptFlag.USER_STAMP if stamped else ReceiptFlag.ROUND_TRIP)
    if stamped:  # they name their clock otherwise, yet it is ours: the true offset is 0
        evidence = registry._clients[registered[0].client].reporter.offsets.values()
        (bound,) = (each.over(sent[0], sent[3]) for each in evidence)
        assert bound is not None
        assert bound.low_ns <= 0 <= bound.high_ns


async def test_a_client_that_dies_is_offline_by_its_will(broker: Broker) -> None:
    endpoint = broker.endpoint("3.1.1")
    script = str(EXAMPLES / "receipt_client_paho.py")
    async with on_duty(broker, {}, []) as service:
        with running(sys.executable, script, endpoint.host, str(endpoint.port), "miyagi") as one:
            await reach(lambda: service.registry.online, 1)
            one.kill()
            await reach(lambda: 1 - service.registry.online, 1)
        assert service.registry.online == 0


async def test_statuses_retained_before_the_run_are_found(broker: Broker) -> None:
    await publish(broker, ("alertsim/v1/status/early", b'{"state":"online"}'), retain=True)
    async with on_duty(broker, {}, []) as service:
        await reach(lambda: service.registry.online, 1)
        assert [client.client for client in service.registry.clients] == ["early"]


async def test_anything_on_the_report_topics_is_counted_and_harmless(broker: Broker) -> None:
    huge = b"x" * 200_000
    async with on_duty(broker, {}, []) as service:
        await publish(
            broker,
            ("alertsim/v1/status/siren", b'{"state":"online"}'),
            ("alertsim/v1/status/siren", huge),
            ("alertsim/v1/status/siren", b"\xff\xfe"),
            ("alertsim/v1/receipts/siren", huge),
            ("alertsim/v1/receipts/siren", b'{"id":"x","received_ns":5}'),
            ("alertsim/v1/receipts/nobody", b'{"id":"x"}'),
            ("alertsim/v1/clock/siren/request", b"{}"),
            ("alertsim/v1/receipts/siren", b'{"id":"of-another-run"}'),
        )
        await reach(lambda: service.registry.receipts, 1)
        registry = service.registry

    assert registry.refused == {
        "malformed status": 2,
        "malformed receipt": 2,
        "receipt of an unregistered client": 1,
        "malformed clock request": 1,
    }
    assert registry.online == 1
    ((_, alert, *_, flags),) = registry.settle().rows.tolist()
    assert (alert, flags) == (-1, ReceiptFlag.FOREIGN | ReceiptFlag.ROUND_TRIP)


async def test_clock_requests_are_answered_over_mqtt(broker: Broker) -> None:
    request = b'{"n":4,"t1_ns":"17"}'
    async with (
        asyncio.timeout(10),
        on_duty(broker, {}, []),
        connect(broker.endpoint("3.1.1"), "asker", clock=CLOCK) as asker,
    ):
        await asker.subscribe([("alertsim/v1/clock/asker/response", 0)])
        before_ns = CLOCK.monotonic_ns()
        await asker.publish("alertsim/v1/clock/asker/request", request)
        response = json.loads((await anext(asker.messages())).payload)

    assert (response["n"], response["t1_ns"]) == (4, "17")
    t2_ns, t3_ns = int(response["t2_ns"]), int(response["t3_ns"])
    assert before_ns <= t2_ns <= t3_ns <= CLOCK.monotonic_ns()
