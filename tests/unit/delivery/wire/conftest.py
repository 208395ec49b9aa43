"""Bytes as paho-mqtt writes them, and a connection on the bench."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulator.delivery.wire.order import ReadBuffer
from tests.unit.delivery.wire.bench import Bench

PATIENCE_S = 5.0


class PahoWire:
    """A real paho client on a loopback socket whose other end is ours.

    It runs without a thread: what it writes is flushed by ``said``.
    """

    def __init__(self, protocol: str, client_id: str = "paho", *, clean: bool = True) -> None:
        self.five = protocol == "5"
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self.five else clean,
            protocol=MQTTProtocolVersion.MQTTv5 if self.five else MQTTProtocolVersion.MQTTv311,
        )
        self.heard: list[MQTTMessage] = []
        self.client.on_message = lambda _client, _data, message: self.heard.append(message)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._peer: socket.socket | None = None

    def connect(self, **options: object) -> bytes:
        """What it says first."""
        host, port = self._server.getsockname()
        self.client.connect(host, port, **options)  # type: ignore[arg-type]
        self._peer, _ = self._server.accept()
        self._peer.settimeout(PATIENCE_S)
        return self.said()

    def accept(self) -> None:
        """Answer its CONNECT."""
        self.tell(b"\x20\x03\x00\x00\x00" if self.five else b"\x20\x02\x00\x00")

    def tell(self, data: bytes) -> None:
        """Let it read these bytes."""
        assert self._peer is not None
        self._peer.sendall(data)
        self.client.loop(PATIENCE_S)

    def said(self) -> bytes:
        """The one packet that it has written."""
        assert self._peer is not None
        self.client.loop_write()
        head = self._exactly(2)
        while head[-1] & 0x80:
            head += self._exactly(1)
        length = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(head[1:]))
        return head + self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        assert self._peer is not None
        data = b""
        while len(data) < count:
            data += self._peer.recv(count - len(data))
        return data

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()
        self._server.close()
        # paho warns of its own open socket pair unless its loop sees the end
        self.client.loop(0.01)


@pytest.fixture
def paho() -> Iterator[Callable[..., PahoWire]]:
    """Makes paho clients and closes them."""
    made: list[PahoWire] = []

    def make(protocol: str, client_id: str = "paho", *, clean: bool = True) -> PahoWire:
        made.append(PahoWire(protocol, client_id, clean=clean))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def buffer() -> ReadBuffer:
    return ReadBuffer()


@pytest.fixture
def bench(transport: Any, buffer: ReadBuffer) -> Bench:
    return Bench(transport, buffer)
