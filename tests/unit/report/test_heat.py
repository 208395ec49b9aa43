from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from simulator.report.heat import HIGHEST_NS, LOWEST_NS, MOST_COLUMNS, latency_heat
from simulator.report.source import read_source
from simulator.units import NS_PER_MS, NS_PER_S

RunOf = Callable[[str], Path]


def _table(intended: list[int], delivery: list[int | None], **columns: list[str]) -> pl.LazyFrame:
    size = len(intended)
    known = {"population": ["live"] * size, "prefecture": ["miyagi"] * size, **columns}
    return pl.LazyFrame({**known, "intended_ns": intended, "delivery_ns": delivery})


def test_every_live_delivery_is_in_one_cell_of_each_grid(run_of: RunOf) -> None:
    heat = read_source(run_of("repeated")).heat
    assert heat is not None
    rows = pl.read_parquet(run_of("repeated") / "deliveries.parquet")
    live = rows.filter(pl.col("population") == "live")
    assert heat.n == live.height
    assert sum(map(sum, heat.by_time)) == sum(map(sum, heat.by_prefecture)) == heat.n
    assert len(heat.by_time) == len(heat.latency_edges_ns) - 1 == len(heat.by_prefecture)
    assert {len(row) for row in heat.by_time} == {len(heat.time_edges_ns) - 1}
    assert {len(row) for row in heat.by_prefecture} == {len(heat.prefectures)}
    assert list(heat.prefectures) == sorted(set(live["prefecture"]))
    counted = dict(live.group_by("prefecture").len().iter_rows())
    for place, name in enumerate(heat.prefectures):
        assert sum(row[place] for row in heat.by_prefecture) == counted[name]


def test_cells_hold_what_numpy_counts_in_them() -> None:
    draw = np.random.Generator(np.random.PCG64(3))
    intended = np.sort(draw.integers(0, 90 * NS_PER_S, 5_000))
    delivery = (draw.lognormal(1, 1, 5_000) * NS_PER_MS).astype(np.int64)
    heat = latency_heat(_table(intended.tolist(), delivery.tolist()))
    assert heat is not None
    expected, _, _ = np.histogram2d(
        delivery,
        intended - intended[0],
        bins=(np.array(heat.latency_edges_ns), np.array(heat.time_edges_ns)),
    )
    assert np.array_equal(expected.astype(int), np.array(heat.by_time))


def test_the_size_is_bounded_and_extremes_stand_in_the_outer_rows() -> None:
    intended = [0, 1, NS_PER_S * 100_000, 5]
    heat = latency_heat(_table(intended, [-5, 0, 10 * HIGHEST_NS, LOWEST_NS + 1]))
    assert heat is not None
    assert heat.not_positive == 2
    assert sum(heat.by_time[0]) == 3
    assert sum(heat.by_time[-1]) == 1
    assert heat.latency_edges_ns[0] == LOWEST_NS
    assert heat.latency_edges_ns[-1] == HIGHEST_NS
    assert len(heat.time_edges_ns) - 1 <= MOST_COLUMNS
    assert list(heat.latency_edges_ns) == sorted(set(heat.latency_edges_ns))


def test_one_instant_is_one_column() -> None:
    heat = latency_heat(_table([7, 7], [NS_PER_MS, NS_PER_MS]))
    assert heat is not None
    assert heat.time_edges_ns == (0, 1)
    assert heat.by_time == ((2,),)


def test_without_live_deliveries_or_columns_there_is_none() -> None:
    assert latency_heat(_table([1], [None])) is None
    assert latency_heat(_table([1], [5], population=["queued"])) is None
    assert latency_heat(pl.LazyFrame({"burst": [1]})) is None


def test_a_killed_run_has_the_heat_of_what_was_written(run_of: RunOf) -> None:
    heat = read_source(run_of("killed")).heat
    assert heat is not None
    assert 0 < heat.n <= 200
