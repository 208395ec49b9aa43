"""TLS and WebSocket as layers: however blocks are cut, the same bytes come out, truly stamped."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import Ping, RejectConnection, TextMessage

from simulator.delivery.messages import BrokerEndpoint, TlsFiles
from simulator.delivery.wire.channel import SLACK_BYTES, ChannelError, Layer
from simulator.delivery.wire.order import READ_BYTES, ConnectionOrder
from simulator.delivery.wire.tls import TlsLayer, client_context
from simulator.delivery.wire.transport import (
    LayeredTransport,
    Transport,
    open_transport,
    resolve,
)
from simulator.delivery.wire.websocket import WebSocketLayer
from simulator.errors import ConfigurationError
from tests.unit.delivery.wire.peers import CA, CLIENT, MAKERS, SERVER, TlsPeer, WebPeer, web


def take(layer: Layer, block: bytes) -> bytes:
    view = memoryview(bytearray(len(block) + SLACK_BYTES))
    view[: len(block)] = block
    count = layer.receive(view, len(block))
    return bytes(view[:count])


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=5),
    cuts=st.lists(st.integers(1, 200), min_size=1, max_size=20),
)
def test_cuts_do_not_matter_and_only_whole_records_are_whole(
    make: Callable[[], tuple[Layer, TlsPeer | WebPeer]], sizes: list[int], cuts: list[int]
) -> None:
    layer, peer = make()
    messages = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    ends, stream = set(), b""
    for message in messages:
        stream += peer.say(message)
        ends.add(len(stream))
    heard, position = b"", 0
    for cut in [*cuts, len(stream)]:
        block = stream[position : position + cut]
        if not block:
            break
        heard += take(layer, block)
        position += len(block)
        assert layer.whole == (position in ends)
    assert heard == b"".join(messages)[: len(heard)]
    if position == len(stream):
        assert heard == b"".join(messages)


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_sent_comes_out_on_the_other_side(
    make: Callable[[], tuple[Layer, TlsPeer | WebPeer]],
) -> None:
    layer, peer = make()
    layer.send(memoryview(b"x" * 70_000))
    layer.send(b"")
    data = layer.output()
    if isinstance(peer, TlsPeer):
        peer.incoming.write(data)
        heard = b"".join(peer.object.read(1 << 16) for _ in range(5))
    else:
        peer.connection.receive_data(data)
        heard = b"".join(event.data for event in peer.connection.events())  # type: ignore[attr-defined]
    assert heard == b"x" * 70_000
    assert layer.output() == b""


def test_a_ping_is_answered_below() -> None:
    layer, peer = web()
    assert take(layer, peer.connection.send(Ping(payload=b"?"))) == b""
    assert not layer.whole
    peer.connection.receive_data(layer.output())
    (pong,) = peer.connection.events()
    assert pong.payload == b"?"  # type: ignore[attr-defined]


def test_a_text_message_ends_it() -> None:
    layer, peer = web()
    with pytest.raises(ChannelError, match="text message"):
        take(layer, peer.connection.send(TextMessage(data="hello")))


@pytest.mark.parametrize(("status", "words"), [(404, "no /mqtt"), (401, "401"), (503, "503")])
def test_a_refused_upgrade_is_told(status: int, words: str) -> None:
    layer, peer = WebSocketLayer("h:1", "/mqtt"), WSConnection(ConnectionType.SERVER)
    layer.start()
    peer.receive_data(layer.output())
    list(peer.events())
    with pytest.raises(ChannelError, match=words) as caught:
        take(layer, peer.send(RejectConnection(status_code=status)))
    assert caught.value.remedy


def test_what_is_no_tls_and_no_websocket_is_told() -> None:
    for layer, words in (
        (TlsLayer(CLIENT, "broker.example"), "not TLS"),
        (WebSocketLayer("h:1", "/mqtt"), "not WebSocket"),
    ):
        layer.start()
        with pytest.raises(ChannelError, match=words):
            take(layer, b"\x20\x02\x00\x00 this is MQTT\r\n\r\n")


@pytest.mark.parametrize("make", MAKERS)
def test_the_peers_goodbye_ends_it_and_so_does_ours(
    make: Callable[[], tuple[Layer, TlsPeer | WebPeer]],
) -> None:
    layer, peer = make()
    layer.close()
    assert layer.output()
    other, peer = make()
    if isinstance(peer, TlsPeer):
        data = peer.say(b"last")
        with pytest.raises(ssl.SSLWantReadError):
            peer.object.unwrap()
        data += peer.outgoing.read()
    else:
        data = peer.say(b"last")
        data += b"\x88\x02\x03\xe8"
    assert take(other, data) == b"last"
    assert other.ended


# --- over a socket ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Files:
    ca: str
    cert: str
    key: str
    other_key: str


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    ours, other = CA.issue_cert("me@alertsim.invalid"), CA.issue_cert("you@alertsim.invalid")
    CA.cert_pem.write_to_path(folder / "ca.pem")
    ours.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    ours.private_key_pem.write_to_path(folder / "key.pem")
    other.private_key_pem.write_to_path(folder / "other.pem")
    return Files(
        ca=str(folder / "ca.pem"),
        cert=str(folder / "cert.pem"),
        key=str(folder / "key.pem"),
        other_key=str(folder / "other.pem"),
    )


@contextmanager
def opened(files: Files) -> Iterator[tuple[Transport, ssl.SSLSocket]]:
    """A layered transport and the server's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        tls = TlsFiles(cafile=files.ca, server_name="broker.example")
        endpoint = BrokerEndpoint(
            host="127.0.0.1", port=server.getsockname()[1], protocol="5", tls=tls
        )
        order = ConnectionOrder(endpoint=endpoint, client="c", kernel_stamps=True)
        transport = open_transport(resolve(endpoint), order)
        accepted: list[ssl.SSLSocket] = []

        def accept() -> None:
            plain, _ = server.accept()
            accepted.append(SERVER.wrap_socket(plain, server_side=True))

        thread = threading.Thread(target=accept)
        thread.start()
        while thread.is_alive() or not transport.advance():
            thread.join(0.01)
            transport.advance() if thread.is_alive() else None
        with accepted[0] as peer:
            yield transport, peer
            transport.close()


