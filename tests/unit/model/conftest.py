"""A builder of small invented scenarios."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.scenario import Scenario

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
