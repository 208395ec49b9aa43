"""What the rows of a block say about when its messages arrived."""

from typing import Any

import pytest

from simulator.delivery.wire.order import READ_BYTES
from simulator.delivery.wire.stamps import EARLY_NS, LAG_NS
from simulator.measure.receipts import ReceiptFlag
from simulator.units import NS_PER_MS, NS_PER_S
from tests.unit.delivery.swarm.intake_table import START_NS, TOPIC, Table, payload


@pytest.fixture
def table(transport: Any) -> Table:
    return Table(transport)


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
    assert uncertainty == NS_PER_MS + LAG_NS
    assert flags & ReceiptFlag.USER_STAMP


@pytest.mark.parametrize("step_ns", [3600 * NS_PER_S, -3600 * NS_PER_S])
def test_a_step_of_the_wall_clock_between_arrival_and_read_moves_no_row(
    table: Table, step_ns: int
) -> None:
    table.up()
    quiet_ns = table.clock.monotonic_ns()
    table.clock.advance(50)
    before = table.clock.wall_ns()
    table.clock.step_wall(step_ns)
    table.clock.advance(50)
    after = table.clock.wall_ns()
    table.clock.advance(50)
    table.stamps.check(table.clock.monotonic_ns())  # as the worker does on each turn
    table.hear(table.frame(0), stamp=before, quiet_ns=quiet_ns)
    table.hear(table.frame(1), stamp=after, quiet_ns=quiet_ns)
    assert [(row[2] - START_NS, row[3]) for row in table.rows()] == [(50, LAG_NS), (100, LAG_NS)]
    assert table.stamps.steps == 1
    assert table.intake.counters.stamps_missing == 2  # of the handshake, which had none


def test_a_slewed_wall_clock_moves_no_row_further_than_it_was_slewed(table: Table) -> None:
    table.up()
    for _ in range(100):  # 500 parts per million: 5 us in 10 ms
        quiet_ns = table.clock.monotonic_ns()
        table.clock.advance(10 * NS_PER_MS)
        table.clock.step_wall(5000)
        stamp, arrived = table.clock.wall_ns(), table.clock.monotonic_ns()
        table.stamps.check(table.clock.monotonic_ns())
        table.hear(table.frame(0), stamp=stamp, quiet_ns=quiet_ns)
        ((_, _, received, uncertainty, _, flags),) = table.rows()
        assert received - uncertainty <= arrived <= received
        assert uncertainty <= 50_000
        assert not flags & ReceiptFlag.USER_STAMP
    assert (table.stamps.steps, table.stamps.slewed_ns) == (0, 500_000)
