"""Routes about scenarios: the shipped ones, and whether a text is one."""

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from simulator.service.problems import ProblemError, documented
from simulator.service.scenarios import (
    ScenarioDetail,
    ScenarioInfo,
    ScenarioText,
    check_text,
    info_of,
    scenario_of,
    shipped,
    shipped_scenario,
)
from simulator.service.service import Service


class ScenarioList(BaseModel):
    """The shipped scenarios."""

    model_config = ConfigDict(frozen=True)

    scenarios: tuple[ScenarioInfo, ...] = Field(description="By name.")


def scenarios_router(service: Service) -> APIRouter:
    """The routes."""
    del service
    router = APIRouter(tags=["scenarios"])

    @router.get("/api/v1/scenarios", summary="Scenarios that can be played")
    def listed() -> ScenarioList:
        """The shipped scenarios: name, title, description."""
        return ScenarioList(scenarios=shipped())

    @router.get("/api/v1/scenarios/{scenario}", summary="One scenario", responses=documented(404))
    def one(
        scenario: Annotated[
            str, InPath(max_length=200, description="Its name.", examples=["tohoku-2022-11-03"])
        ],
    ) -> ScenarioDetail:
        """A shipped scenario with every field."""
        if scenario not in {each.id for each in shipped()}:
            raise ProblemError(
                404,
                "no-such-scenario",
                "no shipped scenario has this name",
                field="scenario",
                value=scenario,
                remedy="see /api/v1/scenarios",
            )
        found = shipped_scenario(scenario)
        brief = info_of(scenario, found)
        return ScenarioDetail(**brief.model_dump(), scenario=found.resolved())

    @router.post(
        "/api/v1/scenarios/validate",
        summary="Whether a text is a scenario",
        responses=documented(422),
    )
    def validate(given: ScenarioText) -> ScenarioDetail:
        """The scenario as it would be played, or what is wrong with it: line, field, remedy."""
        check_text(given.scenario_yaml)
        with tempfile.TemporaryDirectory(prefix="alertsim-scenario-") as folder:
            path = Path(folder) / "scenario.yaml"
            path.write_text(given.scenario_yaml, encoding="utf-8")
            found = scenario_of(path)
        brief = info_of(found.id, found)
        return ScenarioDetail(**brief.model_dump(), scenario=found.resolved())

    return router
