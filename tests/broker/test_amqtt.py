"""The fallback in pure Python: what it does, what it says that it cannot."""

import importlib.util
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from simulator.clock import SystemClock
from simulator.delivery.aio import Will, connect
from simulator.delivery.brokers import AmqttBroker, EmbeddedBroker, choose_broker
from simulator.delivery.preflight import check_endpoint
from simulator.delivery.runtime_file import running_brokers
from simulator.errors import BrokerUnreachableError, ConfigurationError

CLOCK = SystemClock()


@pytest.fixture(autouse=True)
def _own_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_it_runs_as_a_child_delivers_is_found_and_leaves_nothing() -> None:
    with choose_broker("amqtt", root="exercise") as broker:
        assert check_endpoint(broker.endpoint("3.1.1")) > 0
        assert broker.alive() is None
        assert broker.protocols == ("3.1.1",)
        assert broker.control_protocol == "3.1.1"
        (found,) = running_brokers()
        assert (found.kind, list(found.ports)) == ("amqtt", ["3.1.1"])
        assert broker.describe()["version"] not in {"", "unknown", "not installed"}
        pid = broker.process
        assert pid is not None
        with pytest.raises(ConfigurationError, match=r"3\.1\.1 only"):
            broker.endpoint("5")
    assert running_brokers() == ()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_its_death_is_noticed() -> None:
    with AmqttBroker(announce=False) as broker:
        assert broker.process is not None
        os.kill(broker.process, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while broker.alive() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert "killed by signal 9" in str(broker.alive())


async def test_retained_states_and_wills_work() -> None:
    with AmqttBroker(announce=False) as broker:
        endpoint = broker.endpoint("3.1.1")
        async with connect(endpoint, "watch", clock=CLOCK) as watch:
            await watch.subscribe([("state/+", 1)])
            heard = watch.messages()
            will = Will(topic="state/x", payload=b"")
            async with connect(endpoint, "guard", clock=CLOCK, will=will) as guard:
                await guard.publish("state/x", b"in force", qos=1, retain=True)
                assert (await anext(heard)).payload == b"in force"
                async with connect(endpoint, "late", clock=CLOCK) as late:
                    await late.subscribe([("state/+", 1)])
                    kept = await anext(late.messages())
                    assert (kept.payload, kept.retain) == (b"in force", True)
                sock = guard._client._client.socket()
                assert isinstance(sock, socket.socket)
                sock.shutdown(socket.SHUT_RDWR)
                assert (await anext(heard)).payload == b""


def test_without_a_wheel_of_the_embedded_broker_it_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert isinstance(choose_broker("embedded"), EmbeddedBroker)
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "simulator.delivery.brokers.choose.find_spec",
        lambda name: None if name == "iotcore" else real(name),
    )
    broker = choose_broker("embedded")
    assert isinstance(broker, AmqttBroker)
    assert "no wheel for this platform" in broker.notice
    assert not choose_broker("amqtt").notice


def test_where_it_is_not_installed_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.delivery.brokers.amqtt.find_spec", lambda _name: None)
    with pytest.raises(BrokerUnreachableError, match=r"pip install 'alertsim\[amqtt\]'"):
        AmqttBroker(announce=False).start()
