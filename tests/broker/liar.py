"""A broker that cannot be trusted: a proxy before a real one that does as a test tells it.

Rule of the module: one thread, whole MQTT packets, no timers of its own beyond the select. What the
broker sends to a client passes a rule that may drop, repeat, change, hold or replace it.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13
DUP = 0x08
_TICK_S = 0.02
_HOST = "127.0.0.1"


@dataclass(slots=True, kw_only=True)
class Packet:
    """One MQTT packet from the broker to a client.

    Attributes:
        data: all of it.
        link: whose.
    """

    data: bytes
    link: "Link"

    @property
    def kind(self) -> int:
        return self.data[0] >> 4

    @property
    def dup(self) -> bytes:
        """The same with the DUP flag."""
        return bytes([self.data[0] | DUP]) + self.data[1:]

    def at_qos_0(self) -> bytes:
        """The same PUBLISH at QoS 0: without packet identifier."""
        if not self.data[0] & 0x06:
            return self.data
        at = next(place for place in range(1, 5) if self.data[place] < 0x80) + 1
        named = at + 2 + int.from_bytes(self.data[at : at + 2], "big")
        body = self.data[at:named] + self.data[named + 2 :]
        size, length = len(body), b""
        while size >= 0x80:
            length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
        return bytes([self.data[0] & 0xF1]) + length + bytes([size]) + body

    def is_alert(self) -> bool:
        """A PUBLISH on an alert topic."""
        return self.kind == PUBLISH and b"/v1/alerts/" in self.data[:100]


@dataclass(slots=True, eq=False)
class Link:
    """One client's connection and the one made for it.

    Attributes:
        number: in order of connecting.
        client_id: from its CONNECT.
        alerts: packets with alerts seen so far.
        held: kept by the rule for later.
    """

    number: int
    client: socket.socket
    broker: socket.socket
    client_id: str = ""
    alerts: int = 0
    held: list[bytes] = field(default_factory=list)
    rest: bytes = b""


Rule = Callable[[Packet], list[bytes]]


def honest(packet: Packet) -> list[bytes]:
    """Everything passes."""
    return [packet.data]


class Liar:
    """The proxy.

    Args:
        port: of the broker behind it.

    Attributes:
        port: where clients connect.
        rule: what becomes of a packet to a client; may be changed at any time.
        links: open connections.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._server = socket.create_server((_HOST, 0), backlog=512)
        self.port = int(self._server.getsockname()[1])
        self.rule: Rule = honest
        self.links: dict[socket.socket, Link] = {}
        self._frozen_until = 0.0
        self._orders: list[Callable[[], None]] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._server, selectors.EVENT_READ)
        self._count = 0
        self._over = False
        self._thread = threading.Thread(target=self._serve, name="liar")
        self._thread.start()

    # --- orders, from the test's thread ---

    def freeze(self, for_s: float) -> None:
        """Forward nothing, in either direction, for so long."""
        self._frozen_until = time.monotonic() + for_s

    def close_all(self) -> None:
        """Close every connection at once, without a word."""

        def close() -> None:
            for link in set(self.links.values()):
                self._close(link)

        self._orders.append(close)

    def stop(self) -> None:
        self._over = True
        self._thread.join(10)
        for link in set(self.links.values()):
            self._close(link)
        self._server.close()
        self._selector.close()

    # --- the thread ---

    def _serve(self) -> None:
        while not self._over:
            while self._orders:
                self._orders.pop(0)()
            if time.monotonic() < self._frozen_until:
                time.sleep(_TICK_S)
                continue
            for key, _ in self._selector.select(_TICK_S):
                if key.fileobj is self._server:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._read(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._server.accept()
        try:
            broker = socket.create_connection((_HOST, self._upstream), 5)
        except OSError:
            client.close()
            return
        self._count += 1
        link = Link(self._count, client, broker)
        for end in (client, broker):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.links[end] = link
            self._selector.register(end, selectors.EVENT_READ)

    def _read(self, end: socket.socket) -> None:
        link = self.links.get(end)
        if link is None:
            return
        try:
            data = end.recv(65_536)
        except OSError:
            data = b""
        if not data:
            self._close(link)
        elif end is link.client:
            link.client_id = link.client_id or _client_id(data)
            self._send(link, link.broker, data)
        else:
            link.rest += data
            for packet in _packets(link):
                packet.link.alerts += packet.is_alert()
                for each in self.rule(packet):
                    self._send(link, link.client, each)

    def _send(self, link: Link, end: socket.socket, data: bytes) -> None:
        try:
            end.sendall(data)
        except OSError:
            self._close(link)

    def _close(self, link: Link) -> None:
        for end in (link.client, link.broker):
            if self.links.pop(end, None) is not None:
                self._selector.unregister(end)
                end.close()


def _packets(link: Link) -> Iterator[Packet]:
    """Whole packets; what is not whole stays."""
    while True:
        size, shift, at = 0, 0, 1
        while at < len(link.rest):
            size |= (link.rest[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if link.rest[at - 1] < 0x80:
                break
        else:
            return
        if len(link.rest) < at + size:
            return
        data, link.rest = link.rest[: at + size], link.rest[at + size :]
        yield Packet(data=data, link=link)


def _client_id(connect: bytes) -> str:
    """From a CONNECT of MQTT 3.1.1 or 5."""
    at = connect.find(b"MQTT")
    if at < 0:
        return "?"
    level, at = connect[at + 4], at + 8
    if level == 5:
        at += 1 + connect[at]
    length = int.from_bytes(connect[at : at + 2], "big")
    return connect[at + 2 : at + 2 + length].decode(errors="replace")


@contextlib.contextmanager
def lying(port: int) -> Iterator[Liar]:
    """A liar before the broker on this port."""
    liar = Liar(port)
    try:
        yield liar
    finally:
        liar.stop()
