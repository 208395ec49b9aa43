"""Paths into a scenario: ``chain.decision``, ``launches.icbm.threat``, ``channels.phones.held``.

Rule of the module: pure. A dotted path and a scenario with all that it assumes come in, the place
it names goes out; entries of a list are named by their id or their number. A path that leads
nowhere is refused with the nearest that leads somewhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel

from simulator.errors import ConfigurationError
from simulator.reach.changes import FIELD as CHANNELS
from simulator.reach.channels import (
    Channels,
    Coverage,
    Days,
    Failure,
    Municipal,
    Notice,
    Part,
    Phones,
)
from simulator.scenario.laws import Closed, Constant, Provenance, Recorded
from simulator.scenario.schema import Scenario

_SHOWN: Final = 3
_FARTHEST: Final = 0.5
_NEVER_VARIED: Final = (
    "schema", "extends", "id", "title", "description", "status", "fictional", "epoch", "precision",
    "sources", "marks", "record", "thresholds",
)  # fmt: skip
_MEANS: Final = (Failure, Coverage)
MEAN: Final = "mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a path leads.

    Attributes:
        path: as written.
        steps: keys from the root; an entry of a list by its id.
        figure: how many steps lead to the figure with provenance around it; None if there is none.
        spans: whether that figure may state a range.
        part: how many steps lead to the part of that figure that has a range of its own; None if
            the figure has no parts.
        key: where the path ends on a figure itself, the field that holds its value; ``mean`` of a
            figure that is a spread.
        is_law: whether the path ends on the law of a stage.
    """

    path: str
    steps: tuple[str, ...]
    figure: int | None
    spans: bool
    part: int | None = None
    key: str | None
    is_law: bool


def find_place(path: str, document: Mapping[str, Any]) -> Place:
    """The place that a path names.

    Args:
        path: dotted, from the root of the scenario.
        document: the scenario as resolved plain data, with all that it assumes.

    Raises:
        ConfigurationError: if it leads nowhere; the remedy names the nearest paths.
    """
    steps = tuple(path.split("."))
    models: list[type[BaseModel]] = [Scenario]
    value: object = document
    figure, part, spans = None, None, False
    if steps[0] in _NEVER_VARIED:
        raise _nowhere(path, document)
    for depth, step in enumerate(steps):
        if isinstance(value, list):
            value = _entry(value, step)
            if value is None:
                raise _nowhere(path, document)
        else:
            annotation = _annotation(models, step)
            if annotation is None:
                raise _nowhere(path, document)
            value = value.get(step) if isinstance(value, dict) else None
            models = _models_in(annotation) if steps[: depth + 1] != (CHANNELS,) else [*_OPEN]
        models = _chosen(models, value)
        if any(issubclass(model, Provenance) for model in models):
            figure = depth + 1
            spans = any("range" in model.model_fields for model in models)
        if any(issubclass(model, Part) for model in models):
            part = depth + 1
    is_law = bool(models) and all("law" in model.model_fields for model in models)
    key = "value" if is_law else _own_field(models)
    if models and key is None:
        raise ConfigurationError(
            "this path names a group of fields, not one",
            field="--vary",
            value=path,
            remedy=f"go on with one of: {', '.join(_fields_of(models))}",
        )
    return Place(
        path=path, steps=steps, figure=figure, spans=spans, part=part, key=key, is_law=is_law
    )


def known_paths(document: Mapping[str, Any]) -> list[str]:
    """Every path of a scenario that may be varied, in the order of its fields.

    Args:
        document: the scenario as resolved plain data, with all that it assumes.
    """
    return list(_paths(Scenario, document, ""))


def _paths(model: type[BaseModel], value: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        here = f"{prefix}{key}"
        inside = value.get(key)
        if _is_left_out(here, key, inside):
            continue
        if here == CHANNELS:
            yield from (path for one in _OPEN for path in _paths(one, inside or {}, f"{CHANNELS}."))
            continue
        models = _models_in(field.annotation)
        laws = bool(models) and all("law" in one.model_fields for one in models)
        if laws or not models or any(issubclass(one, _MEANS) for one in models):
            yield here
        if isinstance(inside, list):
            for number, item in enumerate(inside):
                if isinstance(item, dict) and models:
                    yield from _paths(models[0], item, f"{here}.{item.get('id', number)}.")
        elif models and (not laws or isinstance(inside, dict)):
            chosen = _chosen(models, inside)[0]
            yield from _paths(chosen, inside if isinstance(inside, dict) else {}, f"{here}.")


def _is_left_out(path: str, key: str, inside: object) -> bool:
    """Whether a field is never varied; of channels, whether the time does not have it."""
    return (
        path in _NEVER_VARIED
        or key in Provenance.model_fields
        or key in {"id", "law", "range"}
        or (inside is None and path.split(".", maxsplit=1)[0] == CHANNELS)
    )


def _annotation(models: list[type[BaseModel]], step: str) -> object:
    for model in models:
        for name, field in model.model_fields.items():
            if step == (field.alias or name):
                return field.annotation
    return None


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def _chosen(models: list[type[BaseModel]], value: object) -> list[type[BaseModel]]:
    """Of the possible laws the one that the scenario has."""
    if isinstance(value, dict) and "law" in value:
        return [
            model
            for model in models
            if value["law"] in get_args(model.model_fields["law"].annotation)
        ]
    return models


def _entry(items: list[Any], step: str) -> object:
    """An entry of a list, by its id or its number."""
    for number, item in enumerate(items):
        name = item.get("id") if isinstance(item, dict) else None
        if step in {name, str(number)}:
            return item
    return None


def _own_field(models: list[type[BaseModel]]) -> str | None:
    """The one field of a figure that is neither its provenance nor its range."""
    if any(issubclass(model, Part) for model in models):
        return "share"
    if any(issubclass(model, _MEANS) for model in models):
        return MEAN
    own = [name for name in _fields_of(models) if name != "range"]
    figures = [model for model in models if issubclass(model, Provenance)]
    return own[0] if figures and len(own) == 1 else None


def _fields_of(models: list[type[BaseModel]]) -> list[str]:
    names = [
        field.alias or name
        for model in models
        for name, field in model.model_fields.items()
        if name not in Provenance.model_fields
    ]
    return list(dict.fromkeys(names))


def _nowhere(path: str, document: Mapping[str, Any]) -> ConfigurationError:
    known = known_paths(document)
    last = path.rpartition(".")[2]
    near = get_close_matches(path, known, n=_SHOWN, cutoff=_FARTHEST)
    near += [
        one
        for one in known
        if SequenceMatcher(None, one.rpartition(".")[2], last).ratio() > 1 - _FARTHEST / 2
    ]
    shown = list(dict.fromkeys(near))[:_SHOWN]
    hint = f"did you mean {' or '.join(shown)}? " if shown else ""
    return ConfigurationError(
        "the scenario has no such field",
        field="--vary",
        value=path,
        remedy=f"{hint}`alertsim sweep SCENARIO --paths` lists them all",
    )


class _Groups(Closed):
    """What a channel profile has besides its channels; see ``reach.changes``."""

    days: Days
    notices: tuple[Notice, ...]
    phones: Phones
    municipal: Municipal


_OPEN: Final = (_Groups, Channels)
CONSTANT_LAW: Final = get_args(Constant.model_fields["law"].annotation)[0]
RECORDED_LAW: Final = get_args(Recorded.model_fields["law"].annotation)[0]
