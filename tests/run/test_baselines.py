"""Two runs, one after the other, the second held against the first."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]
PLAY = (
    *("run", "drill-minimal", "--speed", "6000", "--subscribers", "6", "--repeat", "10"),
    *("--gap", "10ms", "--out", "runs", "--baseline", "last"),
)


def test_the_first_run_has_no_baseline_and_the_second_has_the_first(
    alertsim: Start, tmp_path: Path
) -> None:
    first = alertsim(*PLAY, "--fail-if", "lost > 0", "-q")
    assert first.wait() == 98, first.stderr()
    assert "cannot be judged: No complete run of drill-minimal lies in runs" in first.stderr()
    (one,) = (tmp_path / "runs").iterdir()
    assert not (one / "baseline.json").exists()

    second = alertsim(
        *PLAY, "--seed", "7", "--json",
        "--fail-if", "delivered < +0", "--fail-if", "expected > 1x", "--fail-if", "expected >= 1x",
    )  # fmt: skip
    assert second.wait() == 99, second.stderr()
    document = second.document()
    (two,) = {path.name for path in (tmp_path / "runs").iterdir()} - {one.name}
    baseline = document["baseline"]
    assert [side["name"] for side in baseline["sides"]] == [f"runs/{one.name}", f"runs/{two}"]
    assert [gate["verdict"] for gate in baseline["gates"]] == ["pass", "pass", "fail"]
    latency = next(one for one in baseline["metrics"] if one["metric"] == "delivery_latency")
    assert latency["values"][0]["interval"] is not None
    assert "Not the same seed: A 1, B 7." in baseline["unlike"]
    assert "baseline: expected >= 1x holds of B" in second.stderr()
    kept = json.loads((tmp_path / "runs" / two / "baseline.json").read_text())
    assert kept == baseline
    manifest = json.loads((tmp_path / "runs" / two / "manifest.json").read_text())
    assert manifest["exit_code"] == 99
    assert manifest["state"] == "complete"


def test_a_baseline_that_cannot_be_one_is_refused_before_anything_is_sent(
    alertsim: Start, tmp_path: Path
) -> None:
    (tmp_path / "notes").mkdir()
    for arguments, said in (
        (("--baseline", "notes"), "not a run directory"),
        (("--baseline", "last", "--fail-if", "colour > 1x"), "unknown metric"),
        (("--fail-if", "lost > 0"), "--baseline last"),
    ):
        run = alertsim("run", "drill-minimal", "--out", "runs", *arguments)
        assert run.wait() == 104
        assert said in run.stderr()
        assert not (tmp_path / "runs").exists()
