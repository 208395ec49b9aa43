import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from simulator.errors import ConfigurationError, OutputError
from simulator.report.comparison_page import comparison_page
from simulator.report.comparison_run_picture import latencies
from simulator.report.comparison_runs import read_runs
from simulator.report.comparison_text import comparison_markdown, comparison_text
from simulator.run.comparisons import Kind, compare_runs, kind_of
from simulator.thresholds.gates import parse_gate
from simulator.units import NS_PER_MS

RunOf = Callable[[str], Path]


def test_runs_are_read_with_what_was_set_otherwise(run_of: RunOf, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(run_of("repeated"), other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["settings"] = manifest["settings"] | {"qos": 2}
    (other / "manifest.json").write_text(json.dumps(manifest))
    one, two = read_runs([run_of("repeated"), other])
    assert one.summary.n == 36  # three bursts, twelve times
    assert set(two.summary.settings) == {"qos"}
    assert two.summary.settings["qos"] == "2"
    table = pl.read_parquet(other / "deliveries.parquet").filter(pl.col("population") == "live")
    assert len(two.side.latencies["delivery_latency"]) == table["delivery_ns"].drop_nulls().len()
    assert two.side.counts["lost"] == 0


def test_a_mistyped_directory_is_not_taken_for_a_scenario(run_of: RunOf, tmp_path: Path) -> None:
    shutil.copytree(run_of("repeated"), tmp_path / "before")
    for name, said in (
        ("befor", f"did you mean {tmp_path / 'before'}?"),
        ("no/where", "alertsim scenarios lists the scenarios"),
    ):
        with pytest.raises(ConfigurationError, match="no such directory") as caught:
            kind_of([str(tmp_path / "before"), str(tmp_path / name)])
        assert said in caught.value.remedy
    with pytest.raises(ConfigurationError, match="no such directory") as caught:
        kind_of([str(tmp_path / "before"), "drill-minimum"])
    assert "did you mean drill-minimal?" in caught.value.remedy
    assert kind_of(["drill-minimal", "not-there.yaml"]) is Kind.SCENARIO  # its reader says so


def test_runs_are_compared_by_latency_and_ledger(run_of: RunOf, tmp_path: Path) -> None:
    names = [str(run_of("repeated")), str(run_of("trouble"))]
    assert kind_of(names) is Kind.RUN
    gates = [parse_gate("delivery_latency > 10s"), parse_gate("lost > 0")]
    compared = compare_runs(names, gates, tmp_path / "out", ["alertsim", "compare"])
    summary = compared.summary
    assert [gate.verdict for gate in summary.gates] == ["inconclusive", "fail"]
    assert summary.exit_code == 99
    assert not summary.paired
    text = comparison_text(summary, None)
    assert "Intervals resample bursts" in text
    assert "delivery (send + transit), mean" in text
    assert "without an interval" in text
    assert "| delivery \\(send" in comparison_markdown(summary, []).replace("(", "\\(")
    page = comparison_page(summary, (), ["alertsim"])
    assert "town-map" not in page
    assert "Who is warned by when" not in page
    assert page.index('data-figure="latencies"') < page.index("<nav")  # on the first screen


def test_latencies_of_runs_stand_side_by_side_with_their_intervals(run_of: RunOf) -> None:
    names = [str(run_of("repeated")), str(run_of("trouble"))]
    summary = compare_runs(names, [], None, ["alertsim"]).summary
    picture = latencies(summary)
    assert picture is not None
    compared = [one for one in summary.metrics if one.headline and one.scale == "wall"]
    assert [trace["name"] for trace in picture["data"]] == ["A", "B"]
    for side, trace in enumerate(picture["data"]):
        values = [one.values[side] for one in compared]
        assert trace["x"] == [one.value and one.value / NS_PER_MS for one in values]
        assert trace["error_x"]["visible"] == any(one.interval for one in values)
        reaches = zip(values, trace["error_x"]["array"], strict=True)
        for value, reach in reaches:
            if value.interval is not None and value.value is not None:
                assert reach == pytest.approx(
                    (value.interval[1] - value.value) / NS_PER_MS, abs=1e-5
                )
    assert latencies(summary.model_copy(update={"metrics": ()})) is None


def test_the_page_is_left_in_its_directory(run_of: RunOf, tmp_path: Path) -> None:
    names = [str(run_of("repeated")), str(run_of("trouble"))]
    compare_runs(names, [], tmp_path / "out", ["alertsim", "compare"])
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        "summary.json",
        "report.html",
        "report.md",
    }


def test_a_run_that_was_killed_or_damaged_is_refused(run_of: RunOf, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="never closed its account"):
        read_runs([run_of("complete"), run_of("killed")])
    damaged = tmp_path / "damaged"
    shutil.copytree(run_of("complete"), damaged)
    pl.DataFrame({"burst": [1]}).write_parquet(damaged / "deliveries.parquet")
    with pytest.raises(OutputError, match="cannot be read") as error:
        read_runs([damaged])
    assert error.value.where == str(damaged)
    (damaged / "deliveries.parquet").write_bytes(b"PAR1")
    with pytest.raises(OutputError, match=r"not a whole Parquet|cannot be read"):
        read_runs([damaged])
