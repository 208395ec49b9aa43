"""One subscriber of the swarm: its connection, and what its next receipt needs to know."""

from typing import Final

from simulator.delivery.backoff import Backoff
from simulator.delivery.messages import SwarmOrder
from simulator.delivery.swarm.recognise import FrameMemory
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.keepalive import NEVER
from simulator.delivery.wire.order import ConnectionOrder
from simulator.measure.plan import Conduct, PlannedSubscriber, Session
from simulator.measure.receipts import NO_TIME
from simulator.units import NS_PER_MS, NS_PER_S

PROBE: Final = -1
RECONNECT: Final = Backoff(first_ns=100 * NS_PER_MS, longest_ns=10 * NS_PER_S)


class Subscriber:
    """A connection with its place in the ledger.

    Attributes:
        number: PlannedSubscriber.number; PROBE for a worker's own probe connection.
        connection: its MQTT connection.
        memory: known frames of its MQTT version, shared.
        floor_ns: the socket is known to have been empty then, monotonic ns.
        full: its last read filled the buffer, so that more was waiting.
        flags: ReceiptFlag bits of every receipt on the present connection.
        attempts: failed connects since it was last up.
        due_ns: when it next wants the loop's attention, monotonic ns.
        connected: its CONNACK has been reported, and no close since.
        up: it is subscribed.
        joins_ns: not to be connected before, NO_TIME: at once; NEVER: not before its plan says so.
        conduct: its plan, if it has one.
        backoff: how it waits before it tries again.
        away: absent by plan.
    """

    __slots__ = (
        "attempts",
        "away",
        "backoff",
        "conduct",
        "connected",
        "connection",
        "due_ns",
        "flags",
        "floor_ns",
        "full",
        "joins_ns",
        "memory",
        "number",
        "up",
    )

    def __init__(
        self,
        number: int,
        connection: Connection,
        memory: FrameMemory,
        joins_ns: int | None = None,
        conduct: Conduct | None = None,
    ) -> None:
        self.number = number
        self.connection = connection
        self.memory = memory
        self.floor_ns = 0
        self.full = False
        self.flags = 0
        self.attempts = 0
        self.due_ns = 0
        self.connected = False
        self.up = False
        self.joins_ns = NO_TIME if joins_ns is None else joins_ns
        self.conduct = conduct
        self.away = conduct is not None and conduct.joins_ns is not None
        if self.away:
            self.joins_ns = NEVER
        self.backoff = RECONNECT
        if conduct is not None:
            self.backoff = Backoff(
                first_ns=conduct.retry_first_ns,
                longest_ns=conduct.retry_longest_ns,
                jitter=conduct.jitter,
            )

    @property
    def reads_every_ns(self) -> int:
        """Wall ns between two readings of its socket; 0: whenever it is ready."""
        return 0 if self.conduct is None else self.conduct.reads_every_ns


def planned_connection(planned: PlannedSubscriber, order: SwarmOrder) -> Connection:
    """The connection of a planned subscriber, not yet open."""
    return Connection(
        ConnectionOrder(
            endpoint=order.endpoints[planned.protocol],
            client=planned.client,
            filters=planned.filters,
            clean=planned.session is Session.CLEAN,
            keep_alive_s=order.keep_alive_s,
            kernel_stamps=order.kernel_stamps,
        )
    )


def probe_connection(protocol: str, order: SwarmOrder) -> Connection:
    """The worker's own connection for probes over one MQTT version, not yet open."""
    run = order.probe_topic.rsplit("/", 1)[-1]
    return Connection(
        ConnectionOrder(
            endpoint=order.endpoints[protocol],
            client=f"{run}-probe-{order.worker}-{protocol.replace('.', '')}",
            filters=((order.probe_topic, 1),),
            keep_alive_s=order.keep_alive_s,
        )
    )
