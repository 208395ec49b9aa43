from typing import Any

import numpy as np

from simulator.measure.expectation import Expectation
from simulator.measure.outcomes import Unexpected
from simulator.measure.receipts import ReceiptFlag
from simulator.measure.tallies import StateTally, UnexpectedTally


def rows(*of: tuple[int, int, int]) -> Any:
    """Receipt rows from (subscriber, alert, flags)."""
    return np.array([[s, a, 10, 0, 20, f] for s, a, f in of], np.int64)


def test_everything_is_counted_and_a_bounded_number_of_rows_kept() -> None:
    tally = UnexpectedTally(bound=3)
    reasons = np.full(2, Unexpected.FOREIGN, np.int8)
    for _ in range(4):
        tally.add(rows((0, -1, 0), (1, -1, 4)), reasons)

    assert (tally.total, tally.left_out, len(tally.strays().rows)) == (8, 5, 3)
    assert tally.by_subscriber == {0: 4, 1: 4}
    assert tally.by_qos == {0: 4, 1: 4}
    assert len(tally.fresh().rows) == 3
    assert len(tally.fresh().rows) == 0


def test_nothing_is_an_empty_table_of_the_right_shape() -> None:
    strays = UnexpectedTally().strays()
    assert strays.rows.shape == (0, 6)
    assert strays.part(0, 5).reasons.tolist() == []


def test_retained_copies_beyond_the_bound_are_counted(kit: Any) -> None:
    expectation = Expectation([kit.alert(0)])
    expectation.add(kit.sub(0, filters=(("alertsim/v1/#", 1),)))
    tally = StateTally(expectation, bound=2)
    copy = (0, 0, int(ReceiptFlag.STATE | ReceiptFlag.RETAIN))
    tally.add(rows(copy, copy, copy))

    assert (tally.retained, tally.left_out, len(tally.retained_rows())) == (3, 1, 2)
