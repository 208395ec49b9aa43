"""How many connections a machine has room for, and what to do where it has not enough. Pure.

Rule of the module: numbers come in, an error with its remedy or the local addresses to connect from
go out. Three things run out: descriptors of a worker, descriptors of a broker of ours, and local
ports, of which one local address has so many towards one broker address (RFC 6056 section 2.2).
"""

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from math import ceil
from typing import Final

from simulator.errors import ConfigurationError

SPARE_DESCRIPTORS: Final = 256  # a worker's own files, its probes, the ramp's half-open sockets
SPARE_PORTS: Final = 1_000  # other programs, the run's own connections, ports not yet given back
_FIRST_LOOPBACK: Final = IPv4Address("127.0.0.1")
_MOST_SOURCES: Final = 200
_HARD_LIMIT: Final = (
    "raise the hard limit of open files, which alertsim raises its soft limit to by itself: as "
    "root `ulimit -Hn {needed}` in this shell, or a line such as '* hard nofile {needed}' in "
    "/etc/security/limits.conf and a new login"
)
PORT_RANGE: Final = 'as root: sysctl -w net.ipv4.ip_local_port_range="1024 65535"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the system allows.

    Attributes:
        descriptors: open files of one process, by the hard limit; None: unlimited.
        ports: local ports that the system gives to outgoing connections of one local address.
    """

    descriptors: int | None
    ports: int

    @property
    def connections_per_process(self) -> int | None:
        """Connections that one process can hold; None: unlimited."""
        return None if self.descriptors is None else max(0, self.descriptors - SPARE_DESCRIPTORS)

    @property
    def connections_per_address(self) -> int:
        """Connections from one local address to one broker address."""
        return max(0, self.ports - SPARE_PORTS)


def tightest_of(several: Sequence[Limits]) -> Limits:
    """What holds for each of several processes of one host.

    Args:
        several: at least one.
    """
    counted = [each.descriptors for each in several if each.descriptors is not None]
    return Limits(descriptors=min(counted, default=None), ports=min(each.ports for each in several))


def check_descriptors(shards: Sequence[int], limits: Limits, *, own_broker: bool) -> None:
    """Refuse a swarm that cannot be held open.

    Args:
        shards: connections of each worker.
        limits: of this machine.
        own_broker: whether the broker is a child of the run, under the same limit.

    Raises:
        ConfigurationError: naming what runs out and what to do.
    """
    room = limits.connections_per_process
    if room is None or not shards:
        return
    total, largest = sum(shards), max(shards)
    if own_broker and total > room:
        raise ConfigurationError(
            f"the broker that this run starts may hold about {room} connections open: the hard "
            f"limit of open files is {limits.descriptors}",
            field="--subscribers",
            value=f"{total} connections, controls included",
            remedy=f"{_HARD_LIMIT.format(needed=total + SPARE_DESCRIPTORS)}; or use a broker that "
            "runs elsewhere with --broker URL",
        )
    if largest > room:
        workers = ceil(total / room) if room else 0
        more = f"--swarm-workers {workers}; or " if workers else ""
        raise ConfigurationError(
            f"a swarm worker may hold about {room} connections open: the hard limit of open files "
            f"is {limits.descriptors}",
            field="--swarm-workers",
            value=f"{len(shards)} for {total} connections, controls included",
            remedy=f"{more}{_HARD_LIMIT.format(needed=largest + SPARE_DESCRIPTORS)}",
        )


def local_addresses(towards: Mapping[tuple[str, int], int], limits: Limits) -> tuple[str, ...]:
    """Local addresses to connect from; none if the system may choose.

    A broker on this host's IPv4 loopback can be reached from every address of 127.0.0.0/8, each
    with local ports of its own.

    Args:
        towards: host and port of each broker address, with how many connect to it.
        limits: of this machine.

    Raises:
        ConfigurationError: if local ports would run out, with the remedy.
    """
    room = limits.connections_per_address
    if not towards:
        return ()
    (host, port), most = max(towards.items(), key=lambda item: item[1])
    if most <= room:
        return ()
    wanted = ceil(most / room) if room else _MOST_SOURCES + 1
    loopback = all(_is_ipv4_loopback(each) for each, _ in towards)
    if loopback and wanted <= _MOST_SOURCES:
        return tuple(str(_FIRST_LOOPBACK + number) for number in range(wanted))
    raise ConfigurationError(
        f"this host has about {room} local ports for connections to {host}:{port}",
        field="--subscribers",
        value=f"{most} connections to it, controls included",
        remedy=f"widen the range, {PORT_RANGE}; or use a broker on 127.0.0.1, which is reached "
        "from several loopback addresses",
    )


def hint(reason: str) -> str:
    """What to do about a connection that the system refused to open; empty if it was not that."""
    return _HINTS.get(reason, "")


_HINTS: Final = {
    os.strerror(errno.EMFILE): f"\n  remedy: {_HARD_LIMIT.format(needed=65_536)}",
    os.strerror(errno.ENFILE): "\n  remedy: as root: sysctl -w fs.file-max=1000000",
    os.strerror(errno.EADDRNOTAVAIL): "\n  remedy: local ports ran out, or wait for a minute in "
    f"which closed connections keep theirs; {PORT_RANGE}",
}


def _is_ipv4_loopback(host: str) -> bool:
    try:
        return IPv4Address(host).is_loopback
    except ValueError:
        return False
