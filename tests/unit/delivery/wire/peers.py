"""The broker's side of TLS and WebSocket, in memory."""

import ssl
from collections.abc import Callable
from contextlib import suppress

import trustme
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage

from simulator.delivery.wire.channel import SLACK_BYTES, Layer
from simulator.delivery.wire.tls import TlsLayer
from simulator.delivery.wire.websocket import WebSocketLayer

CA = trustme.CA()
SERVER = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CA.issue_cert("broker.example").configure_cert(SERVER)
CLIENT = ssl.create_default_context()
CA.configure_trust(CLIENT)


class TlsPeer:
    """The broker's side of TLS, in memory."""

    def __init__(self, context: ssl.SSLContext = SERVER) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def shake_hands(self, layer: Layer) -> None:
        view = memoryview(bytearray(4 * SLACK_BYTES))
        layer.start()
        for _ in range(4):
            self.incoming.write(layer.output())
            with suppress(ssl.SSLWantReadError):
                self.object.do_handshake()
            data = self.outgoing.read()
            view[: len(data)] = data
            layer.receive(view, len(data))

    def say(self, *messages: bytes) -> bytes:
        for message in messages:
            self.object.write(message)
        return self.outgoing.read()


class WebPeer:
    """The broker's side of WebSocket, in memory."""

    def __init__(self) -> None:
        self.connection = WSConnection(ConnectionType.SERVER)

    def shake_hands(self, layer: Layer) -> None:
        view = memoryview(bytearray(2 * SLACK_BYTES))
        layer.start()
        self.connection.receive_data(layer.output())
        (request,) = self.connection.events()
        assert request.target == "/mqtt"  # type: ignore[attr-defined]
        assert request.subprotocols == ["mqtt"]  # type: ignore[attr-defined]
        answer = self.connection.send(AcceptConnection(subprotocol="mqtt"))
        view[: len(answer)] = answer
        assert layer.receive(view, len(answer)) == 0

    def say(self, *messages: bytes) -> bytes:
        return b"".join(self.connection.send(BytesMessage(data=each)) for each in messages)


def tls() -> tuple[TlsLayer, TlsPeer]:
    layer, peer = TlsLayer(CLIENT, "broker.example"), TlsPeer()
    peer.shake_hands(layer)
    return layer, peer


def web() -> tuple[WebSocketLayer, WebPeer]:
    layer, peer = WebSocketLayer("broker.example:80", "/mqtt"), WebPeer()
    peer.shake_hands(layer)
    return layer, peer


MAKERS: list[Callable[[], tuple[Layer, TlsPeer | WebPeer]]] = [tls, web]
