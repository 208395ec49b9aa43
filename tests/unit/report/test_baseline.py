import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from simulator.errors import ConfigurationError, ExitCode, OutputError, ThresholdError
from simulator.report.source import read_source
from simulator.report.writing import regenerate
from simulator.run.baselines import (
    Baseline,
    check_baseline,
    choose_baseline,
    compare_with,
    gates_of,
    keep_comparison,
    last_run,
    settle,
)
from simulator.run.newest import newest_in

RunOf = Callable[[str], Path]
SCENARIO = "tohoku-2022-11-03"


def _copy(source: Path, target: Path, **changes: object) -> Path:
    shutil.copytree(source, target)
    manifest = json.loads((target / "manifest.json").read_text())
    (target / "manifest.json").write_text(json.dumps(manifest | changes))
    return target


@pytest.fixture
def runs(run_of: RunOf, tmp_path: Path) -> Path:
    """Three complete runs, and four that ``last`` must not take."""
    for day, name in enumerate(("one", "two", "three"), start=1):
        _copy(run_of("repeated"), tmp_path / name, started=f"2026-11-0{day}T00:00:00+00:00")
    later = "2026-12-01T00:00:00+00:00"
    _copy(run_of("repeated"), tmp_path / "other", started=later, scenario={"id": "drill"})
    _copy(run_of("aborted"), tmp_path / "aborted", started=later)
    _copy(run_of("killed"), tmp_path / "killed", started=later)
    _copy(run_of("repeated"), tmp_path / "newer", started=later, schema_version="2.0")
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_last_is_the_newest_complete_run_of_the_scenario_before_this_one(runs: Path) -> None:
    assert last_run(runs, SCENARIO) == runs / "three"
    assert last_run(runs, SCENARIO, before=runs / "three") == runs / "two"
    assert last_run(runs, SCENARIO, before=runs / "one") is None
    assert last_run(runs, "drill") == runs / "other"
    assert last_run(runs / "nowhere", SCENARIO) is None


def test_a_time_of_start_that_cannot_be_read_counts_as_the_oldest(runs: Path) -> None:
    _copy(runs / "one", runs / "odd", started="yesterday")
    _copy(runs / "one", runs / "naive", started="2027-01-01T00:00:00")
    assert last_run(runs, SCENARIO) == runs / "naive"
    assert last_run(runs, SCENARIO, before=runs / "one") == runs / "odd"


def test_a_directory_that_holds_runs_stands_for_the_newest_complete_or_not(runs: Path) -> None:
    last = _copy(runs / "killed", runs / "last", started="2027-01-01T00:00:00+00:00")
    (runs / "damaged").mkdir()
    (runs / "damaged" / "manifest.json").write_text("{")
    assert newest_in(runs) == last
    assert newest_in(runs / "one") == runs / "one"
    assert newest_in(runs / "notes") == runs / "notes"  # whoever opens it says that it is no run
    assert newest_in(runs / "nowhere") == runs / "nowhere"


def test_conditions_need_a_baseline_and_are_checked_first() -> None:
    with pytest.raises(ConfigurationError, match="none was named"):
        gates_of(["lost > 0"], None)
    with pytest.raises(ThresholdError, match="unknown metric"):
        gates_of(["colour > 1.1x"], "last")
    assert [gate.metric for gate in gates_of(["lost > 0"], "last")] == ["lost"]


def test_what_cannot_be_a_baseline_is_refused_before_anything_is_sent(runs: Path) -> None:
    for name, said in (("killed", "never closed"), ("notes", "not a run"), ("no", "no such")):
        with pytest.raises(OutputError, match=said):
            choose_baseline(str(runs / name), (), parent=runs, scenario=SCENARIO)
    (runs / "two" / "deliveries.parquet").write_bytes(b"PAR1")
    with pytest.raises(OutputError, match=r"Parquet|cannot be read"):
        check_baseline(runs / "two")
    with pytest.raises(ConfigurationError, match="its own baseline"):
        choose_baseline(
            str(runs / "." / "one"), (), parent=runs, scenario=SCENARIO, run=runs / "one"
        )


def test_what_is_named_wrongly_decides_the_remedy(runs: Path) -> None:
    with pytest.raises(OutputError) as caught:
        check_baseline(runs / "killed")
    assert caught.value.remedy == "name a run that reached its end, or --baseline last"
    with pytest.raises(OutputError) as caught:
        check_baseline(runs / "killed", field="RUNDIR")
    assert caught.value.remedy == "name a run that reached its end"


