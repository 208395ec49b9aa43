"""However a stream is cut into reads, the connection sees the same packets and answers the same."""

import itertools
import selectors

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import Packet
from simulator.delivery.wire.transport import Address
from simulator.delivery.wire.versions import codec_for

BUFFER = ReadBuffer()
CONNACK = {"3.1.1": b"\x20\x02\x00\x00", "5": b"\x20\x03\x00\x00\x00"}
SUBACK = {"3.1.1": b"\x90\x03\x00\x01\x02", "5": b"\x90\x04\x00\x01\x00\x02"}


class Script:
    """Gives prepared blocks, keeps what is written."""

    layered = filled = pending = False
    waits = selectors.EVENT_WRITE

    def __init__(self, blocks: list[bytes]) -> None:
        self.blocks = blocks
        self.written = b""

    def fileno(self) -> int:
        return -1

    def advance(self) -> bool:
        return True

    def receive_into(self, view: memoryview) -> tuple[int, int]:
        block = self.blocks.pop(0)
        view[: len(block)] = block
        return len(block), 0

    def send(self, data: bytes | bytearray | memoryview) -> int:
        self.written += bytes(data)
        return len(data)

    def close(self) -> None:
        pass


def play(protocol: str, blocks: list[bytes]) -> tuple[list[Packet], bytes, State]:
    script = Script(list(blocks))
    endpoint = BrokerEndpoint(host="h", port=1, protocol=protocol)
    order = ConnectionOrder(endpoint=endpoint, client="c", filters=(("a/#", 2),))
    connection = Connection(order, lambda _address, _order: script)
    connection.open(Address(family=0, sockaddr=()), 0)
    connection.handle(selectors.EVENT_WRITE, 0, BUFFER)
    seen: list[Packet] = []
    while script.blocks:
        seen += connection.handle(selectors.EVENT_READ, 0, BUFFER)
    return seen, script.written, connection.state


messages = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 3), st.binary(max_size=200), st.booleans()),
    max_size=12,
)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@given(messages=messages, cuts=st.lists(st.integers(1, 2000), max_size=30))
def test_cuts_do_not_matter(
    protocol: str, messages: list[tuple[int, int, bytes, bool]], cuts: list[int]
) -> None:
    codec = codec_for(protocol)
    stream = CONNACK[protocol] + SUBACK[protocol]
    for qos, packet_id, payload, released in messages:
        stream += codec.publish("a/b", payload, qos=qos, packet_id=packet_id)
        if qos == 2 and released:
            stream += codec.pubrel(packet_id)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:stop] for start, stop in itertools.pairwise(edges)]
    assert play(protocol, pieces) == play(protocol, [stream])
