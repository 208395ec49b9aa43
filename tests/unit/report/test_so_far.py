"""Latency of a run that was killed, from the rows that it had written."""

from collections.abc import Callable

import polars as pl
import pytest

from simulator.report.html import page
from simulator.report.so_far import latency_so_far
from simulator.report.source import ReportSource
from simulator.report.text import text_report

SourceOf = Callable[[str], ReportSource]


def _rows(**changed: object) -> pl.LazyFrame:
    columns: dict[str, object] = {
        "population": ["live"] * 100 + ["queued", "retained", ""],
        "delivery_ns": [*range(100, 0, -1), -7, 5, None],
        "send_ns": [None] * 103,
        "alert": [0] * 50 + [1] * 53,
        "burst": [0] * 103,
        "uncertainty_ns": [3] * 102 + [None],
    }
    return pl.LazyFrame(columns | changed, schema_overrides={"send_ns": pl.Int64})


def test_rows_become_segments_with_their_quantiles() -> None:
    (live, queued), curves = latency_so_far(_rows())
    assert (live.population, live.segment, live.n, live.alerts, live.bursts) == (
        *("live", "delivery"),
        *(100, 2, 1),
    )
    assert (live.min_ns, live.max_ns, live.mean_ns, live.negatives) == (1, 100, 50, 0)
    assert live.uncertainty_max_ns == 3
    assert [q.value_ns for q in live.quantiles] == [50, 90, None, None]
    assert "needs 1000" in live.quantiles[2].reason
    assert (queued.population, queued.n, queued.negatives) == ("queued", 1, 1)
    assert [(curve.population, curve.n) for curve in curves] == [("live", 100), ("queued", 1)]
    assert curves[0].points[-1].value_ns == 100


def test_a_table_without_these_columns_has_no_latency() -> None:
    assert latency_so_far(pl.LazyFrame({"outcome": ["late"]})) == ((), ())
    assert latency_so_far(_rows(delivery_ns=[None] * 103)) == ((), ())


@pytest.mark.parametrize("kind", ["killed"])
def test_the_report_of_a_killed_run_shows_it(source_of: SourceOf, kind: str) -> None:
    source = source_of(kind)
    assert source.partial is not None
    assert {row.segment for row in source.partial.latency} >= {"delivery", "end-to-end"}
    assert "Latency of what had arrived" in text_report(source)
    assert 'id="percentiles-so-far"' in page(source)
