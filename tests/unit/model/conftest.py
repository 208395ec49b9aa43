"""Builders of small invented scenarios."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.model import Timeline, simulate
from simulator.scenario import Scenario
from tests.unit.model.flying import RULES, Build

STAGES_MIN = {
    "satellite": 1,
    "radar": 2,
    "assessment": 1,
    "decision": 1,
    "issue": 1,
    "reassessment": 3,
    "confirmation": 10,
    "discovery": 30,
    "correction": 20,
    "all_clear": 60,
}


@pytest.fixture
def build() -> Callable[..., Scenario]:
    """Makes a scenario whose every stage takes whole minutes: an alert follows after five."""

    def make(*launches: dict[str, Any], teams: int = 1, **fields: Any) -> Scenario:
        chain: dict[str, Any] = {"teams": teams}
        for stage, minutes in STAGES_MIN.items():
            chain[stage] = {"law": "constant", "value": f"{minutes}min"}
        chain |= fields.pop("chain", {})
        return Scenario.model_validate(
            {
                "schema": "1.0",
                "id": "x",
                "title": "X",
                "epoch": "2026-01-15T10:00:00+09:00",
                "fictional": True,
                "chain": {key: value for key, value in chain.items() if value is not None},
                "launches": [{"id": "a", "at": "0s", **launch} for launch in launches],
                **fields,
            }
        )

    return make


@pytest.fixture
def fly(build: Build) -> Callable[..., Timeline]:
    """Plays one launch with a flight under rules of whole minutes."""

    def play(
        flight: dict[str, Any], chain: dict[str, Any] | None = None, **launch: Any
    ) -> Timeline:
        return simulate(build({"flight": flight} | launch, chain=RULES | (chain or {})), seed=1)

    return play
