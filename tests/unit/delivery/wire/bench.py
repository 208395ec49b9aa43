"""A connection on the bench: the state machine joined to a transport made of lists."""

import selectors
from typing import Any

from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import (
    Packet,
)
from simulator.delivery.wire.transport import Address

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
ADDRESS = Address(family=0, sockaddr=())
ACCEPTED = b"\x20\x02\x00\x00"
RESUMED = b"\x20\x02\x01\x00"


class Bench:
    """A connection on the bench, with a hand on the broker's side."""

    def __init__(self, transport: Any, buffer: ReadBuffer, protocol: str = "3.1.1") -> None:
        self.transport = transport
        self.buffer = buffer
        self.protocol = protocol
        self.connection: Connection

    def order(self, **fields: Any) -> "Bench":
        endpoint = BrokerEndpoint(host="h", port=1, protocol=self.protocol)
        self.connection = Connection(
            ConnectionOrder(endpoint=endpoint, client="c", **fields),
            lambda _address, _order: self.transport,
        )
        return self

    def connect(self, now_ns: int = 0) -> "Bench":
        self.connection.open(ADDRESS, now_ns)
        assert self.connection.handle(WRITE, now_ns, self.buffer) == []
        return self

    def hear(self, *blocks: bytes, now_ns: int = 0) -> list[Packet]:
        packets: list[Packet] = []
        for block in blocks:
            self.transport.blocks.append((block, 0))
            packets += self.connection.handle(READ, now_ns, self.buffer)
        return packets

    def up(self, now_ns: int = 0) -> "Bench":
        self.connect(now_ns).hear(ACCEPTED, now_ns=now_ns)
        if self.connection.order.filters:
            grants = bytes(qos for _, qos in self.connection.order.filters)
            self.hear(bytes((0x90, 2 + len(grants), 0, 1)) + grants, now_ns=now_ns)
        assert self.connection.state is State.UP
        self.transport.writes.clear()
        return self

    def publish(self, qos: int, packet_id: int, *, dup: bool = False) -> bytes:
        return self.connection.codec.publish("a", b"x", qos=qos, packet_id=packet_id, dup=dup)
