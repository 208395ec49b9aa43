"""The scenario format as others read it: JSON Schema for editors, a page for people.

Rule of the module: both are generated from the models and from nothing else, so that a field is
described in one place.
"""

import json
from collections.abc import Collection
from copy import deepcopy
from inspect import cleandoc
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.scenario import chain, flight, laws, schema, subscribers
from simulator.scenario.loading import flow
from simulator.units import format_duration

SCHEMA_FILE: Final = "scenario.schema.json"
_DIALECT: Final = "http://json-schema.org/draft-07/schema#"

_MODELS: Final[tuple[type[BaseModel], ...]] = (
    schema.Scenario,
    chain.Source,
    schema.Launch,
    flight.FlightFacts,
    flight.Predicted,
    flight.Quantity,
    schema.Truth,
    schema.Belief,
    schema.Escalation,
    schema.CorrectionNotice,
    schema.Faults,
    schema.ChannelFaults,
    schema.Drill,
    schema.Mark,
    schema.RecordedMessage,
    chain.Moment,
    chain.Chain,
    chain.Watch,
    chain.Teams,
    laws.Constant,
    laws.Recorded,
    laws.Uniform,
    laws.Triangular,
    laws.Lognormal,
    laws.Gamma,
    laws.Empirical,
    *subscribers.MODELS,
    subscribers.Backoff,
)


_INTRODUCTION: Final = """\
# Scenario files

<!-- generated from the models; run `make docs` after changing them -->

A scenario is one YAML 1.2 file. Unknown fields are errors. Durations are written with their unit
(`250ms`, `90s`, `1h 30min`), times of day in quotes (`"07:50"`), prefectures by name or quoted JIS
code (`miyagi`, `"04"`). Anchors, aliases and tags are not used. Every figure names its `sources`,
or is an `assumption: true` with a `range`, unless the whole scenario is `fictional: true`; a figure
without provenance may be written as its bare value (`at: "07:39"`).

In a file that `extends` another, mappings merge field by field and lists of entries with an `id`
entry by entry; everything else is replaced, and `null` removes a field. A mapping that names its
`law` or its `profile` replaces the old one as a whole.
"""


def scenario_json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario file.

    A file that extends another may leave out whatever the other one has, so nothing is required of
    it except the ids by which its entries are found, and what a law needs.
    """
    generated = schema.Scenario.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = generated.pop("$defs")
    definitions["Scenario"] = generated
    loosened = {name for name, entry in definitions.items() if _is_loosened(entry)}
    variants = {f"{name}Variant": _loosen(definitions[name], loosened) for name in sorted(loosened)}
    return {
        "$schema": _DIALECT,
        "title": "alertsim scenario",
        "description": f"Scenario of alertsim, format {schema.SCENARIO_SCHEMA}.",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/ScenarioVariant"},
        "else": {"$ref": "#/$defs/Scenario"},
        "$defs": dict(sorted((definitions | variants).items())),
    }


def scenario_schema_text() -> str:
    """The JSON Schema as it stands in the shipped file."""
    return json.dumps(scenario_json_schema(), ensure_ascii=False, indent=1) + "\n"


def scenario_reference_markdown() -> str:
    """The reference page of the scenario format."""
    lines = [_INTRODUCTION]
    for model in _MODELS:
        lines += _section(model)
    return "\n".join(lines).rstrip() + "\n"


def _is_loosened(entry: dict[str, Any]) -> bool:
    properties = entry.get("properties", {})
    return bool(properties) and "law" not in properties


def _loosen(entry: dict[str, Any], loosened: set[str]) -> dict[str, Any]:
    """A definition in which only ids are required, null removes, and references are loosened."""
    copy: dict[str, Any] = _redirect(deepcopy(entry), loosened)
    copy["required"] = [name for name in entry.get("required", []) if name == "id"]
    copy["properties"] = {
        name: {"anyOf": [value, {"type": "null"}]} for name, value in copy["properties"].items()
    }
    return copy


def _redirect(value: Any, loosened: set[str]) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        target = str(value.get("$ref", "")).removeprefix("#/$defs/")
        if target in loosened:
            return {**value, "$ref": f"#/$defs/{target}Variant"}
        if value.get("discriminator", {}).get("propertyName") == "kind":
            # A variant names an entry by its id and may leave out its kind: several may fit.
            return {"anyOf": _redirect(value["oneOf"], loosened)}
        return {key: _redirect(item, loosened) for key, item in value.items()}
    if isinstance(value, list):
        return [_redirect(item, loosened) for item in value]
    return value


def _section(model: type[BaseModel]) -> list[str]:
    summary = cleandoc(model.__doc__ or "")
    shared = _shared(model)
    rows = [
        f"| `{field.alias or name}` | {_cell(field.description or '')} | {_default(field)} | "
        f"{_example(field)} |"
        for name, field in sorted(model.model_fields.items(), key=lambda entry: entry[0] in shared)
    ]
    return [
        f"## {_heading(model)}",
        "",
        summary,
        "",
        "| field | meaning | default | example |",
        "|---|---|---|---|",
        *rows,
        "",
    ]


def _shared(model: type[BaseModel]) -> Collection[str]:
    """What a model shares with all figures, or all groups: it stands behind what is its own."""
    if issubclass(model, subscribers.Group):
        return subscribers.Group.model_fields
    return laws.Figure.model_fields


def _heading(model: type[BaseModel]) -> str:
    for tag, what in (("law", "Law"), ("kind", "Subscribers")):
        field = model.model_fields.get(tag)
        if field is not None and model is not flight.FlightFacts:
            return f"{what}: {get_args(field.annotation)[0]}"
    return model.__name__


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None or field.default in (None, (), {}, ""):
        return "none"
    if field.annotation is int and _is_duration(field.description or ""):
        return f"`{format_duration(field.default)}`"
    return f"`{flow(field.default)}`"


def _is_duration(description: str) -> bool:
    return "scenario time" in description or "wall time" in description


def _example(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal and not field.examples:
        return f"`{flow(get_args(field.annotation)[0])}`"
    return f"`{_cell(flow((field.examples or [''])[0]))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
