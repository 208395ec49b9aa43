"""The hot path against the plain one: same receipts, same acknowledgements, however it is cut."""

import itertools
import json
import selectors
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.clock import ManualClock
from simulator.delivery.messages import BrokerEndpoint, Receipts, SwarmOrder
from simulator.delivery.swarm.intake import Intake
from simulator.delivery.swarm.outbox import Outbox
from simulator.delivery.swarm.recognise import FrameMemory, Recogniser
from simulator.delivery.swarm.subscriber import Subscriber
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import READ_BYTES, Cause, ConnectionOrder, State
from simulator.delivery.wire.packets import Packet, Publish
from simulator.delivery.wire.stamps import EARLY_NS, LAG_NS, StampClock
from simulator.delivery.wire.transport import Address
from simulator.measure.receipts import UNKNOWN, ReceiptBatch, ReceiptFlag
from simulator.units import NS_PER_MS, NS_PER_S

TOPIC, STATE = "alertsim/v1/alerts/miyagi/launch", "alertsim/v1/state/miyagi"
CONNACK = {"3.1.1": b"\x20\x02\x00\x00", "5": b"\x20\x03\x00\x00\x00"}
SUBACK = {"3.1.1": b"\x90\x03\x00\x01\x02", "5": b"\x90\x04\x00\x01\x00\x02"}
ALERTS = 4
START_NS = 100 * NS_PER_S


def payload(alert: int, size: int = 50) -> bytes:
    return json.dumps({"id": f"r-{alert}", "pad": "x" * size}).encode()


class Table:
    """An intake with one subscriber, a clock to turn and a broker's hand."""

    def __init__(self, transport: Any, protocol: str = "3.1.1") -> None:
        self.clock = ManualClock(monotonic=START_NS)
        self.transport = transport
        self.identified: list[bytes] = []
        self.changes: list[Packet] = []
        self.sent: list[Any] = []
        order = SwarmOrder(
            worker=0,
            endpoints={},
            subscribers=(),
            identifiers={f"r-{alert}": alert for alert in range(ALERTS)},
            topics=(TOPIC,) * ALERTS,
            state_topics=(STATE,) * ALERTS,
        )
        self.outbox = Outbox(self.sent.append)
        self.recogniser = Recogniser(order, self._identify)
        self.intake = Intake(
            self.clock,
            StampClock(self.clock),
            self.recogniser,
            self.outbox,
            lambda _subscriber, packet: self.changes.append(packet),
        )
        endpoint = BrokerEndpoint(host="h", port=1, protocol=protocol)
        self.connection = Connection(
            ConnectionOrder(endpoint=endpoint, client="c", filters=(("alertsim/#", 2),)),
            lambda _address, _order: transport,
        )
        self.codec = self.connection.codec
        self.subscriber = Subscriber(9, self.connection, FrameMemory())
        self.connection.open(Address(family=0, sockaddr=()), START_NS)
        self.connection.handle(selectors.EVENT_WRITE, START_NS, self.intake.buffer)
        self.subscriber.floor_ns = START_NS

    def _identify(self, data: bytes) -> str | None:
        self.identified.append(data)
        found = json.loads(data)["id"]
        return found if isinstance(found, str) else None

    def up(self) -> "Table":
        protocol = self.codec.protocol
        self.hear(CONNACK[protocol], SUBACK[protocol])
        assert self.connection.state is State.UP
        self.transport.writes.clear()
        return self

    def hear(self, *blocks: bytes, stamp: int = 0, quiet_ns: int = 0) -> bool:
        attention = False
        for block in blocks:
            self.transport.blocks.append((block, stamp))
            attention = self.intake.read(self.subscriber, quiet_ns)
        return attention

    def frame(
        self, alert: int, qos: int = 0, packet_id: int = 0, topic: str = TOPIC, **fields: Any
    ) -> bytes:
        return self.codec.publish(
            topic, fields.pop("data", payload(alert)), qos=qos, packet_id=packet_id, **fields
        )

    def rows(self) -> list[tuple[int, ...]]:
        self.outbox.flush()
        rows: list[tuple[int, ...]] = []
        for message in self.sent:
            if isinstance(message, Receipts):
                rows += map(tuple, ReceiptBatch.from_bytes(message.rows).rows.tolist())
        self.sent.clear()
        return rows


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


# --- stamps ---


