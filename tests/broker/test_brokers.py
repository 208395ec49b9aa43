"""The brokers we start, as processes and through foreign clients."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulator.delivery.brokers import EmbeddedBroker, ManagedMosquitto, choose_broker
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.embedded import PREFERRED_PORTS
from simulator.delivery.brokers.ports import pick_ports
from simulator.delivery.preflight import check_endpoint
from simulator.delivery.runtime_file import running_brokers
from simulator.errors import BrokerUnreachableError, ConfigurationError

WAIT_S = 20.0
PROTOCOLS = {"3.1.1": paho.MQTTv311, "5": paho.MQTTv5}


@pytest.fixture(autouse=True)
def _own_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


class Foreign:
    """A paho client that remembers what it heard."""

    def __init__(self, client: paho.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, bytes, int, bool]] = []
        self.connected, self.subscribed = Event(), Event()

    def on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload), message.qos, message.retain))

    def vanish(self) -> None:
        """Close the connection without DISCONNECT."""
        sock = self.client.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # the broker may have been quicker
                sock.shutdown(socket.SHUT_RDWR)

    def subscribe(self, topic: str, qos: int = 1) -> None:
        self.subscribed.clear()
        self.client.subscribe(topic, qos)
        assert self.subscribed.wait(WAIT_S)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos, retain).wait_for_publish(WAIT_S)

    def hears(self, count: int) -> bool:
        return until(lambda: len(self.heard) >= count)


def until(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


@contextmanager
def foreign(
    broker: Broker, protocol: str, name: str, *, will: str = "", **options: Any
) -> Iterator[Foreign]:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=name,
        protocol=PROTOCOLS[protocol],
        reconnect_on_failure=False,
        **options,
    )
    found = Foreign(client)
    client.on_message = found.on_message
    client.on_connect = lambda *_: found.connected.set()
    client.on_subscribe = lambda *_: found.subscribed.set()
    if will:
        client.will_set(will, b"", 1, retain=True)
    endpoint = broker.endpoint(protocol)
    client.connect(endpoint.host, endpoint.port)
    client.loop_start()
    try:
        assert found.connected.wait(WAIT_S)
        yield found
    finally:
        # Without DISCONNECT: see simulator.delivery.preflight for what may follow on it.
        found.vanish()
        client.loop_stop()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("subscriber", ["3.1.1", "5"])
@pytest.mark.parametrize("publisher", ["3.1.1", "5"])
def test_messages_cross_versions_at_every_qos(
    broker: Broker, publisher: str, subscriber: str
) -> None:
    with foreign(broker, subscriber, "sub") as hears, foreign(broker, publisher, "pub") as says:
        hears.subscribe("a/+", qos=2)
        for qos in (0, 1, 2):
            says.publish("a/b", b"x" * 8192, qos=qos)
        assert hears.hears(3)

    # MQTT delivers at the lower of both QoS; the embedded broker at the subscriber's.
    expected = [2, 2, 2] if broker.kind == "embedded" else [0, 1, 2]
    assert sorted(qos for _, _, qos, _ in hears.heard) == expected
    assert {payload for _, payload, _, _ in hears.heard} == {b"x" * 8192}


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_retained_state_is_kept_and_cleared_by_an_empty_message(
    broker: Broker, protocol: str
) -> None:
    with foreign(broker, "5", "pub") as says:
        says.publish("state/x", b"in force", retain=True)
        says.publish("state/y", b"in force", retain=True)
        says.publish("state/y", b"", retain=True)
        with foreign(broker, protocol, "late") as hears:
            hears.subscribe("state/+")
            assert hears.hears(1)
            says.publish("end", b"")
            hears.subscribe("end")

    assert hears.heard == [("state/x", b"in force", 1, True)]


def test_an_empty_retained_will_clears_a_state(broker: Broker) -> None:
    with foreign(broker, "5", "watch") as watch:
        watch.subscribe("state/x")
        with foreign(broker, "5", "guard", will="state/x") as guard:
            guard.publish("state/x", b"in force", retain=True)
            assert watch.hears(1)
            guard.vanish()
            assert watch.hears(2)
        with foreign(broker, "3.1.1", "late") as late:
            late.subscribe("state/#")
            late.publish("state/end", b"end")
            assert late.hears(1)

    assert [payload for _, payload, _, _ in watch.heard] == [b"in force", b""]
    assert [payload for _, payload, _, _ in late.heard] == [b"end"]


def test_a_persistent_session_is_owed_what_it_missed(broker: Broker) -> None:
    with foreign(broker, "3.1.1", "away", clean_session=False) as away:
        away.subscribe("a")
    with foreign(broker, "5", "pub") as says:
        for number in range(1_200):
            says.publish("a", b"%d" % number)
    with foreign(broker, "3.1.1", "away", clean_session=False) as back:
        assert back.hears(1_200)

    assert [int(payload) for _, payload, _, _ in back.heard] == list(range(1_200))


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_both_versions_pass_the_check(broker: Broker, protocol: str) -> None:
    assert check_endpoint(broker.endpoint(protocol)) > 0
    assert broker.alive() is None


def test_start_and_stop_may_be_repeated(broker: Broker) -> None:
    pid = broker.process
    broker.start()
    assert broker.process == pid is not None
    broker.stop()
    broker.stop()
    assert gone(pid)
    broker.start()
    check_endpoint(broker.endpoint("5"))


def test_the_manifest_learns_versions_settings_and_addresses(broker: Broker) -> None:
    described = broker.describe()

    assert described["version"] not in {"", "unknown"}
    assert described["settings"]
    assert described["addresses"] == broker.addresses()


def test_a_killed_broker_is_noticed(broker: Broker) -> None:
    assert broker.process is not None
    os.kill(broker.process, signal.SIGKILL)

    assert until(lambda: broker.alive() is not None)
    assert "killed by signal 9" in str(broker.alive())
    with pytest.raises(BrokerUnreachableError, match="refused"):
        check_endpoint(broker.endpoint("5"))


def test_the_embedded_broker_is_found_by_other_terminals_while_it_runs() -> None:
    with EmbeddedBroker(root="exercise") as broker:
        (found,) = running_brokers()
        assert found.root == "exercise"
        assert found.ports == {
            protocol: broker.endpoint(protocol).port for protocol in ("3.1.1", "5")
        }
    assert running_brokers() == ()


@pytest.mark.mosquitto
def test_so_is_mosquitto() -> None:
    with ManagedMosquitto() as broker:
        (found,) = running_brokers()
        assert set(found.ports.values()) == {broker.endpoint("5").port}
    assert running_brokers() == ()


def test_two_embedded_brokers_stand_side_by_side() -> None:
    with EmbeddedBroker() as one, EmbeddedBroker() as other:
        ports = {each.endpoint(version).port for each in (one, other) for version in ("3.1.1", "5")}
        assert len(ports) == 4
        for each in (one, other):
            check_endpoint(each.endpoint("3.1.1"))
        assert [entry.ports["5"] for entry in running_brokers()] == [
            other.endpoint("5").port,
            one.endpoint("5").port,
        ]


def test_the_preferred_ports_are_used_when_free_and_left_alone_when_not() -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", PREFERRED_PORTS[0]))
        except OSError:
            pytest.skip("somebody uses the preferred port: nothing to show here")
        sock.listen()
        with EmbeddedBroker() as broker:
            assert broker.endpoint("3.1.1").port != PREFERRED_PORTS[0]
            check_endpoint(broker.endpoint("3.1.1"))


def test_a_port_in_use_that_was_asked_for_is_an_error_and_leaves_nothing() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        taken = sock.getsockname()[1]
        with pytest.raises(ConfigurationError, match="in use"):
            EmbeddedBroker(ports=(taken, taken + 1)).start()
        with pytest.raises(ConfigurationError, match="in use"):
            ManagedMosquitto(port=taken).start()
    assert running_brokers() == ()


@pytest.mark.mosquitto
@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_a_port_lost_to_somebody_else_while_starting_is_replaced(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        taken = sock.getsockname()[1]
        asked: list[int] = []

        def pick(wanted: Sequence[int], *, given: bool) -> tuple[int, ...]:
            asked.append(len(asked))
            chosen = pick_ports(wanted, given=given)
            return chosen if len(asked) > 1 else (taken, *chosen[1:])

        monkeypatch.setattr("simulator.delivery.brokers.started.pick_ports", pick)
        with choose_broker(kind) as broker:
            assert broker.endpoint("3.1.1").port != taken
            check_endpoint(broker.endpoint("3.1.1"))
    assert asked == [0, 1]


def test_a_property_that_meets_an_old_subscriber_is_reported() -> None:
    """The defect of the embedded broker that DESIGN section 4 warns of."""
    content_type = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # theirs
    content_type.ContentType = "text/plain"
    with (
        EmbeddedBroker() as broker,
        foreign(broker, "3.1.1", "old") as old,
        foreign(broker, "5", "new") as new,
    ):
        old.subscribe("a")
        assert broker.alive() is None
        new.client.publish("a", b"x", 1, properties=content_type).wait_for_publish(WAIT_S)
        assert until(lambda: broker.alive() is not None)
        assert "MQTT 5 message with properties" in str(broker.alive())


PARENT = """
    import sys, time
    from simulator.delivery.brokers import choose_broker
    import threading
    broker = choose_broker(sys.argv[1])
    starter = threading.Thread(target=broker.start)  # its thread ends long before the broker
    starter.start()
    starter.join()
    print(broker.process, flush=True)
    time.sleep(600)
"""


@pytest.mark.mosquitto
@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_broker_dies_with_its_parent_however_that_dies(kind: str, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), kind], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.2)  # were the broker tied to the thread that asked for it, it would be gone
        assert not gone(pid)
        parent.send_signal(number)
        parent.wait(WAIT_S)
    assert until(lambda: gone(pid))
    assert running_brokers() == ()


@pytest.mark.mosquitto
@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_ctrl_c_in_the_terminal_does_not_reach_the_broker(kind: str) -> None:
    with choose_broker(kind) as broker:
        assert broker.process is not None
        assert os.getpgid(broker.process) != os.getpgid(0)


def test_a_client_that_parts_in_order_ends_nobody_else(broker: Broker) -> None:
    """The embedded broker would end a connection twice, the second time somebody else's."""
    for _ in range(25):
        check_endpoint(broker.endpoint("3.1.1"))
        with foreign(broker, "5", "next") as following:
            following.subscribe("a")
            following.publish("a", b"x")
            assert following.hears(1)
