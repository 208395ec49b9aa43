"""Experiments at the command line: what is kept, what is refused, how they end."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import polars as pl
import pytest

from tests.cli.conftest import COMMAND, Run

MODELLED = "tohoku-2022-11-03-modelled"


def _table(path: Path) -> bytes:
    return (path / "replications.parquet").read_bytes()


def test_any_replication_comes_back_by_its_number_with_its_timeline(
    run: Run, call: Run, tmp_path: Path
) -> None:
    played = run("simulate", MODELLED, "--replications", "30", "--seed", "5", "--out", "many")
    assert played.returncode == 0, played.stderr
    assert 'id="town-map"' in (tmp_path / "many" / "report.html").read_text()
    table = pl.read_parquet(tmp_path / "many" / "replications.parquet")
    row = table.row(17, named=True)
    one = call("simulate", MODELLED, "--seed", "5", "--replication", "17", "--json")
    records = json.loads(one.stdout)
    launch = next(r for r in records if r.get("kind") == "truth" and r["name"] == "launch")
    alerts = [r for r in records if r["record"] == "alert"]
    assert records[0]["replication"] == row["replication"] == 17
    assert min(r["at_ns"] for r in alerts) - launch["at_ns"] == row["alert_ns"]
    assert len(alerts) == row["messages_count"]


def test_the_same_bytes_whatever_the_workers_and_the_hash_seed(run: Run, tmp_path: Path) -> None:
    digests = set()
    for workers in ("1", "3"):
        played = run(
            "simulate", MODELLED, "--replications", "40", "--workers", workers,
            "--out", f"by-{workers}", "--quiet",
            PYTHONHASHSEED=workers,
        )  # fmt: skip
        assert played.returncode == 0, played.stderr
        digests.add(hashlib.sha256(_table(tmp_path / f"by-{workers}")).hexdigest())
    assert len(digests) == 1
    summaries = {
        (tmp_path / f"by-{workers}" / "summary.json").read_bytes() for workers in ("1", "3")
    }
    assert len(summaries) == 1


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(
    run: Run, tmp_path: Path
) -> None:
    arguments = ["simulate", MODELLED, "--replications", "2000", "--workers", "1", "--chain-only"]
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--out", "cut"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    parts = tmp_path / "cut" / "replications"
    while process.poll() is None and len(list(parts.glob("part-*"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 105, err
    assert "Traceback" not in err
    assert "INCOMPLETE" in out
    assert json.loads((tmp_path / "cut" / "experiment.json").read_text())["state"] == "interrupted"
    kept = len(list(parts.glob("part-*.parquet")))
    assert kept >= 2
    again = run(*arguments, "--out", "cut")
    assert again.returncode == 0, again.stderr
    assert "replications: 0 of 2,000" not in again.stderr
    whole = run(*arguments, "--out", "whole", "--quiet")
    assert whole.returncode == 0
    assert _table(tmp_path / "cut") == _table(tmp_path / "whole")
    assert not parts.exists()


def test_a_killed_experiment_goes_on_too(run: Run, tmp_path: Path) -> None:
    arguments = ["simulate", MODELLED, "--replications", "700", "--chain-only", "--workers", "2"]
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--out", "cut", "--quiet"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    parts = tmp_path / "cut" / "replications"
    while process.poll() is None and len(list(parts.glob("part-*.parquet"))) < 3:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert run(*arguments, "--out", "cut", "--quiet").returncode == 0
    assert run(*arguments, "--out", "whole", "--quiet").returncode == 0
    assert _table(tmp_path / "cut") == _table(tmp_path / "whole")


def test_it_stops_when_a_figure_is_known_well_enough(run: Run, tmp_path: Path) -> None:
    played = run(
        "simulate", MODELLED, "--until-halfwidth", "stage_issue=1s", "--chain-only",
        "--out", "known",
    )  # fmt: skip
    assert played.returncode == 0, played.stderr
    summary = json.loads((tmp_path / "known" / "summary.json").read_text())
    assert (summary["state"], summary["stop_reached"]) == ("stopped", True)
    assert summary["replications"] % 100 == 0
    assert 100 <= summary["replications"] < summary["replications_asked"]
    figures = {one["column"]: one for one in summary["points"][0]["figures"]}
    low, high = figures["stage_issue_ns"]["student"]
    assert (high - low) / 2 <= 1e9
    assert (
        pl.read_parquet(tmp_path / "known" / "replications.parquet").height
        == (summary["replications"])
    )


def test_it_says_that_a_figure_is_not_known_well_enough(run: Run, tmp_path: Path) -> None:
    played = run(
        "simulate", MODELLED, "--until-halfwidth", "alert=1ms", "--replications", "40",
        "--chain-only", "--out", "wide",
    )  # fmt: skip
    assert played.returncode == 0, played.stderr
    said = r"alert=1ms: not reached: ± [1-9]\d* min \d+ s after 40 replications"
    assert re.search(said, played.stdout)
    summary = json.loads((tmp_path / "wide" / "summary.json").read_text())
    assert (summary["state"], summary["stop_reached"]) == ("complete", False)


def test_a_sweep_compares_points_under_the_same_random_numbers(run: Run) -> None:
    played = run(
        "sweep", MODELLED, "--vary", "chain.issue=10s,20s", "--vary", "chain.teams.count=1,2",
        "--replications", "20", "--chain-only", "--json",
    )  # fmt: skip
    assert played.returncode == 0, played.stderr
    summary = json.loads(played.stdout)
    assert [point["settings"] for point in summary["points"]] == [
        {},
        {"chain.issue": "10s", "chain.teams.count": "1"},
        {"chain.issue": "10s", "chain.teams.count": "2"},
        {"chain.issue": "20s", "chain.teams.count": "1"},
        {"chain.issue": "20s", "chain.teams.count": "2"},
    ]
    alert = [
        {one["column"]: one for one in point["figures"]}["alert_ns"]["mean"]
        for point in summary["points"]
    ]
    assert alert[3] - alert[1] == pytest.approx(10e9)
    assert alert[1] == alert[2]


@pytest.mark.parametrize(
    ("design", "found"), [("lhs", "points_played"), ("tornado", "swings"), ("sobol", "shares")]
)
def test_every_design_can_be_played(run: Run, design: str, found: str) -> None:
    arguments = ["--vary", "chain.decision=30s..2min", "--points", "3"] if design == "lhs" else []
    played = run(
        "sweep", MODELLED, "--design", design, *arguments, "--replications", "16",
        "--chain-only", "--json",
    )  # fmt: skip
    assert played.returncode == 0, played.stderr
    assert json.loads(played.stdout)[found]


def test_people_are_counted_unless_the_chain_is_played_alone(run: Run) -> None:
    played = run("simulate", "tohoku-2022-11-03", "--replications", "12", "--json")
    columns = {one["column"] for one in json.loads(played.stdout)["points"][0]["figures"]}
    assert {"warned_people", "alerted_needlessly_people", "alert_ns"} <= columns
    alone = run("simulate", "tohoku-2022-11-03", "--replications", "12", "--json", "--chain-only")
    columns = {one["column"] for one in json.loads(alone.stdout)["points"][0]["figures"]}
    assert "alert_ns" in columns
    assert not [name for name in columns if name.endswith("_people")]


def test_the_summary_keeps_to_its_schema(run: Run, call: Run) -> None:
    schema = json.loads(call("schema", "experiment").stdout)
    played = run("sweep", MODELLED, "--vary", "chain.issue=1s,2s", "--replications", "5", "--json")
    jsonschema.validate(json.loads(played.stdout), schema)


def test_fields_can_be_set_for_one_replication_and_listed(call: Run) -> None:
    one = call("simulate", "tohoku-2022-11-03", "--set", "chain.decision=30s", "--json")
    records = json.loads(one.stdout)
    first = min(r["at_ns"] for r in records if r["record"] == "alert")
    assert first == 8 * 60 * 10**9
    listed = call("sweep", MODELLED, "--paths")
    assert {
        "chain.decision",
        "chain.policy",
        "chain.teams.count",
        "channels.phones.held.share",
        "sensing.radar.range_km.value",
    } <= set(listed.stdout.split())


def test_assumptions_of_the_world_are_ranked_beside_those_of_the_chain(run: Run, call: Run) -> None:
    played = run(
        "sweep", MODELLED, "--design", "tornado", "--vary", "area.half_width_km",
        "--vary", "channels.phones.*", "--vary", "chain.decision", "--set", "chain.teams=2",
        "--replications", "8", "--json",
    )  # fmt: skip
    assert played.returncode == 0, played.stderr
    needless = [
        swing["path"]
        for swing in json.loads(played.stdout)["swings"]
        if swing["column"] == "alerted_needlessly_people"
    ]
    assert needless[0] == "area.half_width_km"
    assert "channels.phones.held" in needless
    listed = call("sweep", MODELLED, "--assumptions", "--json")
    known = json.loads(listed.stdout)["assumptions"]
    assert known["area.half_width_km"] == ["15", "38"]
    assert known["channels.phones.held"] == ["0.8", "0.92"]
    assert (
        "channels.phones.held"
        not in call("sweep", MODELLED, "--assumptions", "--chain-only").stdout
    )
    unknown = call("sweep", MODELLED, "--design", "tornado", "--vary", "channels.fax")
    assert unknown.returncode == 104
    assert "assumptions" in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sweep", MODELLED], ("nothing is varied", "--vary")),
        (
            ["sweep", MODELLED, "--vary", "chain.desision=60s,90s"],
            ("no such field", "did you mean chain.decision"),
        ),
        (
            ["sweep", MODELLED, "--vary", "chain.decision=-60s,90s"],
            ("chain.decision=-1min", "negative"),
        ),
        (
            ["sweep", MODELLED, "--vary", "chain.policy=everyone,nobody"],
            ("chain.policy=everyone", "prefectures"),
        ),
        (["sweep", MODELLED, "--vary", "chain.decision=60s..240s"], ("how many values",)),
        (
            ["sweep", MODELLED, "--vary", "chain.teams.count=1..1000:1000",
             "--vary", "chain.decision=1s..1000s:1000"],
            ("100,000,100 replications", "--yes"),
        ),
        (["sweep", MODELLED, "--design", "lhs", "--vary", "chain.decision=1s..2s"], ("--points",)),
        (["sweep", MODELLED, "--points", "5", "--vary", "chain.decision=1s,2s"], ("--design lhs",)),
        (
            ["sweep", "tohoku-2022-11-03", "--design", "sobol", "--chain-only"],
            ("nothing is drawn",),
        ),
        (
            ["sweep", MODELLED, "--design", "sobol", "--vary", "chain.decision=1s,2s"],
            ("nothing is varied", "--vary"),
        ),
        (["sweep", "no-such-scenario", "--vary", "a=1,2"], ("unknown scenario",)),
        (["simulate", MODELLED, "--replications", "0"], ("replications",)),
        (["simulate", MODELLED, "--replications", "10", "--seed", "-1"], ("seed",)),
        (
            ["simulate", MODELLED, "--until-halfwidth", "alarm=1s"],
            ("no such figure", "alert"),
        ),
        (["simulate", MODELLED, "--until-halfwidth", "alert"], ("alert=250ms",)),
        (["simulate", MODELLED, "--until-halfwidth", "alert=5"], ("5", "unit")),
        (["simulate", MODELLED, "--until-halfwidth", "alert=0s"], ("more than nothing",)),
        (
            ["simulate", MODELLED, "--replications", "5", "--channels", "j-alert-2922"],
            ("j-alert-2022",),
        ),
        (
            ["simulate", MODELLED, "--replications", "5", "--channels", "j-alert-2022",
             "--chain-only"],
            ("--channels",),
        ),
        (["simulate", MODELLED, "--replications", "2000000"], ("2,000,000", "--yes")),
        (["simulate", MODELLED, "--set", "chain.decision=1s,2s"], ("one value",)),
        (
            ["simulate", MODELLED, "--replications", "3", "--set", "chain.nope=3"],
            ("error: --set: the scenario has no such field (got chain.nope)",),
        ),
        (["simulate", MODELLED, "--set", "chain"], ("--set: ", "--set chain.decision=90s")),
        (
            ["simulate", MODELLED, "--replication", "3", "--replications", "4"],
            ("--replication: one replication or many (got 3)", "leave out --replication"),
        ),
        (
            ["simulate", MODELLED, "--replication", "0", "--until-halfwidth", "alert=1s"],
            ("--replication: ", "--until-halfwidth"),
        ),
        (
            ["simulate", MODELLED, "--replications", "5", "--cluster", "tcp://127.0.0.1:9"],
            ("no Dask scheduler answers",),
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused_before_anything_is_played(
    call: Run, tmp_path: Path, arguments: list[str], said: tuple[str, ...]
) -> None:
    result = call(*arguments)
    assert result.returncode == 104, (result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    for text in said:
        assert text in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_directory_of_another_experiment_is_refused(run: Run, tmp_path: Path) -> None:
    first = run("simulate", MODELLED, "--replications", "10", "--chain-only", "--out", "one", "-q")
    assert first.returncode == 0, first.stderr
    before = _table(tmp_path / "one")
    other = run(
        "simulate", MODELLED, "--replications", "10", "--chain-only", "--out", "one", "--seed", "9"
    )
    assert other.returncode == 104
    assert "another seed" in other.stderr
    assert _table(tmp_path / "one") == before


def test_one_replication_costs_no_table_library() -> None:
    code = (
        "import sys; from simulator.cli.app import app\n"
        f"try: app(['simulate', '{MODELLED}', '--quiet'])\n"
        "except SystemExit: pass\n"
        "assert not {'polars', 'scipy', 'numpy', 'distributed'} & set(sys.modules), "
        "sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.netns
def test_a_full_disk_keeps_what_is_finished_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    alertsim = (
        f"{sys.executable} -m simulator simulate {MODELLED} --replications 600 --workers 1 "
        f"--chain-only --quiet --out {tmp_path}/disk/one"
    )
    script = f"""
        mkdir {tmp_path}/disk && mount -t tmpfs -o size=120k tmpfs {tmp_path}/disk || exit 9
        {alertsim}; echo "first $?"
        ls {tmp_path}/disk/one/replications | grep -c part-
        mount -o remount,size=64m {tmp_path}/disk
        {alertsim}; echo "second $?"
        cp -r {tmp_path}/disk/one {tmp_path}/kept
    """
    result = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    first, parts, second = result.stdout.split("\n")[:3]
    assert (first, second) == ("first 104", "second 0"), result.stderr
    assert int(parts) > 0
    assert "No space left on device" in result.stderr
    assert "free some space" in result.stderr
    assert pl.read_parquet(tmp_path / "kept" / "replications.parquet").height == 600
