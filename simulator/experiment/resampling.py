"""Two samples, drawn again together: intervals of differences and ratios of means and quantiles.

Rule of the module: pure arithmetic; the draws are raw integers of PCG64, so that the same samples
give the same interval on every machine. Samples of the same replications are drawn in pairs, others
each for itself. Under ten replications there is no interval.

Percentile bootstrap: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapter
13. Difference of two independent means: B. L. Welch, Biometrika 34 (1947) 28-35.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np

from simulator.experiment.estimates import (
    FEWEST,
    LEVEL,
    MOST_BLOCKS,
    RESAMPLES,
    Floats,
    Interval,
)

_TAIL: Final = (1 - LEVEL) / 2
_HUNDRED: Final = 100
_MANY: Final = 20_000
_FEW_RESAMPLES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A figure of two sides.

    Attributes:
        base: values of the baseline, none of them NaN.
        other: values of the other side; of the same replications if they are paired.
        paired: whether they are.
    """

    base: Floats
    other: Floats
    paired: bool

    @property
    def n(self) -> int:
        """The smaller sample."""
        return min(len(self.base), len(self.other))


def pair_of(base: Floats, other: Floats, *, paired: bool) -> Pair:
    """Two columns as a pair: what did not happen left out, in pairs where they are paired.

    Args:
        base: a value per replication of the baseline, NaN where it did not happen.
        other: of the other side; the longer of two paired columns is cut.
        paired: whether the n-th of both were played with the same draws.
    """
    if not paired:
        return Pair(base=base[~np.isnan(base)], other=other[~np.isnan(other)], paired=False)
    n = min(len(base), len(other))
    both = ~(np.isnan(base[:n]) | np.isnan(other[:n]))
    return Pair(base=base[:n][both], other=other[:n][both], paired=True)


def aggregate_of(values: Floats, percent: Fraction | None) -> float:
    """The mean, or the quantile by nearest rank."""
    if percent is None:
        return float(values.mean())
    rank = -(-len(values) * percent // _HUNDRED)
    return float(np.sort(values)[int(rank) - 1])


def welch_interval(pair: Pair) -> Interval | None:
    """95 % interval of the difference of two independent means; None under ten of either."""
    if pair.n < FEWEST:
        return None
    from scipy.special import stdtrit  # noqa: PLC0415  (0.2 s, only where it is needed)

    terms = [float(side.var(ddof=1)) / len(side) for side in (pair.other, pair.base)]
    middle = float(pair.other.mean() - pair.base.mean())
    if not any(terms):
        return middle, middle
    squares = sum(
        term**2 / (len(side) - 1) for term, side in zip(terms, (pair.other, pair.base), strict=True)
    )
    freedom = sum(terms) ** 2 / squares
    reach = float(stdtrit(freedom, 1 - _TAIL)) * sum(terms) ** 0.5
    return middle - reach, middle + reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """95 % intervals from resampling; None where there is none.

    Attributes:
        other: of the other side's value.
        difference: of the other side less the baseline.
        ratio: of the other side to the baseline; None if a resampled baseline is not above zero.
    """

    other: Interval | None
    difference: Interval | None
    ratio: Interval | None


def resampled(pair: Pair, percent: Fraction | None = None) -> Resampled:
    """Draw both sides again.

    Args:
        pair: the samples.
        percent: a quantile, or None for the mean.
    """
    if pair.n < FEWEST:
        return Resampled(other=None, difference=None, ratio=None)
    first = _drawn(pair.base, percent, salt=0)
    second = _drawn(pair.other, percent, salt=0 if pair.paired else 1)
    ratio = None if (first <= 0).any() else _ends(second / first)
    return Resampled(other=_ends(second), difference=_ends(second - first), ratio=ratio)


def _drawn(values: Floats, percent: Fraction | None, *, salt: int) -> Floats:
    """The mean or quantile of each resample; the same draws for the same length and salt."""
    return _means(values, salt) if percent is None else _quantiles(values, percent, salt)


def _means(values: Floats, salt: int) -> Floats:
    """Beyond a thousand values neighbours are drawn together, as in :class:`Bootstrap`."""
    n = len(values)
    blocks = min(n, MOST_BLOCKS)
    starts = np.arange(blocks) * n // blocks
    sums = np.add.reduceat(values, starts)
    sizes = np.diff(starts, append=n).astype(np.float64)
    counts = _counts(blocks, salt)
    found: Floats = (counts @ sums) / (counts @ sizes)
    return found


@lru_cache(maxsize=4)
def _counts(blocks: int, salt: int) -> Floats:
    """How often each block is drawn in each resample; drawn once for all figures."""
    place = (np.random.PCG64([blocks, salt]).random_raw(RESAMPLES * blocks)) % np.uint64(blocks)
    rows = place.astype(np.int64).reshape(RESAMPLES, blocks)
    rows += np.arange(RESAMPLES)[:, None] * blocks
    flat = np.bincount(rows.ravel(), minlength=RESAMPLES * blocks)
    return flat.reshape(RESAMPLES, blocks).astype(np.float64)


def _quantiles(values: Floats, percent: Fraction, salt: int) -> Floats:
    n = len(values)
    generator = np.random.PCG64([n, salt])
    order = np.argsort(values, kind="stable")
    rank = int(-(-n * percent // _HUNDRED))
    found = np.empty(RESAMPLES if n <= _MANY else _FEW_RESAMPLES)
    for number in range(len(found)):
        place = (generator.random_raw(n) % np.uint64(n)).astype(np.int64)
        counts = np.bincount(place, minlength=n)
        found[number] = values[order[np.searchsorted(np.cumsum(counts[order]), rank)]]
    return found


def _ends(drawn: Floats) -> Interval:
    ordered = np.sort(drawn)
    low = max(0, int(np.ceil(_TAIL * len(ordered))) - 1)
    return float(ordered[low]), float(ordered[len(ordered) - 1 - low])
