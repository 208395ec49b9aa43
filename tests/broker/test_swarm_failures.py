"""Brokers that are none, and workers that cannot start or must end."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from simulator.delivery.brokers.base import Broker
from simulator.delivery.messages import (
    BrokerEndpoint,
    Failed,
)
from simulator.measure.receipts import (
    UNKNOWN,
    ConnectionChange,
)
from tests.broker.swarm_kit import (
    PATIENCE_NS,
    MakePlay,
    Start,
    Swarm,
    both,
    order_for,
    paho,
    payloads,
    send,
    subscriber,
)


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
