"""A planned alert and a context as the model and the run would make them."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.alerts.alert import AlertMessage
from simulator.alerts.compose import ExerciseContext, compose
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, StagePassed

S = 1_000_000_000
RUN = "20261122t142400-k3f9"


def make_plan(**changes: Any) -> PlannedAlert:
    fields: dict[str, Any] = {
        "number": 0,
        "event_number": 5,
        "at_ns": 660 * S,
        "launch": "first",
        "prefecture": "miyagi",
        "event": AlertEvent.LAUNCH,
        "msg_type": MsgType.ALERT,
        "sequence": 1,
        "in_force": True,
        "stages": (
            StagePassed(name="sensing", started_ns=0, ended_ns=180 * S, assumption=True),
            StagePassed(name="issue", started_ns=180 * S, ended_ns=660 * S),
        ),
        "believed_arrival_ns": 540 * S,
        "cause": 4,
    }
    return PlannedAlert(**{**fields, **changes})


def make_context(**changes: Any) -> ExerciseContext:
    fields: dict[str, Any] = {
        "run": RUN,
        "scenario": "tohoku-2022-11-03",
        "title": "3 November 2022, Tohoku",
        "seed": 7,
        "epoch": "2022-11-03T07:39:00+09:00",
        "clock_domain": "3f1c7a52-0000-4000-8000-1c2d3e4f5a6b/4026531834",
        "start_scenario_ns": 660 * S,
        "start_wall_ns": 5 * S,
        "start_unix_ns": 1_795_325_040 * S,  # 2026-11-22T14:24:00+09:00
        "speed": 600.0,
    }
    return ExerciseContext(**{**fields, **changes})


def make_message(
    plan: PlannedAlert | None = None, context: ExerciseContext | None = None, **changes: Any
) -> AlertMessage:
    plan = plan or make_plan()
    context = context or make_context()
    arguments: dict[str, Any] = {
        "planned": plan,
        "identifier": f"{context.run}-{plan.prefecture}-{changes.get('sequence', 1)}",
        "sequence": 1,
        "repetition": 0,
        "references": (),
        "intended_ns": 5 * S,
        "composed_ns": 5 * S + 1234,
        "context": context,
    }
    return compose(**{**arguments, **changes})


@pytest.fixture(name="plan")
def _plan() -> Callable[..., PlannedAlert]:
    return make_plan


@pytest.fixture(name="context")
def _context() -> Callable[..., ExerciseContext]:
    return make_context


@pytest.fixture(name="message")
def _message() -> Callable[..., AlertMessage]:
    return make_message
