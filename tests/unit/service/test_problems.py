"""Problems as clients see them, and the cookie of a session."""

import errno
import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from simulator.report.manifest import unwritable
from simulator.service.problems import problem_of
from tests.unit.service.application import asked

JSON = {"content-type": "application/json"}
WORD = "one-of-enough-characters"


BODIES = ("runs", "schedules", "experiments", "scenarios/validate")


async def _told(client: httpx.AsyncClient, path: str, body: bytes) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/{path}", content=body, headers=JSON)
    found: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert found["status"] == answer.status_code
    return found


async def test_a_body_that_is_no_json_is_the_same_problem_everywhere(tmp_path: Path) -> None:
    bodies = (b"{", b"\xff", b"[" * 5000, b'{"a": 1,}', b"{} {}", b"nul")
    async with asked(tmp_path) as (_, client):
        found = [await _told(client, path, body) for path in BODIES for body in bodies]

    seen = {(each["status"], each["type"], each["where"]) for each in found}
    assert seen == {(400, "urn:alertsim:problem:json", "body")}


async def test_a_value_is_said_as_it_was_given(tmp_path: Path) -> None:
    given = [
        (b'{"speed": null, "scenario": "drill-minimal"}', None),
        (b'{"scenario": true}', "true"),
        (b'{"scenario": 7}', "7"),
        (b'{"speed": -1, "scenario": "drill-minimal"}', "-1"),
        (b'{"scenario": "drill-minimal", "colour": "red"}', "red"),
        (b"", None),
        (b"null", None),
        (b'{"scenario": ["x"]}', None),
    ]
    async with asked(tmp_path) as (_, client):
        found = [(body, await _told(client, "runs", body)) for body, _ in given]

    assert [(body, each["value"]) for body, each in found] == given
    assert {each["status"] for _, each in found} == {422}


@pytest.mark.parametrize(
    ("base", "headers", "secure"),
    [
        ("http://alerts.example", {}, False),
        ("https://alerts.example", {}, True),
        ("http://alerts.example", {"x-forwarded-proto": "https"}, True),
        ("http://alerts.example", {"x-forwarded-proto": "http, https"}, False),
        ("http://alerts.example", {"forwarded": 'for=192.0.2.1;proto="https", for=x'}, True),
        ("http://alerts.example", {"forwarded": "for=192.0.2.1;proto=http"}, False),
    ],
)
async def test_a_session_ends_some_day_and_keeps_to_tls(
    tmp_path: Path, base: str, headers: dict[str, str], secure: bool
) -> None:
    async with asked(tmp_path, base, token=SecretStr(WORD)) as (_, client):
        given = {"token": WORD}
        answer = await client.post("/api/v1/session", json=given, headers=headers)

    cookie = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "max-age=604800"} <= cookie
    assert ("secure" in cookie) == secure


async def test_a_store_that_takes_nothing_is_not_the_readers_fault(tmp_path: Path) -> None:
    store = tmp_path / "kept-here"
    async with asked(store) as (_, client):
        store.rename(tmp_path / "away")
        answer = await client.post("/api/v1/runs", json={"scenario": "drill-minimal"})

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:alertsim:problem:store")
    assert "is gone" in answer.json()["detail"]
    assert "kept-here" not in answer.text


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO])
def test_a_failed_write_of_the_service_tells_no_place(number: int) -> None:
    error = unwritable(Path("/secret/place"), OSError(number, os.strerror(number)))

    found = problem_of(error)

    assert (found.status, found.type) == (503, "urn:alertsim:problem:store")
    assert os.strerror(number) in found.detail
    assert not {"/secret", "--out"} & set(re.findall(r"/secret|--out", found.model_dump_json()))
