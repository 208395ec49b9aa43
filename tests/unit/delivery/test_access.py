"""User, password and certificates from settings; addresses in parts; remedies in words."""

from pathlib import Path
from typing import Any

import pytest
import typer

from simulator.cli.app import app
from simulator.delivery.brokers import ExternalBroker, access_of, choose_broker
from simulator.delivery.brokers.access import Access, read_password
from simulator.delivery.brokers.url import parse_url
from simulator.delivery.messages import BrokerEndpoint, TlsFiles
from simulator.delivery.remedies import remedy
from simulator.delivery.wire.handshake import INSTEAD, SPEAKS_HTTP, SPEAKS_TLS, TOO_SMALL
from simulator.delivery.wire.order import Cause
from simulator.errors import ConfigurationError
from simulator.settings import SECRETS, WITHOUT_OPTION, RunSettings, load_settings, spoken

SECRET = "correct horse"  # noqa: S105  # nobody's
PLAIN = BrokerEndpoint(host="h", port=1, protocol="5")


def test_the_password_comes_from_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\r\nsecond line\n")
    assert access_of(load_settings({"username": "me", "password_file": file})).password == SECRET
    monkeypatch.setenv("ALERTSIM_USERNAME", "me")
    monkeypatch.setenv("ALERTSIM_PASSWORD", SECRET)
    found = access_of(load_settings({}))
    assert (found.username, found.password) == ("me", SECRET)
    assert SECRET not in repr(found)
    with pytest.raises(ConfigurationError, match="twice"):
        access_of(load_settings({"password_file": file}))


def test_a_password_without_a_user_is_refused_unless_the_address_has_one() -> None:
    with pytest.raises(ConfigurationError, match="needs a user name"):
        access_of(load_settings({"password": SECRET}))
    settings = load_settings({"password": SECRET, "broker": "mqtt://me@localhost"})
    endpoint = choose_broker(settings.broker, access=access_of(settings)).endpoint("5")
    assert (endpoint.username, endpoint.password) == ("me", SECRET)


