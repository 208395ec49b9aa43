"""The bytes below the codec: a non-blocking socket, alone or with TLS and WebSocket above it.

Rule of the module: nothing blocks except ``resolve``, which is called before the loop starts. A
transport receives into a buffer that its caller owns and shares between all connections. Stamps are
taken at the socket, always.
"""

import contextlib
import errno
import os
import selectors
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import Final, Protocol

from simulator.delivery.loopback import check_loopback
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.channel import SLACK_BYTES, ChannelError, Layer
from simulator.delivery.wire.order import ConnectionOrder
from simulator.delivery.wire.tls import TlsLayer, client_context
from simulator.delivery.wire.websocket import WebSocketLayer
from simulator.errors import BrokerUnreachableError
from simulator.units import NS_PER_S

NO_STAMP: Final = 0
_TRIAL_S: Final = 2.0
_SO_TIMESTAMPNS: Final = 35  # include/uapi/asm-generic/socket.h; not in the socket module
_IP_BIND_ADDRESS_NO_PORT: Final = 24  # include/uapi/linux/in.h; in the socket module from 3.12
_STAMP: Final = struct.Struct("@qq")  # struct timespec on 64-bit Linux
_ANCILLARY_BYTES: Final = socket.CMSG_SPACE(_STAMP.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A resolved broker address.

    Attributes:
        family: AF_INET or AF_INET6.
        sockaddr: as the socket module has it.
        source: local IPv4 address to connect from; empty: the system chooses.
        tls: our side of TLS, its files read; None: no TLS.
    """

    family: int
    sockaddr: tuple[object, ...]
    source: str = ""
    tls: ssl.SSLContext | None = None


def resolve(endpoint: BrokerEndpoint) -> Address:
    """Look the endpoint's host up and read its TLS files; blocks, so it stands outside every loop.

    Of several addresses the first that can be connected to is taken, else the first.

    Raises:
        BrokerUnreachableError: if the name is unknown, or claims to be this host and is not.
        ConfigurationError: if a TLS file cannot be used.
    """
    tls = None if endpoint.tls is None else client_context(endpoint.tls)
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BrokerUnreachableError(f"{endpoint.host}: {error.strerror or error}") from error
    check_loopback(endpoint.host, (str(where[0]) for *_, where in found))
    addresses = [
        Address(family=family, sockaddr=where, tls=tls) for family, _, _, _, where in found
    ]
    if len(addresses) > 1:  # localhost is ::1 first, where a broker need not listen
        for address in addresses:
            with contextlib.suppress(OSError), socket.socket(address.family) as trial:
                trial.settimeout(_TRIAL_S)
                trial.connect(address.sockaddr)
                return address
    return addresses[0]


class Transport(Protocol):
    """What a connection needs from below."""

    @property
    def layered(self) -> bool:
        """Whether something lies between the socket and MQTT: ``filled`` and ``pending`` count."""
        ...

    @property
    def filled(self) -> bool:
        """Whether more was, or may have been, at the socket than the last receive handed up.

        True if it left something unread though the view has room, or ended inside a record. Without
        layers this is False: the view is full then.
        """
        ...

    @property
    def pending(self) -> bool:
        """Whether bytes taken by ``send`` wait for the kernel; an empty ``send`` tries again."""
        ...

    @property
    def waits(self) -> int:
        """What to wait for while it opens: selectors' EVENT_READ, EVENT_WRITE."""
        ...

    def fileno(self) -> int:
        """The descriptor to wait on."""
        ...

    def advance(self) -> bool:
        """Go on opening, when what it waits for is there; True when MQTT can begin.

        Raises:
            ChannelError: if TLS or WebSocket cannot be agreed on.
            OSError: if there is no connection.
        """
        ...

    def receive_into(self, view: memoryview) -> tuple[int, int]:
        """Bytes received (0: the peer closed) and the kernel's receive stamp.

        The stamp is CLOCK_REALTIME ns of the last bytes received, NO_STAMP where there is none.

        Raises:
            BlockingIOError: if there is nothing to read.
            OSError: if the connection broke; ChannelError: if TLS or WebSocket did.
        """
        ...

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Bytes taken: by the kernel, or by a layer whose first byte the kernel has.

        Raises:
            BlockingIOError: if it takes none now.
            OSError: if the connection broke; ChannelError: if TLS or WebSocket did.
        """
        ...

    def close(self) -> None:
        """Release the descriptor; idempotent."""
        ...


class TcpTransport:
    """Plain TCP, Nagle off.

    Args:
        address: where to; the connect is started at once and finishes in the background.
        kernel_stamps: ask the kernel to stamp what it receives.

    Raises:
        OSError: if the connect fails at once, or no descriptor is left.
    """

    layered = False
    filled = False
    pending = False
    waits = selectors.EVENT_WRITE

    def __init__(self, address: Address, *, kernel_stamps: bool = False) -> None:
        self._socket = socket.socket(address.family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stamped = kernel_stamps and self._ask_for_stamps()
        if address.source:
            self._bind(address.source)
        code = self._socket.connect_ex(address.sockaddr)
        if code not in {0, errno.EINPROGRESS}:
            self._socket.close()
            raise OSError(code, os.strerror(code))

    def _bind(self, source: str) -> None:
        """The local address now, its port with the connect, so that ports are shared by address."""
        try:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            self._socket.bind((source, 0))
        except OSError:
            self._socket.close()
            raise

    def _ask_for_stamps(self) -> bool:
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            return True
        return False

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def advance(self) -> bool:
        """True if the connect succeeded; SO_ERROR raised if not."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        return True

    def receive_into(self, view: memoryview) -> tuple[int, int]:
        """One recv, with the stamp if the kernel gives one."""
        if not self.stamped:
            return self._socket.recv_into(view), NO_STAMP
        count, ancillary, _, _ = self._socket.recvmsg_into([view], _ANCILLARY_BYTES)
        for _, kind, data in ancillary:
            if kind == _SO_TIMESTAMPNS and len(data) == _STAMP.size:
                seconds, fraction = _STAMP.unpack(data)
                return count, seconds * NS_PER_S + fraction
        return count, NO_STAMP

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """One send."""
        return self._socket.send(data)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class LayeredTransport:
    """TLS, WebSocket or both above plain TCP.

    A receive takes a block from the socket, with its stamp, and hands up what the layers make of
    it: the stamp of a message is that of the block in which it became whole. Room is left in the
    view for what the layers kept from earlier blocks, so nothing waits above the socket.

    Args:
        tcp: the socket.
        layers: from the socket upwards, at least one.
    """

    layered = True

    def __init__(self, tcp: TcpTransport, layers: list[Layer]) -> None:
        self.filled = False
        self._tcp = tcp
        self._layers = layers
        self._opening = list(layers)
        self._connected = False
        self._out = bytearray()
        self._scratch = memoryview(bytearray(2 * SLACK_BYTES))  # until MQTT begins

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._tcp.fileno()

    @property
    def pending(self) -> bool:
        """Whether the kernel did not take everything yet."""
        return bool(self._out)

    @property
    def waits(self) -> int:
        """The connect, then the peer's side of the handshakes."""
        if not self._connected:
            return selectors.EVENT_WRITE
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)

    def advance(self) -> bool:
        """Finish the connect, then one handshake after the other."""
        if not self._connected:
            self._connected = self._tcp.advance()
            self._opening[0].start()
        elif self._opening:
            self._shake_hands()
        self._push()
        if self._opening:
            return False
        self._scratch = memoryview(b"")
        return True

    def _shake_hands(self) -> None:
        name = self._opening[0].name
        try:
            count, _ = self._tcp.receive_into(self._scratch[:SLACK_BYTES])
        except BlockingIOError:
            return
        except OSError as error:
            raise _cut(name, error.strerror or str(error)) from None
        if count == 0:
            raise _cut(name, "the broker closed the connection")
        count = self._up(self._scratch, count)
        while self._opening and self._opening[0].opened:
            del self._opening[0]
            if self._opening:
                self._opening[0].start()
        if count or any(layer.ended for layer in self._layers):
            raise _cut(name, "the broker did not wait for us")

    def _up(self, view: memoryview, count: int) -> int:
        try:
            for layer in self._layers:
                count = layer.receive(view, count)
                if not layer.opened:
                    break
        except ChannelError:
            with contextlib.suppress(OSError):
                self._push()  # an alert tells the broker why
            raise
        return count

    def _push(self) -> None:
        """Everything the layers have to say, as far as the kernel takes it.

        Raises:
            ChannelError: if the peer had hung up and said why.
            OSError: if it had hung up.
        """
        for above, below in zip(self._layers[:0:-1], self._layers[-2::-1], strict=True):
            if data := above.output():
                below.send(data)
        self._out += self._layers[0].output()
        if self._out:
            try:
                del self._out[: self._tcp.send(self._out)]
            except BlockingIOError:
                pass
            except OSError as error:
                raise self._last_words() or error from None

    def _last_words(self) -> ChannelError | None:
        """Why the peer hung up, if it stands in what is left to read.

        A reset overtakes what was sent before it for whoever writes, not for whoever reads: an
        alert of TLS, such as that our certificate is not trusted, still lies in the socket.
        """
        view = memoryview(bytearray(2 * SLACK_BYTES))
        try:
            while count := self._tcp.receive_into(view[:SLACK_BYTES])[0]:
                for layer in self._layers:
                    count = layer.receive(view, count)
                    if not layer.opened:
                        break
        except ChannelError as said:
            return said
        except OSError:
            pass
        return None

    def receive_into(self, view: memoryview) -> tuple[int, int]:
        """One recv, through the layers."""
        if self._opening:
            raise BlockingIOError
        room = len(view) - SLACK_BYTES
        count, stamp = self._tcp.receive_into(view[:room])
        self.filled = count == room
        if count == 0:
            return 0, NO_STAMP
        count = self._up(view, count)
        self.filled = self.filled or not all(layer.whole for layer in self._layers)
        self._push()
        if count == 0 and not any(layer.ended for layer in self._layers):
            raise BlockingIOError  # only part of a record, or a matter between the layers
        return count, stamp

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """All of it or nothing: what the kernel does not take at once waits here."""
        if self._out:
            self._push()
            if self._out:
                raise BlockingIOError
        self._layers[-1].send(data)
        self._push()
        return len(data)

    def close(self) -> None:
        """Say goodbye as far as the kernel takes it, and close the socket."""
        if self._connected and self._tcp.fileno() >= 0:
            with contextlib.suppress(OSError):
                for layer in reversed(self._layers):
                    layer.close()
                    self._push()
        self._tcp.close()


def _cut(name: str, why: str) -> ChannelError:
    return ChannelError(
        f"no {name} handshake: {why}",
        f"does this port speak {name}? mqtt:// is plain MQTT, mqtts:// MQTT over TLS, ws:// "
        "WebSocket, wss:// WebSocket over TLS",
    )


def open_transport(address: Address, order: ConnectionOrder) -> Transport:
    """The transport of the endpoint's kind, its connect started.

    Raises:
        OSError: if the connect fails at once, or no descriptor is left.
    """
    tcp = TcpTransport(address, kernel_stamps=order.kernel_stamps)
    endpoint = order.endpoint
    layers: list[Layer] = []
    if address.tls is not None:
        names = endpoint.tls.server_name if endpoint.tls else None
        layers.append(TlsLayer(address.tls, names or endpoint.host))
    if endpoint.path:
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        layers.append(WebSocketLayer(f"{host}:{endpoint.port}", endpoint.path))
    return LayeredTransport(tcp, layers) if layers else tcp
