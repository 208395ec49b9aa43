"""The selector follows each connection, over real sockets."""

import selectors
import socket
from collections.abc import Iterator

import pytest

from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import TcpTransport, resolve
from simulator.units import NS_PER_S

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def poller() -> Iterator[Poller]:
    made = Poller()
    yield made
    made.close()


def make(server: socket.socket) -> Connection:
    endpoint = BrokerEndpoint(host="127.0.0.1", port=server.getsockname()[1], protocol="3.1.1")
    return Connection(ConnectionOrder(endpoint=endpoint, client="c"))


def turn(poller: Poller, connection: Connection, buffer: ReadBuffer) -> bool:
    alive = True
    for key, events in poller.select(5 * NS_PER_S):
        assert key.data == "mine"
        connection.handle(events, 0, buffer)
        alive = poller.update(connection, "mine")
    return alive


def test_up_full_and_away_again(server: socket.socket, poller: Poller) -> None:
    buffer = ReadBuffer()
    connection = make(server)
    for _ in range(3):  # a descriptor may be given out again at once
        connection.open(resolve(connection.order.endpoint), 0)
        assert poller.update(connection, "mine")
        assert connection.registered == WRITE
        peer, _ = server.accept()
        assert turn(poller, connection, buffer)
        assert connection.registered == READ
        peer.sendall(b"\x20\x02\x00\x00")
        assert turn(poller, connection, buffer)
        assert connection.state is State.UP
        while not connection.unsent:  # until the kernel takes no more
            connection.publish("a", bytes(100_000))
        assert poller.update(connection, "mine")
        assert connection.registered == READ | WRITE
        peer.close()
        while turn(poller, connection, buffer):
            pass
        assert (connection.registered, connection.cause) == (0, Cause.LOST)
        assert connection.fileno() == -1
        assert poller.select(0) == []
        assert len(poller.selector.get_map()) == 0


def test_a_connection_that_never_opened_is_only_released(poller: Poller) -> None:
    def fail(*_: object) -> TcpTransport:
        raise OSError(24, "Too many open files")

    endpoint = BrokerEndpoint(host="127.0.0.1", port=1, protocol="3.1.1")
    connection = Connection(ConnectionOrder(endpoint=endpoint, client="c"), fail)
    connection.open(resolve(endpoint), 0)
    assert not poller.update(connection, "mine")
    assert (connection.state, connection.cause) == (State.IDLE, Cause.UNREACHABLE)
