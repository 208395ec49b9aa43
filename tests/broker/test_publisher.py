"""The publisher process against real brokers, heard by a foreign client."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TypeVar

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulator.alerts.compose import ExerciseContext
from simulator.delivery.brokers import ExternalBroker, ManagedMosquitto
from simulator.delivery.brokers.base import Broker
from simulator.delivery.children import Child
from simulator.delivery.messages import (
    Acknowledged,
    BrokerEndpoint,
    Ended,
    Failed,
    Health,
    Play,
    Probe,
    Published,
    PublishOrder,
    Ready,
    Sent,
    Stop,
)
from simulator.delivery.publisher import publisher_main
from simulator.units import NS_PER_S

WAIT_S = 30.0
RUN = "drill"
CONTEXT = ExerciseContext(
    run=RUN, scenario="drill", title="Drill", seed=1, epoch="2022-11-03T07:39:00+09:00"
)
PREFECTURES = ("miyagi", "yamagata", "niigata")
PROTOCOLS = {"3.1.1": paho.MQTTv311, "5": paho.MQTTv5}
M = TypeVar("M")
MakePlay = Callable[..., Play]


class Publishing:
    """A publisher and everything it said."""

    def __init__(self, endpoint: BrokerEndpoint, *, state: bool = True) -> None:
        order = PublishOrder(
            endpoint=endpoint,
            context=CONTEXT,
            prefectures=PREFECTURES,
            client=f"{RUN}-publisher",
            state=state,
        )
        self.child = Child("publisher", publisher_main, order)
        self.said: list[object] = []

    def until(self, kind: type[M]) -> M:
        """Read on to the next message of a kind."""
        while True:
            message = self.child.recv()
            self.said.append(message)
            if isinstance(message, kind):
                return message
            assert not isinstance(message, Failed), message.detail

    def all(self, kind: type[M]) -> list[M]:
        return [each for each in self.said if isinstance(each, kind)]

    def stop(self) -> None:
        self.child.send(Stop(grace_ns=5 * NS_PER_S))
        self.until(Ended)


@contextmanager
def publishing(endpoint: BrokerEndpoint, *, state: bool = True) -> Iterator[Publishing]:
    publisher = Publishing(endpoint, state=state)
    try:
        yield publisher
    finally:
        publisher.child.close(5 * NS_PER_S)
        assert "Traceback" not in publisher.child.said()


class Listener:
    """A foreign subscriber of everything live, at QoS 2."""

    def __init__(self) -> None:
        self.heard: list[paho.MQTTMessage] = []
        self.ready = Event()
        self.full = Event()
        self.wanted = 0

    def on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.heard.append(message)
        if len(self.heard) >= self.wanted:
            self.full.set()


@contextmanager
def listening(
    broker: Broker, wanted: int, topic: str = "alertsim/v1/alerts/#", protocol: str = "3.1.1"
) -> Iterator[Listener]:
    listener = Listener()
    listener.wanted = wanted
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id="listener",
        protocol=PROTOCOLS[protocol],
        reconnect_on_failure=False,
    )
    client.on_message = listener.on_message
    client.on_subscribe = lambda *_: listener.ready.set()
    endpoint = broker.endpoint(protocol)
    client.connect(endpoint.host, endpoint.port)
    client.loop_start()
    client.subscribe(topic, 2)
    try:
        assert listener.ready.wait(WAIT_S)
        yield listener
    finally:
        sock = client.socket()
        if isinstance(sock, socket.socket):
            sock.shutdown(socket.SHUT_RDWR)
        client.loop_stop()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_every_alert_is_sent_once_in_order_and_accounted_for(
    broker: Broker, make_play: MakePlay, protocol: str, qos: int
) -> None:
    with (
        listening(broker, wanted=12, protocol=protocol) as listener,
        publishing(broker.endpoint(protocol)) as publisher,
    ):
        assert publisher.until(Ready).connections == 1 + len(PREFECTURES)
        play = make_play(RUN, qos=qos, repeat=2)
        publisher.child.send(play)
        assert publisher.until(Published).unacknowledged == 0
        assert listener.full.wait(WAIT_S)
        publisher.stop()

    sent = publisher.all(Sent)
    assert [each.alert for each in sent] == list(range(12))
    acknowledged = [each.alert for each in publisher.all(Acknowledged)]
    assert sorted(acknowledged) == (list(range(12)) if qos else [])
    assert [message.topic for message in listener.heard] == [each.topic for each in play.schedule]
    said = [json.loads(message.payload) for message in listener.heard]
    assert [each["id"] for each in said] == [each.identifier for each in play.schedule]
    assert [len(message.payload) for message in listener.heard] == [
        each.size_bytes for each in sent
    ]
    assert not any(message.retain for message in listener.heard)


def test_nothing_leaves_before_it_is_due_and_every_stamp_is_in_order(
    broker: Broker, make_play: MakePlay
) -> None:
    with publishing(broker.endpoint("5")) as publisher:
        publisher.until(Ready)
        play = make_play(RUN)
        publisher.child.send(play)
        publisher.until(Published)
        publisher.stop()

    sent = publisher.all(Sent)
    for alert, each in zip(play.schedule, sent, strict=True):
        assert each.composed_ns <= each.sent_ns
        assert alert.intended_ns <= each.sent_ns
    assert [each.sent_ns for each in sent] == sorted(each.sent_ns for each in sent)
    acknowledged = {each.alert: each.at_ns for each in publisher.all(Acknowledged)}
    assert all(acknowledged[each.alert] > each.sent_ns for each in sent)


def test_references_name_what_was_sent_before(broker: Broker, make_play: MakePlay) -> None:
    with (
        listening(broker, wanted=6) as listener,
        publishing(broker.endpoint("5")) as publisher,
    ):
        publisher.until(Ready)
        publisher.child.send(make_play(RUN))
        assert listener.full.wait(WAIT_S)
        publisher.stop()

    said = [json.loads(message.payload)["data"] for message in listener.heard]
    for earlier, later in zip(said[:3], said[3:], strict=True):
        sender, identifier, sent = (earlier[name] for name in ("sender", "identifier", "sent"))
        assert f"{sender},{identifier},{sent}" in str(later["references"])


def test_a_probe_is_published_and_is_no_alert(broker: Broker) -> None:
    topic = "alertsim/v1/probe/drill"
    with (
        listening(broker, wanted=1, topic=topic) as listener,
        publishing(broker.endpoint("5")) as publisher,
    ):
        publisher.until(Ready)
        publisher.child.send(Probe(topic=topic, payload=b"one"))
        assert listener.full.wait(WAIT_S)
        publisher.stop()

    assert [message.payload for message in listener.heard] == [b"one"]
    assert publisher.all(Sent) == []
    assert publisher.all(Acknowledged) == []


def test_health_is_reported(broker: Broker) -> None:
    with publishing(broker.endpoint("5")) as publisher:
        publisher.until(Ready)
        first = publisher.until(Health) if not publisher.all(Health) else publisher.all(Health)[0]
        second = publisher.until(Health)
        publisher.stop()

    assert first.name == "publisher"
    assert second.cpu_ns >= first.cpu_ns > 0
    assert second.rss_bytes > 0


def test_stopped_early_it_leaves_the_rest_unsent_and_ends_in_order(
    broker: Broker, make_play: MakePlay
) -> None:
    with publishing(broker.endpoint("5")) as publisher:
        publisher.until(Ready)
        publisher.child.send(make_play(RUN, repeat=2_000))
        for _ in range(7):
            publisher.until(Sent)
        publisher.stop()
        assert publisher.child.wait(int(WAIT_S * NS_PER_S))
        assert publisher.child.ended() == "ended with exit code 0"

    sent = [each.alert for each in publisher.all(Sent)]
    assert 7 <= len(sent) < 12_000
    assert sent == list(range(len(sent)))
    assert publisher.all(Published) == []


def test_without_states_there_is_one_connection(broker: Broker, make_play: MakePlay) -> None:
    with (
        listening(broker, wanted=7, topic="alertsim/v1/#") as listener,
        publishing(broker.endpoint("5"), state=False) as publisher,
    ):
        assert publisher.until(Ready).connections == 1
        publisher.child.send(make_play(RUN))
        publisher.until(Published)
        publisher.child.send(Probe(topic="alertsim/v1/probe/drill", payload=b"end"))
        assert listener.full.wait(WAIT_S)
        publisher.stop()

    assert not [message for message in listener.heard if "/state/" in message.topic]


def test_a_broker_killed_on_the_way_is_reported_and_what_was_sent_is_kept(
    broker: Broker, make_play: MakePlay
) -> None:
    with publishing(broker.endpoint("5")) as publisher:
        publisher.until(Ready)
        publisher.child.send(make_play(RUN, repeat=2_000))
        publisher.until(Acknowledged)
        assert broker.process is not None
        os.kill(broker.process, signal.SIGKILL)
        message: object = None
        while not isinstance(message, Failed):
            message = publisher.child.recv()
            publisher.said.append(message)
        with pytest.raises(EOFError):
            publisher.child.recv()

    assert message.reason == "lost"
    assert str(broker.endpoint("5").port) in message.detail
    sent = [each.alert for each in publisher.all(Sent)]
    assert sent == list(range(len(sent)))
    assert 1 <= len(sent) < 12_000


def failure(endpoint: BrokerEndpoint) -> Failed:
    with publishing(endpoint) as publisher:
        message: object = None
        while not isinstance(message, Failed):
            message = publisher.child.recv()
        assert publisher.child.wait(int(WAIT_S * NS_PER_S))
        return message


def test_where_nobody_listens_the_broker_is_unreachable() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        endpoint = ExternalBroker(f"mqtt://127.0.0.1:{sock.getsockname()[1]}").endpoint("5")
        failed = failure(endpoint)

    assert failed.reason == "unreachable"
    assert "refused" in failed.detail


def test_an_unknown_name_is_unreachable() -> None:
    broker = ExternalBroker("mqtt://nowhere.invalid", allow_hosts=("nowhere.invalid",))

    failed = failure(broker.endpoint("3.1.1"))
    assert failed.reason == "unreachable"
    assert "nowhere.invalid" in failed.detail


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_wrong_password_is_refused_and_not_repeated(tmp_path: Path, protocol: str) -> None:
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "user", "right"], check=True)
    with ManagedMosquitto(password_file=passwords) as broker:
        port = broker.endpoint(protocol).port
        wrong = ExternalBroker(f"mqtt://user:wrong@127.0.0.1:{port}")
        failed = failure(wrong.endpoint(protocol))

    assert failed.reason == "refused"
    assert "wrong" not in failed.detail


def test_stopped_before_the_broker_answers_it_ends() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()  # the kernel accepts; nobody answers
        endpoint = ExternalBroker(f"mqtt://127.0.0.1:{sock.getsockname()[1]}").endpoint("5")
        with publishing(endpoint) as publisher:
            publisher.stop()
            assert publisher.child.wait(int(WAIT_S * NS_PER_S))

    assert publisher.all(Ready) == []


@pytest.mark.mosquitto
def test_a_broker_that_takes_one_message_at_a_time_still_gets_all(
    mosquitto_one_at_a_time: Broker, make_play: MakePlay
) -> None:
    with publishing(mosquitto_one_at_a_time.endpoint("5")) as publisher:
        publisher.until(Ready)
        publisher.child.send(make_play(RUN, repeat=20))
        assert publisher.until(Published).unacknowledged == 0
        publisher.stop()

    assert [each.alert for each in publisher.all(Sent)] == list(range(120))
    order = [
        (type(each).__name__, each.alert)
        for each in publisher.said
        if isinstance(each, Sent | Acknowledged)
    ]
    assert order == [(name, number) for number in range(120) for name in ("Sent", "Acknowledged")]


@pytest.fixture
def mosquitto_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    monkeypatch.setattr(
        "simulator.delivery.brokers.mosquitto._SETTINGS",
        {"max_inflight_messages": "1", "allow_anonymous": "true"},
    )
    with ManagedMosquitto() as broker:
        yield broker
