from itertools import pairwise

import numpy as np
import pytest

from simulator.experiment.estimates import Floats
from simulator.measure.trend import (
    FEWEST_OF_BAND,
    FEWEST_OF_MEDIAN,
    FEWEST_OF_SIDE,
    MOST_CHANGES,
    median_interval,
    trend_of,
)


def _noise(runs: int, seed: int = 1) -> Floats:
    raw = np.random.PCG64(seed).random_raw(12 * runs) >> np.uint64(11)
    found: Floats = (raw / 2**53).reshape(runs, 12).sum(axis=1) - 6  # near normal, spread 1
    return found


def test_nothing_is_said_of_no_runs() -> None:
    assert trend_of([]).levels == ()


def test_a_step_is_found_where_it_is_with_an_interval_that_holds_it() -> None:
    values = np.concatenate([10 + _noise(30), 13 + _noise(20, 2)])
    trend = trend_of(values.tolist())
    (change,) = trend.changes
    assert change.at == 30
    assert change.interval[0] < change.difference < change.interval[1]
    assert change.interval[0] < 3 < change.interval[1]
    assert 0 < change.chance <= 0.01
    assert [(level.first, level.last) for level in trend.levels] == [(0, 29), (30, 49)]
    assert trend.levels[0].median == np.median(values[:30])
    assert change.difference == trend.levels[1].median - trend.levels[0].median


def test_a_step_downwards_is_negative() -> None:
    (change,) = trend_of([*(10 + _noise(20)), *(4 + _noise(20, 2))]).changes
    assert change.interval[1] < 0


def test_noise_alone_rarely_changes() -> None:
    claimed = sum(bool(trend_of(_noise(24, seed).tolist()).changes) for seed in range(200))
    assert claimed <= 8  # two are expected; nine or more come once in ten thousand times


def test_a_step_too_near_an_end_or_in_too_few_runs_is_not_claimed() -> None:
    few = [1.0] * (FEWEST_OF_SIDE - 1) + [9.0] * FEWEST_OF_SIDE
    assert not trend_of(few).changes
    assert trend_of([1.0, *few, 9.0, 9.0]).changes[0].at == FEWEST_OF_SIDE


def test_equal_values_are_one_level() -> None:
    trend = trend_of([0.0] * 40)
    assert not trend.changes
    assert trend.levels[0].band == (0.0, 0.0)


def test_order_without_a_difference_of_medians_is_no_change() -> None:
    values = [0.0, 5.0, 5.0, 0.0, 5.0] * 8 + [5.0, 9.0, 5.0, 5.0, 9.0] * 8  # medians 5 and 5
    assert not trend_of(values).changes


def test_several_steps_are_found_and_their_number_is_bounded() -> None:
    heights = [0, 20, 40, 60, 80, 100, 120, 140]
    values = [height + one for height in heights for one in _noise(25, height + 3)]
    trend = trend_of(values)
    assert len(trend.changes) == MOST_CHANGES
    places = [change.at for change in trend.changes]
    assert places == sorted(places)
    for one, other in pairwise(trend.levels):
        assert other.first == one.last + 1


def test_a_band_needs_eight_runs_and_holds_most_of_them() -> None:
    assert trend_of([1.0] * (FEWEST_OF_BAND - 1)).levels[0].band is None
    values = _noise(200)
    band = trend_of(values.tolist()).levels[0].band
    assert band is not None
    inside = np.mean((values >= band[0]) & (values <= band[1]))
    assert 0.9 <= inside <= 0.99


@pytest.mark.parametrize(
    ("count", "cut"),
    [(6, 0), (8, 0), (9, 1), (10, 1), (12, 2), (20, 5), (50, 17)],  # David and Nagaraja, table
)
def test_the_interval_of_a_median_is_that_of_the_published_ranks(count: int, cut: int) -> None:
    median, interval = median_interval(list(range(count)))
    assert median == (count - 1) / 2
    assert interval == (cut, count - 1 - cut)


def test_under_six_values_a_median_has_no_interval() -> None:
    median, interval = median_interval([3.0, 1.0, 2.0, 9.0, 8.0][: FEWEST_OF_MEDIAN - 1])
    assert median == 3.0
    assert interval is None
