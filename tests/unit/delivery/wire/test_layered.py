"""What a transport with layers says of the block that it read."""

import errno
import ssl
from collections.abc import Callable

import pytest
from wsproto.events import Ping

from simulator.delivery.wire.channel import SLACK_BYTES, ChannelError, Layer
from simulator.delivery.wire.order import READ_BYTES
from simulator.delivery.wire.tls import TlsLayer
from simulator.delivery.wire.transport import LayeredTransport
from tests.unit.delivery.wire.peers import CA, CLIENT, MAKERS, TlsPeer, WebPeer, tls, web


class Blocks:
    """A socket below, whose blocks are given."""

    def __init__(self, *blocks: bytes) -> None:
        self.blocks = list(blocks)
        self.sent = b""

    def receive_into(self, view: memoryview) -> tuple[int, int]:
        if not self.blocks:
            raise BlockingIOError
        data = self.blocks.pop(0)
        view[: len(data)] = data
        return len(data), 1_000 + len(self.blocks)

    def send(self, data: bytes | bytearray | memoryview) -> int:
        self.sent += bytes(data)
        return len(data)

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        pass


@pytest.mark.parametrize("make", MAKERS)
def test_the_stamp_is_the_blocks_and_only_a_bound_where_more_had_come(
    make: Callable[[], tuple[Layer, TlsPeer | WebPeer]],
) -> None:
    layer, peer = make()
    first, second = peer.say(b"first"), peer.say(b"second")
    below = Blocks(first + second[:1], second[1:2], second[2:], peer.say(b"third"))
    transport = LayeredTransport(below, [layer])  # type: ignore[arg-type]
    transport._opening.clear()
    view = memoryview(bytearray(READ_BYTES))

    assert transport.receive_into(view) == (5, 1_003)
    said = [transport.filled]  # the stamp may be that of the second's first bytes
    with pytest.raises(BlockingIOError):
        transport.receive_into(view)
    assert transport.receive_into(view) == (6, 1_001)
    assert bytes(view[:6]) == b"second"
    said.append(transport.filled)
    assert transport.receive_into(view) == (5, 1_000)
    said.append(transport.filled)
    assert said == [True, False, False]


class HungUp(Blocks):
    """A socket whose peer has reset the connection: reads give what it said before, writes fail."""

    def send(self, _data: bytes | bytearray | memoryview) -> int:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def _refused() -> tuple[TlsLayer, bytes]:
    """Our side after its handshake, and the alert of a broker that wants a certificate of us."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("broker.example").configure_cert(server)
    CA.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    peer = TlsPeer(server)
    layer = TlsLayer(CLIENT, "broker.example")
    with pytest.raises(ssl.SSLError):
        peer.shake_hands(layer)
    return layer, peer.outgoing.read()


def test_an_alert_before_a_reset_is_the_reason_for_whoever_writes() -> None:
    layer, alert = _refused()
    assert layer.opened, "as far as our side knows"
    below = HungUp(alert)
    transport = LayeredTransport(below, [layer])  # type: ignore[arg-type]
    transport._opening.clear()
    with pytest.raises(ChannelError, match=r"refuses our side of TLS: .*certificate"):
        transport.send(b"CONNECT")


def test_an_alert_is_told_although_the_answer_to_it_cannot_be_written() -> None:
    layer, alert = _refused()
    layer.send(b"CONNECT")
    below = HungUp(alert)
    transport = LayeredTransport(below, [layer])  # type: ignore[arg-type]
    transport._opening.clear()
    with pytest.raises(ChannelError, match=r"refuses our side of TLS: .*certificate"):
        transport.receive_into(memoryview(bytearray(READ_BYTES)))


@pytest.mark.parametrize("left", [(), (b"",)])
def test_a_reset_without_a_word_stays_a_reset(left: tuple[bytes, ...]) -> None:
    layer, _ = tls()
    transport = LayeredTransport(HungUp(*left), [layer])  # type: ignore[arg-type]
    transport._opening.clear()
    with pytest.raises(ConnectionResetError):
        transport.send(b"CONNECT")


def test_a_full_read_is_told_although_a_layer_makes_less_of_it() -> None:
    layer, peer = tls()
    room = READ_BYTES - SLACK_BYTES
    stream = b"".join(peer.say(bytes(16_000)) for _ in range(1 + room // 16_000))
    below = Blocks(stream[:room])
    transport = LayeredTransport(below, [layer])  # type: ignore[arg-type]
    transport._opening.clear()
    count, _ = transport.receive_into(memoryview(bytearray(READ_BYTES)))
    assert 0 < count < room
    assert transport.filled


def test_a_ping_is_answered_without_being_asked_to_write() -> None:
    layer, peer = web()
    below = Blocks(peer.connection.send(Ping(payload=b"?")))
    transport = LayeredTransport(below, [layer])  # type: ignore[arg-type]
    transport._opening.clear()
    with pytest.raises(BlockingIOError):
        transport.receive_into(memoryview(bytearray(READ_BYTES)))
    peer.connection.receive_data(below.sent)
    (pong,) = peer.connection.events()
    assert pong.payload == b"?"  # type: ignore[attr-defined]