def block(transport: Transport, view: memoryview) -> bytes:
    for _ in range(500):
        try:
            count, _ = transport.receive_into(view)
        except BlockingIOError:
            threading.Event().wait(0.01)
            continue
        return bytes(view[:count])
    pytest.fail("nothing came")


def test_a_transport_with_layers_sends_receives_and_notices_the_end(files: Files) -> None:
    view = memoryview(bytearray(READ_BYTES))
    with opened(files) as (transport, peer):
        assert isinstance(transport, LayeredTransport)
        assert transport.layered
        assert transport.send(b"ping") == 4
        assert not transport.pending
        assert peer.recv(9) == b"ping"
        peer.sendall(b"pong")
        assert block(transport, view) == b"pong"
        assert not transport.filled
        peer.shutdown(socket.SHUT_WR)
        assert block(transport, view) == b""


def test_what_the_kernel_does_not_take_waits_and_arrives(files: Files) -> None:
    with opened(files) as (transport, peer):
        taken = 0
        with suppress(BlockingIOError):
            while taken < 1 << 28:
                taken += transport.send(bytes(100_000))
        assert transport.pending
        got = 0
        while got < taken:
            got += len(peer.recv(1 << 20))
            with suppress(BlockingIOError):
                transport.send(b"")
        assert not transport.pending


@pytest.mark.parametrize(
    ("given_files", "said"),
    [
        ({"cafile": "missing.pem"}, "--cafile"),
        ({"cafile": "{key}"}, "not a file of certificates"),
        ({"key": "{key}"}, "without its certificate"),
        ({"cert": "missing.pem"}, "--cert"),
        ({"cert": "{cert}", "key": "missing.pem"}, "--key"),
        ({"cert": "{cert}"}, "cannot be used"),
        ({"cert": "{cert}", "key": "{other_key}"}, "does not belong"),
    ],
)
def test_files_that_cannot_be_used_are_bad_input(
    files: Files, given_files: dict[str, str], said: str
) -> None:
    known = {"cert": files.cert, "key": files.key, "other_key": files.other_key}
    with pytest.raises(ConfigurationError, match=said) as caught:
        client_context(
            TlsFiles(**{name: path.format(**known) for name, path in given_files.items()})
        )
    assert caught.value.remedy


def test_an_encrypted_key_asks_nobody(files: Files, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    secret = b"a long secret"
    key = form.load_pem_private_key(Path(files.key).read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(secret)
        )
    )
    for password in (None, "wrong secret"):
        with pytest.raises(ConfigurationError, match="ALERTSIM_KEY_PASSWORD") as caught:
            client_context(TlsFiles(cert=files.cert, key=str(locked), key_password=password))
        assert "secret" not in str(caught.value)
    assert client_context(TlsFiles(cert=files.cert, key=str(locked), key_password=secret.decode()))
