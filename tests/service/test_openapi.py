"""The OpenAPI description against the real service: by schemathesis, and by looking at it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.client import problem
from tests.service.serving import Serving, serving

# Orders for which the service has no room by its options are refused: no test plays by chance.
QUIET = ("--max-runs", "1", "--max-subscribers", "3")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
)
STREAMS = 3  # they stay open and are tested elsewhere
# Not positive_data_acceptance: which fields go together is said in words, not in a schema.


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("openapi"), *QUIET) as service:
        yield service


@pytest.fixture(scope="module")
def description(service: Serving) -> dict[str, Any]:
    found: dict[str, Any] = service.get("/openapi.json")
    return found


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def test_schemathesis_finds_no_server_error_and_no_violation(
    service: Serving, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json"),
            *("--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS)),
            *("--seed", "20221103", "--max-examples", "5", "--max-time", "140"),
            *("--exclude-path-regex", "/events$"),
            *("--warnings", "off", "--no-color", "--request-timeout", "20"),
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said[-6000:]
    tested = re.search(r"Tested: (\d+)", said)
    described = len(operations(service.get("/openapi.json")))
    assert tested, said[-2000:]
    assert int(tested[1]) == described - STREAMS
    assert service.process.process.poll() is None
    assert "Traceback" not in service.said()


def test_every_error_that_is_described_is_a_problem(description: dict[str, Any]) -> None:
    for path, method, operation in operations(description):
        for status, answer in operation["responses"].items():
            if int(status) < 400 or (path, status) == ("/healthz", "503"):
                continue
            assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_every_operation_says_what_it_is(description: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(ids) == len(set(ids))
    known = {tag["name"] for tag in description["tags"]}
    for path, method, operation in operations(description):
        assert operation["summary"], (path, method)
        assert set(operation["tags"]) <= known, (path, method)
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (path, method, parameter["name"])


def test_every_field_has_a_description(description: dict[str, Any]) -> None:
    without = [
        f"{name}.{field}"
        for name, schema in description["components"]["schemas"].items()
        for field, known in schema.get("properties", {}).items()
        if not known.get("description") and "$ref" not in known
    ]
    assert without == []


def test_every_example_of_an_order_is_one(description: dict[str, Any], service: Serving) -> None:
    given = description["components"]["schemas"]["Schedule"]["examples"]
    assert given
    for example in given:
        order = example | {"run": example["run"] | {"subscribers": 1}}
        if order.get("loop"):
            continue  # it would play
        answer = service.http.post("/api/v1/schedules", json=order)
        assert answer.status_code == 201, answer.text
        assert service.http.delete(f"/api/v1/schedules/{order['name']}").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/runs/none", 404),
        ("POST", "/api/v1/runs", 422),
        ("PUT", "/api/v1/runs", 405),
        ("GET", "/api/v1/runs?limit=0", 422),
        ("GET", "/api/v1/runs?state=asleep", 422),
        ("DELETE", "/api/v1/schedules/none", 404),
        ("DELETE", "/metrics", 405),
        ("GET", "/api/v1/experiments/x", 422),
    ],
)
def test_what_goes_wrong_is_a_problem(
    service: Serving, method: str, path: str, status: int
) -> None:
    assert problem(service.http.request(method, path))["status"] == status


def test_allow_names_every_method_of_the_path(service: Serving) -> None:
    answer = service.http.put("/api/v1/schedules/x")
    assert answer.headers["allow"] == "DELETE, GET"
    assert service.http.put("/api/v1/runs").headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"\xff", 400), (b"[" * 5000, 400), (b"[]", 422), (b"null", 422), (b'"x"', 422)],
)
@pytest.mark.parametrize("path", ["/api/v1/schedules", "/api/v1/experiments", "/api/v1/runs"])
def test_a_body_that_is_none_is_a_problem(
    service: Serving, path: str, body: bytes, status: int
) -> None:
    answer = service.http.post(path, content=body, headers={"content-type": "application/json"})
    assert problem(answer)["status"] == status


def test_the_description_is_plain_json(service: Serving) -> None:
    assert json.loads(service.http.get("/openapi.json").text)["openapi"].startswith("3.1")
