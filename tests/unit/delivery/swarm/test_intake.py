"""The hot path against the plain one: same receipts, same acknowledgements, however it is cut."""

import itertools
import selectors
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.delivery.wire.order import READ_BYTES, Cause, State
from simulator.delivery.wire.packets import Publish
from simulator.delivery.wire.transport import Address
from simulator.measure.receipts import UNKNOWN, ReceiptFlag
from tests.unit.delivery.swarm.intake_table import (
    ALERTS,
    CONNACK,
    STATE,
    TOPIC,
    Table,
    payload,
)


@pytest.fixture
def table(transport: Any) -> Table:
    return Table(transport)


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_payload_is_read_once_and_recognised_ever_after(
    transport: Any, protocol: str, qos: int
) -> None:
    table = Table(transport, protocol).up()
    for packet_id in range(1, 201):
        table.hear(table.frame(2, qos, packet_id))
    flags = (0, ReceiptFlag.QOS_1, ReceiptFlag.QOS_2)[qos] | ReceiptFlag.USER_STAMP
    assert [(row[0], row[1], row[5]) for row in table.rows()] == [(9, 2, flags)] * 200
    assert len(table.identified) == 1
    assert table.intake.counters.messages == 200
    acknowledge = (None, table.codec.puback, table.codec.pubrec)[qos]
    expected = [acknowledge(packet_id) for packet_id in range(1, 201)] if acknowledge else []
    assert transport.writes == expected


def test_a_changed_byte_is_read_afresh_and_told(table: Table) -> None:
    table.up()
    genuine = table.frame(1)
    altered = genuine.replace(b"xxx", b"xyx", 1)
    spoilt = genuine.replace(b"{", b"[", 1)
    table.hear(genuine + altered + spoilt + genuine + altered + spoilt)
    flags = [ReceiptFlag(0), ReceiptFlag.FOREIGN, ReceiptFlag.MALFORMED] * 2
    assert [(row[1], ReceiptFlag(row[5]) & ~ReceiptFlag.USER_STAMP) for row in table.rows()] == [
        (1 if not flag else UNKNOWN, flag) for flag in flags
    ]
    assert len(table.identified) == 3


def test_one_write_acknowledges_a_block(table: Table) -> None:
    table.up()
    block = b"".join(table.frame(n % ALERTS, n % 3, n + 1) for n in range(12))
    table.hear(block, block)
    first, second = table.transport.writes
    codec = table.codec
    assert first == b"".join(
        (codec.puback if n % 3 == 1 else codec.pubrec)(n + 1) for n in range(12) if n % 3
    )
    assert second == first  # QoS 2 again before its release: acknowledged …
    assert len(table.rows()) == 24 - 4  # … and not delivered again


def test_qos_2_counts_again_after_its_release(table: Table) -> None:
    table.up()
    frame, release = table.frame(1, 2, 7), table.codec.pubrel(7)
    table.hear(frame + frame + release + frame)
    assert len(table.rows()) == 2
    assert table.connection.incoming == {7}


def test_a_dup_copy_is_decoded_and_says_so(table: Table) -> None:
    table.up()
    table.hear(table.frame(1, 1, 7), table.frame(1, 1, 8, dup=True), table.frame(1, 1, 9))
    flags = [row[5] & ReceiptFlag.DUP for row in table.rows()]
    assert flags == [0, ReceiptFlag.DUP, 0]


def test_retained_and_cleared_states(table: Table) -> None:
    table.up()
    table.hear(table.frame(1, 1, 7, STATE, retain=True), table.frame(1, 1, 8, STATE, data=b""))
    kept, cleared = table.rows()
    assert kept[1] == 1
    assert ReceiptFlag(kept[5]) & ~ReceiptFlag.USER_STAMP == (
        ReceiptFlag.STATE | ReceiptFlag.RETAIN | ReceiptFlag.QOS_1
    )
    assert cleared[1] == UNKNOWN
    assert ReceiptFlag(cleared[5]) & ReceiptFlag.CLEARED


def test_the_subscribers_flags_stand_on_every_row(table: Table) -> None:
    table.up()
    table.subscriber.flags = int(ReceiptFlag.SESSION)
    table.hear(table.frame(1), table.frame(1))
    assert all(row[5] & ReceiptFlag.SESSION for row in table.rows())


def test_messages_in_one_block_with_connack_carry_the_sessions_flag(transport: Any) -> None:
    table = Table(transport)
    table.intake._on_change = lambda subscriber, _packet: setattr(
        subscriber, "flags", int(ReceiptFlag.SESSION)
    )
    table.hear(CONNACK["3.1.1"] + table.frame(1) + table.frame(1))
    assert [row[5] & ReceiptFlag.SESSION for row in table.rows()] == [ReceiptFlag.SESSION] * 2


