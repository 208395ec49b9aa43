"""No retained warning outlives its publisher (DESIGN section 4)."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from fractions import Fraction
from threading import Event
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulator.alerts.compose import ExerciseContext
from simulator.clock import SystemClock
from simulator.delivery.brokers.base import Broker
from simulator.delivery.children import Child
from simulator.delivery.messages import (
    Ended,
    Failed,
    Notice,
    Play,
    Probe,
    Published,
    PublishOrder,
    Ready,
    Stop,
)
from simulator.delivery.pacer import schedule
from simulator.delivery.publisher import publisher_main
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, Timeline
from simulator.units import NS_PER_S
from simulator.world.geography import prefectures

WAIT_S = 30.0
EPOCH = "2022-11-03T07:39:00+09:00"
ALL = tuple(each.slug for each in prefectures())


def until(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def timeline(*steps: tuple[str, bool]) -> Timeline:
    """One alert a scenario second: (prefecture, whether a warning is in force afterwards)."""
    alerts = tuple(
        PlannedAlert(
            number=number,
            event_number=number,
            at_ns=number * NS_PER_S,
            launch="one",
            prefecture=prefecture,
            event=AlertEvent.TAKE_SHELTER if in_force else AlertEvent.PASSAGE,
            msg_type=MsgType.ALERT,
            sequence=number + 1,
            in_force=in_force,
            cause=0,
        )
        for number, (prefecture, in_force) in enumerate(steps)
    )
    return Timeline(
        scenario="drill",
        title="Drill",
        epoch=datetime.fromisoformat(EPOCH),
        seed=1,
        replication=0,
        version="test",
        events=(),
        alerts=alerts,
    )


class States:
    """What a foreign client sees on the state topics."""

    def __init__(self, client: paho.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, bytes]] = []
        self.live: list[bytes] = []
        self.ready = Event()

    def on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        if "/alerts/" in message.topic:
            self.live.append(payload)
        else:
            self.heard.append((message.topic.rpartition("/")[2], payload))

    @property
    def now(self) -> dict[str, bytes]:
        return {name: payload for name, payload in dict(self.heard).items() if payload}


@contextmanager
def watching(broker: Broker, name: str = "watch") -> Iterator[States]:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=name,
        protocol=paho.MQTTv5,
        reconnect_on_failure=False,
    )
    states = States(client)
    client.on_message = states.on_message
    client.on_subscribe = lambda *_: states.ready.set()
    endpoint = broker.endpoint("5")
    client.connect(endpoint.host, endpoint.port)
    client.loop_start()
    client.subscribe([("alertsim/v1/state/+", 1), ("alertsim/v1/alerts/#", 1)])
    try:
        assert states.ready.wait(WAIT_S)
        yield states
    finally:
        sock = client.socket()
        if isinstance(sock, socket.socket):
            sock.shutdown(socket.SHUT_RDWR)
        client.loop_stop()


def retained(broker: Broker, count: int = 0) -> dict[str, bytes]:
    """The states that a newcomer is given, waiting for this many."""
    with watching(broker, "newcomer") as states:
        states.client.publish("alertsim/v1/alerts/end/end", b"newcomer", 1)
        assert until(lambda: b"newcomer" in states.live and len(states.now) >= count)
        return states.now


class Publisher:
    def __init__(self, broker: Broker, guarded: tuple[str, ...], **options: Any) -> None:
        self.run = options.pop("run", "drill")
        self.notices: list[str] = []
        self.context = ExerciseContext(
            run=self.run, scenario="drill", title="Drill", seed=1, epoch=EPOCH
        )
        order = PublishOrder(
            endpoint=broker.endpoint(options.pop("protocol", "5")),
            context=self.context,
            prefectures=guarded,
            client=f"{self.run}-publisher",
            **options,
        )
        self.child = Child("publisher", publisher_main, order)
        self.until(Ready)

    def until(self, kind: type[object]) -> object:
        while True:
            message = self.child.recv()
            if isinstance(message, kind):
                return message
            assert not isinstance(message, Failed), message.detail
            if isinstance(message, Notice):
                self.notices.append(message.text)

    def play(self, planned: Timeline, speed: int = 1_000) -> None:
        start_ns = SystemClock().monotonic_ns() + NS_PER_S // 5
        scheduled = schedule(
            planned,
            run=self.run,
            root="alertsim",
            qos=1,
            speed=Fraction(speed),
            start_ns=start_ns,
        )
        self.child.send(Play(schedule=scheduled, context=self.context))

    def stop(self) -> None:
        self.child.send(Stop(grace_ns=10 * NS_PER_S))
        self.until(Ended)


@contextmanager
def publishing(broker: Broker, guarded: tuple[str, ...], **options: Any) -> Iterator[Publisher]:
    publisher = Publisher(broker, guarded, **options)
    try:
        yield publisher
    finally:
        publisher.child.close(5 * NS_PER_S)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_the_state_is_the_alert_in_force_and_empty_after_the_last(
    broker: Broker, protocol: str
) -> None:
    steps = (("miyagi", True), ("niigata", True), ("miyagi", False))
    with (
        watching(broker) as states,
        publishing(broker, ("miyagi", "niigata"), protocol=protocol) as sender,
    ):
        sender.play(timeline(*steps), speed=10)
        assert until(lambda: len(states.heard) == 3)
        assert [name for name, _ in states.heard] == ["miyagi", "niigata", "miyagi"]
        assert [payload for _, payload in states.heard[:2]] == states.live[:2]
        assert states.heard[2] == ("miyagi", b"")
        assert retained(broker, 1) == {"niigata": states.live[1]}
        sender.stop()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_47_states_are_cleared_when_the_publisher_is_killed(broker: Broker, protocol: str) -> None:
    with watching(broker) as states, publishing(broker, ALL, protocol=protocol) as sender:
        sender.play(timeline(*((name, True) for name in ALL)))
        sender.until(Published)
        assert until(lambda: len(states.now) == 47)
        assert set(retained(broker, 47)) == set(ALL)
        sender.child.kill()
        assert until(lambda: not states.now)
        assert retained(broker) == {}

    assert sorted(name for name, payload in states.heard if not payload) == sorted(ALL)


def test_47_states_are_cleared_once_at_an_orderly_end(broker: Broker) -> None:
    with watching(broker) as states, publishing(broker, ALL) as sender:
        sender.play(timeline(*((name, True) for name in ALL)))
        sender.until(Published)
        assert until(lambda: len(states.now) == 47)
        sender.stop()
        assert until(lambda: not states.now)
        assert retained(broker) == {}

    # Once each: after DISCONNECT the wills stay unsaid.
    assert sorted(name for name, payload in states.heard if not payload) == sorted(ALL)


PARENT = """
    import sys
    from simulator.delivery.children import Child
    from simulator.delivery.messages import BrokerEndpoint, Play, PublishOrder, Ready
    from simulator.delivery.publisher import publisher_main
    import pickle
    order, play = pickle.load(sys.stdin.buffer)
    child = Child("publisher", publisher_main, order)
    while not isinstance(child.recv(), Ready):
        pass
    child.send(play)
    print(child.pid, flush=True)
    while True:
        child.recv()
