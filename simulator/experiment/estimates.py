"""Estimates over replications: means, quantiles and their intervals, differences in pairs.

Rule of the module: pure arithmetic on columns of numbers. Replications are independent, so an
interval over them means what it says; under ten there is none, and quantile q is stated from
n >= 10 / (1 - q) only (of the lower tail likewise). All intervals are at 95 %.

Student's t: W. S. Gosset, Biometrika 6 (1908) 1-25; quantiles from SciPy. Bootstrap: B. Efron and
R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13 (percentile interval). That of a
quantile needs no resampling: the chance that the k-th of n resampled values lies at or below the
j-th of the sample is that of a binomial count, I(j/n; k, n-k+1) (B. Efron, The Jackknife, the
Bootstrap and Other Resampling Plans, 1982, section 10.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulator.thresholds import samples_needed

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

FEWEST: Final = 10
RESAMPLES: Final = 1000
MOST_BLOCKS: Final = 1000
LEVEL: Final = 0.95
QUANTILES: Final = tuple(map(Fraction, (1, 5, 10, 25, 50, 75, 90, 95, 99)))

_ALL: Final = 100
_TAIL: Final = (1 - LEVEL) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A quantile that the sample can carry.

    Attributes:
        percent: above 0, below 100.
        value: nearest rank.
        low: lower end of its interval.
        high: upper end.
    """

    percent: Fraction
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What is known of one figure.

    Attributes:
        n: replications that have it.
        missing: replications in which it did not happen.
        mean: of those that have it.
        sd: sample standard deviation; None of fewer than two.
        low: smallest.
        high: largest.
        student: 95 % interval of the mean, Student's t; None under ten.
        bootstrap: 95 % interval of the mean, percentile bootstrap; None under ten.
        quantiles: those that n supports.
    """

    n: int
    missing: int
    mean: float
    sd: float | None
    low: float
    high: float
    student: Interval | None
    bootstrap: Interval | None
    quantiles: tuple[Quantile, ...]


class Bootstrap:
    """Draws replications again, always in the same way.

    The draws are raw integers of PCG64, the same on every machine and in every version of NumPy.
    """

    def __init__(self) -> None:
        self._counts: dict[int, Floats] = {}

    def mean(self, values: Floats) -> Interval | None:
        """Interval of the mean; None under ten values.

        Beyond a thousand values neighbours are drawn together: of independent values the mean of a
        block is as good as its members, and the cost stays the same.
        """
        if len(values) < FEWEST:
            return None
        blocks = min(len(values), MOST_BLOCKS)
        starts = np.arange(blocks) * len(values) // blocks
        sums = np.add.reduceat(values, starts)
        sizes = np.diff(starts, append=len(values)).astype(np.float64)
        counts = self._drawn(blocks)
        means = np.sort(counts @ sums / (counts @ sizes))
        low = max(0, int(np.ceil(_TAIL * RESAMPLES)) - 1)
        return float(means[low]), float(means[RESAMPLES - 1 - low])

    def _drawn(self, blocks: int) -> Floats:
        """How often each block is drawn in each resample."""
        known = self._counts.get(blocks)
        if known is None:
            raw = np.random.PCG64(blocks).random_raw(RESAMPLES * blocks)
            place = (raw % np.uint64(blocks)).astype(np.int64).reshape(RESAMPLES, blocks)
            place += np.arange(RESAMPLES)[:, None] * blocks
            flat = np.bincount(place.ravel(), minlength=RESAMPLES * blocks)
            known = flat.reshape(RESAMPLES, blocks).astype(np.float64)
            self._counts[blocks] = known
        return known


def present(values: Sequence[Any] | npt.NDArray[Any]) -> Floats:
    """The values that are there, as numbers."""
    column = np.array([np.nan if value is None else value for value in values], np.float64)
    return column[~np.isnan(column)]


def estimate(column: Floats, bootstrap: Bootstrap) -> Estimate | None:
    """What is known of a figure; None if it never happened.

    Args:
        column: a value per replication, NaN where it did not happen.
        bootstrap: resamples.
    """
    values = column[~np.isnan(column)]
    if not len(values):
        return None
    ordered = np.sort(values)
    return Estimate(
        n=len(values),
        missing=len(column) - len(values),
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)) if len(values) > 1 else None,
        low=float(ordered[0]),
        high=float(ordered[-1]),
        student=student_interval(values),
        bootstrap=bootstrap.mean(values),
        quantiles=quantiles(ordered),
    )


def student_interval(values: Floats) -> Interval | None:
    """95 % interval of the mean; None under ten values."""
    if len(values) < FEWEST:
        return None
    from scipy.special import stdtrit  # noqa: PLC0415  (0.2 s, only where it is needed)

    mean = float(values.mean())
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    reach = float(stdtrit(len(values) - 1, 1 - _TAIL)) * error
    return mean - reach, mean + reach


def half_width(values: Floats) -> float | None:
    """Half the width of the interval of the mean; None under ten values."""
    interval = student_interval(values)
    return None if interval is None else (interval[1] - interval[0]) / 2


def quantiles(ordered: Floats, percents: Sequence[Fraction] = QUANTILES) -> tuple[Quantile, ...]:
    """The quantiles that a rising sample supports."""
    return tuple(
        _quantile(ordered, percent)
        for percent in percents
        if len(ordered) >= samples_needed(max(percent, _ALL - percent))
    )


def _quantile(ordered: Floats, percent: Fraction) -> Quantile:
    n = len(ordered)
    rank = int(-(-n * percent // _ALL))
    low, high = (_resampled_rank(n, rank, share) for share in (_TAIL, 1 - _TAIL))
    return Quantile(
        percent=percent,
        value=float(ordered[rank - 1]),
        low=float(ordered[low - 1]),
        high=float(ordered[high - 1]),
    )


def _resampled_rank(n: int, rank: int, share: float) -> int:
    """The rank at or below which this share of all resampled quantiles lies."""
    from scipy.special import betaincinv  # noqa: PLC0415

    return min(n, max(1, int(np.ceil(n * float(betaincinv(rank, n - rank + 1, share)) - 1e-9))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much one variant differs from another under the same random numbers.

    Attributes:
        n: pairs in which both have the figure.
        mean: mean of the differences.
        student: 95 % interval of that mean; None under ten pairs.
        unpaired: half the width that the interval would have without pairing; None under ten.
    """

    n: int
    mean: float
    student: Interval | None
    unpaired: float | None


def paired_difference(here: Floats, there: Floats) -> Difference | None:
    """The differences, replication by replication; None if no pair is whole.

    Args:
        here: a value per replication, NaN where it did not happen.
        there: of the variant that is subtracted, in the same order.
    """
    both = ~(np.isnan(here) | np.isnan(there))
    if not both.any():
        return None
    first, second = here[both], there[both]
    difference = first - second
    one, other = half_width(first), half_width(second)
    unpaired = None if one is None or other is None else float(np.hypot(one, other))
    return Difference(
        n=len(difference),
        mean=float(difference.mean()),
        student=student_interval(difference),
        unpaired=unpaired,
    )
