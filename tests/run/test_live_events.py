"""`--events`: a run told as it happens, on a broker of its own or one that runs already."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from simulator.run.live_schema import LIVE_EVENT, live_events_json_schema
from tests.run.processes import Alertsim, wait_until

Start = Callable[..., Alertsim]
_FORM = Draft202012Validator(live_events_json_schema())
_RUN = ("run", "tohoku-2022-11-03", "--speed", "6000", "--subscribers", "30", "--out", "runs")


def _events(text: str) -> list[dict[str, Any]]:
    """Every line, held against the published form."""
    return [_held(json.loads(line)) for line in text.splitlines()]


def _held(event: dict[str, Any]) -> dict[str, Any]:
    LIVE_EVENT.validate_python(event)
    _FORM.validate(event)
    return event


def test_a_run_is_told_from_plan_to_end(alertsim: Start) -> None:
    run = alertsim(*_RUN, "--events", "-", "--repeat", "2")
    assert run.wait() == 0, run.stderr()
    events = _events(run.stdout())

    assert [each["n"] for each in events] == list(range(1, len(events) + 1))
    plan, end = events[0], events[-1]
    assert (plan["type"], plan["schema"], plan["exercise"]) == ("plan", "1.0", True)
    assert [each["slug"] for each in plan["prefectures"]] == ["miyagi", "yamagata", "niigata"]
    people = plan["people"]
    assert 0 == people["warned"][0] <= people["warned"][-1] <= people["alerted"]
    assert set(people["by_prefecture"]) == {"miyagi", "yamagata", "niigata"}
    for alert in plan["alerts"]:
        assert alert["headline_en"].startswith("EXERCISE")
        assert alert["headline_ja"].startswith("【訓練】")
    sent = [each for each in events if each["type"] == "sent"]
    assert [(each["alert"], each["repetition"]) for each in sent] == [
        (number, again) for again in (0, 1) for number in range(len(plan["alerts"]))
    ]
    (begun,) = (each for each in events if each["type"] == "begun")
    assert begun["repeat"] == 2
    assert int(begun["period_ns"]) > 0
    last = next(each for each in reversed(events) if each["type"] == "progress")
    assert last["delivered"] == last["owed"] == last["due"] == last["latency"]["n"] > 0
    told = {}
    for event in events:
        for group in event.get("groups", ()):
            told[group["prefecture"], group["event"]] = group["segments"]["delivery"]
    assert sum(tally["n"] for tally in told.values()) == last["delivered"]
    assert all(sum(tally["buckets"]) == tally["n"] for tally in told.values())
    assert (end["type"], end["exit_code"], end["outcome"]) == ("end", 0, "pass")
    assert end["ledger"]["delivered"] == last["delivered"]
    assert Path(end["report"]).name == "report.html"


def test_a_lead_in_lets_the_clock_run_from_the_launch_on(alertsim: Start) -> None:
    run = alertsim(*_RUN, "--events", "-", "--lead-in", "launch")
    assert run.wait() == 0, run.stderr()
    events = _events(run.stdout())

    (begun,) = (each for each in events if each["type"] == "begun")
    ahead_ns = int(begun["start_unix_ns"]) - int(begun["at_unix_ns"])
    assert ahead_ns > (int(begun["first_ns"]) - int(events[0]["people"]["launch_ns"])) / 6000
    assert events[-1]["outcome"] == "pass"


def test_events_go_to_a_file_beside_the_ordinary_output(alertsim: Start, tmp_path: Path) -> None:
    run = alertsim(*_RUN, "--events", "told.ndjson")
    assert run.wait() == 0, run.stderr()

    assert "report:" in run.stdout()
    events = _events((tmp_path / "told.ndjson").read_text(encoding="utf-8"))
    assert [events[0]["type"], events[-1]["type"]] == ["plan", "end"]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--events", "-", "--json"), "--events -"),
        (("--events", "nowhere/told.ndjson"), "nowhere/told.ndjson"),
        (("--broker", "running:x"), "running:PID"),
    ],
)
def test_what_cannot_be_told_is_refused(alertsim: Start, more: tuple[str, ...], named: str) -> None:
    run = alertsim(*_RUN, *more)
    assert run.wait() == 104
    assert named in run.stderr()


def test_a_run_on_the_broker_that_runs_already_leaves_it_alone(alertsim: Start) -> None:
    alone = alertsim(*_RUN, "--broker", "running")
    assert alone.wait() == 106
    assert "alertsim serve" in alone.stderr()

    owner = alertsim("publish", "drill-minimal", "--wait-for-clients", "1", "--root", "mine")
    owner.wait_for("wait:")
    for version in ("3.1.1", "5"):
        guest = alertsim(*_RUN, "--broker", "running", "--protocol", version, "--json")
        assert guest.wait() == 0, guest.stderr()
        broker = guest.document()["broker"]
        assert (broker["kind"], broker["settings"]["owner"]) == (
            "running",
            str(owner.process.pid),
        )
    assert owner.process.poll() is None


def test_a_run_whose_borrowed_broker_goes_ends_with_106(alertsim: Start) -> None:
    owner = alertsim("publish", "drill-minimal", "--wait-for-clients", "1")
    owner.wait_for("wait:")
    guest = alertsim(
        *("run", "tohoku-2022-11-03", "--speed", "600", "--subscribers", "9", "--events", "-"),
        *("--broker", f"running:{owner.process.pid}", "--out", "runs"),
    )
    wait_until(lambda: '"type":"begun"' in guest.stdout(), 60)
    owner.process.kill()

    assert guest.wait() == 106, guest.stderr()
    end = _events(guest.stdout())[-1]
    assert (end["type"], end["exit_code"], end["outcome"]) == ("end", 106, "error")
