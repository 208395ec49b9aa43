from fractions import Fraction

import numpy as np
import pytest

from simulator.measure import sampling
from simulator.measure.sampling import QUANTILES, Resampler, nearest_rank, too_few

HALF = Fraction(50)


@pytest.mark.parametrize(
    ("percent", "rank"), [("1", 1), ("10", 1), ("10.1", 2), ("50", 5), ("99", 10), ("100", 10)]
)
def test_the_nearest_rank_is_one_of_the_samples(percent: str, rank: int) -> None:
    assert nearest_rank(np.arange(1, 11), Fraction(percent)) == rank


def test_a_quantile_that_the_sample_cannot_carry_says_what_it_needs() -> None:
    assert too_few(1000, Fraction(99)) == ""
    assert too_few(999, Fraction(99)) == "n is 999, and this quantile needs 1000"


def test_under_ten_bursts_there_is_no_interval() -> None:
    values, bursts = np.arange(9_000), np.arange(9_000) // 1000
    assert Resampler(1).intervals(values, bursts, QUANTILES) is None


def test_many_deliveries_of_equal_bursts_leave_no_doubt() -> None:
    values = np.tile(np.arange(1000, 2000), 10)
    found = Resampler(1).intervals(values, np.repeat(np.arange(10), 1000), [HALF])

    assert found is not None
    assert found.mean == (1500, 1500)  # 1499.5 to even
    low, high = found.quantiles[0]
    assert low <= 1499 <= high
    assert high - low < 1499 / 128


def test_bursts_are_resampled_and_not_deliveries() -> None:
    # Half the bursts are slow as a whole: the median could as well be the one or the other,
    # however many deliveries there are.
    bursts = np.repeat(np.arange(10), 1000)
    values = np.where(bursts % 2 == 0, 1_000, 9_000)
    found = Resampler(1).intervals(values, bursts, [HALF])

    assert found is not None
    low, high = found.quantiles[0]
    assert low <= 1_000
    assert high >= 9_000
    assert 1_500 < found.mean[0] < 4_500
    assert 5_500 < found.mean[1] < 8_500


def test_the_same_seed_draws_the_same_and_another_one_does_not() -> None:
    values = np.arange(20) ** 3
    bursts = np.arange(20)

    assert Resampler(1).intervals(values, bursts, QUANTILES) == Resampler(1).intervals(
        values, bursts, QUANTILES
    )
    assert Resampler(1).intervals(values, bursts, QUANTILES) != Resampler(2).intervals(
        values, bursts, QUANTILES
    )


def test_negatives_take_part() -> None:
    values = np.full(10, -5_000)
    found = Resampler(1).intervals(values, np.arange(10), [HALF])

    assert found is not None
    assert found.mean == (-5_000, -5_000)
    low, high = found.quantiles[0]
    assert low <= -5_000 <= high < 0


def test_very_many_bursts_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_BLOCKS", 10)
    found = Resampler(1).intervals(np.arange(1000), np.arange(1000), [HALF])

    assert found is not None
    assert found.mean[0] < 499 < found.mean[1]
