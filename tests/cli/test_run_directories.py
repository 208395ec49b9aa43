"""Run directories in every state, at the command line: what is said, and how it ends."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from simulator.measure.history import history_json_schema
from simulator.measure.summary import summary_json_schema
from tests.cli.conftest import Run
from tests.unit.report.made_run import Wanted, make_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A complete run of twelve playings, one with losses, one that was killed."""
    parent = tmp_path_factory.mktemp("made")
    return {
        "complete": make_run(parent / "complete", Wanted(repeat=12)),
        "trouble": make_run(parent / "trouble", Wanted(repeat=12, trouble=True)),
        "killed": make_run(parent / "killed", Wanted(), killed=True),
    }


def _copy(made: Path, target: Path, **manifest: object) -> Path:
    shutil.copytree(made, target)
    known = json.loads((target / "manifest.json").read_text())
    (target / "manifest.json").write_text(json.dumps(known | manifest))
    return target


def test_report_compares_with_the_last_run_and_fails_by_it(
    made: dict[str, Path], call: Run, tmp_path: Path
) -> None:
    runs = tmp_path / "läufe 訓練"
    runs.mkdir()
    _copy(made["complete"], runs / "eins zwei", started="2026-11-22T10:00:00+00:00")
    _copy(made["trouble"], runs / "drei", started="2026-11-22T11:00:00+00:00")
    found = call(
        "report", f"{runs.name}/drei", "--baseline", "last", "--json",
        "--fail-if", "lost > +0", "--fail-if", "delivery_latency.p90 > 50x",
    )  # fmt: skip
    assert found.returncode == 99, found.stderr
    assert found.stderr.startswith("baseline: lost > +0 holds of B")
    document = json.loads(found.stdout)
    jsonschema.validate(document, summary_json_schema())
    baseline = document["baseline"]
    assert baseline["sides"][0]["name"] == str(runs.resolve() / "eins zwei")
    assert [one["verdict"] for one in baseline["gates"]] == ["fail", "pass"]
    later = call("report", f"{runs.name}/drei")
    assert later.returncode == 0, later.stderr
    assert "BASELINE: Failed (exit 99)" in later.stdout
    first = call("report", f"{runs.name}/eins zwei", "--baseline", "last", "-q")
    assert first.returncode == 0, first.stderr
    asked = call(
        "report", f"{runs.name}/eins zwei", "--baseline", "last", "--fail-if", "lost > 0", "-q"
    )
    assert asked.returncode == 98
    assert "cannot be judged: No complete run" in asked.stderr


def test_what_is_wrong_with_a_directory_is_said(
    made: dict[str, Path], call: Run, tmp_path: Path
) -> None:
    whole = _copy(made["complete"], tmp_path / "whole")
    newer = _copy(made["complete"], tmp_path / "newer", schema_version="2.0")
    older = _copy(made["complete"], tmp_path / "older", schema_version="0.3")
    half = _copy(made["complete"], tmp_path / "half")
    (half / "summary.json").write_bytes((half / "summary.json").read_bytes()[:5_000])
    altered = _copy(made["complete"], tmp_path / "altered")
    (altered / "timeline.jsonl").write_text("{}\n")
    killed = _copy(made["killed"], tmp_path / "killed")
    for arguments, said in (
        (["report", newer.name], ("schema_version", "this alertsim reads 1.x", "2.0")),
        (["report", older.name], ("schema_version", "0.3")),
        (["report", half.name], ("summary.json", "not whole JSON")),
        (["report", altered.name], ("timeline.jsonl", "not a whole timeline")),
        (["report", "nowhere"], ("no such directory",)),
        (["report", whole.name, "--baseline", killed.name], ("killed", "--baseline")),
        (["report", whole.name, "--baseline", whole.name], ("its own baseline",)),
        (["report", killed.name, "--baseline", whole.name], ("killed", "RUNDIR")),
        (["report", whole.name, "--fail-if", "lost > 0"], ("--fail-if", "--baseline last")),
        (["compare", whole.name, half.name], ("summary.json", "not whole JSON")),
        (["history", "nowhere"], ("no such directory",)),
        (["history", ".", "--metric", "colour"], ("--metric", "delivery_latency")),
        (["history", ".", "--fail-if", "delivery_latency.p95 > 1x"], ("p50, p90, p99",)),
    ):
        found = call(*arguments)
        assert found.returncode == 104, (arguments, found.stdout, found.stderr)
        assert "Traceback" not in found.stderr
        for text in said:
            assert text in found.stderr, (arguments, found.stderr)
    still = call("report", killed.name)
    assert still.returncode == 0
    assert "INCOMPLETE RUN" in still.stdout