def arrive(table: Table, blocks: list[bytes], *, after_ns: int, read_after_ns: int) -> None:
    """The socket is empty, then a block arrives, then it is read; once for each block."""
    for block in blocks:
        quiet_ns = table.clock.monotonic_ns()
        table.clock.advance(after_ns)
        stamp = table.clock.wall_ns()
        table.clock.advance(read_after_ns)
        table.hear(block, stamp=stamp, quiet_ns=quiet_ns)


def test_the_kernels_stamp_is_the_arrival_of_a_message_alone(table: Table) -> None:
    table.up()
    arrive(table, [table.frame(1)] * 3, after_ns=50, read_after_ns=1000)
    rows = table.rows()
    assert [row[2] - START_NS for row in rows] == [50, 1100, 2150]
    assert [row[3] for row in rows] == [LAG_NS] * 3
    assert [row[4] - row[2] for row in rows] == [1000, 1000, 1000]
    assert not any(row[5] & ReceiptFlag.USER_STAMP for row in rows)


def test_messages_of_a_block_reached_the_interface_not_long_before_the_socket_was_empty(
    table: Table,
) -> None:
    table.up()
    arrive(table, [table.frame(0) + table.frame(1) + table.frame(2)], after_ns=50, read_after_ns=7)
    assert [(row[2] - START_NS, row[3]) for row in table.rows()] == [(50, EARLY_NS + 50)] * 3
    assert table.intake.counters.most == 3


def test_a_stamp_of_a_message_cut_short_is_not_of_the_whole_ones_before(table: Table) -> None:
    table.up()
    whole, cut = table.frame(0), table.frame(1)
    arrive(table, [whole + cut[:10], cut[10:]], after_ns=50, read_after_ns=7)
    first, second = table.rows()
    assert (first[2] - START_NS, first[3]) == (50, EARLY_NS + 50)
    assert (second[2] - START_NS, second[3]) == (107, LAG_NS)


def test_a_stamp_of_another_packet_is_not_of_the_message_before_it(table: Table) -> None:
    table.up()
    arrive(table, [table.frame(0) + b"\xd0\x00"], after_ns=50, read_after_ns=7)
    assert [row[3] for row in table.rows()] == [EARLY_NS + 50]


def test_a_full_read_leaves_every_stamp_uncertain_and_the_next_block_too(table: Table) -> None:
    table.up()
    frame = table.codec.publish(TOPIC, payload(1, READ_BYTES - 70), qos=0)
    pad = READ_BYTES - len(frame)
    frame = table.codec.publish(TOPIC, payload(1, READ_BYTES - 70 + pad), qos=0)
    assert len(frame) == READ_BYTES
    arrive(table, [frame, table.frame(0)], after_ns=50, read_after_ns=7)
    full, following = table.rows()
    assert (full[2] - START_NS, full[3]) == (50, EARLY_NS + 50)
    # the following block may have been waiting when the first was read; alone it has its stamp
    assert (following[2] - START_NS, following[3]) == (107, LAG_NS)
    arrive(table, [frame, table.frame(0) + table.frame(2)], after_ns=50, read_after_ns=7)
    _, earlier, last = table.rows()
    assert earlier[3] == last[3] == EARLY_NS + 2 * 57 - 7


def test_without_a_kernel_stamp_the_read_is_the_stamp_and_is_counted(table: Table) -> None:
    table.up()
    missing = table.intake.counters.stamps_missing
    quiet_ns = table.clock.monotonic_ns()
    table.clock.advance(30)
    table.hear(table.frame(0) + table.frame(1), quiet_ns=quiet_ns)
    for row in table.rows():
        assert (row[2] - START_NS, row[3]) == (30, EARLY_NS + 30)
        assert row[5] & ReceiptFlag.USER_STAMP
    assert table.intake.counters.stamps_missing == missing + 1


def test_a_stamp_that_cannot_be_true_is_replaced_by_the_read(table: Table) -> None:
    table.up()
    table.clock.advance(NS_PER_MS)
    table.hear(table.frame(0), stamp=table.clock.wall_ns() + NS_PER_S)
    ((_, _, received, uncertainty, _, flags),) = table.rows()
    assert received == table.clock.monotonic_ns()
    assert uncertainty == NS_PER_MS
    assert flags & ReceiptFlag.USER_STAMP


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
