"""The heat map of latency: how many live deliveries fell into each cell of time and latency.

Rule of the module: counts of rows, never rows; however long the run, the cells are bounded. The
table streams through, so memory does not grow with it. Imports polars; draws nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

MOST_COLUMNS: Final = 80
PER_DECADE: Final = 8
LOWEST_NS: Final = 1_000  # a microsecond stands for everything below it
HIGHEST_NS: Final = 1_000_000_000_000  # as a thousand seconds do for everything above
_NEEDED: Final = ("population", "prefecture", "intended_ns", "delivery_ns")
_LOWEST_STEP: Final = round(PER_DECADE * math.log10(LOWEST_NS))
_HIGHEST_STEP: Final = round(PER_DECADE * math.log10(HIGHEST_NS)) - 1

Grid = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyHeat:
    """Live deliveries counted by when they were intended and how long they took.

    Attributes:
        n: deliveries counted, at least 1.
        not_positive: of them, those of zero or less; they stand in the lowest row.
        time_edges_ns: ends of the columns of ``by_time``, wall ns since the first intended send of
            a counted delivery; one more than columns, at most 81.
        latency_edges_ns: ends of the rows, wall ns, rising, eight to a decade; one more than rows,
            at most 73. The lowest row also holds what is below it, the highest what is above.
        by_time: deliveries by latency row, then time column.
        prefectures: slugs of the columns of ``by_prefecture``, by name.
        by_prefecture: deliveries by latency row, then prefecture.
    """

    n: int
    not_positive: int
    time_edges_ns: tuple[int, ...]
    latency_edges_ns: tuple[int, ...]
    by_time: Grid
    prefectures: tuple[str, ...]
    by_prefecture: Grid


def latency_heat(table: pl.LazyFrame) -> LatencyHeat | None:
    """Count the live deliveries of a table by time and latency, and by prefecture and latency.

    Args:
        table: deliveries, see :data:`simulator.report.deliveries.SCHEMA`.

    Returns:
        None if nothing live was delivered, or the table has not the columns.

    Raises:
        PolarsError: if the table cannot be read.
    """
    if not set(_NEEDED) <= set(table.collect_schema().names()):
        return None
    live = table.filter(
        (pl.col("population") == "live")
        & pl.col("delivery_ns").is_not_null()
        & pl.col("intended_ns").is_not_null()
    )
    ends = live.select(
        n=pl.len(),
        first=pl.col("intended_ns").min(),
        last=pl.col("intended_ns").max(),
        not_positive=(pl.col("delivery_ns") <= 0).sum(),
    ).collect(engine="streaming")
    n, first, last, not_positive = ends.row(0)
    if not n:
        return None
    width_ns = -(-(last - first + 1) // MOST_COLUMNS)
    columns = (last - first) // width_ns + 1
    cells = _cells(live, first, width_ns)
    lowest, highest = int(cells["step"].min()), int(cells["step"].max())  # type: ignore[arg-type]
    prefectures = sorted(set(cells["prefecture"]))
    places = {name: place for place, name in enumerate(prefectures)}
    rows = highest - lowest + 1
    by_time = [[0] * columns for _ in range(rows)]
    by_prefecture = [[0] * len(prefectures) for _ in range(rows)]
    for step, column, prefecture, count in cells.iter_rows():
        by_time[step - lowest][column] += count
        by_prefecture[step - lowest][places[prefecture]] += count
    return LatencyHeat(
        n=n,
        not_positive=not_positive,
        time_edges_ns=tuple(width_ns * edge for edge in range(columns + 1)),
        latency_edges_ns=tuple(
            round(10 ** (step / PER_DECADE)) for step in range(lowest, highest + 2)
        ),
        by_time=_grid(by_time),
        prefectures=tuple(prefectures),
        by_prefecture=_grid(by_prefecture),
    )


def _cells(live: pl.LazyFrame, first_ns: int, width_ns: int) -> pl.DataFrame:
    """Step of latency, column of time, prefecture and how many: at most a few ten thousand."""
    clipped = pl.col("delivery_ns").clip(LOWEST_NS, HIGHEST_NS - 1)
    step = (clipped.log10() * PER_DECADE).floor().cast(pl.Int64)
    return (
        live.select(
            step=step.clip(_LOWEST_STEP, _HIGHEST_STEP),
            column=(pl.col("intended_ns") - first_ns) // width_ns,
            prefecture=pl.col("prefecture").fill_null(""),
        )
        .group_by("step", "column", "prefecture")
        .agg(n=pl.len())
        .sort("step", "column", "prefecture")
        .collect(engine="streaming")
    )


def _grid(rows: Sequence[Sequence[int]]) -> Grid:
    return tuple(tuple(row) for row in rows)
