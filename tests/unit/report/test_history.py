import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import ConfigurationError, OutputError
from simulator.measure.history import HistorySummary
from simulator.report.history_page import history_page
from simulator.report.history_source import read_history
from simulator.report.history_text import history_markdown, history_text
from simulator.report.history_words import sparkline
from simulator.run.histories import HistoryOrder, figure_of, make_history
from simulator.thresholds.gates import parse_gate

RunOf = Callable[[str], Path]
_NS = ("mean_ns", "mean_low_ns", "mean_high_ns", "min_ns", "max_ns")
_QUANTILE_NS = ("value_ns", "low_ns", "high_ns")


def scaled_run(source: Path, parent: Path, number: int, times: float, **manifest: object) -> Path:
    """A run like another with all its latencies so many times as long; without its rows."""
    target = parent / f"r{number:03d}"
    target.mkdir()
    name = f"20261122t1424{number:02d}-0000"
    known = json.loads((source / "manifest.json").read_text())
    started = f"2026-11-{1 + number // 24:02d}T{number % 24:02d}:00:00+00:00"
    whole = known | {"run": name, "started": started} | manifest
    (target / "manifest.json").write_text(json.dumps(whole))
    summary = json.loads((source / "summary.json").read_text())
    summary["run"]["run"] = name
    for row in summary["latency"]:
        _scale(row, _NS, times)
        for quantile in row["quantiles"]:
            _scale(quantile, _QUANTILE_NS, times)
    (target / "summary.json").write_text(json.dumps(summary))
    return target


def _scale(part: dict[str, Any], names: tuple[str, ...], times: float) -> None:
    for name in names:
        if part[name] is not None:
            part[name] = round(part[name] * times)


def _change(run: Path, file: str, changes: Mapping[str, object]) -> None:
    known = json.loads((run / file).read_text())
    (run / file).write_text(json.dumps(known | changes))


@pytest.fixture
def stepped(run_of: RunOf, tmp_path: Path) -> Path:
    """Sixteen runs; from the eleventh on they take 1.5 times as long, with another version."""
    parent = tmp_path / "runs"
    parent.mkdir()
    for number in range(16):
        after = number >= 10
        times = (1.5 if after else 1.0) * (1 + 0.01 * (number % 4))
        version = {"versions": {"alertsim": "0.2.0"}} if after else {}
        scaled_run(run_of("repeated"), parent, number, times, **version)
    return parent


def _history(*directories: Path, **asked: Any) -> HistorySummary:
    gates = tuple(parse_gate(text) for text in asked.pop("fail_if", ()))
    return make_history(HistoryOrder(directories=directories, gates=gates, **asked))


def test_a_step_is_told_with_its_interval_and_what_changed_beside_it(stepped: Path) -> None:
    summary = _history(stepped)
    (series,) = summary.series
    assert [run.run for run in series.runs] == sorted(run.run for run in series.runs)
    trends = {(one.metric, one.aggregate): one for one in series.trends}
    assert set(trends) == {
        ("delivery_latency", "p50"),
        ("delivery_latency", "p90"),
        ("delivery_latency", "p99"),
        ("lost", "count"),
    }
    median = trends["delivery_latency", "p50"]
    (change,) = median.changes
    assert change.at == 10
    assert change.effect == "worse"
    assert change.beside == ("version of alertsim 0.1.0 before, 0.2.0 after",)
    assert change.interval[0] > 0
    assert [level.runs for level in median.levels] == [10, 6]
    assert median.levels[0].band is not None
    assert median.levels[1].band is None  # six runs carry none
    assert median.newest == "unknown"
    assert not trends["lost", "count"].changes
    assert trends["lost", "count"].newest == "inside"
    assert "With it changed: version of alertsim" in summary.findings[0]
    assert "longer at the median" in summary.findings[0]
    assert series.unlike == (
        "Not the same version of alertsim in all runs: 0.1.0 (10) and 0.2.0 (6).",
    )