def test_what_stands_in_the_address_wins() -> None:
    access = Access(username="other", password="theirs")  # noqa: S106
    inside = ExternalBroker("mqtt://me:mine@localhost", access=access).endpoint("5")
    assert (inside.username, inside.password) == ("me", "mine")
    half = ExternalBroker("mqtt://me@localhost", access=access).endpoint("5")
    assert (half.username, half.password) == ("me", None)  # the password is the other user's
    outside = ExternalBroker("mqtt://localhost", access=access).endpoint("5")
    assert (outside.username, outside.password) == ("other", "theirs")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"\xff\xfe\n", "UTF-8"), (b"\nsecond", "empty first line")],
)
def test_a_password_file_that_cannot_be_used(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        read_password(file)


@pytest.mark.parametrize(
    ("url", "scheme", "port", "path"),
    [
        ("mqtt://h", "mqtt", 1883, ""),
        ("mqtts://h", "mqtts", 8883, ""),
        ("ws://h", "ws", 80, "/mqtt"),
        ("wss://h/", "wss", 443, "/mqtt"),
        ("wss://h:8084/a/b", "wss", 8084, "/a/b"),
        ("mqtts://h:1/", "mqtts", 1, ""),
    ],
)
def test_the_parts_of_an_address(url: str, scheme: str, port: int, path: str) -> None:
    parts = parse_url(url)
    assert (parts.scheme, parts.port, parts.path) == (scheme, port, path)
    assert parts.secure == (scheme in {"mqtts", "wss"})
    broker = ExternalBroker(url, allow_hosts=("h",))
    assert broker.endpoint("5").scheme == scheme
    shown = f"{scheme}://h:{port}" + (path if path != "/mqtt" else "")
    assert broker.addresses() == {"3.1.1": shown, "5": shown}


@pytest.mark.parametrize("broker", ["embedded", "mosquitto", "amqtt", "mqtt://localhost"])
def test_certificates_for_an_address_without_tls_are_refused(broker: str) -> None:
    access = Access(tls=TlsFiles(server_name="h"))
    with pytest.raises(ConfigurationError, match=r"mqtts://"):
        choose_broker(broker, access=access)


@pytest.mark.parametrize("broker", ["embedded", "mosquitto", "amqtt"])
@pytest.mark.parametrize("access", [Access(username="me"), Access(password=SECRET)])
def test_a_login_for_a_broker_that_knows_no_users_is_refused(broker: str, access: Access) -> None:
    with pytest.raises(ConfigurationError, match="--username") as caught:
        choose_broker(broker, access=access)
    assert SECRET not in str(caught.value)


def test_files_are_looked_at_before_anything_is_sent() -> None:
    access = Access(tls=TlsFiles(cafile="no such file.pem"))
    with pytest.raises(ConfigurationError, match="--cafile"):
        choose_broker("mqtts://localhost", access=access)


def test_no_secret_is_shown_by_settings_or_their_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTSIM_PASSWORD", SECRET)
    monkeypatch.setenv("ALERTSIM_KEY_PASSWORD", SECRET)
    settings = load_settings({})
    assert SECRET not in f"{settings!r} {settings.model_dump_json()}"
    monkeypatch.delenv("ALERTSIM_PASSWORD")
    file = tmp_path / "alertsim.toml"
    file.write_text("password = 12345678\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings({}, file)
    assert "12345678" not in str(caught.value)
    assert "ALERTSIM_PASSWORD" in str(caught.value)


def test_a_setting_is_named_as_the_place_it_came_from_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "alertsim.toml"
    file.write_text('keep_alive = "soon"\n')
    with pytest.raises(ConfigurationError) as caught:
        load_settings({}, file)
    assert (caught.value.where, caught.value.field) == (str(file), "keep_alive")
    assert "ALERTSIM_KEEP_ALIVE=60s" in caught.value.remedy
    monkeypatch.setenv("ALERTSIM_KEEP_ALIVE", "soon")
    with pytest.raises(ConfigurationError) as caught:
        load_settings({})
    assert caught.value.field == "ALERTSIM_KEEP_ALIVE"
    assert SECRETS <= WITHOUT_OPTION <= set(RunSettings.model_fields)


def test_whoever_has_an_option_is_named_by_it() -> None:
    group: Any = typer.main.get_command(app)
    options = {
        name
        for command in ("run", "publish", "subscribe")
        for parameter in group.commands[command].params
        for name in parameter.opts + parameter.secondary_opts
    }
    for field in RunSettings.model_fields:
        option = f"--{field.replace('_', '-')}"
        if field in WITHOUT_OPTION:
            assert option not in options
            assert spoken(field) == f"ALERTSIM_{field.upper()}"
        else:
            assert spoken(field) in options


@pytest.mark.parametrize(
    ("cause", "reason", "own", "said"),
    [
        (Cause.CHANNEL, "x", "mend it", "mend it"),
        (Cause.UNREACHABLE, "refused", "", "is the broker running"),
        (Cause.VIOLATION, SPEAKS_TLS, "", "mqtts://"),
        (Cause.VIOLATION, SPEAKS_HTTP, "", "ws://"),
        (Cause.VIOLATION, "else", "", "not an MQTT broker"),
        (Cause.REFUSED, "connection refused: not authorized", "", "ALERTSIM_PASSWORD"),
        (Cause.REFUSED, "connection refused: unsupported protocol version", "", "?protocol=3.1.1"),
        (Cause.REFUSED, f"{TOO_SMALL} 100 bytes", "", "max_packet_size"),
        (Cause.REFUSED, INSTEAD, "", "TLS (mqtts:// or wss://)"),
        (Cause.REFUSED, "server busy", "", "user and password"),
        (Cause.LOST, "reset", "", "does it allow this client"),
    ],
)
def test_each_failure_has_its_remedy(cause: Cause, reason: str, own: str, said: str) -> None:
    assert said in remedy(PLAIN, cause, reason, own)


@pytest.mark.parametrize(("cert", "word"), [(None, "a client"), ("c.pem", "another client")])
def test_hanging_up_on_a_tls_client_may_mean_its_certificate(cert: str | None, word: str) -> None:
    secure = BrokerEndpoint(host="h", port=1, protocol="5", tls=TlsFiles(cert=cert))
    assert f"{word} certificate" in remedy(secure, Cause.REFUSED, INSTEAD)
