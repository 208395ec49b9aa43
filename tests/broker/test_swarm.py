"""Swarm workers as real child processes on real brokers, published to by paho."""

import itertools
import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulator.alerts.compose import compose, encode
from simulator.clock import SystemClock
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.delivery.children import Child
from simulator.delivery.messages import (
    BrokerEndpoint,
    Connections,
    Ended,
    Failed,
    Health,
    Play,
    ProbeSeen,
    Progress,
    Ready,
    Receipts,
    Stop,
    SwarmOrder,
)
from simulator.delivery.swarm.worker import worker_main
from simulator.measure.plan import PlannedSubscriber, Session, SubscriberKind
from simulator.measure.receipts import (
    NO_TIME,
    UNKNOWN,
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


@pytest.fixture
def start() -> Iterator[Callable[[SwarmOrder], Swarm]]:
    started: list[Swarm] = []

    def make(order: SwarmOrder) -> Swarm:
        started.append(Swarm(order))
        return started[-1]

    yield make
    for swarm in started:
        swarm.child.kill()
        swarm.child.close()


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


# --- deliveries ---


@pytest.mark.parametrize("publisher", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_everybody_receives_each_alert_of_the_prefecture_once(
    broker: Broker, make_play: MakePlay, start: Start, qos: int, publisher: str
) -> None:
    play = make_play()
    places = ("miyagi", "yamagata", "niigata", "hokkaido")
    people = tuple(
        subscriber(
            number,
            places[number % 4],
            filters=((f"alertsim/v1/alerts/{places[number % 4]}/+", qos),),
            protocol=("3.1.1", "5")[number // 4 % 2],
        )
        for number in range(32)
    )
    swarm = start(order_for(both(broker), play, *people)).ready()
    before_ns = CLOCK.monotonic_ns()
    with paho(broker.endpoint(publisher)) as client:
        for alert, data in zip(play.schedule, payloads(play), strict=True):
            send(client, alert.topic, data, qos=qos)
    expected = Counter(
        (person.number, alert.number)
        for person in people
        for alert in play.schedule
        if alert.planned.prefecture == person.prefecture
    )
    assert len(expected) == 48
    swarm.until(lambda: len(swarm.rows) >= len(expected))
    swarm.stop()
    assert swarm.pairs() == expected
    assert {FLAG(row[5]) & ~STAMP for row in swarm.rows} == {(FLAG(0), FLAG.QOS_1, FLAG.QOS_2)[qos]}
    for _, _, received_ns, uncertainty_ns, handled_ns, _ in swarm.rows:
        assert before_ns - uncertainty_ns <= received_ns <= handled_ns
        assert uncertainty_ns >= 0
    if sys.platform == "linux":
        assert not any(row[5] & STAMP for row in swarm.rows)


def test_without_kernel_stamps_every_row_says_so(
    embedded: Broker, make_play: MakePlay, start: Start
) -> None:
    play = make_play()
    swarm = start(order_for(both(embedded), play, subscriber(0), kernel_stamps=False)).ready()
    with paho(embedded.endpoint("3.1.1")) as client:
        send(client, play.schedule[0].topic, payloads(play)[0])
    swarm.until(lambda: bool(swarm.rows))
    swarm.stop()
    assert [row[5] & STAMP for row in swarm.rows] == [STAMP]
    health = [message for message in swarm.said if isinstance(message, Health)][-1]
    assert health.stamps_missing == health.reads > 0


def test_thousands_of_messages_in_few_reads(
    broker: Broker, make_play: MakePlay, start: Start
) -> None:
    play = make_play()
    people = tuple(subscriber(number, protocol=("3.1.1", "5")[number % 2]) for number in range(10))
    swarm = start(order_for(both(broker), play, *people)).ready()
    with paho(broker.endpoint("3.1.1")) as client:
        data = payloads(play)[0]
        sent = [client.publish(play.schedule[0].topic, data, qos=1) for _ in range(500)]
        sent[-1].wait_for_publish(30)
    swarm.until(lambda: len(swarm.rows) >= 5000)
    swarm.stop()
    assert swarm.pairs() == {(number, 0): 500 for number in range(10)}
    health = [message for message in swarm.said if isinstance(message, Health)][-1]
    assert health.messages == 5000
    assert health.name == "worker-0"
    assert health.cpu_ns > 0


# --- readiness ---


def test_the_way_to_ready_is_told_and_probes_come_back_once(
    broker: Broker, make_play: MakePlay, start: Start
) -> None:
    people = [subscriber(n, protocol=("3.1.1", "5")[n % 2]) for n in range(6)]
    swarm = start(order_for(both(broker), make_play(), *people, probe_topic=PROBE)).ready()
    assert swarm.said[-1] == Ready(connections=8)  # a probe for each version
    assert [m for m in swarm.said if isinstance(m, Progress)][-1] == Progress(
        connected=8, subscribed=8, total=8
    )
    assert all(
        swarm.changes(n) == [ConnectionChange.CONNECTED, ConnectionChange.SUBSCRIBED]
        for n in range(6)
    )
    with paho(broker.endpoint("5")) as client:
        for number in range(3):
            send(client, PROBE, b"probe-%d" % number)
    swarm.until(lambda: sum(isinstance(m, ProbeSeen) for m in swarm.said) >= 3)
    swarm.stop()
    probes = [m.payload for m in swarm.said if isinstance(m, ProbeSeen)]
    assert probes == [b"probe-0", b"probe-1", b"probe-2"]
    assert not swarm.rows
    assert isinstance(swarm.said[-1], Ended)
    assert swarm.child.ended() == "ended with exit code 0"


def test_who_joins_later_is_connected_later(
    embedded: Broker, make_play: MakePlay, start: Start
) -> None:
    joins_ns = CLOCK.monotonic_ns() + 2 * NS_PER_S
    people = (subscriber(0), subscriber(1, joins_ns=joins_ns))
    swarm = start(order_for(both(embedded), make_play(), *people)).ready()
    assert swarm.said[-1] == Ready(connections=1)
    assert swarm.changes(1) == []
    swarm.until(lambda: len(swarm.changes(1)) == 2)
    assert swarm.events[-2].at_ns >= joins_ns


# --- what is not an alert of ours ---


def test_foreign_malformed_altered_and_state_messages_are_told_apart(
    broker: Broker, make_play: MakePlay, start: Start
) -> None:
    play = make_play()
    topic, state = play.schedule[0].topic, play.schedule[0].state_topic
    genuine, niigata = payloads(play)[0], payloads(play)[2]
    other_run = payloads(make_play("other"))[0]
    person = subscriber(0, filters=(("alertsim/v1/alerts/miyagi/+", 1), (state, 1)))
    swarm = start(order_for(both(broker), play, person)).ready()
    messages: list[tuple[str, bytes, tuple[int, FLAG]]] = [
        (topic, genuine, (0, FLAG(0))),
        (topic, b"hello", (UNKNOWN, FLAG.MALFORMED)),
        (topic, b"\x00\xff" * 40, (UNKNOWN, FLAG.MALFORMED)),
        (topic, b"", (UNKNOWN, FLAG.MALFORMED)),
        (topic, genuine[:-1], (UNKNOWN, FLAG.MALFORMED)),
        (topic, genuine.replace(b"Exercise", b"Actual"), (UNKNOWN, FLAG.MALFORMED)),
        (topic, other_run, (UNKNOWN, FLAG.FOREIGN)),
        (topic, niigata, (UNKNOWN, FLAG.FOREIGN)),
        ("alertsim/v1/alerts/miyagi/passage", genuine, (UNKNOWN, FLAG.FOREIGN)),
        (topic, genuine + b" ", (UNKNOWN, FLAG.FOREIGN)),
        (topic, genuine, (0, FLAG(0))),
        (state, genuine, (0, FLAG.STATE)),
        (state, b"", (UNKNOWN, FLAG.STATE | FLAG.CLEARED)),
    ]
    with paho(broker.endpoint("3.1.1")) as client:
        for place, data, _ in messages:
            send(client, place, data)
    swarm.until(lambda: len(swarm.rows) >= len(messages))
    swarm.stop()
    assert swarm.seen() == [expected for _, _, expected in messages]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_stored_state_carries_retain_and_a_live_one_does_not(
    broker: Broker, make_play: MakePlay, start: Start, protocol: str
) -> None:
    play = make_play()
    state, data = play.schedule[0].state_topic, payloads(play)[0]
    person = subscriber(0, filters=((state, 1),), protocol=protocol)
    with paho(broker.endpoint("3.1.1")) as client:
        send(client, state, data, retain=True)
        swarm = start(order_for(both(broker), play, person)).ready()
        swarm.until(lambda: len(swarm.rows) == 1)
        send(client, state, data, retain=True)
        send(client, state, b"", retain=True)
        swarm.until(lambda: len(swarm.rows) == 3)
    assert swarm.seen() == [
        (0, FLAG.STATE | FLAG.RETAIN),
        (0, FLAG.STATE),
        (UNKNOWN, FLAG.STATE | FLAG.CLEARED),
    ]


# --- losses ---


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def mortal(request: pytest.FixtureRequest) -> Iterator[Callable[[], Broker]]:
    """Starts a broker, and the next one on the same ports."""
    ports: list[int] = []
    started: list[Broker] = []

    def make() -> Broker:
        broker: Broker
        if request.param == "embedded":
            broker = EmbeddedBroker(ports=(ports[0], ports[1]) if ports else None, announce=False)
        else:
            broker = ManagedMosquitto(port=ports[0] if ports else None, announce=False)
        started.append(broker)
        broker.start()
        ports[:] = [broker.endpoint(protocol).port for protocol in ("3.1.1", "5")]
        return broker

    yield make
    for broker in started:
        broker.stop()


def test_a_killed_broker_is_noticed_and_everybody_returns(
    mortal: Callable[[], Broker], make_play: MakePlay, start: Start
) -> None:
    play, broker = make_play(), mortal()
    people = [subscriber(n, protocol=("3.1.1", "5")[n % 2]) for n in range(20)]
    order = order_for(both(broker), play, *people, probe_topic=PROBE)
    swarm = start(order).ready()
    with paho(broker.endpoint("3.1.1")) as client:
        send(client, play.schedule[0].topic, payloads(play)[0])
        swarm.until(lambda: len(swarm.rows) == 20)
    assert broker.process is not None
    os.kill(broker.process, signal.SIGKILL)
    swarm.until(
        lambda: sum(event.change is ConnectionChange.CLOSED for event in swarm.events) == 20
    )
    for event in swarm.events:
        if event.change is ConnectionChange.CLOSED:
            assert event.reason
            assert NO_TIME < event.last_alive_ns <= event.at_ns
    broker.stop()
    broker = mortal()
    up = ConnectionChange.SUBSCRIBED
    swarm.until(lambda: sum(event.change is up for event in swarm.events) == 40)
    with paho(broker.endpoint("5")) as client:
        send(client, play.schedule[3].topic, payloads(play)[3])
        swarm.until(lambda: len(swarm.rows) == 40)
        asked = itertools.count()

        def probe_came() -> bool:
            if next(asked) % 200 == 0:  # the probe connections may return after everybody else
                send(client, PROBE, b"again")
            return any(isinstance(message, ProbeSeen) for message in swarm.said)

        swarm.until(probe_came)
    swarm.stop()
    assert swarm.pairs() == {(n, alert): 1 for n in range(20) for alert in (0, 3)}
    for number in range(20):
        mine = [what for who, what in swarm.story if who == number]
        way_up = ["CONNECTED", "SUBSCRIBED", "receipt"]
        assert mine == [*way_up, "CLOSED", *way_up]


class Proxy:
    """Forwards TCP to a broker until it is cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        self.closed_for_business = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._server.accept()
                if self.closed_for_business:
                    here.close()
                    continue
                there = socket.create_connection(("127.0.0.1", self._to))
                self._open += [here, there]
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for end in self._open:
            end.close()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize("session", list(Session))
def test_a_persistent_session_gets_what_it_missed_and_a_clean_one_does_not(
    broker: Broker, make_play: MakePlay, start: Start, session: Session, protocol: str
) -> None:
    play = make_play()
    proxy = Proxy(broker.endpoint(protocol).port)
    endpoint = replace(broker.endpoint(protocol), port=proxy.port)
    person = subscriber(0, session=session, protocol=protocol)
    swarm = start(order_for({protocol: endpoint}, play, person)).ready()
    with paho(broker.endpoint("3.1.1")) as client:
        proxy.closed_for_business = True
        proxy.cut()
        swarm.until(lambda: ConnectionChange.CLOSED in swarm.changes())
        CLOCK.sleep_ns(NS_PER_S // 2)  # let the broker notice, too
        send(client, play.schedule[0].topic, payloads(play)[0])
        proxy.closed_for_business = False
        swarm.until(lambda: swarm.changes().count(ConnectionChange.SUBSCRIBED) == 2)
        send(client, play.schedule[3].topic, payloads(play)[3])
        kept = session is Session.PERSISTENT
        swarm.until(lambda: len(swarm.rows) == 1 + kept)
    swarm.stop()
    proxy.close()
    back = [event for event in swarm.events if event.change is ConnectionChange.CONNECTED]
    assert [event.session_present for event in back] == [False, kept]
    mark = FLAG.SESSION if kept else FLAG(0)
    assert swarm.seen() == ([(0, mark)] if kept else []) + [(3, mark)]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_no_session_outlives_the_swarm(
    broker: Broker, make_play: MakePlay, start: Start, protocol: str
) -> None:
    person = subscriber(0, session=Session.PERSISTENT, protocol=protocol)
    for _ in range(2):
        swarm = start(order_for(both(broker), make_play(), person)).ready()
        swarm.stop()
        assert [event.session_present for event in swarm.events] == [False, False]
        assert swarm.said[-1] == Ended(name="worker-0", sessions_left=0)


def test_sessions_that_could_not_be_discarded_are_told(
    embedded: Broker, make_play: MakePlay, start: Start
) -> None:
    proxy = Proxy(embedded.endpoint("5").port)
    endpoint = replace(embedded.endpoint("5"), port=proxy.port)
    people = [
        subscriber(n, session=session, protocol="5")
        for n, session in enumerate((Session.PERSISTENT, Session.CLEAN, Session.PERSISTENT))
    ]
    swarm = start(order_for({"5": endpoint}, make_play(), *people)).ready()
    proxy.closed_for_business = True
    proxy.cut()
    swarm.stop()
    proxy.close()
    assert swarm.said[-1] == Ended(name="worker-0", sessions_left=2)


# --- brokers that are none ---


@contextmanager
def scripted(*answers: bytes) -> Iterator[BrokerEndpoint]:
    """A listener that gives these answers, one to each read, to everybody."""

    def serve(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            for answer in answers:
                peer.recv(4096)
                peer.sendall(answer)
            while peer.recv(4096):
                pass

    def accept() -> None:
        with suppress(OSError):
            while True:
                peer, _ = server.accept()
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, daemon=True).start()
    yield BrokerEndpoint(host="127.0.0.1", port=server.getsockname()[1], protocol="5")
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)
    server.close()


CONNACK, SUBACK = b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x01"
WELL_FORMED = b"\x30\x07\x00\x01a\x00odd"


@pytest.mark.parametrize(
    ("rubbish", "reason"),
    [
        (b"\x00\x00\x00\x00", "Invalid PacketType"),
        (b"\x30\xff\xff\xff\x7f", "larger than"),
        (b"\x36\x06\x00\x01a\x00\x01\x00", "QoS"),
        (b"\x30\x05\x00\x01\xff\x00x", "UTF-8"),
        (CONNACK, "second CONNACK"),
    ],
)
def test_what_is_not_mqtt_costs_that_connection_and_nothing_else(
    embedded: Broker, make_play: MakePlay, start: Start, rubbish: bytes, reason: str
) -> None:
    play = make_play()
    with scripted(CONNACK, SUBACK + WELL_FORMED + rubbish) as bad:
        endpoints = {"3.1.1": embedded.endpoint("3.1.1"), "5": bad}
        people = (subscriber(0, protocol="3.1.1"), subscriber(1, protocol="5"))
        swarm = start(order_for(endpoints, play, *people)).ready()
        # closed, and back with backoff, to be closed again
        swarm.until(lambda: swarm.changes(1).count(ConnectionChange.CLOSED) >= 2)
        with paho(embedded.endpoint("3.1.1")) as client:
            send(client, play.schedule[0].topic, payloads(play)[0])
        swarm.until(lambda: (0, 0) in swarm.pairs())
        swarm.stop()
    assert {event.subscriber for event in swarm.closed()} == {1}
    assert all(reason in event.reason for event in swarm.closed())
    assert (1, UNKNOWN) in swarm.pairs()  # what came before the rubbish counts
    assert ConnectionChange.CLOSED not in swarm.changes(0)


def failure(swarm: Swarm) -> Failed:
    messages: list[object] = []
    with suppress(EOFError):
        while True:
            messages.append(swarm.child.recv())
    (failed,) = [message for message in messages if isinstance(message, Failed)]
    return failed


def test_nobody_listening_fails_the_start(make_play: MakePlay, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    endpoint = BrokerEndpoint(host="127.0.0.1", port=port, protocol="3.1.1")
    failed = failure(start(order_for({"3.1.1": endpoint}, make_play(), subscriber(0))))
    assert failed.reason == "unreachable"
    assert f"127.0.0.1:{port} (MQTT 3.1.1): Connection refused" in failed.detail


def test_an_unknown_host_fails_the_start(make_play: MakePlay, start: Start) -> None:
    endpoint = BrokerEndpoint(host="no-such-host.invalid", port=1, protocol="3.1.1")
    failed = failure(start(order_for({"3.1.1": endpoint}, make_play(), subscriber(0))))
    assert failed.reason == "unreachable"
    assert "no-such-host.invalid" in failed.detail


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((b"\x20\x03\x00\x87\x00",), "not authorized"),
        ((CONNACK, b"\x90\x04\x00\x01\x00\x87"), r"refused (code 135)"),
        ((CONNACK, b"\x90\x04\x00\x01\x00\x00"), "granted QoS 0"),
    ],
)
def test_a_broker_that_says_no_fails_the_start(
    make_play: MakePlay, start: Start, answers: tuple[bytes, ...], words: str
) -> None:
    with scripted(*answers) as endpoint:
        person = subscriber(0, protocol="5")
        failed = failure(start(order_for({"5": endpoint}, make_play(), person)))
    assert failed.reason == "refused"
    assert words in failed.detail


def test_a_broker_that_drops_everybody_fails_the_start(make_play: MakePlay, start: Start) -> None:
    with scripted(CONNACK + b"\xe0\x01\x89") as endpoint:  # server busy
        person = subscriber(0, protocol="5")
        failed = failure(start(order_for({"5": endpoint}, make_play(), person)))
    assert failed.reason == "lost"
    assert "server busy" in failed.detail


def test_a_worker_ends_when_its_parents_pipe_closes(
    embedded: Broker, make_play: MakePlay, start: Start
) -> None:
    swarm = start(order_for(both(embedded), make_play(), subscriber(0))).ready()
    swarm.child._pipe.close()
    assert swarm.child.wait(PATIENCE_NS)
    assert swarm.child.ended() == "ended with exit code 0"
    assert swarm.child.said() == ""


def test_a_defect_is_told_with_its_traceback(make_play: MakePlay, start: Start) -> None:
    failed = failure(start(order_for({}, make_play(), subscriber(0))))
    assert failed.reason == "internal"
    assert "Traceback" in failed.detail
    assert "KeyError: '3.1.1'" in failed.detail
