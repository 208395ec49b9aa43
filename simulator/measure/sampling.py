"""Sampling: quantiles that the sample can carry, and intervals over bursts.

Rule of the module: a quantile q is stated from n >= 10 / (1 - q); it is the nearest rank of the
samples themselves, negatives included. Many deliveries of one burst are one independent
observation, so intervals resample bursts, never deliveries, and under ten bursts there is none.
Draws are raw integers of a named stream: the same run and seed give the same interval.

Method: percentile bootstrap over clusters, B. Efron and R. Tibshirani, An Introduction to the
Bootstrap (1993), chapters 8 and 13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.measure.columns import Int64s
from simulator.randomness import Streams
from simulator.thresholds import samples_needed

FEWEST_BURSTS: Final = 10
RESAMPLES: Final = 400
MOST_BLOCKS: Final = 500
MEDIAN: Final = Fraction(50)
P99: Final = Fraction(99)
QUANTILES: Final = (MEDIAN, Fraction(90), P99, Fraction(999, 10))

_GRID_BITS: Final = 8  # cells of intervals are 1/256 of a value wide at most
_LOW, _HIGH = Fraction(25, 10), Fraction(975, 10)


def nearest_rank(ordered: npt.NDArray[np.int64], percent: Fraction) -> int:
    """The quantile of sorted samples: the smallest that has q of them at or below it.

    Args:
        ordered: samples, rising, at least one.
        percent: above 0, at most 100.
    """
    rank = -(-len(ordered) * percent // 100)
    return int(ordered[int(rank) - 1])


def too_few(samples: int, percent: Fraction) -> str:
    """Why a quantile cannot be stated; empty if it can."""
    needed = samples_needed(percent)
    return "" if samples >= needed else f"n is {samples}, and this quantile needs {needed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """95 % intervals over bursts, wall ns.

    Attributes:
        mean: of the mean.
        quantiles: of each quantile asked for.
    """

    mean: tuple[int, int]
    quantiles: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What each resample gives, wall ns.

    Attributes:
        mean: means.
        quantiles: of each quantile asked for, the values.
    """

    mean: Int64s
    quantiles: tuple[Int64s, ...]


class Resampler:
    """Draws bursts again.

    Args:
        seed: seed of the run.
    """

    def __init__(self, seed: int) -> None:
        self._streams = Streams(seed)
        self._weights: dict[int, npt.NDArray[np.float64]] = {}

    def intervals(
        self, values: Int64s, bursts: Int64s, percents: Sequence[Fraction]
    ) -> Intervals | None:
        """Intervals of the mean and of quantiles; None under ten bursts.

        Args:
            values: samples, ns.
            bursts: the burst behind each.
            percents: quantiles asked for.
        """
        drawn = self.drawn(values, bursts, percents)
        if drawn is None:
            return None
        quantiles = []
        for cells in drawn.quantiles:
            low, high = _ends(cells)
            quantiles.append((low, _top_of_cell(high)))
        return Intervals(mean=_ends(drawn.mean), quantiles=tuple(quantiles))

    def drawn(self, values: Int64s, bursts: Int64s, percents: Sequence[Fraction]) -> Drawn | None:
        """Mean and quantiles of every resample; None under ten bursts.

        Args:
            values: samples, ns.
            bursts: the burst behind each.
            percents: quantiles asked for; each as the lower end of its cell.
        """
        block, blocks = _blocks(bursts)
        if blocks < FEWEST_BURSTS:
            return None
        weights = self._weights_for(blocks)
        sizes = np.bincount(block, minlength=blocks).astype(np.float64)
        sums = np.bincount(block, weights=values.astype(np.float64), minlength=blocks)
        counts = weights @ sizes
        cells, cell = np.unique(_on_grid(values), return_inverse=True)
        table = np.bincount(block * len(cells) + cell, minlength=blocks * len(cells))
        rising = np.cumsum(weights @ table.reshape(blocks, len(cells)), axis=1)
        ranks = [np.ceil(counts * (float(percent) / 100)) for percent in percents]
        return Drawn(
            mean=np.round(weights @ sums / counts).astype(np.int64),
            quantiles=tuple(cells[np.sum(rising < rank[:, None], axis=1)] for rank in ranks),
        )

    def _weights_for(self, blocks: int) -> npt.NDArray[np.float64]:
        """How often each block is drawn, in each resample."""
        known = self._weights.get(blocks)
        if known is None:
            stream = self._streams.stream(f"measure/bursts/{blocks}")
            drawn = np.array(
                [stream.raw() % blocks for _ in range(RESAMPLES * blocks)], np.int64
            ).reshape(RESAMPLES, blocks)
            drawn += np.arange(RESAMPLES)[:, None] * blocks
            counts = np.bincount(drawn.ravel(), minlength=RESAMPLES * blocks)
            known = counts.reshape(RESAMPLES, blocks).astype(np.float64)
            self._weights[blocks] = known
        return known


def _blocks(bursts: Int64s) -> tuple[Int64s, int]:
    """Bursts numbered without holes; beyond a bound neighbours are drawn together."""
    distinct, place = np.unique(bursts, return_inverse=True)
    if len(distinct) <= MOST_BLOCKS:
        return place.astype(np.int64), len(distinct)
    return place.astype(np.int64) * MOST_BLOCKS // len(distinct), MOST_BLOCKS


def _top_of_cell(value: int) -> int:
    """The largest value in the same cell, so that an interval never ends below its quantile."""
    width = 1 << max(abs(value).bit_length() - _GRID_BITS, 0)
    return value + width - 1


def _on_grid(values: Int64s) -> Int64s:
    """Values with their last bits cut off, as a histogram would hold them; rounded downwards."""
    size = np.abs(values)
    _, bits = np.frexp(size.astype(np.float64))
    shift = np.maximum(bits.astype(np.int64) - _GRID_BITS, 0)
    cut: Int64s = (values >> shift) << shift
    return cut


def _ends(resampled: Int64s) -> tuple[int, int]:
    ordered = np.sort(resampled)
    return nearest_rank(ordered, _LOW), nearest_rank(ordered, _HIGH)