def test_the_newest_run_is_held_against_the_median_of_the_last_ones(stepped: Path) -> None:
    # The newest takes 1.545 times as long, the ten runs before it 1 to 1.54 times.
    condition = "delivery_latency.p50 > 1.4x"
    before = _history(stepped, fail_if=[condition], last=15)
    assert before.conditions[0].earlier == 15
    assert before.verdict in {"fail", "inconclusive"}
    quiet = _history(stepped, fail_if=["delivery_latency.p50 > 10x", "lost > +0"])
    assert quiet.verdict == "pass"
    assert quiet.exit_code == 0
    assert quiet.reason == "No condition for failing holds; 2 asked for."
    worse = _history(stepped, fail_if=["delivery_latency.p50 > 1ns", "lost > 0"])
    assert worse.exit_code == 99
    assert worse.reason.startswith("delivery_latency.p50 > 1ns holds of run ")
    few = _history(stepped, fail_if=["delivery_latency.p50 > 1.1x"], last=5)
    assert few.exit_code == 98
    assert "5 earlier runs has no interval" in few.reason


def test_text_markdown_and_page_say_the_same(stepped: Path, tmp_path: Path) -> None:
    page = tmp_path / "h.html"
    summary = _history(
        stepped, fail_if=["lost > 0"], page=page, command=("alertsim", "history", "runs")
    )
    text = history_text(summary, page)
    assert "【訓練】 EXERCISE" in text
    assert "Verdict: passed" in text
    assert "▁" in text
    markdown = history_markdown(summary, ["alertsim", "history", "runs"])
    assert "EXERCISE" in markdown
    shown = page.read_text(encoding="utf-8")
    assert shown == history_page(summary, ["alertsim", "history", "runs"])
    for part in ("EXERCISE", 'id="trend-0-0"', "alertsim history runs", "Every run (16)"):
        assert part in shown
    for series in summary.series:
        for run in series.runs:
            assert run.run in shown
    assert "http" not in shown.split('<script type="text/plain"')[0].replace("http-equiv", "")
    again = HistorySummary.model_validate_json(summary.model_dump_json())
    assert again == summary


def test_what_cannot_take_part_is_listed_with_its_reason(run_of: RunOf, stepped: Path) -> None:
    shutil.copytree(run_of("killed"), stepped / "killed")
    shutil.copytree(run_of("aborted"), stepped / "aborted")
    (stepped / "an experiment").mkdir()
    (stepped / ".hidden").mkdir()
    (stepped / "file").write_text("no directory")
    broken = shutil.copytree(stepped / "r000", stepped / "truncated")
    (broken / "manifest.json").write_bytes((broken / "manifest.json").read_bytes()[:90])
    half = shutil.copytree(stepped / "r000", stepped / "half")
    (half / "summary.json").write_bytes((half / "summary.json").read_bytes()[:900])
    for name, version in (("newer", "2.0"), ("older", "0.9")):
        other = shutil.copytree(stepped / "r000", stepped / name)
        _change(other, "summary.json", {"schema_version": version})
    later = shutil.copytree(stepped / "r000", stepped / "later")
    _change(later, "manifest.json", {"schema_version": "3.1"})
    altered = shutil.copytree(stepped / "r000", stepped / "altered")
    _change(altered, "summary.json", {"latency": [{"population": "live"}]})
    bad = shutil.copytree(stepped / "r000", stepped / "no-seed")
    _change(bad, "manifest.json", {"seed": "many"})
    empty = shutil.copytree(stepped / "r000", stepped / "list")
    (empty / "summary.json").write_text("[]")
    summary = _history(stepped)
    assert sum(len(series.runs) for series in summary.series) == 16
    why = {Path(one.path).name: one.why for one in summary.skipped}
    assert why == {
        "killed": "unfinished",
        "aborted": "incomplete",
        "an experiment": "foreign",
        "truncated": "damaged",
        "half": "damaged",
        "newer": "other-version",
        "older": "other-version",
        "later": "other-version",
        "altered": "damaged",
        "no-seed": "damaged",
        "list": "damaged",
    }
    assert all(one.reason for one in summary.skipped)
    text = history_text(summary, None)
    assert "other version" in text
    assert "this alertsim reads 1.x" in text


