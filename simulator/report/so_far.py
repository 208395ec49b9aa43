"""Latency of a run that never closed its account, from the rows that it had written.

Rule of the module: the rows as they stand; nothing is judged, and there are no intervals, because
nobody knows what is missing.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from simulator.measure.columns import Int64s
from simulator.measure.latency import HISTOGRAM_HIGHEST_NS, percentile_curve
from simulator.measure.sampling import QUANTILES, nearest_rank, too_few
from simulator.measure.summary import Curve, LatencyRow, PopulationWord, Quantile, SegmentWord

if TYPE_CHECKING:
    import polars as pl

_POPULATIONS: Final[tuple[PopulationWord, ...]] = ("live", "queued")
_SEGMENTS: Final[tuple[SegmentWord, ...]] = (
    "send",
    "transit",
    "handling",
    "delivery",
    "end-to-end",
    "round-trip",
)
_BESIDE: Final = ("alert", "burst", "uncertainty_ns")


def latency_so_far(table: "pl.LazyFrame") -> tuple[tuple[LatencyRow, ...], tuple[Curve, ...]]:
    """Rows and percentile curves of every fresh population and segment with a sample.

    Args:
        table: the deliveries written so far.
    """
    rows: list[LatencyRow] = []
    curves: list[Curve] = []
    known = table.collect_schema().names()
    for population in _POPULATIONS:
        for segment in _SEGMENTS:
            name = f"{segment.replace('-', '_')}_ns"
            if not {"population", name, *_BESIDE} <= set(known):
                continue
            chosen = _of(table, population, name)
            values = chosen[name]
            if len(values):
                rows.append(_row(population, segment, values, chosen))
                curves.append(percentile_curve(values, population, segment))
    return tuple(rows), tuple(curves)


def _of(table: "pl.LazyFrame", population: str, name: str) -> dict[str, Int64s]:
    """One segment of one population, rising, with what stands beside it."""
    import polars as pl  # noqa: PLC0415  (takes 0.4 s, and only a killed run needs it here)

    found = (
        table.filter((pl.col("population") == population) & pl.col(name).is_not_null())
        .select(name, *_BESIDE)
        .sort(name)
        .collect()
    )
    return {
        column: found[column].fill_null(0).to_numpy().astype(np.int64) for column in found.columns
    }


def _row(
    population: PopulationWord, segment: SegmentWord, values: Int64s, beside: dict[str, Int64s]
) -> LatencyRow:
    quantiles = []
    for percent in QUANTILES:
        reason = too_few(len(values), percent)
        value = None if reason else nearest_rank(values, percent)
        quantiles.append(Quantile(percent=float(percent), value_ns=value, reason=reason))
    return LatencyRow(
        population=population,
        segment=segment,
        n=len(values),
        alerts=len(np.unique(beside["alert"])),
        bursts=len(np.unique(beside["burst"])),
        negatives=int(np.count_nonzero(values < 0)),
        out_of_range=int(np.count_nonzero(values > HISTOGRAM_HIGHEST_NS)),
        uncertainty_max_ns=int(beside["uncertainty_ns"].max()),
        min_ns=int(values[0]),
        mean_ns=round(float(np.mean(values))),
        mean_low_ns=None,
        mean_high_ns=None,
        max_ns=int(values[-1]),
        quantiles=tuple(quantiles),
    )
