"""A swarm worker under test, a foreign client, and orders in a line each."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulator.alerts.compose import compose, encode
from simulator.clock import SystemClock
from simulator.delivery.brokers.base import Broker
from simulator.delivery.children import Child
from simulator.delivery.messages import (
    BrokerEndpoint,
    Connections,
    Failed,
    Play,
    Ready,
    Receipts,
    Stop,
    SwarmOrder,
)
from simulator.delivery.swarm.worker import worker_main
from simulator.measure.plan import PlannedSubscriber, SubscriberKind
from simulator.measure.receipts import (
    ConnectionChange,
    ConnectionEvent,
    ReceiptBatch,
    ReceiptFlag,
)
from simulator.units import NS_PER_S

CLOCK = SystemClock()
PATIENCE_NS = 30 * NS_PER_S
PROBE = "alertsim/v1/probe/drill"
FLAG = ReceiptFlag
STAMP = FLAG.USER_STAMP
MakePlay = Callable[..., Play]


class Swarm:
    """A worker and everything it has said."""

    def __init__(self, order: SwarmOrder) -> None:
        self.child = Child(f"worker-{order.worker}", worker_main, order)
        self.rows: list[tuple[int, ...]] = []
        self.events: list[ConnectionEvent] = []
        self.story: list[tuple[int, str]] = []  # subscriber and what, in the order of arrival
        self.said: list[Any] = []

    def until(self, done: Callable[[], bool]) -> None:
        deadline_ns = CLOCK.monotonic_ns() + PATIENCE_NS
        while not done():
            assert CLOCK.monotonic_ns() < deadline_ns, (self.said, self.events, self.rows)
            if self.child.poll():
                self._take(self.child.recv())
            else:
                CLOCK.sleep_ns(1_000_000)

    def _take(self, message: object) -> None:
        if isinstance(message, Receipts):
            rows = [tuple(row) for row in ReceiptBatch.from_bytes(message.rows).rows.tolist()]
            self.rows += rows
            self.story += [(row[0], "receipt") for row in rows]
        elif isinstance(message, Connections):
            self.events += message.events
            self.story += [(event.subscriber, event.change.name or "") for event in message.events]
        else:
            assert not isinstance(message, Failed), message
            self.said.append(message)

    def ready(self) -> "Swarm":
        self.until(lambda: any(isinstance(message, Ready) for message in self.said))
        return self

    def pairs(self) -> Counter[tuple[int, int]]:
        return Counter((row[0], row[1]) for row in self.rows)

    def seen(self) -> list[tuple[int, FLAG]]:
        """Alert and flags, without how it was stamped and at which QoS it came."""
        return [(row[1], FLAG(row[5]) & ~(STAMP | FLAG.QOS_1 | FLAG.QOS_2)) for row in self.rows]

    def changes(self, subscriber: int = 0) -> list[ConnectionChange]:
        return [event.change for event in self.events if event.subscriber == subscriber]

    def closed(self) -> list[ConnectionEvent]:
        return [event for event in self.events if event.change is ConnectionChange.CLOSED]

    def stop(self) -> None:
        self.child.send(Stop())
        with suppress(EOFError):
            while True:
                self._take(self.child.recv())
        assert self.child.wait(PATIENCE_NS)


Start = Callable[[SwarmOrder], Swarm]


@contextmanager
def paho(endpoint: BrokerEndpoint) -> Iterator[Client]:
    """A connected paho client with its loop running."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        protocol=MQTTProtocolVersion.MQTTv5
        if endpoint.protocol == "5"
        else MQTTProtocolVersion.MQTTv311,
    )
    client.connect(endpoint.host, endpoint.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def send(client: Client, topic: str, data: bytes, *, qos: int = 1, retain: bool = False) -> None:
    client.publish(topic, data, qos=qos, retain=retain).wait_for_publish(30)


def payloads(play: Play) -> list[bytes]:
    return [
        encode(
            compose(
                planned=alert.planned,
                identifier=alert.identifier,
                sequence=alert.sequence,
                repetition=alert.repetition,
                references=(),
                intended_ns=alert.intended_ns,
                composed_ns=alert.intended_ns,
                context=play.context,
            ),
            "json",
        )
        for alert in play.schedule
    ]


def subscriber(number: int, prefecture: str = "miyagi", **fields: Any) -> PlannedSubscriber:
    filters = fields.pop("filters", ((f"alertsim/v1/alerts/{prefecture}/+", 1),))
    return PlannedSubscriber(
        number=number,
        client=f"drill-{number}",
        kind=fields.pop("kind", SubscriberKind.SWARM),
        prefecture=prefecture,
        filters=filters,
        protocol=fields.pop("protocol", "3.1.1"),
        **fields,
    )


def order_for(
    endpoints: dict[str, BrokerEndpoint], play: Play, *people: PlannedSubscriber, **fields: Any
) -> SwarmOrder:
    return SwarmOrder(
        worker=0,
        endpoints=endpoints,
        subscribers=people,
        identifiers={alert.identifier: alert.number for alert in play.schedule},
        topics=tuple(alert.topic for alert in play.schedule),
        state_topics=tuple(alert.state_topic for alert in play.schedule),
        **fields,
    )


def both(broker: Broker) -> dict[str, BrokerEndpoint]:
    return {protocol: broker.endpoint(protocol) for protocol in ("3.1.1", "5")}
