"""The bytes below the codec: a non-blocking socket, and the seam for TLS and WebSocket.

Rule of the module: nothing blocks except ``resolve``, which is called before the loop starts. A
transport receives into a buffer that its caller owns and shares between all connections.
"""

import contextlib
import errno
import os
import socket
import struct
from dataclasses import dataclass
from typing import Final, Protocol

from simulator.delivery.loopback import check_loopback
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.order import ConnectionOrder
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
    """

    family: int
    sockaddr: tuple[object, ...]
    source: str = ""


def resolve(endpoint: BrokerEndpoint) -> Address:
    """Look the endpoint's host up; blocks, so it stands outside every loop.

    Of several addresses the first that can be connected to is taken, else the first.

    Raises:
        BrokerUnreachableError: if the name is unknown, or claims to be this host and is not.
    """
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BrokerUnreachableError(f"{endpoint.host}: {error.strerror or error}") from error
    check_loopback(endpoint.host, (str(where[0]) for *_, where in found))
    addresses = [Address(family=family, sockaddr=where) for family, _, _, _, where in found]
    if len(addresses) > 1:  # localhost is ::1 first, where a broker need not listen
        for address in addresses:
            with contextlib.suppress(OSError), socket.socket(address.family) as trial:
                trial.settimeout(_TRIAL_S)
                trial.connect(address.sockaddr)
                return address
    return addresses[0]


class Transport(Protocol):
    """What a connection needs from below."""

    def fileno(self) -> int:
        """The descriptor to wait on."""
        ...

    def failure(self) -> str:
        """After a non-blocking connect: empty if it succeeded, else why not."""
        ...

    def receive_into(self, view: memoryview) -> tuple[int, int]:
        """Bytes received (0: the peer closed) and the kernel's receive stamp.

        The stamp is CLOCK_REALTIME ns of the last bytes received, NO_STAMP where there is none.

        Raises:
            BlockingIOError: if there is nothing to read.
            OSError: if the connection broke.
        """
        ...

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Bytes taken by the kernel.

        Raises:
            BlockingIOError: if it takes none now.
            OSError: if the connection broke.
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

    def failure(self) -> str:
        """SO_ERROR in words."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return "" if code == 0 else os.strerror(code)

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


def open_tcp(address: Address, order: ConnectionOrder) -> Transport:
    """The transport of ``mqtt://``; TLS and WebSocket will stand beside it."""
    return TcpTransport(address, kernel_stamps=order.kernel_stamps)
