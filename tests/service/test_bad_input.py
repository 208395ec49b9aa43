"""Bad input over HTTP: the right status, a problem with its remedy, and a service that lives on."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.service.client import QUICK, Served, problem


@pytest.fixture(autouse=True)
def _lives_on(service: Served) -> Iterator[None]:
    yield
    assert service.get("/healthz")["status"] == "ok"


@pytest.mark.parametrize(
    ("order", "field", "said"),
    [
        ({"scenario": "nowhere"}, "scenario", "no shipped scenario"),
        ({"scenario": "../../etc/passwd"}, "scenario", "no shipped scenario"),
        ({"scenario": "--help"}, "scenario", "no shipped scenario"),
        ({}, "", "scenario or scenario_yaml"),
        (QUICK | {"scenario_yaml": "a: 1"}, "", "one of them"),
        (QUICK | {"subscribers": 10_000_000}, "subscribers", "at most 20,000 subscribers"),
        (QUICK | {"subscribers": -1}, "subscribers", "greater than"),
        (QUICK | {"speed": 0}, "speed", "greater than"),
        (QUICK | {"hold": "2000h"}, "hold", "longer than a day"),
        (QUICK | {"lead_in": "25h"}, "lead_in", "longer than a day"),
        (QUICK | {"root": "a/#"}, "root", "not a topic root"),
        (QUICK | {"thresholds": ["p99"]}, "thresholds", "a metric, a colon"),
        (QUICK | {"thresholds": ["lots: count==0"]}, "thresholds", "unknown metric"),
        (QUICK | {"broker": "mqtt://elsewhere"}, "broker", "not permitted"),
        (QUICK | {"name": "\ud800"}, "name", "unicode"),
    ],
)
def test_an_order_that_cannot_be_played(
    service: Served, order: dict[str, Any], field: str, said: str
) -> None:
    answer = service.http.post(
        "/api/v1/runs", content=json.dumps(order), headers={"content-type": "application/json"}
    )

    found = problem(answer)
    assert answer.status_code == 422
    assert said in found["detail"]
    assert found["field"].endswith(field)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ('schema: "1.0"\nid: &a x\ntitle: *a\n', "anchor", 2),
        ('schema: "1.0"\nid: !!python/object:os.system x\n', "tag", 2),
        ("a: " + "[" * 100 + "]" * 100, "deep", 1),
        ('schema: "1.0"\nid: mine\nextends: /etc/passwd\n', "extends a shipped one", 3),
        ('schema: "1.0"\nid: mine\nextends: ../scenarios/drill-minimal.yaml\n', "shipped one", 3),
        ('schema: "1.0"\nid: mine\nextends: [drill-minimal]\n', "extends", 3),
        ('schema: "1.0"\nid: mine\nextends: drill-minimal\nspede: 3\n', "unknown field", 4),
        ('schema: "1.0"\nid: mine\n  - x: [\n', "", 3),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/scenarios/validate", "/api/v1/runs"])
def test_a_hostile_scenario_is_refused_with_its_line(
    service: Served, text: str, said: str, line: int, path: str
) -> None:
    found = problem(service.http.post(path, json={"scenario_yaml": text}))

    assert found["status"] == 422
    assert said in found["detail"] + found["field"]
    assert found["where"] == f"scenario_yaml:{line}"
    assert not list(service.store.glob(".service/scenarios/*"))


def test_a_body_of_100_mb_is_refused_before_it_is_read(service: Served) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 1_000_000

    headers = {"content-type": "application/json", "content-length": "100000000"}
    try:
        answer = service.http.post("/api/v1/runs", content=body(), headers=headers)
    except httpx.TransportError:
        pass  # it closed the connection while we still talked, which is its right
    else:
        assert problem(answer)["status"] == 413
    assert sent < 100


def test_a_body_without_a_length_is_counted(service: Served) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 100_000

    headers = {"content-type": "application/json"}
    try:
        answer = service.http.post("/api/v1/runs", content=body(), headers=headers)
    except httpx.TransportError:
        return
    assert problem(answer)["status"] == 413


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/..%2f..%2fetc/files/manifest.json",
        "/api/v1/runs/.service/files/manifest.json",
        "/api/v1/runs/%2e%2e/files/report.html",
        "/api/v1/runs/nobody/files/report.html",
        "/api/v1/runs/nobody/files/..%2f..%2fpasswd",
        "/api/v1/runs/nobody/events",
        "/api/v1/runs/nobody",
        "/page/..%2f..%2fserver.py",
        "/page/../server.py",
        "/api/v1/scenarios/..%2fx",
        "/nothing/here",
    ],
)
def test_nothing_but_what_is_meant_can_be_reached(service: Served, path: str) -> None:
    url = httpx.URL(service.url).copy_with(raw_path=path.encode())

    assert problem(service.http.get(url))["status"] in {404, 422}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:80"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_pages_of_others_cannot_use_it(
    service: Served, headers: dict[str, str], status: int
) -> None:
    answer = service.http.post("/api/v1/runs", json=QUICK, headers=headers)

    assert problem(answer)["status"] == status


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/api/v1/runs", b"{"),
        ("POST", "/api/v1/runs", b"\xff"),
        ("POST", "/api/v1/runs", b"[1]"),
        ("POST", "/api/v1/runs", b""),
        ("PUT", "/api/v1/runs", b"{}"),
        ("GET", "/api/v1/runs?limit=0", b""),
        ("GET", "/api/v1/runs?state=x", b""),
    ],
)
def test_what_is_no_request_of_ours(
    service: Served, method: str, path: str, content: bytes
) -> None:
    headers = {"content-type": "application/json"}
    answer = service.http.request(method, path, content=content, headers=headers)

    assert problem(answer)["status"] in {400, 405, 422}


def test_a_form_is_no_order(service: Served) -> None:
    assert problem(service.http.post("/api/v1/runs", data={"scenario": "x"}))["status"] == 422


def test_every_answer_has_its_headers(service: Served) -> None:
    for path in ("/api/v1/service", "/nothing", "/"):
        headers = service.http.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
