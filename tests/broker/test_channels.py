"""TLS and WebSocket against a real mosquitto, through the wire layer and through aiomqtt."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from simulator.clock import SystemClock
from simulator.delivery.aio import connect
from simulator.delivery.messages import BrokerEndpoint, TlsFiles
from simulator.delivery.preflight import check_endpoint
from simulator.errors import BrokerUnreachableError
from tests.broker.listeners import PASSWORD, USER, Listeners, listening

pytestmark = pytest.mark.mosquitto

CLOCK = SystemClock()
MQTT = "/mqtt"


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    with listening(tmp_path_factory.mktemp("open")) as open_to_all:
        yield open_to_all


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    with listening(tmp_path_factory.mktemp("guarded"), passwords=True) as with_passwords:
        yield with_passwords


def endpoint(
    listeners: Listeners,
    kind: str,
    protocol: str = "5",
    *,
    tls: TlsFiles | None = None,
    path: str = "",
    host: str = "127.0.0.1",
    user: tuple[str, str] | None = None,
) -> BrokerEndpoint:
    return BrokerEndpoint(
        host=host,
        port=listeners.ports[kind],
        protocol=protocol,
        tls=tls,
        path=path,
        username=user[0] if user else None,
        password=user[1] if user else None,
    )


def kinds(listeners: Listeners, protocol: str) -> list[BrokerEndpoint]:
    """One endpoint of every kind that must work."""
    ours = TlsFiles(cafile=listeners.ca)
    shown = TlsFiles(cafile=listeners.ca, cert=listeners.cert, key=listeners.key)
    named = TlsFiles(cafile=listeners.ca, server_name="broker.example")
    return [
        endpoint(listeners, "tls", protocol, tls=ours),
        endpoint(listeners, "tls", protocol, tls=ours, host="localhost"),
        endpoint(listeners, "mutual", protocol, tls=shown),
        endpoint(listeners, "elsewhere", protocol, tls=named),
        endpoint(listeners, "ws", protocol, path=MQTT),
        endpoint(listeners, "wss", protocol, tls=ours, path=MQTT),
    ]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_message_makes_its_round_trip_over_every_channel(
    listeners: Listeners, protocol: str
) -> None:
    for each in kinds(listeners, protocol):
        assert check_endpoint(each) > 0


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_so_it_does_through_aiomqtt(listeners: Listeners, protocol: str) -> None:
    for number, each in enumerate(kinds(listeners, protocol)):
        async with asyncio.timeout(20), connect(each, f"aio-{number}", clock=CLOCK) as connection:
            await connection.subscribe([("a/b", 1)])
            for payload in (b"one", b"two", b"three"):  # more than one in a TLS record or so
                await connection.publish("a/b", payload, qos=1)
            heard = connection.messages()
            assert [(await anext(heard)).payload for _ in range(3)] == [b"one", b"two", b"three"]


def said(where: BrokerEndpoint, timeout: float = 10) -> str:
    with pytest.raises(BrokerUnreachableError) as caught:
        check_endpoint(where, timeout)
    return str(caught.value)


def test_what_is_wrong_with_the_brokers_certificate_is_said(listeners: Listeners) -> None:
    ours = TlsFiles(cafile=listeners.ca)

    assert "has expired" in said(endpoint(listeners, "expired", tls=ours))
    elsewhere = said(endpoint(listeners, "elsewhere", tls=ours))
    assert "is for another host" in elsewhere
    assert "--server-name" in elsewhere
    for files in (TlsFiles(), TlsFiles(cafile=listeners.other_ca)):
        unknown = said(endpoint(listeners, "tls", tls=files))
        assert "is not trusted here" in unknown
        assert "--cafile" in unknown


def test_what_is_wrong_with_ours_is_said(listeners: Listeners) -> None:
    none = said(endpoint(listeners, "mutual", tls=TlsFiles(cafile=listeners.ca)))
    assert "--cert and --key" in none
    stray = TlsFiles(cafile=listeners.ca, cert=listeners.stray_cert, key=listeners.stray_key)
    assert "--cert and --key" in said(endpoint(listeners, "mutual", tls=stray))


@pytest.mark.parametrize(
    ("kind", "secure", "path", "remedy"),
    [
        ("plain", True, "", "does this port speak TLS?"),
        ("tls", False, "", "TLS (mqtts:// or wss://)"),
        ("plain", False, MQTT, "does this port speak WebSocket?"),
        ("ws", False, "", "ws:// instead of mqtt://"),
        ("ws", True, MQTT, "TLS"),  # by its answer, or a connection that is reset before it
        ("wss", False, MQTT, "does this port speak WebSocket?"),
        ("tls", True, MQTT, "does this port speak WebSocket?"),
        ("wss", True, "", "wss:// instead of mqtts://"),
    ],
)
def test_the_wrong_kind_of_port_is_said(
    listeners: Listeners, kind: str, *, secure: bool, path: str, remedy: str
) -> None:
    tls = TlsFiles(cafile=listeners.ca) if secure else None
    assert remedy in said(endpoint(listeners, kind, tls=tls, path=path))


@pytest.mark.parametrize("kind", ["plain", "tls", "ws", "wss"])
def test_user_and_password_over_every_channel(guarded: Listeners, kind: str) -> None:
    tls = TlsFiles(cafile=guarded.ca) if kind in {"tls", "wss"} else None
    path = MQTT if kind.startswith("ws") else ""
    for protocol in ("3.1.1", "5"):
        right = endpoint(guarded, kind, protocol, tls=tls, path=path, user=(USER, PASSWORD))
        assert check_endpoint(right) > 0
        for user in ((USER, "wrong secret"), None):
            refused = said(endpoint(guarded, kind, protocol, tls=tls, path=path, user=user))
            assert "ALERTSIM_PASSWORD" in refused
            assert "wrong secret" not in refused


async def test_aiomqtt_says_what_is_wrong_too(listeners: Listeners, guarded: Listeners) -> None:
    ours = TlsFiles(cafile=listeners.ca)
    theirs = TlsFiles(cafile=guarded.ca)
    wrong = {
        "has expired": endpoint(listeners, "expired", tls=ours),
        "is for another host": endpoint(listeners, "elsewhere", tls=ours),
        "refuses the connection": endpoint(guarded, "plain", user=(USER, "wrong secret")),
        "ALERTSIM_PASSWORD": endpoint(guarded, "tls", tls=theirs, user=(USER, "wrong secret")),
        "does this port speak WebSocket": endpoint(listeners, "plain", path=MQTT),
    }
    for words, where in wrong.items():
        with pytest.raises(BrokerUnreachableError, match=words):
            async with asyncio.timeout(20), connect(where, "aio", clock=CLOCK):
                pytest.fail("connected")


@pytest.mark.parametrize("path", ["", MQTT])
@pytest.mark.parametrize("secure", [True, False])
def test_a_port_that_says_nothing_is_given_up(
    listeners: Listeners, path: str, *, secure: bool
) -> None:
    """It accepts, reads and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ended = threading.Event()

        def swallow() -> None:
            peer, _ = silent.accept()
            with peer:
                ended.wait(20)

        thread = threading.Thread(target=swallow)
        thread.start()
        where = BrokerEndpoint(
            host="127.0.0.1",
            port=silent.getsockname()[1],
            protocol="5",
            tls=TlsFiles(cafile=listeners.ca) if secure else None,
            path=path,
        )
        try:
            assert "after 0.5 s" in said(where, timeout=0.5)
        finally:
            ended.set()
            thread.join()
