"""The client's state machine, joined to a transport made of lists: up, alive and down."""

import errno
import re
from typing import Any

import pytest

from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.keepalive import HANDSHAKE_NS
from simulator.delivery.wire.order import Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import ConnAck, SubAck, Will
from simulator.delivery.wire.transport import Address
from simulator.units import NS_PER_S
from tests.unit.delivery.wire.bench import ACCEPTED, ADDRESS, READ, RESUMED, WRITE, Bench

PONG = b"\xd0\x00"


def test_the_way_up_with_filters(bench: Bench) -> None:
    bench.order(filters=(("a/+", 1), ("b", 2)))
    connection, codec = bench.connection, bench.connection.codec
    assert (connection.state, connection.events) == (State.IDLE, 0)
    bench.connection.open(ADDRESS, 5)
    assert (connection.state, connection.events) == (State.CONNECTING, WRITE)
    connection.handle(WRITE, 6, bench.buffer)
    assert (connection.state, connection.events) == (State.CONNACK, READ)
    assert isinstance(bench.hear(ACCEPTED)[0], ConnAck)
    assert connection.state.name == "SUBACK"
    assert bench.transport.writes == [
        codec.connect(client_id="c", clean=True, keep_alive_s=60),
        codec.subscribe(1, [("a/+", 1), ("b", 2)]),
    ]
    assert bench.hear(b"\x90\x04\x00\x01\x01\x02") == [SubAck(packet_id=1, codes=(1, 2))]
    assert connection.state.name == "UP"
    assert connection.outgoing == set()


def test_the_way_up_without_filters_ends_with_connack(bench: Bench) -> None:
    bench.order().connect().hear(ACCEPTED)
    assert bench.connection.state is State.UP
    assert len(bench.transport.writes) == 1


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_what_the_order_says_stands_in_connect(
    transport: Any, buffer: ReadBuffer, protocol: str
) -> None:
    will = Will(topic="state/miyagi", retain=True)
    word = "w"
    endpoint = BrokerEndpoint(host="h", port=1, protocol=protocol, username="u", password=word)
    order = ConnectionOrder(
        endpoint=endpoint, client="c", clean=False, keep_alive_s=7, session_expiry_s=9, will=will
    )
    connection = Connection(order, lambda _address, _order: transport)
    connection.open(ADDRESS, 0)
    connection.handle(WRITE, 0, buffer)
    assert transport.writes == [
        connection.codec.connect(
            client_id="c",
            clean=False,
            keep_alive_s=7,
            will=will,
            username="u",
            password=word,
            session_expiry_s=9,
        )
    ]


def test_a_resumed_session_is_not_subscribed_again_but_a_lost_one_is(bench: Bench) -> None:
    bench.order(clean=False, filters=(("a", 1),)).up()
    connection = bench.connection
    connection.close(Cause.LOST)
    connection.release()
    bench.connect().hear(RESUMED)
    assert (connection.state, connection.session_present) == (State.UP, True)
    assert len(bench.transport.writes) == 1
    connection.close(Cause.LOST)
    connection.release()
    bench.connect().hear(ACCEPTED)
    assert (connection.state, connection.session_present) == (State.SUBACK, False)


def test_a_session_of_an_earlier_process_is_subscribed(bench: Bench) -> None:
    bench.order(clean=False, filters=(("a", 1),)).connect().hear(RESUMED)
    assert bench.connection.state is State.SUBACK


@pytest.mark.parametrize(
    ("blocks", "cause", "words"),
    [
        ([b"\x20\x02\x00\x05"], Cause.REFUSED, "not authorized"),
        ([b""], Cause.REFUSED, "instead of CONNACK"),
        ([ACCEPTED, b"\x90\x03\x00\x01\x80"], Cause.REFUSED, r"a at QoS 1 refused \(code 128\)"),
        (
            [ACCEPTED, b"\x90\x03\x00\x01\x00"],
            Cause.REFUSED,
            "a at QoS 1 granted QoS 0: ask for QoS 0",
        ),
        ([ACCEPTED, b"\x90\x03\x00\x02\x01"], Cause.VIOLATION, "nobody asked for"),
        ([ACCEPTED, b"\x90\x04\x00\x01\x01\x01"], Cause.VIOLATION, "another number"),
        ([ACCEPTED, ACCEPTED], Cause.VIOLATION, "second CONNACK"),
        ([b"\x30\x03\x00\x01a"], Cause.VIOLATION, "not MQTT"),
        ([b"\x00\x00"], Cause.VIOLATION, "not MQTT"),
        ([b"S"], Cause.VIOLATION, "answered CONNECT with b'S'"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], Cause.VIOLATION, "speaks HTTP, perhaps WebSocket"),
        ([b"\x15\x03\x01\x00\x02\x02\x16"], Cause.VIOLATION, "this port speaks TLS"),
        ([b"220 mail.example ESMTP\r\n"], Cause.VIOLATION, "not MQTT"),
        ([b"\x20", b"\x02\x00\x05"], Cause.REFUSED, "not authorized"),
        ([ACCEPTED, b"\x00\x00"], Cause.VIOLATION, "type 0"),
        ([ACCEPTED, b""], Cause.LOST, "closed by the broker"),
    ],
)
def test_what_ends_a_handshake(bench: Bench, blocks: list[bytes], cause: Cause, words: str) -> None:
    bench.order(filters=(("a", 1),)).connect().hear(*blocks)
    connection = bench.connection
    assert (connection.state, connection.cause) == (State.CLOSED, cause)
    assert re.search(words, connection.reason)
    assert connection.events == 0


