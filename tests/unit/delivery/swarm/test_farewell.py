"""Sessions are discarded by a clean connect, or counted as left."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from simulator.clock import SystemClock
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.swarm import farewell
from simulator.delivery.swarm.farewell import discard_sessions
from simulator.delivery.wire.mqtt311 import Mqtt311
from simulator.delivery.wire.order import ConnectionOrder, ReadBuffer
from simulator.delivery.wire.transport import Address, resolve
from simulator.units import NS_PER_S

CLOCK = SystemClock()
ACCEPTED = b"\x20\x02\x00\x00"


class Listener:
    """Answers every first packet the same way and keeps all that it read."""

    def __init__(self, answer: bytes) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._server.accept()
                with peer, suppress(OSError):
                    heard = peer.recv(4096)
                    if self._answer:
                        peer.sendall(self._answer)
                    while more := peer.recv(4096):
                        heard += more
                    self.heard.append(heard)

    def sessions(self, count: int) -> list[tuple[ConnectionOrder, Address]]:
        port = self._server.getsockname()[1]
        endpoint = BrokerEndpoint(host="127.0.0.1", port=port, protocol="3.1.1")
        return [
            (
                ConnectionOrder(
                    endpoint=endpoint, client=f"c{n}", clean=False, filters=(("a", 1),)
                ),
                resolve(endpoint),
            )
            for n in range(count)
        ]

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def buffer() -> ReadBuffer:
    return ReadBuffer()


@pytest.fixture
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    made = Listener(getattr(request, "param", ACCEPTED))
    yield made
    made.close()


def test_everybody_says_a_clean_hello_and_goodbye(
    listener: Listener, buffer: ReadBuffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farewell, "MOST_AT_A_TIME", 2)
    deadline_ns = CLOCK.monotonic_ns() + 20 * NS_PER_S
    assert discard_sessions(listener.sessions(5), buffer, CLOCK, deadline_ns) == 0
    codec = Mqtt311()
    while len(listener.heard) < 5:
        CLOCK.sleep_ns(1_000_000)
    assert sorted(listener.heard) == [
        codec.connect(client_id=f"c{n}", clean=True, keep_alive_s=60) + codec.disconnect()
        for n in range(5)
    ]


@pytest.mark.parametrize("listener", [b"\x20\x02\x00\x05"], indirect=True)
def test_a_broker_that_refuses_keeps_them(listener: Listener, buffer: ReadBuffer) -> None:
    deadline_ns = CLOCK.monotonic_ns() + 20 * NS_PER_S
    assert discard_sessions(listener.sessions(3), buffer, CLOCK, deadline_ns) == 3


@pytest.mark.parametrize("listener", [b""], indirect=True)
def test_a_silent_broker_costs_no_more_than_the_deadline(
    listener: Listener, buffer: ReadBuffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farewell, "MOST_AT_A_TIME", 2)
    deadline_ns = CLOCK.monotonic_ns() + NS_PER_S // 5
    assert discard_sessions(listener.sessions(3), buffer, CLOCK, deadline_ns) == 3
    assert CLOCK.monotonic_ns() >= deadline_ns


def test_no_descriptor_left_means_left(
    listener: Listener, buffer: ReadBuffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("simulator.delivery.wire.transport.TcpTransport", fail)
    deadline_ns = CLOCK.monotonic_ns() + 20 * NS_PER_S
    assert discard_sessions(listener.sessions(2), buffer, CLOCK, deadline_ns) == 2


def test_nothing_to_discard_takes_no_time(buffer: ReadBuffer) -> None:
    assert discard_sessions([], buffer, CLOCK, 0) == 0
