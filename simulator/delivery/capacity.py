"""How many subscribers a machine carries, and what ends it first.

Rule of the module: pure arithmetic over what was looked at elsewhere; each limit is computed on its
own and named with its remedy, so that an error can say which one was hit. What a connection costs
stands in ``config/capacity.json`` with its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SPARE_DESCRIPTORS: Final = 256  # a process's own files and the half-open sockets of a ramp
UNLIMITED: Final = 1 << 62
_USABLE_SHARE: Final = 0.8  # of the free memory: the rest is the ledger's and everybody else's


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a host has to give.

    Attributes:
        descriptors: hard limit of open files of one process; None: unlimited.
        ports: local ports that outgoing connections may take (``ip_local_port_range``); each
            broker listener can be reached once from each.
        memory_bytes: memory that is free or can be freed.
    """

    descriptors: int | None
    ports: int
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What carries the subscribers.

    Attributes:
        workers: swarm processes, at least 1.
        listeners: ports of the broker among which the subscribers are spread evenly, at least 1.
        swarm_bytes: memory of the swarm per connection.
        kernel_bytes: memory of the system per connection.
        broker_bytes: memory of the broker per connection; 0 if it runs elsewhere.
        broker_base_bytes: memory of the broker without connections; 0 if it runs elsewhere.
        broker_most: connections that its settings admit; None: no such limit is known.
        broker_here: whether the broker runs on this host, under the same limit of open files.
    """

    workers: int = 1
    listeners: int = 1
    swarm_bytes: int
    kernel_bytes: int
    broker_bytes: int = 0
    broker_base_bytes: int = 0
    broker_most: int | None = None
    broker_here: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One thing that ends.

    Attributes:
        name: ``open files``, ``broker's open files``, ``local ports``, ``memory`` or ``broker``.
        most: connections it allows.
        remedy: what raises it.
    """

    name: str
    most: int
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The prediction.

    Attributes:
        limits: every limit, the tightest first.
    """

    limits: tuple[Limit, ...]

    @property
    def tightest(self) -> Limit:
        """What ends first."""
        return self.limits[0]

    @property
    def most(self) -> int:
        """Connections, controls and probes included."""
        return self.tightest.most

    def exceeded(self, connections: int) -> Limit | None:
        """The tightest limit that so many connections break; None if none."""
        return self.tightest if connections > self.most else None


def predict(machine: Machine, load: Load) -> Capacity:
    """How many connections this machine carries under this load."""
    files = "ulimit -Hn shows the limit; raise it as root, for example with a line '* hard nofile "
    files += "1048576' in /etc/security/limits.conf, and log in again"
    each = load.swarm_bytes + load.kernel_bytes + load.broker_bytes
    free = int(machine.memory_bytes * _USABLE_SHARE) - load.broker_base_bytes
    limits = [
        Limit(
            name="open files",
            most=_files(machine.descriptors) * load.workers,
            remedy=f"{files}; or spread the swarm over more processes",
        ),
        Limit(
            name="local ports",
            most=machine.ports * load.listeners,
            remedy="sysctl -w net.ipv4.ip_local_port_range='1024 65535'; or give the broker more "
            "listeners or addresses",
        ),
        Limit(
            name="memory",
            most=max(0, free // each),
            remedy="free memory, or use a broker that takes less per connection, or a broker and "
            "swarm shards on other machines",
        ),
    ]
    if load.broker_here:
        limits.append(
            Limit(name="broker's open files", most=_files(machine.descriptors), remedy=files)
        )
    if load.broker_most is not None:
        limits.append(
            Limit(
                name="broker",
                most=load.broker_most,
                remedy="its own settings admit no more; use another broker, --broker mosquitto",
            )
        )
    return Capacity(limits=tuple(sorted(limits, key=lambda limit: limit.most)))


def load_of(
    kind: str, costs: Mapping[str, Any], *, workers: int, listeners: int, broker_most: int | None
) -> Load:
    """The load of a run on a broker of this kind.

    Args:
        kind: ``embedded``, ``mosquitto`` or ``amqtt``; any other runs elsewhere and costs nothing
            here.
        costs: the content of ``config/capacity.json``.
        workers: swarm processes.
        listeners: see Load.
        broker_most: see Load.
    """
    broker = costs["brokers"].get(kind)
    return Load(
        workers=workers,
        listeners=listeners,
        swarm_bytes=costs["swarm_bytes"]["value"],
        kernel_bytes=costs["kernel_bytes"]["value"],
        broker_bytes=broker["bytes"] if broker else 0,
        broker_base_bytes=broker["base_bytes"] if broker else 0,
        broker_most=broker_most,
        broker_here=broker is not None,
    )


def _files(descriptors: int | None) -> int:
    return UNLIMITED if descriptors is None else max(0, descriptors - SPARE_DESCRIPTORS)
