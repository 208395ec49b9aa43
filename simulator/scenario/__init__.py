"""The user's file: YAML in, a frozen, validated ``Scenario`` out.

Rule of the room: nothing that is wrong gets past it, and every refusal names file, line, field,
value and remedy. No randomness, no time, no network.
"""

from simulator.resources import scenario_names
from simulator.scenario.loading import (
    ScenarioSummary,
    load_scenario,
    pointed,
    scenario_summaries,
)
from simulator.scenario.reference import (
    scenario_json_schema,
    scenario_reference_markdown,
    scenario_schema_text,
)
from simulator.scenario.schema import SCENARIO_SCHEMA, Scenario

__all__ = [
    "SCENARIO_SCHEMA",
    "Scenario",
    "ScenarioSummary",
    "load_scenario",
    "pointed",
    "scenario_json_schema",
    "scenario_names",
    "scenario_reference_markdown",
    "scenario_schema_text",
    "scenario_summaries",
]
