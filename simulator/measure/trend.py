"""Trends: what a figure does from run to run, and what may be said of it.

Rule of the module: pure arithmetic on one number a run, in the order of the runs, which are taken
as independent. A change is claimed only where chance shuffles the runs into as large a one less
than once in a hundred times, and the interval of its size leaves out zero; a level or a band only
from as many runs as carry it.

Change points: A. N. Pettitt, A non-parametric approach to the change-point problem, Applied
Statistics 28 (1979) 126-135; its chance here by shuffling the runs. Interval of a median: order
statistics, H. A. David and H. N. Nagaraja, Order Statistics (2003), section 7.1. Band: the median
and twice the median absolute deviation, scaled by 1.4826 to the standard deviation of normally
scattered runs, F. R. Hampel, Journal of the American Statistical Association 69 (1974) 383-393.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import comb
from typing import Final

import numpy as np

from simulator.experiment.estimates import Floats, Interval
from simulator.measure.columns import Int64s

FEWEST_OF_MEDIAN: Final = 6  # with fewer no pair of order statistics holds the median in 95 %
FEWEST_OF_BAND: Final = 8
FEWEST_OF_SIDE: Final = 5  # runs before and after a change
MOST_CHANGES: Final = 4
CHANCE: Final = 0.01
_SHUFFLES: Final = 999
_RESAMPLES: Final = 1000
_LEVEL: Final = 0.95
_TO_DEVIATION: Final = 1.4826
_DEVIATIONS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Runs between two changes.

    Attributes:
        first: number of the first run.
        last: number of the last run.
        median: of their values.
        band: where about 95 % of such runs lie; None of fewer than eight.
    """

    first: int
    last: int
    median: float
    band: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that chance does not explain.

    Attributes:
        at: number of the first run after it.
        difference: median after it less the median before it.
        interval: 95 % interval of that, bootstrap over runs, its place taken as known.
        chance: how often shuffled runs have as large a change somewhere, 0 to 0.01.
    """

    at: int
    difference: float
    interval: Interval
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """What a row of runs does.

    Attributes:
        levels: stretches between changes, in order; none without runs.
        changes: one fewer than levels.
    """

    levels: tuple[Level, ...]
    changes: tuple[Change, ...]


def trend_of(values: Sequence[float]) -> Trend:
    """Levels and changes of a figure.

    Args:
        values: one a run, in the order of the runs.
    """
    numbers = np.asarray(values, np.float64)
    if not len(numbers):
        return Trend(levels=(), changes=())
    found: list[Change] = []
    _search(numbers, 0, len(numbers), found)
    changes = tuple(sorted(found, key=lambda change: change.at))
    ends = [0, *(change.at for change in changes), len(numbers)]
    levels = tuple(_level(numbers[first:end], first) for first, end in pairwise(ends))
    return Trend(levels=levels, changes=changes)


def median_interval(values: Sequence[float]) -> tuple[float, Interval | None]:
    """The median, and its interval of at least 95 %; None under six values.

    Args:
        values: at least one.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    count = len(ordered)
    below, cut = 0, -1  # the tail of the binomial count of values below the median
    while (below := below + comb(count, cut + 1)) * 2 <= (1 - _LEVEL) * 2**count:
        cut += 1
    interval = (float(ordered[cut]), float(ordered[count - 1 - cut])) if cut >= 0 else None
    return float(np.median(ordered)), interval


def _level(values: Floats, first: int) -> Level:
    median = float(np.median(values))
    band = None
    if len(values) >= FEWEST_OF_BAND:
        spread = _DEVIATIONS * _TO_DEVIATION * float(np.median(np.abs(values - median)))
        band = (median - spread, median + spread)
    return Level(first=first, last=first + len(values) - 1, median=median, band=band)


def _search(values: Floats, start: int, end: int, found: list[Change]) -> None:
    """Split a stretch at its most evident change, then its parts likewise."""
    if len(found) >= MOST_CHANGES:
        return
    change = _most_evident(values[start:end], start)
    if change is None:
        return
    found.append(change)
    _search(values, start, change.at, found)
    _search(values, change.at, end, found)


def _most_evident(values: Floats, start: int) -> Change | None:
    count = len(values)
    if count < 2 * FEWEST_OF_SIDE:
        return None
    ranks = _ranks(values)
    sizes = np.abs(_pettitt(ranks[None, :]))[0]
    place = int(np.argmax(sizes))
    shuffled = np.abs(_pettitt(ranks[_shuffles(count)])).max(axis=1)
    as_large = np.count_nonzero(shuffled >= sizes[place])
    chance = float(as_large + 1) / (_SHUFFLES + 1)
    if chance > CHANCE:
        return None
    at = place + FEWEST_OF_SIDE
    before, after = values[:at], values[at:]
    interval = _difference_interval(before, after)
    if interval[0] <= 0 <= interval[1]:
        return None
    return Change(
        at=start + at,
        difference=float(np.median(after) - np.median(before)),
        interval=interval,
        chance=chance,
    )


@lru_cache(maxsize=4)
def _shuffles(count: int) -> Int64s:
    """Orders of as many runs, the same ones for every figure of them."""
    raw = np.random.PCG64(count).random_raw(_SHUFFLES * count).reshape(_SHUFFLES, count)
    return np.argsort(raw, axis=1, kind="stable")


def _pettitt(ranks: Floats) -> Floats:
    """Pettitt's statistic of each row, at every place with enough runs on both sides."""
    count = ranks.shape[1]
    places = np.arange(FEWEST_OF_SIDE, count - FEWEST_OF_SIDE + 1)
    sums = np.cumsum(ranks, axis=1)[:, places - 1]
    found: Floats = 2 * sums - places * (count + 1)
    return found


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    shared: Floats = (ends - (counts - 1) / 2)[place]
    return shared


def _difference_interval(before: Floats, after: Floats) -> Interval:
    """Percentile bootstrap of the difference of medians, each side drawn by itself."""
    medians = [_drawn_medians(side, number) for number, side in enumerate((before, after))]
    ordered = np.sort(medians[1] - medians[0])
    tail = int(np.ceil((1 - _LEVEL) / 2 * _RESAMPLES)) - 1
    return float(ordered[tail]), float(ordered[_RESAMPLES - 1 - tail])


def _drawn_medians(values: Floats, number: int) -> Floats:
    count = len(values)
    raw = np.random.PCG64(2 * count + number).random_raw(_RESAMPLES * count)
    drawn = values[(raw % np.uint64(count)).astype(np.int64)].reshape(_RESAMPLES, count)
    medians: Floats = np.median(drawn, axis=1)
    return medians
