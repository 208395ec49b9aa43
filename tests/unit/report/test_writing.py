"""One door makes every report of a run directory, and names what stops it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from simulator.errors import OutputError
from simulator.report import regenerate
from simulator.report.hlog import read_latency_log
from simulator.report.run_directory import RunDirectory
from simulator.report.source import KILLED, read_source
from simulator.report.writing import write_histogram
from tests.unit.report.made_run import make_run

RunOf = Callable[[str], Path]


@pytest.fixture
def run_copy(run_of: RunOf, tmp_path: Path) -> Path:
    return shutil.copytree(run_of("complete"), tmp_path / "run")


def test_the_page_is_made_again_with_the_same_bytes(run_copy: Path) -> None:
    first = regenerate(run_copy).page
    assert first == run_copy / "report.html"
    before = first.read_bytes()
    first.unlink()
    assert regenerate(run_copy).page.read_bytes() == before


def test_making_a_report_changes_nothing_else(run_copy: Path) -> None:
    before = {path.name: path.read_bytes() for path in run_copy.iterdir()}
    regenerate(run_copy)
    after = {path.name: path.read_bytes() for path in run_copy.iterdir()}
    assert after.pop("report.html")
    assert after == before


def test_a_report_can_be_printed_in_each_form(run_copy: Path) -> None:
    made = regenerate(run_copy)
    assert made.render().startswith("【訓練】 EXERCISE")
    assert made.render("markdown").startswith("# 3 November 2022")
    assert made.render("junit").startswith("<?xml")
    assert not made.render().endswith("\n")


def test_the_summary_document_is_the_file(run_copy: Path) -> None:
    document = regenerate(run_copy).summary_document()
    assert document == json.loads((run_copy / "summary.json").read_text(encoding="utf-8"))


def test_the_document_of_a_killed_run_says_what_is_known(tmp_path: Path) -> None:
    document = regenerate(make_run(tmp_path, killed=True)).summary_document()
    assert document["completeness"] == {"state": "incomplete", "reason": KILLED}
    assert document["rows"] == 200
    assert document["outcomes"] == {"delivered": 200}
    assert document["manifest"]["state"] == "running"


def test_the_histogram_holds_every_live_delivery(run_of: RunOf) -> None:
    directory = RunDirectory.open(run_of("trouble"))
    summary = read_source(directory.path).summary
    assert summary is not None
    write_histogram(directory, summary.run)
    read = read_latency_log(directory.path / "latency.hlog")
    rows = pl.read_parquet(directory.path / "deliveries.parquet")
    live = rows.filter(pl.col("population") == "live")["delivery_ns"].drop_nulls()
    assert set(read) == {"live", "retained", "queued"}
    assert read["live"].histogram.get_total_count() == len(live) > 800
    assert read["live"].histogram.get_max_value() == pytest.approx(live.max(), rel=1e-3)
    assert read["queued"].histogram.get_total_count() == 0


def test_the_table_of_deliveries_agrees_with_the_ledger(run_of: RunOf) -> None:
    summary = read_source(run_of("trouble")).summary
    assert summary is not None
    rows = pl.read_parquet(run_of("trouble") / "deliveries.parquet")
    counts = dict(rows.group_by("outcome").len().iter_rows())
    total = summary.ledger.total
    assert counts == {
        "delivered": total.delivered,
        "late": total.late,
        "lost": total.lost,
        "unexpected": total.unexpected,
    }
    assert rows["copies"].sum() == total.receipts
    assert rows.schema["received_ns"] == pl.Int64()
    assert rows.filter(pl.col("outcome") == "lost")["received_ns"].null_count() == total.lost


def test_provisional_parts_give_way_to_the_final_table(run_of: RunOf) -> None:
    path = run_of("complete")
    assert not (path / "deliveries").exists()
    assert not (path / ".deliveries").exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("summary.json", b'{"schema_version": "1.0", "notice": ', "not whole JSON"),
        ("summary.json", b'{"schema_version": "7.0"}', "unknown schema version"),
        ("summary.json", b'{"schema_version": "1.0"}', "not a summary of alertsim"),
        ("manifest.json", b'{"schema_version": "2.0"}', "unknown schema version"),
        ("timeline.jsonl", b'{"record":"timeline","schema":"9.0"}', "timeline schema"),
        ("timeline.jsonl", b"", "starts with its header"),
        ("timeline.jsonl", b"\xff\xfe", "not a whole timeline"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    run_copy: Path, name: str, content: bytes, says: str
) -> None:
    (run_copy / name).write_bytes(content)
    with pytest.raises(OutputError, match=says) as caught:
        regenerate(run_copy)
    assert caught.value.where == str(run_copy / name)
    assert not (run_copy / "report.html").exists()


def test_a_run_that_lost_its_last_files_is_incomplete(run_copy: Path) -> None:
    (run_copy / "summary.json").unlink()
    made = regenerate(run_copy)
    assert "INCOMPLETE RUN" in made.render()
    assert "900 rows" in made.render()


def test_nothing_heavy_is_imported_before_a_report_is_made() -> None:
    code = (
        "import sys, simulator.report, simulator.report.run_directory, "
        "simulator.report.timeline_text\n"
        "print(sorted({'polars', 'plotly', 'hdrh'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_report_can_open_in_japanese(run_of: Callable[[str], Path], tmp_path: Path) -> None:
    page = tmp_path / "ja.html"
    regenerate(run_of("complete"), page, None, "ja")
    assert '<html lang="ja">' in page.read_text(encoding="utf-8")