def test_other_packets_reach_the_worker_after_the_state_machine(table: Table) -> None:
    table.up()
    assert [type(packet).__name__ for packet in table.changes] == ["ConnAck", "SubAck"]


def test_a_message_before_connack_is_a_violation_even_if_it_is_known(table: Table) -> None:
    known = table.frame(1)
    table.up().hear(known)
    table.connection.close(Cause.LOST)
    table.connection.release()
    table.connection.open(Address(family=0, sockaddr=()), 0)
    table.connection.handle(selectors.EVENT_WRITE, 0, table.intake.buffer)
    assert table.hear(known)
    assert table.connection.cause is Cause.VIOLATION
    assert len(table.rows()) == 1


@pytest.mark.parametrize("bad", [b"\x00\x00", b"\x30\xff\xff\xff\x7f", b"\x36\x03\x00\x01a"])
def test_what_is_not_mqtt_closes_after_what_came_before(table: Table, bad: bytes) -> None:
    table.up()
    good = table.frame(1)
    assert table.hear(good + good + bad + good)
    assert (table.connection.state, table.connection.cause) == (State.CLOSED, Cause.VIOLATION)
    assert len(table.rows()) == 2


@pytest.mark.parametrize("known", [True, False])
def test_packet_id_0_is_a_violation(table: Table, *, known: bool) -> None:
    table.up()
    good, bad = table.frame(1, 1, 7), table.frame(1, 1, 0)
    table.hear(good + bad if known else bad)
    assert table.connection.cause is Cause.VIOLATION
    assert len(table.rows()) == known


def test_the_end_of_the_stream_asks_for_attention(table: Table) -> None:
    table.up()
    assert table.hear(b"")
    assert table.connection.cause is Cause.LOST
    assert not table.rows()


def test_unsent_acknowledgements_ask_for_attention(table: Table) -> None:
    table.up()
    assert not table.hear(table.frame(1, 1, 7))
    table.transport.room = 1
    assert table.hear(table.frame(1, 1, 8))
    assert table.connection.events == selectors.EVENT_READ | selectors.EVENT_WRITE


def test_more_rows_than_a_batch_holds(table: Table) -> None:
    table.up()
    frame = table.codec.publish(TOPIC, payload(1, 0), qos=0)
    count = READ_BYTES // len(frame) - 1
    for _ in range(4):
        table.hear(frame * count)
    assert len(table.rows()) == 4 * count


# --- against the plain path ---

steps = st.lists(
    st.tuples(
        st.sampled_from(["alert", "alert", "alert", "dup", "release", "odd", "foreign", "pong"]),
        st.integers(0, ALERTS - 1),
        st.integers(0, 2),
        st.integers(1, 4),
    ),
    max_size=25,
)


def stream_of(table: Table, script: list[tuple[str, int, int, int]]) -> bytes:
    stream = b""
    for kind, alert, qos, packet_id in script:
        if kind == "release":
            stream += table.codec.pubrel(packet_id)
        elif kind == "pong":
            stream += b"\xd0\x00"
        elif kind == "odd":
            stream += table.frame(alert, qos, packet_id, data=b"%d?" % alert)
        elif kind == "foreign":
            stream += table.frame(alert, qos, packet_id, "alertsim/v1/alerts/x/launch")
        else:
            stream += table.frame(alert, qos, packet_id, dup=kind == "dup" and qos > 0)
    return stream


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@given(script=steps, cuts=st.lists(st.integers(1, 3000), max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_the_hot_path_equals_the_plain_path(
    make_transport: Any, protocol: str, script: list[tuple[str, int, int, int]], cuts: list[int]
) -> None:
    plain, hot = (Table(make_transport(), protocol).up() for _ in range(2))
    stream = stream_of(hot, script)
    expected = []
    position = 0
    while position < len(stream):
        packet, used = plain.codec.read(stream, position, len(stream))
        position += used
        if plain.connection.process(packet, 0) and isinstance(packet, Publish):
            expected.append(plain.recogniser.judge(packet))
    plain.connection.send_acknowledgements()
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    hot.hear(*(stream[start:stop] for start, stop in itertools.pairwise(edges)))
    assert [(row[1], row[5] & ~ReceiptFlag.USER_STAMP) for row in hot.rows()] == expected
    assert b"".join(hot.transport.writes) == b"".join(plain.transport.writes)
    assert hot.connection.incoming == plain.connection.incoming
