"""Loading: the door of the room, from a name or a path to a validated scenario.

Rule of the module: whatever is wrong becomes one ScenarioError that names file, line, field, value
and remedy; pydantic's own errors never leave.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.errors import ScenarioError
from simulator.resources import scenario_names
from simulator.scenario.document import Node
from simulator.scenario.laws import Law
from simulator.scenario.merging import locate, read_resolved
from simulator.scenario.schema import Scenario

_SHOWN_MAX: Final = 80
_KINDS: Final = {
    "bool_type": "true or false is expected",
    "dict_type": "a mapping of fields is expected",
    "float_type": "a number is expected",
    "int_type": "a whole number is expected",
    "model_type": "a mapping of fields is expected",
    "string_type": "a text is expected",
    "tuple_type": "a list is expected",
}
_NEEDS_QUOTES: Final = re.compile(r"[0-9].*[:.]|[0-9]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSummary:
    """One line of ``alertsim scenarios``: name, title, description."""

    name: str
    title: str
    description: str


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read and validate a shipped scenario or a scenario file.

    Args:
        name_or_path: a shipped name, or a path (recognised by a slash or by .yaml).

    Raises:
        ScenarioError: naming file, line, field, value and remedy.
    """
    path = name_or_path if isinstance(name_or_path, Path) else locate(name_or_path, Path())
    return validate(read_resolved(path))


def pointed(error: ScenarioError, name_or_path: str) -> ScenarioError:
    """An error about a valid scenario, found when a run of it was planned, with its file and line.

    Args:
        error: its field is a dotted path, entries of lists by their id.
        name_or_path: what the scenario was loaded from.
    """
    node = read_resolved(locate(name_or_path, Path()))
    for step in error.field.split("."):
        if isinstance(node.value, list):
            named = [each for each in node.value if each.find(("id",)).value == step]
            node = named[0] if named else node
        else:
            node = node.find((step,))
    return ScenarioError(error.message, node.where, error.field, error.value, error.remedy)


def scenario_summaries() -> tuple[ScenarioSummary, ...]:
    """The shipped scenarios, by name."""
    loaded = [(name, load_scenario(name)) for name in scenario_names()]
    return tuple(
        ScenarioSummary(name=name, title=scenario.title, description=scenario.description)
        for name, scenario in loaded
    )


def validate(document: Node) -> Scenario:
    """A marked tree as a scenario.

    Raises:
        ScenarioError: for the problem that stands first in the file.
    """
    try:
        return Scenario.model_validate(document.plain())
    except ValidationError as error:
        raise _explained(error, document) from None


def _explained(error: ValidationError, document: Node) -> ScenarioError:
    """The problem that stands first, and how many more there are."""
    found = error.errors(include_url=False)
    # A misspelt field is also a missing one: the spelling is what the user has to see.
    problems = sorted(
        ((details["type"] == "missing", _problem(details, document)) for details in found),
        key=lambda entry: (entry[0], _line(entry[1].where)),
    )
    first = problems[0][1]
    more = len(problems) - 1
    if more:
        noun = "problem" if more == 1 else "problems"
        first = ScenarioError(
            f"{first.message} (and {more} more {noun})",
            where=first.where,
            field=first.field,
            value=first.value,
            remedy=first.remedy,
        )
    return first


def _line(where: str) -> tuple[str, int]:
    name, _, line = where.rpartition(":")
    return name, int(line)


def _problem(details: ErrorDetails, document: Node) -> ScenarioError:
    context = details.get("ctx", {})
    location = details["loc"]
    if details["type"] == "union_tag_invalid":
        location = (*location, context["discriminator"].strip("'"))
    elif context.get("path") is not None:
        location = context["path"]
    node = document.find(location)
    message, remedy = _wording(details, context)
    return ScenarioError(
        message,
        where=node.where,
        field=_dotted(location, document),
        value=node.raw[:_SHOWN_MAX] or None,
        remedy=remedy,
    )


def _wording(details: ErrorDetails, context: dict[str, Any]) -> tuple[str, str]:
    """What is wrong and what to write instead, in the words of a user."""
    location = details["loc"]
    kind = details["type"]
    if location == ("schema",) and kind != "missing":
        kind = "version"
    match kind:
        case "scenario":
            wording = str(context["message"]), str(context["remedy"])
        case "version":
            wording = "not a version of the format", 'write it in quotes: "1.0"'
        case "extra_forbidden":
            wording = _unknown(location)
        case "missing":
            wording = "this field is missing", f"add {location[-1]}: {_example(location)}"
        case "literal_error" | "enum" | "union_tag_invalid":
            expected = str(context.get("expected") or context.get("expected_tags"))
            wording = "not one of the possible values", f"write {expected.replace(chr(39), '')}"
        case "union_tag_not_found":
            wording = _untagged(context["discriminator"].strip("'"))
        case "string_pattern_mismatch":
            wording = (
                "not a name",
                "use letters, digits and single dashes; only sources have capital letters",
            )
        case _:
            message = _KINDS.get(kind, details["msg"][0].lower() + details["msg"][1:])
            example = _example(location)
            wording = message, f"for example {example}" if example else ""
    return wording


def _untagged(tag: str) -> tuple[str, str]:
    """A law without its ``law``, or a group of subscribers without its ``kind``."""
    if tag == "law":
        return "this law does not say which it is", "add law: constant, or another"
    return "this group does not say of which kind it is", "add kind: steady, or another"


def _unknown(location: tuple[int | str, ...]) -> tuple[str, str]:
    """A field that is not known, or that another law has than the one of the extended file."""
    known = _suggestion(location)
    here, others = _models_at(location[:-1])[0], _models_in(Law)
    having = [_tag(law) for law in others if location[-1] in law.model_fields]
    if here not in others or not having:
        return "unknown field", known
    remedy = f"write law: {having[0]} with it, and the whole law is replaced; {known}"
    return f"a {_tag(here)} law has no such field", remedy


def _suggestion(location: tuple[int | str, ...]) -> str:
    fields = [
        field.alias or name
        for model in _models_at(location[:-1])
        for name, field in model.model_fields.items()
    ]
    near = get_close_matches(str(location[-1]), fields, n=1)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(dict.fromkeys(fields))}"


def _example(location: tuple[int | str, ...]) -> str:
    for model in _models_at(location[:-1]):
        for name, field in model.model_fields.items():
            if location[-1] in {name, field.alias} and field.examples:
                return flow(field.examples[0])
    return ""


def flow(value: object) -> str:
    """A value as it could be written on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str) and _NEEDS_QUOTES.match(value):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _models_at(location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The models that may stand at a path of pydantic's, which names union members too."""
    current: list[type[BaseModel]] = [Scenario]
    for step in location:
        if isinstance(step, int):
            continue
        inside = [
            found
            for model in current
            for name, field in model.model_fields.items()
            if step in {name, field.alias}
            for found in _models_in(field.annotation)
        ]
        tagged = [model for model in current if _tag(model) == step]
        current = inside or tagged or current
    return current


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def _tag(model: type[BaseModel]) -> str | None:
    tag = model.model_fields.get("law") or model.model_fields.get("kind")
    if tag is None or get_origin(tag.annotation) is not Literal:
        return None
    return str(get_args(tag.annotation)[0])


def _dotted(location: tuple[int | str, ...], document: Node) -> str:
    """The path as a reader would write it, without pydantic's union members."""
    parts: list[str] = []
    node = document
    for step in location:
        inner = node.find((step,))
        if inner is node and step != location[-1]:
            continue
        parts.append(str(step))
        node = inner
    return ".".join(parts)
