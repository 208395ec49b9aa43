"""A small invented scenario whose stages vary, and plans of it."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.experiment.designs import Design
from simulator.experiment.plan import Plan, make_plan, one_point
from simulator.experiment.variants import Base

DOCUMENT: dict[str, Any] = {
    "schema": "1.0",
    "id": "made",
    "title": "Made up",
    "fictional": True,
    "epoch": "2026-09-01T10:00:00+09:00",
    "chain": {
        "teams": {"count": 1, "assumption": True, "range": [1, 3]},
        "satellite": {"law": "constant", "value": "1min"},
        "radar": {
            "law": "uniform", "low": "2min", "high": "4min",
            "assumption": True, "range": ["90s", "6min"],
        },
        "assessment": {"law": "triangular", "low": "30s", "mode": "1min", "high": "3min"},
        "decision": {
            "law": "lognormal", "median": "1min", "p95": "4min", "floor": "10s",
            "assumption": True, "range": ["30s", "2min"],
        },
        "issue": {"law": "constant", "value": "30s"},
        "confirmation": {"law": "uniform", "low": "5min", "high": "10min"},
    },
    "launches": [
        {
            "id": "one",
            "at": "10:00",
            "truth": {"outcome": "passed", "at": "10:12", "arrival": "10:09"},
            "belief": {
                "event": "launch", "prefectures": ["miyagi", "niigata"],
                "arrival": "10:09", "outcome": "passage",
            },
        }
    ],
}  # fmt: skip


@pytest.fixture
def base() -> Base:
    return Base(name="made", document=DOCUMENT)


@pytest.fixture
def plan_of(base: Base) -> Callable[..., Plan]:
    def make(replications: int, design: Design | None = None, seed: int = 7) -> Plan:
        return make_plan(base, design or one_point(), seed, replications)

    return make
