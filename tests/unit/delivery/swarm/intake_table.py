"""An intake on a table: one subscriber, a clock to turn, a broker's hand; for its tests."""

import json
import selectors
from typing import Any

from simulator.clock import ManualClock
from simulator.delivery.messages import BrokerEndpoint, Receipts, SwarmOrder
from simulator.delivery.swarm.intake import Intake
from simulator.delivery.swarm.outbox import Outbox
from simulator.delivery.swarm.recognise import FrameMemory, Recogniser
from simulator.delivery.swarm.subscriber import Subscriber
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import ConnectionOrder, State
from simulator.delivery.wire.packets import Packet
from simulator.delivery.wire.stamps import StampClock
from simulator.delivery.wire.transport import Address
from simulator.measure.receipts import ReceiptBatch
from simulator.units import NS_PER_S

TOPIC, STATE = "alertsim/v1/alerts/miyagi/launch", "alertsim/v1/state/miyagi"
CONNACK = {"3.1.1": b"\x20\x02\x00\x00", "5": b"\x20\x03\x00\x00\x00"}
SUBACK = {"3.1.1": b"\x90\x03\x00\x01\x02", "5": b"\x90\x04\x00\x01\x00\x02"}
ALERTS = 4
START_NS = 100 * NS_PER_S


def payload(alert: int, size: int = 50) -> bytes:
    return json.dumps({"id": f"r-{alert}", "pad": "x" * size}).encode()


class Table:
    """An intake with one subscriber, a clock to turn and a broker's hand."""

    def __init__(self, transport: Any, protocol: str = "3.1.1") -> None:
        self.clock = ManualClock(monotonic=START_NS)
        self.transport = transport
        self.identified: list[bytes] = []
        self.changes: list[Packet] = []
        self.sent: list[Any] = []
        order = SwarmOrder(
            worker=0,
            endpoints={},
            subscribers=(),
            identifiers={f"r-{alert}": alert for alert in range(ALERTS)},
            topics=(TOPIC,) * ALERTS,
            state_topics=(STATE,) * ALERTS,
        )
        self.outbox = Outbox(self.sent.append)
        self.recogniser = Recogniser(order, self._identify)
        self.stamps = StampClock(self.clock)
        self.intake = Intake(
            self.clock,
            self.stamps,
            self.recogniser,
            self.outbox,
            lambda _subscriber, packet: self.changes.append(packet),
        )
        endpoint = BrokerEndpoint(host="h", port=1, protocol=protocol)
        self.connection = Connection(
            ConnectionOrder(endpoint=endpoint, client="c", filters=(("alertsim/#", 2),)),
            lambda _address, _order: transport,
        )
        self.codec = self.connection.codec
        self.subscriber = Subscriber(9, self.connection, FrameMemory())
        self.connection.open(Address(family=0, sockaddr=()), START_NS)
        self.connection.handle(selectors.EVENT_WRITE, START_NS, self.intake.buffer)
        self.subscriber.floor_ns = START_NS

    def _identify(self, data: bytes) -> str | None:
        self.identified.append(data)
        found = json.loads(data)["id"]
        return found if isinstance(found, str) else None

    def up(self) -> "Table":
        protocol = self.codec.protocol
        self.hear(CONNACK[protocol], SUBACK[protocol])
        assert self.connection.state is State.UP
        self.transport.writes.clear()
        return self

    def hear(self, *blocks: bytes, stamp: int = 0, quiet_ns: int = 0) -> bool:
        attention = False
        for block in blocks:
            self.transport.blocks.append((block, stamp))
            attention = self.intake.read(self.subscriber, quiet_ns)
        return attention

    def frame(
        self, alert: int, qos: int = 0, packet_id: int = 0, topic: str = TOPIC, **fields: Any
    ) -> bytes:
        return self.codec.publish(
            topic, fields.pop("data", payload(alert)), qos=qos, packet_id=packet_id, **fields
        )

    def rows(self) -> list[tuple[int, ...]]:
        self.outbox.flush()
        rows: list[tuple[int, ...]] = []
        for message in self.sent:
            if isinstance(message, Receipts):
                rows += map(tuple, ReceiptBatch.from_bytes(message.rows).rows.tolist())
        self.sent.clear()
        return rows
