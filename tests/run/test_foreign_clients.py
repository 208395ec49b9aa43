"""Foreign clients are first-class: in the ledger, in the report, by the public contract alone."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.run.cast import RECEIVERS, UNSTAMPED, commands, on_stage
from tests.run.processes import Alertsim, wait_until

Start = Callable[..., Alertsim]

# The founding case corrected after twelve minutes instead of 84, which nobody needs to wait out.
SOON = """\
extends: tohoku-2022-11-03
id: corrected-soon
chain: {discovery: {ends: "08:10"}, correction: {starts: "08:10", ends: "08:12"}}
record: [{id: correction, at: {time: "08:12"}}]
marks: null
"""


@pytest.fixture(scope="module")
def receivers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return commands(tmp_path_factory.mktemp("receivers"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "broker", ["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)]
)
def test_every_shipped_receiver_is_in_ledger_and_report(
    alertsim: Start, tmp_path: Path, broker: str, receivers: dict[str, list[str]]
) -> None:
    run = alertsim(
        *("run", "tohoku-2022-11-03", "--speed", "3000", "--subscribers", "9", "--out", "runs"),
        *("--broker", broker, "--wait-for-clients", str(len(receivers)), "--json"),
    )
    run.wait_for("wait:")
    with on_stage(receivers, "127.0.0.1", run.port("3.1.1")):
        assert run.wait() == 0, run.stderr()
    summary = run.document()
    found = {each["client"]: each for each in summary["foreign_clients"]}
    assert found.keys() == receivers.keys() >= {"paho-miyagi", "aiomqtt-yamagata", "gmqtt-niigata"}
    for name, each in found.items():
        counts = each["counts"]
        assert counts["expected"] == counts["delivered"] == counts["receipts"] == 3, name
        assert each["filters"] == [f"alertsim/v1/alerts/{RECEIVERS[name][1]}/+"]
        assert ("round trip" in each["clock"]) == (name == UNSTAMPED), each
    assert summary["ledger"]["total"]["expected"] == 9 * 3 + 3 * len(receivers)
    assert summary["ledger"]["total"]["unexpected"] == 0
    (directory,) = (tmp_path / "runs").iterdir()
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in found)
    if "js-miyagi" in receivers:
        _read_elsewhere(receivers["js-miyagi"], directory / "latency.hlog", summary)


def _read_elsewhere(node: list[str], log: Path, summary: dict[str, Any]) -> None:
    """Another implementation of HdrHistogram reads the same out of the log."""
    reader = Path(node[1]).with_name("read_hlog.mjs")
    done = subprocess.run([node[0], reader, log], capture_output=True, text=True, check=True)
    live = json.loads(done.stdout)["live"]
    (row,) = (
        row
        for row in summary["latency"]
        if (row["population"], row["segment"]) == ("live", "delivery")
        if row["prefecture"] is row["event"] is row["qos"] is None
    )
    assert live["count"] == row["n"] >= 9 * 3
    assert live["max"] == pytest.approx(row["max_ns"], rel=1e-3)


def test_late_joiner_gets_the_retained_state_and_its_age_is_no_latency(
    alertsim: Start, tmp_path: Path
) -> None:
    (tmp_path / "soon.yaml").write_text(SOON, encoding="utf-8")
    run = alertsim(
        *("run", "soon.yaml", "--speed", "100", "--subscribers", "6"),
        *("--out", "runs", "--json"),
    )
    run.wait_for("launch to niigata")
    late = alertsim("subscribe", "--prefecture", "miyagi", "--count", "1", "--json")
    assert late.wait() == 0, late.stderr()
    heard = [json.loads(line) for line in late.stdout().splitlines()]
    states = [each for each in heard if each["record"] == "state"]
    assert [(each["retain"], each["event"]) for each in states] == [(True, "launch")]
    wait_until(lambda: "correction to niigata" in run.stderr(), 90)
    assert run.wait() == 0, run.stderr()
    summary = run.document()
    assert summary["ledger"]["state"]["retained"] == 1
    ages = [row for row in summary["latency"] if row["population"] == "retained"]
    assert [row["segment"] for row in ages] == ["age"]
    # Owed from when it registered: the passage, and the correction that it did not wait for.
    (foreign,) = summary["foreign_clients"]
    assert foreign["counts"]["expected"] == 2
    assert foreign["counts"]["delivered"] == 1


def test_wait_for_clients_that_never_come_is_said(alertsim: Start, tmp_path: Path) -> None:
    run = alertsim(
        *("publish", "drill-minimal", "--wait-for-clients", "2", "--wait-timeout", "8s"),
        *("--out", "runs"),
    )
    assert run.wait() == 106
    assert "0 of 2 clients" in run.stderr()
    assert not (tmp_path / "runs").exists()
