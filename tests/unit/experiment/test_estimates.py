import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from simulator.experiment import estimates
from simulator.experiment.estimates import (
    QUANTILES,
    Bootstrap,
    estimate,
    half_width,
    paired_difference,
    present,
    quantiles,
    student_interval,
)


def _column(*values: float | None) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def test_students_interval_is_that_of_the_table() -> None:
    # Two-sided 95 %: t = 2.262 for 9 degrees of freedom, 2.045 for 29 (any printed table).
    for n, t in ((10, 2.262157), (30, 2.045230)):
        values = np.arange(n, dtype=np.float64)
        interval = student_interval(values)
        assert interval is not None
        error = values.std(ddof=1) / math.sqrt(n)
        assert interval == pytest.approx(
            (values.mean() - t * error, values.mean() + t * error), abs=1e-5
        )
        assert half_width(values) == pytest.approx(t * error, abs=1e-5)


def test_under_ten_there_is_no_interval() -> None:
    nine = np.arange(9, dtype=np.float64)
    assert student_interval(nine) is None
    assert half_width(nine) is None
    assert Bootstrap().mean(nine) is None
    found = estimate(nine, Bootstrap())
    assert found is not None
    assert (found.student, found.bootstrap, found.quantiles) == (None, None, ())


def test_a_quantile_needs_enough_on_either_side() -> None:
    def stated(n: int) -> list[float]:
        return [float(one.percent) for one in quantiles(np.arange(n, dtype=np.float64))]

    assert stated(19) == []
    assert stated(20) == [50]
    assert stated(40) == [25, 50, 75]
    assert stated(200) == [5, 10, 25, 50, 75, 90, 95]
    assert stated(1000) == [float(one) for one in QUANTILES]


def test_quantiles_are_nearest_ranks() -> None:
    values = np.arange(1, 1001, dtype=np.float64)
    found = {float(one.percent): one.value for one in quantiles(values)}
    assert found == {float(percent): 10 * float(percent) for percent in QUANTILES}


def test_the_interval_of_a_quantile_is_that_of_all_resamples() -> None:
    # Seven values can be resampled in 7**7 ways: the median of each is its fourth smallest.
    n, rank = 7, 4
    medians = sorted(
        sorted(resample)[rank - 1] for resample in itertools.product(range(1, n + 1), repeat=n)
    )
    low = medians[math.ceil(0.025 * len(medians)) - 1]
    high = medians[math.ceil(0.975 * len(medians)) - 1]
    assert estimates._resampled_rank(n, rank, 0.025) == low
    assert estimates._resampled_rank(n, rank, 0.975) == high


def test_the_bootstrap_of_a_mean_agrees_with_students_t_where_both_hold() -> None:
    rng = np.random.default_rng(5)
    for n in (200, 1000, 7777):
        values = rng.exponential(size=n)
        drawn, student = Bootstrap().mean(values), student_interval(values)
        assert drawn is not None
        assert student is not None
        assert drawn[1] - drawn[0] == pytest.approx(student[1] - student[0], rel=0.15)
        assert drawn[0] < values.mean() < drawn[1]
        assert Bootstrap().mean(values) == drawn


def test_students_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(2000):
        interval = student_interval(rng.normal(size=12))
        assert interval is not None
        inside += interval[0] <= 0 <= interval[1]
    # 95 % of 2,000, within four standard deviations of the count.
    assert abs(inside - 1900) < 4 * math.sqrt(2000 * 0.95 * 0.05)


def test_what_did_not_happen_is_counted_apart() -> None:
    found = estimate(_column(1, None, 3), Bootstrap())
    assert found is not None
    assert (found.n, found.missing, found.mean, found.low, found.high) == (2, 1, 2, 1, 3)
    assert found.sd == pytest.approx(math.sqrt(2))
    one = estimate(_column(None, 4), Bootstrap())
    assert one is not None
    assert one.sd is None
    assert estimate(_column(None, None), Bootstrap()) is None
    assert present([1, None, 2.5]).tolist() == [1, 2.5]


def test_pairs_cancel_what_they_share() -> None:
    rng = np.random.default_rng(7)
    luck = rng.normal(scale=100, size=500)
    found = paired_difference(luck + 3 + rng.normal(scale=0.1, size=500), luck)
    assert found is not None
    assert found.student is not None
    assert found.student[0] < 3 < found.student[1]
    assert found.unpaired is not None
    assert found.unpaired > 100 * (found.student[1] - found.student[0]) / 2
    own = stats.ttest_ind(luck, rng.permutation(luck), equal_var=False).confidence_interval(0.95)
    assert found.unpaired == pytest.approx((own.high - own.low) / 2, rel=0.01)


def test_only_whole_pairs_count() -> None:
    found = paired_difference(_column(5, None, 7), _column(1, 2, None))
    assert found is not None
    assert (found.n, found.mean, found.student, found.unpaired) == (1, 4, None, None)
    assert paired_difference(_column(None), _column(1)) is None


def test_percents_are_exact() -> None:
    assert tuple(sorted(QUANTILES)) == QUANTILES
    assert all(isinstance(percent, Fraction) for percent in QUANTILES)
