"""The plain TCP transport, on loopback."""

import selectors
import socket
import sys
from collections.abc import Iterator

import pytest

from simulator.clock import SystemClock
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.order import ConnectionOrder
from simulator.delivery.wire.transport import (
    NO_STAMP,
    Address,
    TcpTransport,
    open_transport,
    resolve,
)
from simulator.errors import BrokerUnreachableError

CLOCK = SystemClock()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def address(server: socket.socket) -> Address:
    host, port = server.getsockname()
    return resolve(BrokerEndpoint(host=host, port=port, protocol="5"))


def wait(transport: TcpTransport, events: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(transport, events)
        assert selector.select(5)


def test_connect_send_and_receive(server: socket.socket) -> None:
    transport = TcpTransport(address(server))
    peer, _ = server.accept()
    wait(transport, selectors.EVENT_WRITE)
    assert transport.advance()
    with peer:
        assert transport.send(b"ping") == 4
        assert peer.recv(9) == b"ping"
        view = memoryview(bytearray(9))
        with pytest.raises(BlockingIOError):
            transport.receive_into(view)
        peer.sendall(b"pong")
        wait(transport, selectors.EVENT_READ)
        assert transport.receive_into(view) == (4, NO_STAMP)
        assert bytes(view[:4]) == b"pong"
    wait(transport, selectors.EVENT_READ)
    assert transport.receive_into(view) == (0, NO_STAMP)
    transport.close()
    transport.close()
    assert transport.fileno() == -1


def test_small_writes_are_not_held_back(server: socket.socket) -> None:
    transport = TcpTransport(address(server))
    peer, _ = server.accept()
    with peer, socket.socket(fileno=socket.dup(transport.fileno())) as same:
        assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    transport.close()


@pytest.mark.skipif(sys.platform != "linux", reason="SO_TIMESTAMPNS is of Linux")
def test_the_kernels_stamp_tells_when_it_arrived_not_when_it_was_read(
    server: socket.socket,
) -> None:
    endpoint = BrokerEndpoint(host="127.0.0.1", port=server.getsockname()[1], protocol="5")
    order = ConnectionOrder(endpoint=endpoint, client="c", kernel_stamps=True)
    transport = open_transport(resolve(endpoint), order)
    peer, _ = server.accept()
    view = memoryview(bytearray(9))
    with peer:
        for _ in range(20):  # the first packets after switching stamps on may come without
            sent_ns = CLOCK.wall_ns()
            peer.sendall(b"x")
            CLOCK.sleep_ns(20_000_000)
            read_ns = CLOCK.wall_ns()
            _, stamp = transport.receive_into(view)
            if stamp:
                assert sent_ns <= stamp <= read_ns - 10_000_000
                break
        else:
            pytest.fail("no stamp")
    transport.close()


def test_nobody_listening_is_a_failure_in_words(server: socket.socket) -> None:
    there = address(server)
    server.close()
    transport = TcpTransport(there)
    wait(transport, selectors.EVENT_WRITE)
    with pytest.raises(ConnectionRefusedError, match="Connection refused"):
        transport.advance()
    transport.close()


def test_a_connect_that_fails_at_once_raises() -> None:
    with pytest.raises(OSError, match=r"unreachable|not permitted|denied|Invalid"):
        TcpTransport(Address(family=socket.AF_INET, sockaddr=("255.255.255.255", 1)))


def test_of_several_addresses_the_one_that_answers_is_taken(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = server.getsockname()
    with socket.create_server((host, 0)) as other:
        silent = other.getsockname()[1]
    listed = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, p)) for p in (silent, port)]
    endpoint = BrokerEndpoint(host="localhost", port=port, protocol="5")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: listed)
    assert resolve(endpoint).sockaddr == (host, port)
    server.close()
    assert resolve(endpoint).sockaddr == (host, silent)


def test_an_unknown_name_is_unreachable() -> None:
    with pytest.raises(BrokerUnreachableError, match=r"no-such-host\.invalid"):
        resolve(BrokerEndpoint(host="no-such-host.invalid", port=1883, protocol="5"))