def test_a_damaged_table_costs_the_picture_and_is_told(
    made: dict[str, Path], call: Run, tmp_path: Path
) -> None:
    damaged = _copy(made["complete"], tmp_path / "damaged")
    content = (damaged / "deliveries.parquet").read_bytes()
    (damaged / "deliveries.parquet").write_bytes(content[: len(content) // 2])
    (tmp_path / "link").symlink_to(damaged, target_is_directory=True)
    found = call("report", "link")
    assert found.returncode == 0, found.stderr
    assert "notice: The table of deliveries could not be used" in found.stderr
    assert "VERDICT: " in found.stdout
    assert (damaged / "report.html").exists()
    refused = call("compare", "link", str(made["complete"]))
    assert refused.returncode == 104
    assert "not a whole Parquet file" in refused.stderr


@pytest.fixture
def read_only(made: dict[str, Path], tmp_path: Path) -> Iterator[Path]:
    """A run that nobody can write into, not even root."""
    target = _copy(made["complete"], tmp_path / "read-only")
    if os.geteuid():
        target.chmod(0o500)
        yield target
        target.chmod(0o700)
        return
    bound = ["mount", "--bind", str(target), str(target)]
    if subprocess.run(bound, check=False, capture_output=True).returncode:
        pytest.skip("this container may not mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(target)], check=True)
        yield target
    finally:
        subprocess.run(["umount", str(target)], check=True)


def test_a_read_only_run_is_reported_elsewhere(
    read_only: Path, made: dict[str, Path], call: Run, tmp_path: Path
) -> None:
    before = sorted(one.name for one in read_only.iterdir())
    refused = call("report", read_only.name)
    assert refused.returncode == 104
    assert "cannot be written" in refused.stderr
    assert "--out" in refused.stderr
    found = call(
        "report", read_only.name, "--baseline", str(made["complete"]), "--out", "page.html"
    )
    assert found.returncode == 0, found.stderr
    assert "page: page.html" in found.stdout
    assert "EXERCISE" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert sorted(one.name for one in read_only.iterdir()) == before


def test_history_reads_what_it_can_and_ends_by_its_conditions(
    made: dict[str, Path], call: Run, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    for hour in range(7):
        started = f"2026-11-22T{hour:02d}:00:00+00:00"
        _copy(made["complete"], runs / f"run {hour}", started=started)
    _copy(made["killed"], runs / "killed")
    (runs / "half").mkdir()
    (runs / "half" / "manifest.json").write_text("{")
    whole = call("history", "runs", "--fail-if", "delivery_latency.p90 > 20x", "--page", "h.html")
    assert whole.returncode == 0, whole.stderr
    assert "7 runs in 1 series" in whole.stdout
    assert "unfinished" in whole.stdout
    assert "damaged" in whole.stdout
    assert "EXERCISE" in (tmp_path / "h.html").read_text(encoding="utf-8")
    _copy(made["trouble"], runs / "trouble", started="2026-11-23T00:00:00+00:00")
    worse = call("history", "runs", "--fail-if", "lost > +0", "--json")
    assert worse.returncode == 99
    document = json.loads(worse.stdout)
    jsonschema.validate(document, history_json_schema())
    assert document["conditions"][0]["earlier"] == 7
    assert worse.stderr.startswith("lost > +0 holds of run ")
    silent = call("history", "runs", "--fail-if", "lost > +0", "-q", "--markdown")
    assert silent.returncode == 99
    assert silent.stdout.startswith("## History of 8 runs")
    assert "holds of run" in silent.stderr
    few = call("history", "runs", "--last", "5", "--fail-if", "delivery_latency > 1.1x")
    assert few.returncode == 98
    assert "has no interval: it takes 6" in few.stdout