@pytest.mark.parametrize("taken", [1, 9215, 9216, 2**32 - 1])
def test_a_broker_without_room_for_our_largest_alert_is_refused_at_once(
    transport: Any, buffer: ReadBuffer, taken: int
) -> None:
    bench = Bench(transport, buffer, "5").order().connect()
    bench.hear(b"\x20\x08\x00\x00\x05\x27" + taken.to_bytes(4))

    connection = bench.connection
    if taken >= 9216:
        assert connection.state is State.UP
    else:
        assert (connection.state, connection.cause) == (State.CLOSED, Cause.REFUSED)
        assert connection.reason == (
            f"the broker takes packets of at most {taken} bytes, ours may have 9216"
        )


def test_a_refused_tcp_connection_is_unreachable(bench: Bench) -> None:
    bench.order()
    bench.transport.refusal = "Connection refused"
    bench.connect()
    assert (bench.connection.cause, bench.connection.reason) == (
        Cause.UNREACHABLE,
        "Connection refused",
    )


def test_a_connect_that_fails_at_once_is_unreachable(buffer: ReadBuffer) -> None:
    def fail(_address: Address, _order: ConnectionOrder) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    endpoint = BrokerEndpoint(host="h", port=1, protocol="5")
    connection = Connection(ConnectionOrder(endpoint=endpoint, client="c"), fail)
    connection.open(ADDRESS, 0)
    assert (connection.state, connection.cause) == (State.CLOSED, Cause.UNREACHABLE)
    assert connection.reason == "Too many open files"
    assert connection.handle(READ | WRITE, 0, buffer) == []
    assert connection.fileno() == -1


def test_pings_go_out_at_half_the_keep_alive(bench: Bench) -> None:
    connection = bench.order(keep_alive_s=10).up().connection
    assert connection.deadline_ns == 5 * NS_PER_S
    connection.tick(5 * NS_PER_S - 1)
    assert bench.transport.writes == []
    connection.tick(5 * NS_PER_S)
    assert bench.transport.writes == [b"\xc0\x00"]
    assert bench.hear(PONG, now_ns=6 * NS_PER_S) == []
    connection.tick(10 * NS_PER_S)
    connection.tick(20 * NS_PER_S - 1)
    assert connection.state is State.UP
    assert connection.last_alive_ns == 6 * NS_PER_S


def test_silence_after_a_ping_is_a_timeout(bench: Bench) -> None:
    connection = bench.order(keep_alive_s=10).up().connection
    for second in range(5, 15):
        connection.tick(second * NS_PER_S)
        assert connection.state is State.UP
    connection.tick(15 * NS_PER_S)
    assert (connection.state, connection.cause) == (State.CLOSED, Cause.TIMEOUT)


def test_a_broker_too_busy_to_answer_a_ping_is_alive(bench: Bench) -> None:
    connection = bench.order(keep_alive_s=10).up().connection
    connection.tick(5 * NS_PER_S)
    bench.hear(bench.publish(0, 0), now_ns=14 * NS_PER_S)
    connection.tick(15 * NS_PER_S)
    assert connection.state is State.UP
    connection.tick(24 * NS_PER_S)
    assert connection.cause is Cause.TIMEOUT


def test_no_keep_alive_means_no_ping(bench: Bench) -> None:
    connection = bench.order(keep_alive_s=0).up().connection
    connection.tick(10**18)
    assert bench.transport.writes == []


def test_a_broker_of_mqtt_5_may_impose_its_keep_alive(transport: Any, buffer: ReadBuffer) -> None:
    bench = Bench(transport, buffer, "5").order(keep_alive_s=60).connect()
    bench.hear(b"\x20\x09\x00\x00\x06\x13\x00\x04\x21\x00\x0a")
    assert bench.connection.deadline_ns == 2 * NS_PER_S
    assert bench.connection.receive_max == 10


def test_a_handshake_has_a_deadline(bench: Bench) -> None:
    connection = bench.order().connect().connection
    assert connection.deadline_ns == HANDSHAKE_NS
    connection.tick(HANDSHAKE_NS - 1)
    assert connection.state is State.CONNACK
    connection.tick(HANDSHAKE_NS)
    assert (connection.state, connection.cause) == (State.CLOSED, Cause.TIMEOUT)


def test_a_closed_connection_does_not_tick(bench: Bench) -> None:
    bench.order().up().connection.close()
    bench.connection.tick(10**18)
    assert bench.connection.cause is Cause.ORDERLY


def test_a_farewell_of_mqtt_5_is_the_reason(transport: Any, buffer: ReadBuffer) -> None:
    bench = Bench(transport, buffer, "5").order().connect()
    bench.hear(b"\x20\x03\x00\x00\x00", b"\xe0\x01\x8e")
    assert bench.connection.cause is Cause.LOST
    assert bench.connection.reason.endswith("session taken over")


def test_disconnect_says_so_and_closes(bench: Bench) -> None:
    connection = bench.order().up().connection
    connection.disconnect()
    assert bench.transport.writes == [b"\xe0\x00"]
    assert (connection.state, connection.cause) == (State.CLOSED, Cause.ORDERLY)
    connection.release()
    assert bench.transport.closed
    assert connection.state is State.IDLE
    connection.disconnect()
    assert len(bench.transport.writes) == 1


def test_the_first_cause_stands(bench: Bench) -> None:
    connection = bench.order().up().connection
    connection.close(Cause.VIOLATION, "this")
    connection.close(Cause.LOST, "that")
    assert (connection.cause, connection.reason) == (Cause.VIOLATION, "this")


def test_opening_twice_is_a_defect(bench: Bench) -> None:
    bench.order().up()
    with pytest.raises(RuntimeError, match="release"):
        bench.connection.open(ADDRESS, 0)
