import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.delivery.brokers import (
    EmbeddedBroker,
    ExternalBroker,
    ManagedMosquitto,
    choose_broker,
    ports,
)
from simulator.delivery.brokers.embedded import rumqttd_toml
from simulator.delivery.brokers.external import without_password
from simulator.delivery.brokers.ports import listener_inode, pick_ports
from simulator.errors import BrokerUnreachableError, ConfigurationError


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_settings_choose_the_kind() -> None:
    assert isinstance(choose_broker("embedded"), EmbeddedBroker)
    assert isinstance(choose_broker("mosquitto"), ManagedMosquitto)
    assert isinstance(choose_broker("mqtt://127.0.0.1"), ExternalBroker)


def test_nothing_of_ours_sets_properties_on_the_embedded_broker() -> None:
    assert not choose_broker("embedded").properties_allowed
    assert choose_broker("mosquitto").properties_allowed


def test_an_address_with_everything_in_it() -> None:
    broker = ExternalBroker("mqtt://us%40er:p%3Aw%2Fd@[::1]:1234")
    endpoint = broker.endpoint("5")

    assert (endpoint.host, endpoint.port, endpoint.protocol) == ("::1", 1234, "5")
    assert (endpoint.username, endpoint.password) == ("us@er", "p:w/d")
    assert broker.addresses() == {"3.1.1": "mqtt://[::1]:1234", "5": "mqtt://[::1]:1234"}


def test_an_address_with_nothing_but_a_host() -> None:
    endpoint = ExternalBroker("mqtt://localhost").endpoint("3.1.1")

    assert (endpoint.host, endpoint.port, endpoint.username) == ("localhost", 1883, None)


def test_an_address_may_limit_the_version() -> None:
    broker = ExternalBroker("mqtt://localhost?protocol=5")

    assert list(broker.addresses()) == ["5"]
    with pytest.raises(ConfigurationError, match="--protocol 5"):
        broker.endpoint("3.1.1")


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_with_one_version_everything_of_ours_uses_it(protocol: str) -> None:
    broker = ExternalBroker(f"mqtt://localhost:7?protocol={protocol}")

    assert broker.protocols == (protocol,)
    assert broker.control_protocol == protocol
    assert broker.endpoint(broker.control_protocol).protocol == protocol
    assert broker.addresses() == {protocol: "mqtt://localhost:7"}
    assert broker.describe()["addresses"] == broker.addresses()


@pytest.mark.parametrize("setting", ["embedded", "mosquitto", "mqtt://localhost"])
def test_with_both_versions_ours_is_the_newer(setting: str) -> None:
    broker = choose_broker(setting)

    assert broker.protocols == ("3.1.1", "5")
    assert broker.control_protocol == "5"


def test_an_external_broker_is_neither_started_nor_stopped() -> None:
    with ExternalBroker("mqtt://localhost:1") as broker:
        assert broker.alive() is None
        assert broker.process is None


def test_the_password_is_shown_nowhere() -> None:
    secret = "secret"  # noqa: S105  # nobody's
    broker = ExternalBroker(f"mqtt://user:{secret}@localhost")

    shown = f"{broker!r} {broker.describe()} {broker.addresses()} {broker.endpoint('5')!r}"
    assert secret not in shown
    assert broker.endpoint("5").password == secret


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://localhost", "embedded, mosquitto, amqtt or mqtt://"),
        ("localhost:1883", "embedded, mosquitto, amqtt or mqtt://"),
        ("mqtt:localhost", "embedded, mosquitto, amqtt or mqtt://"),
        ("Embedded", "embedded, mosquitto, amqtt or mqtt://"),
        ("", "embedded, mosquitto, amqtt or mqtt://"),
        ("mqttss://localhost", "mqtts:// for TLS"),
        ("mqtt://localhost:0", "1 to 65535"),
        ("mqtt://localhost:70000", "1 to 65535"),
        ("mqtt://localhost:mqtt", "1 to 65535"),
        ("mqtt://", "no host"),
        ("mqtt://:1883", "no host"),
        ("mqtt://local host", "no host"),
        ("mqtt://[::1", "not an address"),
        ("mqtt://localhost/topic", "has a path"),
        ("mqtt://localhost#fragment", "none has a fragment"),
        ("mqtts://localhost/topic", "has a path"),
        ("ws://localhost/mqtt#x", "none has a fragment"),
        ("mqtt://localhost?protocol=4", "protocol=3.1.1 or protocol=5"),
        ("mqtt://localhost?tls=yes", "protocol=3.1.1 or protocol=5"),
        ("mqtt://:secret@localhost", "needs a user name"),
    ],
)
def test_what_is_no_address_is_refused_with_the_remedy(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        choose_broker(url)

    assert caught.value.where == "--broker"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@localhost",
        "mqtt://user:secret@localhost:99999",
        "mqtt://user:secret@localhost/path",
        "mqtt://user:sec@ret@localhost/path",
        "mqtt://user:secret@[::1",
        "mqtt://user:secret@broker.example",
        "mqtt://user:secret@localhost?password=secret",
    ],
)
def test_no_refusal_shows_a_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose_broker(url)

    assert "sec" not in str(caught.value).replace("seconds", "")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("mqtt://me:secret@host:1883", "mqtt://me:***@host:1883"),
        ("mqtt://me:sec@ret@host", "mqtt://me:***@host"),
        ("mqtt://me:secret@[broken", "mqtt://me:***@[broken"),
        ("--broker=mqtt://me:s%40cret@host?protocol=5", "--broker=mqtt://me:***@host?protocol=5"),
        ("mqtt://user@host", "mqtt://user@host"),
        ("mqtt://[broken", "mqtt://[broken"),
        ("--speed", "--speed"),
        ("miyagi", "miyagi"),
    ],
)
def test_a_url_is_shown_without_its_password_and_anything_else_as_it_is(
    given: str, shown: str
) -> None:
    assert without_password(given) == shown


