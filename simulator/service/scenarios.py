"""Scenarios over HTTP: the shipped ones, and texts that are validated by the loader of files.

Rule of the module: a text may extend what is shipped and nothing else; it never names a file of the
host. Errors point at ``scenario_yaml`` and the line.
"""

from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from simulator.errors import ScenarioError
from simulator.resources import scenario_names
from simulator.run.checked import check_channels
from simulator.scenario import Scenario, load_scenario
from simulator.scenario.document import Node, parse_document
from simulator.scenario.loading import validate
from simulator.scenario.merging import read_resolved

CALLED: Final = "scenario_yaml"


class ScenarioInfo(BaseModel):
    """A scenario in a few words."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="Its name.", examples=["tohoku-2022-11-03"])
    title: str = Field(description="Its title.")
    description: str = Field(description="What happens in it.")


class ScenarioDetail(ScenarioInfo):
    """A scenario as it is played."""

    scenario: dict[str, object] = Field(description="Every field, with defaults filled in.")


class ScenarioText(BaseModel):
    """A scenario to validate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario_yaml: str = Field(
        min_length=1,
        max_length=1024 * 1024,
        description="Text of a scenario file.",
        examples=['schema: "1.0"\nid: my-drill\nextends: tohoku-2022-11-03\n'],
    )


def info_of(name: str, scenario: Scenario) -> ScenarioInfo:
    """A scenario in a few words."""
    return ScenarioInfo(id=name, title=scenario.title, description=scenario.description)


@cache
def shipped() -> tuple[ScenarioInfo, ...]:
    """The shipped scenarios, by name; read once."""
    return tuple(info_of(name, load_scenario(name)) for name in scenario_names())


def shipped_scenario(name: str) -> Scenario:
    """One of them.

    Raises:
        ScenarioError: for any other name, a path of a file among them.
    """
    if name not in scenario_names():
        raise ScenarioError(
            "no shipped scenario has this name",
            field="scenario",
            value=name,
            remedy="choose one of /api/v1/scenarios, or send the text as scenario_yaml",
        )
    return load_scenario(name)


def check_text(text: str) -> None:
    """Refuse a text that is no YAML of ours, or that names a file.

    Raises:
        ScenarioError: naming line, field, value and remedy.
    """
    document = parse_document(text, CALLED)
    reference = document.value.get("extends") if isinstance(document.value, dict) else None
    if isinstance(reference, Node) and reference.value is not None:
        known = scenario_names()
        if reference.value not in known:
            raise ScenarioError(
                "over HTTP a scenario extends a shipped one",
                where=reference.where,
                field="extends",
                value=reference.raw or None,
                remedy=f"one of {', '.join(known)}",
            )


def scenario_of(path: Path) -> Scenario:
    """A checked text that was kept in a file, as a scenario.

    Raises:
        ScenarioError: naming line, field, value and remedy.
    """
    try:
        return check_channels(validate(read_resolved(path)))
    except ScenarioError as error:
        where = error.where.replace(str(path), CALLED)
        raise ScenarioError(error.message, where, error.field, error.value, error.remedy) from None
