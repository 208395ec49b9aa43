"""Loading: from the name of a shipped profile, or the path of a file, to a validated profile.

Rule of the module: whatever is wrong becomes one ConfigurationError that names file, line, field,
value and remedy; pydantic's own errors never leave.
"""

from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from simulator.errors import ConfigurationError, ScenarioError
from simulator.reach.channels import ChannelProfile
from simulator.resources import config_text
from simulator.scenario.document import Node, parse_document, read_document
from simulator.scenario.merging import merge
from simulator.scenario.values import ChannelName

PROFILES: Final = ("j-alert-2012", "j-alert-2017", "j-alert-2022", "j-alert-2023")

_FILE_SUFFIXES: Final = (".yaml", ".yml")
_SHOWN_MAX: Final = 80
_STEPS_MAX: Final = 8
_REMEDIES: Final = {
    "missing": "add it",
    "less_than_equal": "a share lies between 0 and 1: write 0.05 for 5 %",
    "greater_than_equal": "a share lies between 0 and 1: write 0.05 for 5 %",
    "union_tag_not_found": "add law: constant, uniform, triangular, lognormal, gamma or empirical",
    "union_tag_invalid": "write law: constant, uniform, triangular, lognormal, gamma or empirical",
    "float_type": "write a number",
    "int_type": "write a whole number",
}


@cache
def shipped_profile(name: str) -> ChannelProfile:
    """One of the shipped profiles, read once.

    Raises:
        ConfigurationError: for an unknown name; the remedy suggests the nearest.
    """
    return validate(_resolved(_shipped(name, ""), ()))


def load_profile(name_or_path: str | Path) -> ChannelProfile:
    """Read and validate a shipped profile or a file.

    Args:
        name_or_path: a shipped name, or a path (recognised by a slash or by .yaml).

    Raises:
        ConfigurationError: naming file, line, field, value and remedy.
    """
    if isinstance(name_or_path, str) and not _is_path(name_or_path):
        return shipped_profile(name_or_path)
    path = Path(name_or_path)
    return validate(_resolved(_read(path), (), path.parent))


def validate(document: Node) -> ChannelProfile:
    """A marked tree as a profile.

    Raises:
        ConfigurationError: for the problem that stands first in the file.
    """
    try:
        return ChannelProfile.model_validate(document.plain())
    except ValidationError as error:
        raise _explained(error, document) from None


def _is_path(reference: str) -> bool:
    return "/" in reference or reference.endswith(_FILE_SUFFIXES)


def _shipped(name: str, where: str) -> Node:
    if name not in PROFILES:
        near = get_close_matches(name, PROFILES, n=1)
        raise ConfigurationError(
            "unknown channel profile",
            where=where,
            field="extends" if where else "",
            value=repr(name),
            remedy=f"did you mean {near[0]}?" if near else f"one of {', '.join(PROFILES)}",
        )
    file = f"channels/{name}.yaml"
    return parse_document(config_text(file), f"config/{file}")


def _read(path: Path) -> Node:
    try:
        return read_document(path)
    except ScenarioError as error:
        raise ConfigurationError(
            error.message, error.where, error.field, error.value, error.remedy
        ) from None


def _resolved(document: Node, below: tuple[str, ...], folder: Path | None = None) -> Node:
    """A profile laid over the one it extends."""
    fields = document.value
    if not isinstance(fields, dict) or "extends" not in fields:
        return document
    named = fields["extends"]
    own = Node(
        value={key: node for key, node in fields.items() if key != "extends"},
        where=document.where,
    )
    if named.raw in below or len(below) > _STEPS_MAX:
        raise ConfigurationError(
            "profiles extend each other in a circle",
            where=named.where,
            field="extends",
            value=named.raw,
            remedy="let one of them stand alone",
        )
    seen = (*below, named.raw)
    if folder is not None and _is_path(named.raw):
        path = folder / named.raw
        return merge(_resolved(_read(path), seen, path.parent), own)
    return merge(_resolved(_shipped(named.raw, named.where), seen), own)


def _explained(error: ValidationError, document: Node) -> ConfigurationError:
    """The problem that stands first; a misspelt field is also a missing one, so that comes last."""
    found = error.errors(include_url=False)
    problems = sorted(
        ((details["type"] == "missing", _problem(details, document)) for details in found),
        key=lambda entry: (entry[0], _line(entry[1].where)),
    )
    first = problems[0][1]
    if len(problems) > 1:
        return ConfigurationError(
            f"{first.message} (and {len(problems) - 1} more)",
            first.where,
            first.field,
            first.value,
            first.remedy,
        )
    return first


def _line(where: str) -> tuple[str, int]:
    name, _, line = where.rpartition(":")
    return name, int(line)


def _problem(details: ErrorDetails, document: Node) -> ConfigurationError:
    context = details.get("ctx", {})
    location = details["loc"]
    if details["type"].startswith("union_tag"):
        location = (*location, "law")
    elif context.get("path") is not None:
        location = (*location, *context["path"])
    node = document.find(location)
    message, remedy = _wording(details, location)
    return ConfigurationError(
        message,
        where=node.where,
        field=_dotted(location, document),
        value=node.raw[:_SHOWN_MAX] or None,
        remedy=remedy,
    )


def _wording(details: ErrorDetails, location: tuple[int | str, ...]) -> tuple[str, str]:
    """What is wrong and what to write instead, in the words of a user."""
    context = details.get("ctx", {})
    match details["type"]:
        case "scenario":
            return str(context["message"]), str(context["remedy"])
        case "extra_forbidden" if location[:-1] == ("channels",):
            names = [name.value for name in ChannelName]
            near = get_close_matches(str(location[-1]), names, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(names)}"
            return "unknown channel", remedy
        case "extra_forbidden":
            return "unknown field", "check its spelling and its indentation, or leave it out"
        case kind:
            message = details["msg"]
            return message[0].lower() + message[1:], _REMEDIES.get(kind, "")


def _dotted(location: tuple[int | str, ...], document: Node) -> str:
    """The path as a reader would write it, without the names that pydantic gives to laws."""
    parts: list[str] = []
    node = document
    for step in location:
        inner = node.find((step,))
        if inner is node and step != location[-1]:
            continue
        parts.append(str(step))
        node = inner
    return ".".join(parts)