def test_without_an_earlier_run_conditions_are_inconclusive_and_nothing_else_is(
    runs: Path,
) -> None:
    gates = gates_of(["lost > 0"], "last")
    alone = choose_baseline("last", gates, parent=runs / "notes", scenario=SCENARIO)
    assert alone.path is None
    judged = compare_with(alone, runs / "one")
    assert judged.exit_code is ExitCode.INCONCLUSIVE
    assert "No complete run of tohoku" in judged.sentence
    free = choose_baseline("last", (), parent=runs / "notes", scenario=SCENARIO)
    assert compare_with(free, runs / "one").exit_code is ExitCode.PASS


def test_the_comparison_is_kept_and_shown_in_every_later_report(runs: Path) -> None:
    gates = gates_of(["delivery_latency.p90 > 1.1x", "lost > 0"], "last")
    baseline = choose_baseline("last", gates, parent=runs, scenario=SCENARIO, run=runs / "three")
    assert baseline.path == runs / "two"
    judged = settle(baseline, runs / "three")
    assert judged is not None
    assert judged.comparison is not None
    assert judged.exit_code is ExitCode.PASS
    assert [gate.verdict for gate in judged.comparison.gates] == ["pass", "pass"]
    report = regenerate(runs / "three")
    assert report.source.baseline == judged.comparison
    text, markdown = report.render("text"), report.render("markdown")
    for shown in (text, markdown):
        assert "Comparison with a baseline" in shown
        assert "no difference in any replication" not in shown
    assert "BASELINE: Passed (exit 0)" in text
    assert report.summary_document()["baseline"]["sides"][0]["name"] == str(runs / "two")
    assert regenerate(runs / "one").source.baseline is None


def test_a_run_that_lost_something_fails_against_one_that_did_not(
    runs: Path, run_of: RunOf
) -> None:
    gates = gates_of(["lost > +0"], "x")
    trouble = _copy(run_of("trouble"), runs / "trouble")
    judged = compare_with(Baseline(path=runs / "one", gates=gates), trouble)
    assert judged.exit_code is ExitCode.THRESHOLD_FAILED
    assert judged.sentence.startswith("lost > +0 holds of B: is ")
    assert judged.comparison is not None
    assert any("lost: 0 in A" in one for one in judged.comparison.findings)
    assert any("chance cannot be told from change" in one for one in judged.comparison.findings)
    cut = compare_with(Baseline(path=runs / "aborted", gates=gates), trouble)
    assert cut.exit_code is ExitCode.INCONCLUSIVE
    assert cut.comparison is not None
    assert any("A did not reach its end" in one for one in cut.comparison.unlike)


def test_a_baseline_that_vanishes_costs_the_comparison_and_not_the_run(runs: Path) -> None:
    gates = gates_of(["lost > 0"], "x")
    shutil.rmtree(runs / "two")
    judged = settle(Baseline(path=runs / "two", gates=gates), runs / "three")
    assert judged is not None
    assert judged.exit_code is ExitCode.INCONCLUSIVE
    assert "no such directory" in judged.sentence
    unasked = settle(Baseline(path=runs / "two"), runs / "three")
    assert unasked is not None
    assert unasked.exit_code is ExitCode.PASS
    assert settle(None, runs / "three") is None
    assert settle(Baseline(path=runs / "one"), None) is None


def test_a_damaged_table_or_comparison_costs_its_part_of_the_report(runs: Path) -> None:
    run = runs / "three"
    judged = compare_with(Baseline(path=runs / "two"), run)
    assert judged.comparison is not None
    keep_comparison(run, judged.comparison)
    whole = (run / "baseline.json").read_text()
    for broken, said in (
        (whole[: len(whole) // 2], "not whole JSON"),
        (whole.replace('"schema_version": "1.0"', '"schema_version": "7.0"'), "unknown schema"),
        (whole.replace('"sides"', '"ends"'), "not a comparison"),
    ):
        (run / "baseline.json").write_text(broken)
        source = read_source(run)
        assert source.baseline is None
        (notice,) = source.notices
        assert said in notice
    (run / "baseline.json").unlink()
    table = run / "deliveries.parquet"
    content = table.read_bytes()
    for broken_table, said in (
        (content[: len(content) // 2], "could not be used"),
        (content[:400] + bytes(len(content) - 4_400) + content[-4_000:], "damaged"),
        (b"", "could not be used"),
    ):
        table.write_bytes(broken_table)
        source = read_source(run)
        assert source.heat is None
        (notice,) = source.notices
        assert said in notice, notice
        assert "NOTICE: The table" in regenerate(run).render("text")
    pl.DataFrame({"burst": [1]}).write_parquet(table)
    assert "holds none" in read_source(run).notices[0]
    table.unlink()
    assert "missing" in read_source(run).notices[0]
    assert "**Notice:**" in regenerate(run).render("markdown")
