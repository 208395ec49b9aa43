"""Faults on the way to people, from a scenario file to the figures of an experiment."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

Play = Callable[..., pl.DataFrame]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Plays a variant of a shipped scenario ten times; its rows."""

    def call(name: str, base: str, *lines: str, command: tuple[str, ...] = ()) -> pl.DataFrame:
        path = tmp_path / f"{name}.yaml"
        head = ['schema: "1.0"', f"id: {name}", f"title: {name}", f"extends: {base}"]
        path.write_text("\n".join([*head, *lines, ""]), encoding="utf-8")
        wanted = command or ("simulate", str(path), "--replications", "10")
        played = subprocess.run(
            [sys.executable, "-m", "simulator", *wanted, "--out", name, "--quiet"],
            cwd=tmp_path,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert played.returncode == 0, played.stderr
        return pl.read_parquet(tmp_path / name / "replications.parquet")

    return call


def test_a_silent_carrier_warns_fewer_people_by_cell_broadcast(play: Play) -> None:
    """The shipped case, as on that day, and with all carriers sending."""
    silent = play("as-it-was", "hokkaido-2022-10-04")
    sound = play("sound", "hokkaido-2022-10-04", "channel_faults: null")
    assert silent["alert_ns"].to_list() == sound["alert_ns"].to_list()
    by_phone = "first_cell_broadcast_people"
    # Where the carrier stays silent by chance, its fault changes nothing.
    assert all(one <= other for one, other in zip(silent[by_phone], sound[by_phone], strict=True))
    assert sum(silent[by_phone].to_list()) < 0.99 * sum(sound[by_phone].to_list())
    assert silent["warned_people"].sum() < sound["warned_people"].sum()
    assert silent["first_television_people"].sum() > sound["first_television_people"].sum()


def test_a_sweep_counts_who_a_correction_on_one_channel_reaches(play: Play, tmp_path: Path) -> None:
    body = [
        "launches:",
        "  - id: drill",
        "    correction: {only_channels: [television], reason: It was a false alarm.}",
    ]
    everywhere = play("everywhere", "hawaii-2018")
    one = play("one", "hawaii-2018", *body)
    assert (everywhere["corrected_people"] == everywhere["warned_people"]).all()
    television = one["first_television_people"]
    assert (one["warned_people"] == everywhere["warned_people"]).all()
    assert (television < one["corrected_people"]).all()
    assert (one["corrected_people"] < 0.5 * one["warned_people"]).all()
    swept = play(
        "swept",
        "hawaii-2018",
        *body,
        command=("sweep", str(tmp_path / "one.yaml"), "--vary", "chain.issue=0s,10s",
                 "--replications", "5"),
    )  # fmt: skip
    assert swept["point"].n_unique() > 1
    for _, rows in swept.group_by("point"):
        assert rows["corrected_people"].to_list() == one["corrected_people"].to_list()[:5]
    page = (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    assert "people whom a correction reached" in page
    by_town = pl.read_csv(tmp_path / "one" / "municipalities.csv")
    assert by_town["prefecture"].unique().to_list() == ["okinawa"]
    people = sum(by_town["warned_people"].to_list())
    assert people == pytest.approx(sum(one["warned_people"].to_list()) / 10, abs=3)
    summary = json.loads((tmp_path / "one" / "summary.json").read_text(encoding="utf-8"))
    assert "corrected_people" in json.dumps(summary)


def test_a_correction_that_left_by_mail_reaches_nobody_on_a_channel(play: Play) -> None:
    mailed = play("mailed", "hokkaido-2023-04-13")
    assert mailed["corrected_people"].to_list() == [0.0] * 10