def test_another_host_needs_to_be_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        choose_broker("mqtt://broker.example", allow_hosts=("other.example",))

    assert caught.value.field == "allow_hosts"
    assert "ALERTSIM_ALLOW_HOSTS=broker.example" in caught.value.remedy


def test_a_named_host_is_allowed() -> None:
    broker = choose_broker("mqtt://Broker.Example", allow_hosts=("x", "broker.example."))

    assert broker.endpoint("5").host == "broker.example"


def test_wanted_ports_are_taken_if_they_are_free() -> None:
    free = pick_ports((0, 0), given=False)

    assert pick_ports(free, given=True) == free


def test_a_taken_port_is_replaced_by_a_free_one(taken: int) -> None:
    first, second = pick_ports((taken, 0), given=False)

    assert taken not in {first, second}
    assert first != second


def test_a_taken_port_that_was_asked_for_is_an_error(taken: int) -> None:
    with pytest.raises(ConfigurationError, match="in use") as caught:
        pick_ports((taken,), given=True, where="--port")

    assert caught.value.value == str(taken)
    assert caught.value.where == "--port"
    assert pick_ports((0,), given=True)


def test_the_listener_of_a_port_is_found(taken: int) -> None:
    assert listener_inode(taken) is not None
    (free,) = pick_ports((0,), given=False)
    assert listener_inode(free) is None


def test_a_listener_that_is_not_the_childs_is_never_taken_for_it(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ports._is_listening(taken, os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with pytest.raises(ports.PortLostError):
            ports._is_listening(taken, child.pid)
        # Another run's broker begins to listen just after we looked.
        monkeypatch.setattr(ports, "listener_inode", lambda _port: None)
        assert not ports._is_listening(taken, child.pid)
        child.communicate(b"\n")
    assert not ports._is_listening(taken, None)


def test_the_embedded_broker_listens_on_loopback_only() -> None:
    listens = [line for line in rumqttd_toml(1, 2).splitlines() if line.startswith("listen")]

    assert listens == ['listen = "127.0.0.1:1"', 'listen = "127.0.0.1:2"']


@pytest.mark.parametrize("broker", [EmbeddedBroker(), ManagedMosquitto()])
def test_a_broker_that_was_not_started_says_so(broker: EmbeddedBroker | ManagedMosquitto) -> None:
    assert broker.alive() is not None
    assert broker.process is None
    assert broker.describe()["addresses"] == {}
    with pytest.raises(BrokerUnreachableError, match="not started"):
        broker.endpoint("5")
    broker.stop()


def test_a_missing_mosquitto_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("simulator.delivery.brokers.mosquitto._ADMIN_PATH", str(tmp_path))

    with pytest.raises(BrokerUnreachableError, match="apt-get install mosquitto"):
        ManagedMosquitto().start()


def test_a_mosquitto_that_cannot_start_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "mosquitto"
    fake.write_text("#!/bin/sh\n[ \"$1\" = -h ] && exit 0\necho 'no licence' >&2\nexit 3\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    broker = ManagedMosquitto(announce=False)

    with pytest.raises(BrokerUnreachableError, match=r"exit code 3.*no licence"):
        broker.start()
    assert broker.process is None
    assert broker.describe()["version"] == "unknown"


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_without_room_for_its_files_a_broker_is_not_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    program = tmp_path / "mosquitto"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))

    with pytest.raises(BrokerUnreachableError, match="cannot start"):
        choose_broker(kind).start()
