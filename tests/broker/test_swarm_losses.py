"""Connections that are lost or left, and sessions that stay behind."""

import itertools
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.delivery.messages import (
    Ended,
    ProbeSeen,
)
from simulator.measure.plan import Session
from simulator.measure.receipts import (
    NO_TIME,
    ConnectionChange,
)
from simulator.units import NS_PER_S
from tests.broker.swarm_kit import (
    CLOCK,
    FLAG,
    PROBE,
    MakePlay,
    Start,
    both,
    order_for,
    paho,
    payloads,
    send,
    subscriber,
)


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
