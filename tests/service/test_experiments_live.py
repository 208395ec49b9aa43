"""Experiments of a real service: played by the real commands, watched, stopped, continued."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.client import parsed, problem
from tests.service.serving import Serving, serving

QUICK = {"kind": "simulate", "scenario": "drill-minimal", "replications": 30, "chain_only": True}
LONG = QUICK | {"replications": 900_000}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("experiments")) as service:
        yield service


def order(service: Serving, **given: Any) -> str:
    answer = service.http.post("/api/v1/experiments", json=given)
    assert answer.status_code == 201, answer.text
    name = str(answer.json()["id"])
    assert answer.headers["location"] == f"/api/v1/experiments/{name}"
    return name


def info(service: Serving, name: str) -> dict[str, Any]:
    found: dict[str, Any] = service.get(f"/api/v1/experiments/{name}")
    return found


def ended(service: Serving, name: str) -> dict[str, Any]:
    service.until(lambda: info(service, name)["exit_code"] is not None, 120)
    return info(service, name)


def events(service: Serving, name: str) -> list[tuple[str, dict[str, Any]]]:
    path = f"/api/v1/experiments/{name}/events"
    with service.http.stream("GET", path, timeout=120) as stream:
        return [(kind, data["experiment"]) for _, kind, data in parsed(stream.iter_lines())]


def test_replications_are_played_watched_and_shown(service: Serving) -> None:
    name = order(service, **QUICK)
    seen = events(service, name)
    assert seen[0][0] == "snapshot"
    kind, last = seen[-1]
    assert (kind, last["state"], last["exit_code"]) == ("end", "complete", 0)
    assert (last["done"], last["total"]) == (30, 30)
    done = [each["done"] for _, each in seen]
    assert done == sorted(done)
    page = service.http.get(f"/api/v1/experiments/{name}/files/report.html")
    assert page.status_code == 200
    assert "EXERCISE" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    summary = service.get(f"/api/v1/experiments/{name}/files/summary.json")
    assert summary["replications"] == 30
    assert [kind for kind, _ in events(service, name)] == ["snapshot"]


def test_a_sweep_and_a_comparison_of_its_points(service: Serving) -> None:
    sweep = order(
        service,
        **QUICK | {"kind": "sweep", "scenario": "tohoku-2022-11-03-modelled", "replications": 20},
        vary=["chain.decision=60s,120s"],
    )
    assert ended(service, sweep)["total"] == 60  # the scenario as it is, and two variants
    compared = order(service, kind="compare", experiments=[sweep, f"{sweep}#1"])
    found = ended(service, compared)
    assert (found["state"], found["reason"]) == ("complete", "")
    assert {"report.html", "report.md", "summary.json"} <= set(found["files"])


def test_scenarios_are_compared_and_a_gate_that_fails_is_no_failure_of_ours(
    service: Serving,
) -> None:
    name = order(
        service,
        kind="compare",
        scenarios=["tohoku-2022-11-03-modelled", "tohoku-2022-11-03-rules-2023"],
        replications=20,
        chain_only=True,
        fail_if=["alert > 1s"],
    )
    found = ended(service, name)
    assert (found["state"], found["exit_code"]) == ("complete", 99)


def test_what_the_command_refuses_is_said_with_its_remedy(service: Serving) -> None:
    found = ended(service, order(service, **QUICK, settings=["chain.nonsense=1"]))
    assert (found["state"], found["exit_code"]) == ("failed", 104)
    assert "nonsense" in found["reason"]
    assert found["remedy"]


@pytest.mark.parametrize(
    "change",
    [
        {"scenario": "atlantis"},
        {"scenario": "/etc/passwd"},
        {"scenario": "--out=/tmp"},
        {"kind": "compare"},
        {"kind": "compare", "scenario": None, "experiments": ["../x", "y"]},
        {"vary": ["a=1"]},
        {"replications": 0},
        {"workers": 1000},
        {"settings": ["\x00"]},
        {"more": 1},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(service: Serving, change: dict[str, Any]) -> None:
    assert problem(service.http.post("/api/v1/experiments", json=QUICK | change))["status"] == 422


def test_a_text_from_outside_is_never_an_option(service: Serving, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere"
    name = order(service, **QUICK, settings=[f"--out={out}", "--help"])
    assert ended(service, name)["state"] == "failed"
    assert not out.exists()


def test_what_is_compared_must_be_there(service: Serving) -> None:
    names = ["20200101t000000-0000", "20200101t000000-0001"]
    for kind in ("experiments", "runs"):
        given = {"kind": "compare", kind: names}
        assert problem(service.http.post("/api/v1/experiments", json=given))["status"] == 404


def test_one_that_is_not_there_is_a_problem(service: Serving) -> None:
    path = "/api/v1/experiments/20200101t000000-0000"
    for method, end in (
        *(("GET", each) for each in ("", "/events", "/files/report.html")),
        *(("POST", each) for each in ("/stop", "/continue")),
        ("DELETE", ""),
    ):
        assert problem(service.http.request(method, path + end))["status"] == 404
    assert problem(service.http.get("/api/v1/experiments/x%2f..%2f.."))["status"] in {404, 422}


def test_stopped_continued_deleted_and_over_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        name = order(service, **LONG)
        waiting = order(service, **QUICK)
        service.until(lambda: info(service, name)["done"] > 0)
        assert problem(service.http.delete(f"/api/v1/experiments/{name}"))["status"] == 409
        assert info(service, waiting)["state"] == "queued"
        stopped = service.http.post(f"/api/v1/experiments/{waiting}/stop")
        assert stopped.json()["state"] == "incomplete"
        again = service.http.post(f"/api/v1/experiments/{waiting}/continue")
        assert (again.status_code, again.json()["state"]) == (202, "queued")
        assert service.end() == 0  # while one plays and one waits
    with serving(tmp_path) as service:
        found = info(service, name)
        assert found["state"] == "incomplete"
        assert "service ended" in found["reason"]
        assert ended(service, waiting)["state"] == "complete"
        before = found["done"]
        service.http.post(f"/api/v1/experiments/{name}/continue")
        service.until(lambda: info(service, name)["done"] >= before)
        service.http.post(f"/api/v1/experiments/{name}/stop")
        assert ended(service, name)["exit_code"] == 105
        assert service.http.delete(f"/api/v1/experiments/{name}").status_code == 204
        assert not (service.store / "experiments" / name).exists()
        listed = service.get("/api/v1/experiments")
        assert [each["id"] for each in listed["experiments"]] == [waiting]
        kept = json.loads((service.store / "experiments" / waiting / "order.json").read_text())
        assert kept["exit_code"] == 0
