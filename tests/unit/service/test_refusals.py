"""What is refused over HTTP and on the command line, before anything is played."""

from pathlib import Path
from typing import Any

import pytest

from simulator.errors import ConfigurationError, ScenarioError
from simulator.service.options import ServiceOptions
from simulator.service.schedules_part import SchedulesPart, loops_of
from simulator.service.service import Service
from tests.unit.service.application import asked

NEW_YEAR = {"name": "new-year", "cron": "0 0 1 1 *", "run": {"scenario": "drill-minimal"}}


async def test_a_schedule_that_can_never_be_played_is_refused_at_once(tmp_path: Path) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"cron": "61 * * * *"}, "Bad minute"),
        ({"zone": "Asia/Atlantis"}, "time zone"),
        ({"run": {"scenario": "atlantis"}}, "scenario"),
        ({"run": {"scenario": "../../etc/passwd"}}, "scenario"),
        ({"run": {"scenario_yaml": "a: &a [*a]"}}, ""),
        ({"run": {"scenario": "drill-minimal", "subscribers": 10_000_000}}, "at most"),
        ({"name": "../up"}, "pattern"),
    ]
    async with asked(tmp_path) as (_, client):
        answers = [
            await client.post("/api/v1/schedules", json=NEW_YEAR | change) for change, _ in refused
        ]
        listed = await client.get("/api/v1/schedules")

    for answer, (change, said) in zip(answers, refused, strict=True):
        assert answer.status_code == 422, change
        assert answer.headers["content-type"] == "application/problem+json"
        assert said in answer.text
    assert listed.json() == {"schedules": []}


async def test_a_mark_on_nothing_is_a_problem(tmp_path: Path) -> None:
    async with asked(tmp_path) as (_, client):
        for run in ("20200101t000000-0000", "..", "%2e%2e", "a%2fb"):
            for method in ("PUT", "DELETE"):
                answer = await client.request(method, f"/api/v1/runs/{run}/keep")
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.status_code in {404, 405, 422}
    assert not (tmp_path / ".service" / "keep").exists()


async def test_a_loop_that_cannot_be_played_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        loops_of(ServiceOptions(store=tmp_path, loops=("atlantis",)))
    assert (error.value.field, error.value.value) == ("--loop", "atlantis")
    assert error.value.remedy
    broken = tmp_path / "broken.yaml"
    broken.write_text("schema: [")
    service = Service(ServiceOptions(store=tmp_path / "store", loops=(str(broken),)))
    with pytest.raises(ScenarioError):
        await SchedulesPart(service).start()
