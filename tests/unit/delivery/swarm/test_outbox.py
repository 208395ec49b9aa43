"""Batches leave full or flushed, and order is kept between receipts and changes."""

from typing import Any

from simulator.delivery.messages import Connections, Receipts
from simulator.delivery.swarm.outbox import ROWS, Outbox
from simulator.measure.receipts import WIDTH, ConnectionChange, ConnectionEvent, ReceiptBatch


def change(number: int) -> ConnectionEvent:
    return ConnectionEvent(subscriber=number, change=ConnectionChange.CLOSED, at_ns=1)


def unpack(sent: list[Any]) -> list[object]:
    """Subscriber numbers of rows as int, of changes as str, in order."""
    flat: list[object] = []
    for message in sent:
        if isinstance(message, Receipts):
            flat += [int(row[0]) for row in ReceiptBatch.from_bytes(message.rows).rows]
        elif isinstance(message, Connections):
            flat += [str(event.subscriber) for event in message.events]
    return flat


def test_rows_arrive_as_they_were_added() -> None:
    sent: list[Any] = []
    outbox = Outbox(sent.append)
    rows = [(n, -1, 2**62, 0, -5, 1024) for n in range(3)]
    for row in rows:
        outbox.add(*row)
    assert sent == []
    outbox.flush()
    outbox.flush()
    assert [ReceiptBatch.from_bytes(message.rows).rows.tolist() for message in sent] == [
        [list(row) for row in rows]
    ]


def test_it_tells_whether_anything_waits() -> None:
    outbox = Outbox(lambda _message: None)
    told = [outbox.pending]
    outbox.add(*[0] * WIDTH)
    told.append(outbox.pending)
    outbox.flush()
    told.append(outbox.pending)
    outbox.change(change(1))
    told.append(outbox.pending)
    assert told == [False, True, False, True]


def test_a_full_batch_leaves_by_itself() -> None:
    sent: list[Any] = []
    outbox = Outbox(sent.append)
    for number in range(2 * ROWS + 1):
        outbox.add(number, *[0] * (WIDTH - 1))
    assert [len(message.rows) // (8 * WIDTH) for message in sent] == [ROWS, ROWS]
    outbox.flush()
    assert unpack(sent) == list(range(2 * ROWS + 1))


def test_order_is_kept_between_rows_and_changes() -> None:
    sent: list[Any] = []
    outbox = Outbox(sent.append)
    row = [0] * (WIDTH - 1)
    outbox.change(change(1))
    outbox.change(change(2))
    outbox.add(3, *row)
    outbox.add(4, *row)
    outbox.change(change(5))
    outbox.add(6, *row)
    outbox.flush()
    assert unpack(sent) == ["1", "2", 3, 4, "5", 6]


def test_the_last_row_can_be_settled() -> None:
    sent: list[Any] = []
    outbox = Outbox(sent.append)
    outbox.add(1, 2, 3, 400, 5, 6)
    outbox.add(1, 2, 3, 400, 5, 6)
    outbox.settle_last(7)
    outbox.flush()
    assert ReceiptBatch.from_bytes(sent[0].rows).rows[:, 3].tolist() == [400, 7]