"""


def test_47_states_are_cleared_when_the_run_is_killed(broker: Broker) -> None:
    import pickle  # noqa: PLC0415  # the only test that hands a plan to another interpreter

    context = ExerciseContext(run="drill", scenario="drill", title="Drill", seed=1, epoch=EPOCH)
    order = PublishOrder(
        endpoint=broker.endpoint("5"), context=context, prefectures=ALL, client="drill-publisher"
    )
    scheduled = schedule(
        timeline(*((name, True) for name in ALL)),
        run="drill",
        root="alertsim",
        qos=1,
        speed=Fraction(1_000),
        start_ns=SystemClock().monotonic_ns() + NS_PER_S,
    )
    with (
        watching(broker) as states,
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PARENT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as parent,
    ):
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(pickle.dumps((order, Play(schedule=scheduled, context=context))))
        parent.stdin.flush()
        publisher = int(parent.stdout.readline())
        assert until(lambda: len(states.now) == 47)
        parent.send_signal(signal.SIGKILL)
        assert until(lambda: not states.now)
        assert until(lambda: not _lives(publisher))
    assert retained(broker) == {}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.mosquitto
def test_a_guardian_that_is_thrown_out_comes_back_and_restores_its_state(
    mosquitto: Broker,
) -> None:
    with watching(mosquitto) as states, publishing(mosquitto, ("miyagi",)) as sender:
        sender.play(timeline(("miyagi", True)))
        sender.until(Published)
        assert until(lambda: states.now)
        with watching(mosquitto, "drill-publisher-state-miyagi"):  # the same client id
            assert until(lambda: len(states.heard) == 3)
        assert [bool(payload) for _, payload in states.heard] == [True, False, True]
        assert states.heard[0] == states.heard[2]
        sender.stop()
        assert until(lambda: not states.now)


def test_a_quiet_publisher_and_its_states_are_kept_alive(broker: Broker) -> None:
    """A broker gives a silent client up after one and a half keep-alives."""
    with watching(broker) as states, publishing(broker, ("miyagi",), keep_alive_s=1) as sender:
        sender.play(timeline(("miyagi", True)))
        sender.until(Published)
        time.sleep(4)
        assert [bool(payload) for _, payload in states.heard] == [True]
        sender.child.send(Probe(topic="alertsim/v1/alerts/end/end", payload=b"end"))
        assert until(lambda: b"end" in states.live)
        sender.stop()


def test_a_state_that_is_not_guarded_is_not_published(broker: Broker) -> None:
    with watching(broker) as states, publishing(broker, ("miyagi",)) as sender:
        sender.play(timeline(("niigata", True), ("miyagi", True)))
        sender.until(Published)
        assert until(lambda: states.heard)
        sender.child.send(Probe(topic="alertsim/v1/alerts/end/end", payload=b"end"))
        assert until(lambda: b"end" in states.live)
        assert [name for name, _ in states.heard] == ["miyagi"]
        sender.stop()


@pytest.mark.parametrize("killed", [True, False])
def test_a_run_whose_state_was_replaced_does_not_clear_the_other_runs(
    broker: Broker, *, killed: bool
) -> None:
    with (
        watching(broker) as states,
        publishing(broker, ("miyagi", "niigata"), run="first") as first,
        publishing(broker, ("miyagi",), run="second") as second,
    ):
        first.play(timeline(("miyagi", True), ("niigata", True)))
        assert until(lambda: len(states.now) == 2)
        second.play(timeline(("miyagi", True)))
        assert until(lambda: b"second-" in states.now["miyagi"])
        assert b"state/miyagi" in first.until(Notice).text.encode()  # type: ignore[attr-defined]
        if killed:
            first.child.kill()
        else:
            first.stop()
        assert until(lambda: "niigata" not in states.now)
        assert b"second-" in retained(broker, 1)["miyagi"]
        second.stop()
        assert until(lambda: not states.now)


def test_a_run_that_writes_again_takes_its_state_back(broker: Broker) -> None:
    with (
        watching(broker) as states,
        publishing(broker, ("miyagi",), run="first") as first,
    ):
        with publishing(broker, ("miyagi",), run="second") as second:
            second.play(timeline(("miyagi", True)))
            first.until(Notice)
            first.play(timeline(("miyagi", True)))
            assert until(lambda: b"first-" in states.now.get("miyagi", b""))
            second.until(Notice)
            second.stop()
        assert b"first-" in retained(broker, 1)["miyagi"]
        first.stop()
        assert until(lambda: not states.now)
        assert retained(broker) == {}
