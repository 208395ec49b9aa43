"""Every kind of subscriber, declared in a scenario, played from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]

# Ten messages a prefecture, a second of wall time apart at 600; whatever leaves, joins or returns
# does so half a second from any of them, so that a busy machine cannot change what is counted.
MIX = """\
extends: tohoku-2022-11-03
id: mix
tests: [{id: check, at: "08:10", every: 10min, count: 7, prefectures: [miyagi, yamagata, niigata]}]
subscribers:
  - {id: receivers, kind: steady, count: 12, qos: [0, 1], protocol: mixed}
  - {id: phones, kind: late, count: 4, joins_from: "07:54", joins_until: "07:56"}
  - id: sirens
    kind: flapping
    count: 4
    first_outage: "08:35"
    outage: 1min
    backoff: {first: 1s, longest: 1s, jitter: false}
  - {id: terminals, kind: offline, count: 4, leaves: "07:55", returns: "08:25"}
  - {id: pagers, kind: offline, count: 4, leaves: "07:55", returns: "08:25", session: clean}
  - {id: boards, kind: slow, count: 4, reads_every: 200ms}
  - {id: gateways, kind: overlapping, count: 4}
  - {id: servers, kind: shared, count: 6, protocol: mixed}
  - {id: crew, kind: shared, count: 3, across: all}
  - {id: towns, kind: geographic, count: 5}
"""
EXPECTED = {
    "receivers": {"delivered": 120},
    "phones": {"delivered": 36},
    "sirens": {"delivered": 36, "missed_offline": 4},
    "terminals": {"delivered": 28, "queued": 12},
    "pagers": {"delivered": 28, "missed_offline": 12},
    "boards": {"delivered": 40},
    "gateways": {"delivered": 40},
    "servers": {"delivered": 30},
    "crew": {"delivered": 30},
    "towns": {"delivered": 50},
    "controls": {},
}
OUTCOMES = (
    "delivered",
    "late",
    "queued",
    "expired",
    "missed_offline",
    "undetermined",
    "lost",
    "not_sent",
)


@pytest.mark.parametrize(
    "broker", ["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)]
)
def test_each_group_gets_what_it_is_owed_and_the_ledger_balances(
    alertsim: Start, tmp_path: Path, broker: str
) -> None:
    (tmp_path / "mix.yaml").write_text(MIX, encoding="utf-8")
    run = alertsim(
        "run", "mix.yaml", "--broker", broker, "--speed", "600", "--out", "runs", "--json"
    )
    assert run.wait() in {0, 98}, run.stderr()
    summary = run.document()
    groups: dict[str, dict[str, Any]] = {group["name"]: group for group in summary["groups"]}
    got = {
        name: {word: group["counts"][word] for word in OUTCOMES if group["counts"][word]}
        for name, group in groups.items()
    }
    assert got == EXPECTED
    total = summary["ledger"]["total"]
    assert total["expected"] == sum(total[word] for word in OUTCOMES) == 466
    first = total["delivered"] + total["late"] + total["queued"]
    assert total["receipts"] == first + total["duplicates"] + total["unexpected"]
    assert total["unexpected"] == 0
    assert summary["ledger"]["duplicate_causes"]["overlap"] == total["duplicates"]
    assert groups["gateways"]["counts"]["duplicates"] == total["duplicates"]
    if broker == "embedded":
        assert total["duplicates"] == 40

    def figures(name: str) -> dict[str, dict[str, Any]]:
        return {figure["population"]: figure for figure in groups[name]["figures"]}

    assert groups["phones"]["states"] == {"joined": 4, "due": 4, "seen": 4}
    ages = figures("phones")["retained"]
    assert (ages["n"], ages["min_ns"] > 300_000_000) == (4, True)
    assert figures("terminals")["queued"]["min_ns"] > 300_000_000
    assert set(figures("receivers")) == {"live"}
    assert groups["terminals"]["absences"]["resumed"] == 4
    assert groups["pagers"]["absences"]["resumed"] == 0
    for name in ("sirens", "terminals", "pagers"):
        away = groups[name]["absences"]
        assert (away["left"], away["returns_due"], away["returned"]) == (4, 4, 4)
    assert all(group["why"] for group in groups.values())
    (directory,) = (tmp_path / "runs").iterdir()
    rows = pl.read_parquet(directory / "deliveries.parquet")
    assert len(rows) == 466
    by_group = dict(rows["group"].value_counts().iter_rows())
    assert by_group == {name: sum(terms.values()) for name, terms in EXPECTED.items() if terms}
    towns = rows.filter(pl.col("group") == "towns")["municipality"]
    assert towns.n_unique() == 5
    assert set(rows.filter(pl.col("group") != "towns")["municipality"]) == {""}
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert "Groups of subscribers, and what each is owed" in page
    assert "Live, queued and retained, by group (wall)" in page


def test_asked_for_more_the_others_are_steady(alertsim: Start, tmp_path: Path) -> None:
    (tmp_path / "few.yaml").write_text(
        "extends: drill-minimal\nid: few\n"
        "subscribers: [{id: a, kind: steady, share: 0.5}, {id: b, kind: steady, count: 3}]\n",
        encoding="utf-8",
    )
    run = alertsim("run", "few.yaml", "--subscribers", "8", "--speed", "6000", "--json")
    assert run.wait() == 0, run.stderr()
    groups = {group["name"]: group["members"] for group in run.document()["groups"]}
    assert groups == {"a": 4, "b": 3, "others": 4, "controls": 10}


def test_nobody_of_a_group_comes_when_only_publishing(alertsim: Start) -> None:
    run = alertsim("publish", "subscriber-mix", "--speed", "60000", "--json")
    assert run.wait() in {0, 98}, run.stderr()
    assert run.document()["ledger"]["total"]["expected"] == 0
