"""How many subscribers a machine carries, and what ends first. Pure.

Rule of the module: arithmetic over what was looked at elsewhere. ``room`` refuses a run that cannot
be; this module predicts, memory included, before there is one. What a connection costs stands in
``config/capacity.json`` with its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulator.delivery.placement import CONTROLS_MIN, CONTROLS_SHARE
from simulator.delivery.room import PORT_RANGE, Limits

UNLIMITED: Final = 1 << 62
_USABLE_SHARE: Final = 0.8  # of the free memory: the rest is the ledger's and everybody else's


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What carries the subscribers.

    Attributes:
        workers: swarm processes, at least 1.
        listeners: ports of the broker among which the subscribers are spread evenly, at least 1.
        addresses: local addresses that the swarm can connect from: many towards IPv4 loopback, one
            towards another host.
        swarm_bytes: memory of the swarm per connection.
        kernel_bytes: memory of the system per connection.
        broker_bytes: memory of the broker per connection; 0 if it runs elsewhere.
        broker_base_bytes: memory of the broker without connections; 0 if it runs elsewhere.
        broker_most: connections that its settings admit; None: no such limit is known.
        broker_here: whether the broker runs on this host, under the same limit of open files.
        broker_in_time: deliveries that the broker makes while an alert to everybody at once is in
            time; None: unknown.
    """

    workers: int = 1
    listeners: int = 1
    addresses: int = 1
    swarm_bytes: int
    kernel_bytes: int
    broker_bytes: int = 0
    broker_base_bytes: int = 0
    broker_most: int | None = None
    broker_here: bool = True
    broker_in_time: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One thing that ends.

    Attributes:
        name: ``open files of the swarm``, ``open files of the broker``, ``local ports``,
            ``memory``, ``settings of the broker`` or ``pace of the broker``.
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


def predict(machine: Limits, memory_bytes: int, load: Load) -> Capacity:
    """How many connections a machine carries under a load.

    Args:
        machine: what the system allows.
        memory_bytes: memory that is free or can be freed.
        load: what carries the subscribers.
    """
    files = machine.connections_per_process
    hard = "raise the hard limit of open files (ulimit -Hn shows it; /etc/security/limits.conf)"
    each = load.swarm_bytes + load.kernel_bytes + load.broker_bytes
    free = int(memory_bytes * _USABLE_SHARE) - load.broker_base_bytes
    limits = [
        Limit(
            name="open files of the swarm",
            most=UNLIMITED if files is None else files * load.workers,
            remedy=f"{hard}, or spread the swarm over more processes with --swarm-workers",
        ),
        Limit(
            name="local ports",
            most=machine.connections_per_address * load.listeners * load.addresses,
            remedy=f"{PORT_RANGE}; or give the broker more listeners",
        ),
        Limit(
            name="memory",
            most=max(0, free // each),
            remedy="free memory, use a broker that takes less per connection, or move the broker "
            "to another machine",
        ),
    ]
    if load.broker_here:
        most = UNLIMITED if files is None else files
        limits.append(Limit(name="open files of the broker", most=most, remedy=hard))
    if load.broker_most is not None:
        limits.append(
            Limit(
                name="settings of the broker",
                most=load.broker_most,
                remedy="use another broker, for example --broker mosquitto",
            )
        )
    if load.broker_in_time is not None:
        limits.append(
            Limit(
                name="pace of the broker",
                most=load.broker_in_time,
                remedy="use a faster broker, or expect alerts to everybody at once to be late",
            )
        )
    return Capacity(limits=tuple(sorted(limits, key=lambda limit: limit.most)))


def subscribers_within(connections: int) -> int:
    """The largest ``--subscribers`` whose controls fit in as well; 0 if none do.

    Args:
        connections: how many there may be, controls included.
    """
    return max(0, min(connections - CONTROLS_MIN, int(connections / (1 + CONTROLS_SHARE))))


def load_of(kind: str, costs: Mapping[str, Any], *, workers: int, tls: bool = False) -> Load:
    """The load of a run on a broker of this kind.

    Args:
        kind: ``embedded``, ``mosquitto`` or ``amqtt``; any other runs elsewhere and costs nothing
            here.
        costs: the content of ``config/capacity.json``.
        workers: swarm processes.
        tls: whether the connections go over TLS.
    """
    broker = costs["brokers"].get(kind)
    return Load(
        workers=workers,
        listeners=broker["listeners"] if broker else 1,
        addresses=costs["loopback_addresses"]["value"] if broker else 1,
        swarm_bytes=costs["swarm_bytes"]["value"] + (costs["tls_bytes"]["value"] if tls else 0),
        kernel_bytes=costs["kernel_bytes"]["value"],
        broker_bytes=broker["bytes"] if broker else 0,
        broker_base_bytes=broker["base_bytes"] if broker else 0,
        broker_most=broker["most"] if broker else None,
        broker_here=broker is not None,
        broker_in_time=broker["deliveries_per_s"] * costs["in_time_s"]["value"] if broker else None,
    )
