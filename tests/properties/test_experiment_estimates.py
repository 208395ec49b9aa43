"""Estimates of any sample: ordered, within the sample, blind to the order of replications."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.experiment.estimates import Bootstrap, estimate, paired_difference

VALUES = st.lists(st.one_of(st.none(), st.integers(-(10**12), 10**12)), min_size=1, max_size=300)


def _column(values: list[int | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], np.float64)


@given(values=VALUES)
def test_estimates_stay_within_the_sample(values: list[int | None]) -> None:
    column = _column(values)
    found = estimate(column, Bootstrap())
    there = column[~np.isnan(column)]
    assert (found is None) == (not len(there))
    if found is None:
        return
    slack = 1e-9 * max(1.0, float(np.abs(there).max()))
    assert found.n + found.missing == len(values)
    assert found.low - slack <= found.mean <= found.high + slack
    assert [one.value for one in found.quantiles] == sorted(one.value for one in found.quantiles)
    for one in found.quantiles:
        assert found.low <= one.low <= one.value <= one.high <= found.high
        assert one.value in there
    if found.bootstrap is not None:
        assert found.low - slack <= found.bootstrap[0] <= found.bootstrap[1] <= found.high + slack


@given(values=VALUES, seed=st.integers(0, 2**32))
def test_the_order_of_replications_says_nothing(values: list[int | None], seed: int) -> None:
    column = _column(values)
    one, other = (
        estimate(chosen, Bootstrap())
        for chosen in (column, np.random.default_rng(seed).permutation(column))
    )
    if one is None or other is None:
        assert one is other
        return
    assert (one.n, one.low, one.high, one.quantiles) == (
        other.n,
        other.low,
        other.high,
        other.quantiles,
    )


@given(values=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=100), by=st.integers())
def test_a_difference_of_all_pairs_alike_is_that_difference(values: list[int], by: int) -> None:
    shift = by % 10**9
    column = _column([*values])
    found = paired_difference(column + shift, column)
    assert found is not None
    assert found.mean == shift
    if found.student is not None:
        assert list(found.student) == [shift, shift]
