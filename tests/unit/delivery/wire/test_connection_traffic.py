"""What an open connection reads and writes, joined to a transport made of lists."""

import errno
from typing import Any

import pytest

from simulator.delivery.wire.order import Cause, ReadBuffer, State
from simulator.delivery.wire.packets import (
    Packet,
    PubAck,
    PubComp,
    Publish,
    PubRec,
)
from tests.unit.delivery.wire.bench import ACCEPTED, READ, RESUMED, WRITE, Bench


def test_messages_are_acknowledged_in_one_write(bench: Bench) -> None:
    bench.order(filters=(("a", 2),)).up()
    packets = bench.hear(bench.publish(0, 0) + bench.publish(1, 5) + bench.publish(2, 6))
    assert [packet.qos for packet in packets if isinstance(packet, Publish)] == [0, 1, 2]
    assert bench.transport.writes == [b"\x40\x02\x00\x05\x50\x02\x00\x06"]


def test_qos_2_is_delivered_once_until_it_is_released(bench: Bench) -> None:
    bench.order(filters=(("a", 2),)).up()
    assert len(bench.hear(bench.publish(2, 6))) == 1
    assert bench.hear(bench.publish(2, 6, dup=True)) == []
    assert bench.hear(b"\x62\x02\x00\x06") == []
    assert len(bench.hear(bench.publish(2, 6))) == 1
    assert bench.transport.writes == [
        b"\x50\x02\x00\x06",
        b"\x50\x02\x00\x06",
        b"\x70\x02\x00\x06",
        b"\x50\x02\x00\x06",
    ]


@pytest.mark.parametrize(("answer", "deliveries"), [(RESUMED, 0), (ACCEPTED, 1)])
def test_a_kept_session_remembers_qos_2_and_a_lost_one_forgets(
    bench: Bench, answer: bytes, deliveries: int
) -> None:
    bench.order(clean=False, filters=(("a", 2),)).up()
    bench.hear(bench.publish(2, 6))
    bench.connection.close(Cause.LOST)
    bench.connection.release()
    bench.connect().hear(answer)
    assert len(bench.hear(bench.publish(2, 6, dup=True))) == deliveries


def test_sending_at_each_qos(bench: Bench) -> None:
    connection = bench.order().up().connection
    codec = connection.codec
    assert connection.publish("a", b"0", qos=0) == 0
    one = connection.publish("a", b"1", qos=1, retain=True)
    two = connection.publish("a", b"2", qos=2)
    assert connection.outgoing == {one, two}
    assert bench.hear(codec.puback(one)) == [PubAck(packet_id=one)]
    assert connection.outgoing == {two}
    assert bench.hear(codec.pubrec(two)) == [PubRec(packet_id=two)]
    assert connection.outgoing == {two}
    assert bench.hear(codec.pubcomp(two)) == [PubComp(packet_id=two)]
    assert connection.outgoing == set()
    assert bench.transport.writes == [
        codec.publish("a", b"0", qos=0),
        codec.publish("a", b"1", qos=1, retain=True, packet_id=one),
        codec.publish("a", b"2", qos=2, packet_id=two),
        codec.pubrel(two),
    ]


def test_a_refused_qos_2_message_frees_its_id(transport: Any, buffer: ReadBuffer) -> None:
    bench = Bench(transport, buffer, "5").order().connect()
    bench.hear(b"\x20\x03\x00\x00\x00")
    packet_id = bench.connection.publish("a", b"x", qos=2)
    bench.transport.writes.clear()
    bench.hear(bytes((0x50, 3, 0, packet_id, 0x97)))  # quota exceeded
    assert bench.connection.outgoing == set()
    assert bench.transport.writes == []


def test_packet_ids_in_use_are_skipped_and_run_out(bench: Bench) -> None:
    connection = bench.order().up().connection
    ids = [connection.take_packet_id() for _ in range(65_535)]
    assert sorted(ids) == list(range(1, 65_536))
    with pytest.raises(RuntimeError, match="in use"):
        connection.take_packet_id()
    connection.outgoing.discard(700)
    assert connection.take_packet_id() == 700


def test_what_the_kernel_does_not_take_is_kept_in_order(bench: Bench) -> None:
    connection = bench.order().up().connection
    before = connection.written_bytes
    bench.transport.room = 3
    connection.send(b"first")
    connection.send(b"second")
    assert (connection.queued_bytes, connection.written_bytes - before) == (8, 3)
    assert connection.events == READ | WRITE
    connection.handle(WRITE, 0, bench.buffer)  # still no room
    assert connection.queued_bytes == 8
    bench.transport.room = None
    connection.handle(WRITE, 0, bench.buffer)
    assert b"".join(bench.transport.writes) == b"firstsecond"
    assert (connection.queued_bytes, connection.events) == (0, READ)
    assert connection.written_bytes - before == 11


def test_a_broken_pipe_shows_as_lost(bench: Bench) -> None:
    connection = bench.order().up().connection
    bench.transport.broken = BrokenPipeError(errno.EPIPE, "Broken pipe")
    connection.publish("a", b"x")
    assert (connection.state, connection.cause) == (State.CLOSED, Cause.LOST)
    assert connection.reason == "Broken pipe"
    connection.publish("a", b"y")  # no effect, no error


def test_a_reset_while_reading_shows_as_lost(bench: Bench) -> None:
    bench.order().up()
    bench.transport.broken = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
    assert bench.connection.handle(READ, 0, bench.buffer) == []
    assert bench.connection.cause is Cause.LOST


def test_nothing_to_read_changes_nothing(bench: Bench) -> None:
    bench.order().up()
    assert bench.connection.handle(READ, 9, bench.buffer) == []
    assert (bench.connection.state, bench.connection.last_alive_ns) == (State.UP, 0)


def test_what_precedes_a_violation_is_delivered_and_what_follows_is_not(bench: Bench) -> None:
    bench.order(filters=(("a", 1),)).up()
    good = bench.publish(0, 0)
    assert len(bench.hear(good + good + b"\x00\x00" + good)) == 2
    assert bench.connection.cause is Cause.VIOLATION


def test_an_oversized_packet_ends_the_connection_from_its_first_bytes(bench: Bench) -> None:
    bench.order(filters=(("a", 1),)).up()
    assert bench.hear(b"\x30\xff\xff\xff\x7f") == []
    assert bench.connection.cause is Cause.VIOLATION
    assert "larger than" in bench.connection.reason


def test_a_packet_in_pieces_is_put_together(bench: Bench) -> None:
    bench.order(filters=(("a", 1),)).up()
    big = bench.connection.codec.publish("a", bytes(700_000), qos=1, packet_id=3)
    bench.transport.blocks.append((big + big, 0))
    packets: list[Packet] = []
    while bench.transport.blocks:
        packets += bench.connection.handle(READ, 0, bench.buffer)
    assert [len(packet.payload) for packet in packets if isinstance(packet, Publish)] == [
        700_000,
        700_000,
    ]
    assert bench.connection.rest == b""


def test_pieces_of_an_old_connection_do_not_reach_the_new_one(bench: Bench) -> None:
    bench.order(filters=(("a", 1),)).up()
    bench.hear(b"\x30\x09\x00")
    assert bench.connection.rest == b"\x30\x09\x00"
    bench.connection.close(Cause.LOST)
    bench.connection.release()
    bench.connect().hear(ACCEPTED)
    assert bench.connection.state is State.SUBACK
