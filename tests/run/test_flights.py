"""Scenarios with flights end to end: one that warns nobody, one whose area is computed."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]

HARMLESS = """\
schema: "1.0"
id: harmless
title: Into the Sea of Japan
epoch: "2026-01-15T10:00:00+09:00"
fictional: true
chain: {profile: j-alert-2023}
launches:
  - id: a
    at: "10:00"
    flight: {site: sunan, azimuth_deg: 60, range_km: 600, apogee_km: 400}
"""


def test_a_launch_that_warns_nobody_is_a_run_without_messages(
    alertsim: Start, tmp_path: Path
) -> None:
    (tmp_path / "harmless.yaml").write_text(HARMLESS, encoding="utf-8")
    run = alertsim(
        "run", "harmless.yaml", "--speed", "6000", "--subscribers", "4", "--out", "runs", "--json"
    )
    assert run.wait() == 0, run.stderr()
    total = run.document()["ledger"]["total"]
    assert total["expected"] == total["receipts"] == 0
    (directory,) = (tmp_path / "runs").iterdir()
    assert json.loads((directory / "manifest.json").read_text())["state"] == "complete"
    timeline = (directory / "timeline.jsonl").read_text(encoding="utf-8")
    assert "No prefecture lies under the predicted track." in timeline
    assert (directory / "report.html").stat().st_size > 0


def test_a_computed_area_is_warned_with_lead_times_of_its_own(alertsim: Start) -> None:
    run = alertsim(
        "run",
        "tohoku-2022-11-03-modelled",
        "--speed",
        "60000",
        "--subscribers",
        "6",
        "--seed",
        "7",
        "--out",
        "runs",
        "--json",
    )
    assert run.wait() in {0, 98}, run.stderr()
    rows = run.document()["lead_times"]
    predicted = {
        row["prefecture"]: row["model_term_ns"] for row in rows if row["kind"] == "predicted"
    }
    assert set(predicted) == {"miyagi", "yamagata", "niigata"}
    assert predicted["niigata"] < predicted["yamagata"] < predicted["miyagi"] < 0
