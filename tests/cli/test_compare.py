"""Comparing policies at the command line: what is said, what is refused, how it ends."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import COMMAND, Run

THEN = "tohoku-2022-11-03-modelled"
LATER = "tohoku-2022-11-03-rules-2023"


def test_the_rules_of_2023_warn_earlier_and_cost_more_needless_alerts(
    run: Run, call: Run, tmp_path: Path
) -> None:
    arguments = ["compare", THEN, LATER, "--replications", "60", "--out", "both"]
    played = run(
        *arguments,
        "--fail-if", "warned_before_predicted < 0.9x",
        "--fail-if", "people_alerted_needlessly > 2x",
        "--json",
    )  # fmt: skip
    assert played.returncode == 99, played.stderr
    summary = json.loads(played.stdout)
    jsonschema.validate(summary, json.loads(call("schema", "comparison").stdout))
    metrics = {one["metric"]: one for one in summary["metrics"]}
    alert = metrics["alert_ns"]["differences"][0]
    assert alert["paired"]
    assert alert["effect"] == "better"
    assert alert["interval"][1] < 0
    assert metrics["alerted_needlessly_people"]["differences"][0]["effect"] == "worse"
    assert [one["verdict"] for one in summary["gates"]] == ["pass", "fail"]
    assert any("Each second of lead time gained" in one for one in summary["findings"])
    kept = {one.name for one in (tmp_path / "both").iterdir()}
    assert kept == {"summary.json", "report.html", "report.md", f"1-{THEN}", f"2-{LATER}"}
    assert json.loads((tmp_path / "both" / "summary.json").read_text()) == summary
    page = (tmp_path / "both" / "report.html").read_text()
    assert 'id="trade-off-picture"' in page
    assert "costs" in page

    markdown = call(*arguments, "--format", "markdown")
    assert markdown.returncode == 0, markdown.stderr
    assert "replications: 0 of 120" not in markdown.stderr  # kept, not played again
    assert markdown.stdout.startswith(f"## {LATER} against {THEN}")
    assert "| launch to first alert |" in markdown.stdout
    assert "EXERCISE" in markdown.stdout

    sides = [f"both/1-{THEN}", f"both/2-{LATER}"]
    again = call("compare", *sides, "--json", "--fail-if", "alert.p50 > 1min")
    assert again.returncode == 99, again.stderr
    read = json.loads(again.stdout)
    for one, other in zip(read["metrics"], summary["metrics"], strict=True):
        assert one["values"] == other["values"]
        (here,), (there,) = one["differences"], other["differences"]
        assert here | {"reason": ""} == there | {"reason": ""}  # which names the side
    assert [side["source"] for side in read["sides"]] == ["experiment"] * 2


def test_experiments_of_other_seeds_are_compared_as_independent_samples(
    run: Run, call: Run, tmp_path: Path
) -> None:
    for seed in ("1", "2"):
        played = run(
            "sweep", THEN, "--vary", "chain.issue=5s,60s", "--replications", "40",
            "--chain-only", "--seed", seed, "--out", f"s{seed}", "-q",
        )  # fmt: skip
        assert played.returncode == 0, played.stderr
    paired = call("compare", "s1#1", "s1#2", "--json")
    assert paired.returncode == 0, paired.stderr
    summary = json.loads(paired.stdout)
    assert summary["sides"][1]["settings"] == {"chain.issue": "1min"}
    alert = next(one for one in summary["metrics"] if one["metric"] == "alert_ns")
    assert alert["differences"][0]["value"] == pytest.approx(55e9)
    assert alert["differences"][0]["interval"] == pytest.approx([55e9, 55e9])
    apart = json.loads(call("compare", "s1#1", "s2#2", "--json").stdout)
    assert not apart["paired"]
    inconclusive = call("compare", "s1#1", "s2#2", "--fail-if", "alert > +55s")
    assert inconclusive.returncode == 98, inconclusive.stderr
    assert "The seeds differ" in inconclusive.stdout
    (tmp_path / "s2" / "experiment.json").write_text("{")
    damaged = call("compare", "s1", "s2")
    assert damaged.returncode == 104
    assert "not whole JSON" in damaged.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", THEN], ("two or more", "baseline first")),
        (["compare", THEN, THEN], ("is named twice", "alertsim sweep")),
        (["compare", THEN, "no-such"], ("unknown scenario", "no-such")),
        (["compare", THEN, "."], ("neither an experiment nor a run",)),
        (["compare", THEN, LATER, "--fail-if", "alert"], ("--fail-if", "not a condition")),
        (["compare", THEN, LATER, "--fail-if", "alarm > 1.1x"], ("unknown metric", "alert")),
        (["compare", THEN, LATER, "--replications", "600000"], ("1,200,000", "--yes")),
        (["compare", THEN, LATER, "--set", "chain.desision=5s"], ("no such field",)),
        (["compare", THEN, LATER, "--out", "taken"], ("holds something else",)),
        (["compare", THEN, LATER, "--channels", "j-alert-2922"], ("j-alert-2022",)),
    ],
)
def test_bad_input_is_refused_before_anything_is_played(
    call: Run, tmp_path: Path, arguments: list[str], said: tuple[str, ...]
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "note.txt").write_text("mine")
    result = call(*arguments)
    assert result.returncode == 104, (result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    assert "replications:" not in result.stderr.split("error:")[0]
    for text in said:
        assert text in result.stderr


def test_kinds_are_not_mixed_and_what_was_played_is_not_played_again(run: Run, call: Run) -> None:
    played = run("simulate", "drill-minimal", "--replications", "12", "--out", "drill", "-q")
    assert played.returncode == 0, played.stderr
    mixed = call("compare", THEN, "drill")
    assert mixed.returncode == 104
    assert "cannot be compared with each other" in mixed.stderr
    assert "drill (a experiment" not in mixed.stderr
    other = run("simulate", THEN, "--replications", "12", "--chain-only", "--out", "chain", "-q")
    assert other.returncode == 0, other.stderr
    seeded = call("compare", "chain", "drill", "--seed", "3")
    assert seeded.returncode == 104
    assert "has no effect" in seeded.stderr


def test_runs_are_compared_by_their_directories(run: Run, call: Run, tmp_path: Path) -> None:
    played = run("run", "drill-minimal", "--speed", "600", "--subscribers", "6", "--repeat", "12",
                 "--gap", "50ms", "--out", "runs", "-q")  # fmt: skip
    assert played.returncode == 0, played.stderr
    (made,) = (tmp_path / "runs").iterdir()
    shutil.copytree(made, tmp_path / "again")
    arguments = ["compare", f"runs/{made.name}", "again", "--json"]
    same = call(*arguments, "--fail-if", "delivery_latency > +1min", "--fail-if", "lost > 0")
    assert same.returncode == 0, same.stderr
    summary = json.loads(same.stdout)
    mean = next(one for one in summary["metrics"] if one["metric"] == "delivery_latency")
    assert mean["differences"][0]["value"] == 0
    assert [side["n"] for side in summary["sides"]] == [12, 12]
    slower = call(*arguments, "--fail-if", "delivery_latency > 1ns")
    assert slower.returncode in {98, 99}  # 98 where the instrument was the bottleneck
    wrong = call(*arguments, "--fail-if", "warned > 1x")
    assert wrong.returncode == 104
    assert "known: delivery_latency" in wrong.stderr
    mixed = call("compare", THEN, "again")
    assert mixed.returncode == 104
    assert "again (run directory)" in mixed.stderr


def test_ctrl_c_keeps_what_is_finished_and_judges_nothing(run: Run, tmp_path: Path) -> None:
    arguments = [
        "compare", THEN, LATER, "--replications", "1500", "--workers", "1", "--chain-only",
        "--out", "cut", "--fail-if", "alert > 0.1x",
    ]  # fmt: skip
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    parts = tmp_path / "cut" / f"2-{LATER}" / "replications"
    while process.poll() is None and len(list(parts.glob("part-*"))) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 105, err
    assert "Traceback" not in err
    assert "kept in cut" in err
    assert "not judged" in out
    again = run(*arguments)
    assert again.returncode == 99, again.stderr
    assert "replications: 0 of 3,000" not in again.stderr
