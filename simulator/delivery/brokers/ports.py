"""TCP ports on loopback: which are free, who listens, and since when.

Rule of the module: what is found free is free only until somebody else takes it, so whoever starts
a broker checks afterwards that the listener is its own child, and otherwise tries other ports.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from simulator.clock import Clock
from simulator.delivery.brokers.base import LOOPBACK
from simulator.delivery.brokers.child import BrokerProcess
from simulator.errors import BrokerUnreachableError, ConfigurationError

_POLL_NS: Final = 10_000_000
_CONNECT_S: Final = 0.5
_IN_USE: Final = os.strerror(errno.EADDRINUSE)
_LISTEN: Final = "0A"  # state column of /proc/net/tcp


class PortLostError(BrokerUnreachableError):
    """Somebody else took a port between choosing it and listening on it."""


def pick_ports(wanted: Sequence[int], *, given: bool, where: str = "") -> tuple[int, ...]:
    """The wanted ports of 127.0.0.1 if they are free, else free ones.

    Args:
        wanted: ports, 1 to 65535.
        given: the user named them: a taken one is an error instead of being replaced.
        where: the option that named them, for the error.

    Raises:
        ConfigurationError: if a given port is taken or may not be used.
    """
    held: list[socket.socket] = []
    try:
        for port in wanted:
            try:
                held.append(_bound(port))
            except OSError as error:
                if given:
                    taken = error.errno == errno.EADDRINUSE
                    raise ConfigurationError(
                        "the port is in use" if taken else f"the port cannot be used: {error}",
                        where,
                        "port",
                        str(port),
                        "choose another port, or none: a free one is found then",
                    ) from None
                held.append(_bound(0))
        return tuple(int(each.getsockname()[1]) for each in held)
    finally:
        for each in held:
            each.close()


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK, port))
    except OSError:
        sock.close()
        raise
    return sock


def await_listening(
    process: BrokerProcess, ports: Sequence[int], *, clock: Clock, timeout_ns: int, name: str
) -> None:
    """Wait until the child listens on every port.

    Raises:
        PortLostError: if somebody else listens there.
        BrokerUnreachableError: if it ends first or does not listen in time; with what it said.
    """
    deadline_ns = clock.monotonic_ns() + timeout_ns
    waiting = list(ports)
    while waiting:
        if _is_listening(waiting[0], process.pid):
            del waiting[0]
            continue
        ended = process.ended()
        if ended is not None:
            said = process.said()
            kind = PortLostError if _IN_USE in said else BrokerUnreachableError
            raise kind(f"{name} {ended} while starting: {said}")
        if clock.monotonic_ns() > deadline_ns:
            raise BrokerUnreachableError(
                f"{name} does not listen on {LOOPBACK}:{waiting[0]} after "
                f"{timeout_ns // 1_000_000_000} s: {process.said() or 'it said nothing'}"
            )
        clock.sleep_ns(_POLL_NS)


def _is_listening(port: int, pid: int | None) -> bool:
    if pid is None:
        return False
    owner, ours = listener_inode(port), _sockets(pid)
    if ours is not None:
        # Asking by connecting would not tell a child of ours from whoever came first.
        if owner is not None and owner not in ours:
            raise PortLostError(f"{LOOPBACK}:{port} was taken by somebody else meanwhile")
        return owner is not None
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), _CONNECT_S):
        return True
    return False


def listener_inode(port: int) -> str | None:
    """Inode of the socket that listens on 127.0.0.1:port; None if none or not on Linux."""
    try:
        lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    address = f"{int.from_bytes(socket.inet_aton(LOOPBACK), 'little'):08X}:{port:04X}"
    for line in lines:
        columns = line.split()
        if columns[1] == address and columns[3] == _LISTEN:
            return columns[9]
    return None


def _sockets(pid: int) -> set[str] | None:
    """Inodes of a process's sockets; None if the system does not tell."""
    inodes = set()
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                inodes.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    except OSError:
        return None
    return inodes