def test_a_run_reached_twice_counts_once_and_names_may_be_of_any_kind(
    stepped: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "läufe mit leerzeichen 訓練"
    stepped.rename(odd)
    (tmp_path / "link").symlink_to(odd / "r003", target_is_directory=True)
    known = read_history([odd, odd / "r001", tmp_path / "link"])
    assert len(known.runs) == 16
    only = read_history([tmp_path / "link"])
    assert [run.shown.path for run in only.runs] == [str(tmp_path / "link")]


def test_runs_played_in_another_way_are_another_series(run_of: RunOf, stepped: Path) -> None:
    settings = json.loads((stepped / "r000" / "manifest.json").read_text())["settings"]
    for number in range(16, 19):
        scaled_run(run_of("repeated"), stepped, number, 1.0, settings=settings | {"qos": 2})
    summary = _history(stepped, fail_if=["lost > 0"])
    newest, other = summary.series
    assert (len(newest.runs), len(other.runs)) == (3, 16)
    assert newest.setup["qos"] == "2"
    assert summary.conditions[0].run == newest.runs[-1].run
    text = history_text(summary, None)
    assert "too few runs to tell a change from chance" in text
    assert "(QoS 2)" in text
    assert newest.trends[0].reason == "3 runs have it, and a change is looked for from 10"


def test_figures_can_be_chosen_and_scenarios_left_out(stepped: Path, tmp_path: Path) -> None:
    figures = (figure_of("transit-latency.p90"), figure_of("expected"), figure_of("send_latency"))
    summary = _history(stepped, figures=figures)
    shown = [(one.metric, one.aggregate) for one in summary.series[0].trends]
    assert shown == [("transit_latency", "p90"), ("expected", "count"), ("send_latency", "mean")]
    empty = tmp_path / "none yet"
    empty.mkdir()
    nobody = _history(empty, scenario="drill-minimal")
    assert nobody.series == ()
    assert nobody.findings == ("There is no complete run here.",)
    assert "History of 0 runs" in history_text(nobody, None)
    with pytest.raises(ConfigurationError, match="no run to judge"):
        _history(empty, scenario="drill-minimal", fail_if=["lost > 0"])
    for text in ("delivery_latency.max", "lost.p50", "colour", ""):
        with pytest.raises(ConfigurationError, match="no figure"):
            figure_of(text)


def test_a_newest_run_outside_its_band_is_said_to_be_so(run_of: RunOf, tmp_path: Path) -> None:
    for number in range(12):
        times = 3.0 if number == 11 else 1 + 0.02 * (number % 5)
        scaled_run(run_of("repeated"), tmp_path, number, times)
    summary = _history(tmp_path, figures=[("delivery_latency", "mean")])
    (trend,) = summary.series[0].trends
    assert trend.newest == "above"
    assert "above the band of its level" in summary.findings[0]
    assert not trend.changes


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no such directory"):
        read_history([tmp_path / "no"])
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="not a directory"):
        read_history([tmp_path / "file"])


def test_a_scenario_that_no_run_is_of_is_refused_with_those_that_are_here(
    run_of: RunOf, tmp_path: Path
) -> None:
    scaled_run(run_of("repeated"), tmp_path, 0, 1.0)
    with pytest.raises(ConfigurationError, match="--scenario") as caught:
        _history(tmp_path, scenario="nope")
    assert caught.value.value == "nope"
    assert "tohoku-2022-11-03" in caught.value.remedy


def test_a_page_that_cannot_be_written_is_told_with_the_option_that_chose_it(
    run_of: RunOf, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    scaled_run(run_of("repeated"), runs, 0, 1.0)
    with pytest.raises(OutputError) as caught:
        _history(runs, page=tmp_path / "no" / "page.html")
    assert caught.value.remedy == "make the directory first, or choose another with --page"
    with pytest.raises(OutputError) as caught:
        _history(runs, page=runs)
    assert caught.value.remedy == "a directory stands there: choose the name of a file with --page"


def test_a_sparkline_has_the_lowest_and_the_highest_and_gaps() -> None:
    assert sparkline([1.0, None, 8.0, 4.5]) == "▁·█▅"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([None, None]) == ""
    assert len(sparkline([float(n) for n in range(100)], most=10)) == 10
