"""Figures of the world: a value, where it comes from, how far it could as well be off.

Rule of the module: read once, when first asked for, from the JSON tables of ``config/``; nothing is
computed here. Every figure has a source, or is marked as an assumption and has a range.
"""

import json
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from simulator.errors import InternalError
from simulator.resources import config_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number about the world.

    Attributes:
        value: what the model uses by default, in the unit that the figure's name ends with.
        low: least that it could as well be; equal to ``value`` where the source leaves no doubt.
        high: most that it could as well be.
        assumption: True where no source publishes the value.
        source: title and address of what publishes it, or of what an assumption leans on.
    """

    value: float
    low: float
    high: float
    assumption: bool
    source: str


@cache
def figures(table: str) -> MappingProxyType[str, Figure]:
    """The figures of one file of ``config/``, by dotted name such as ``ballistic.lost_limit_s``.

    Raises:
        InternalError: if the table breaks the rule of this module; it is ours, never the user's.
    """
    found: dict[str, Figure] = {}
    for group, entries in json.loads(config_text(table))["figures"].items():
        for name, entry in entries.items():
            found[f"{group}.{name}"] = _figure(table, f"{group}.{name}", entry)
    return MappingProxyType(found)


def value(table: str, name: str) -> float:
    """The default value of a figure."""
    return figures(table)[name].value


def _figure(table: str, name: str, entry: dict[str, Any]) -> Figure:
    number = float(entry["value"])
    low, high = (float(end) for end in entry.get("range", (number, number)))
    assumption = bool(entry.get("assumption", False))
    source = str(entry.get("source", ""))
    if not low <= number <= high or (assumption and low == high) or not source:
        raise InternalError(f"{table}: {name} has no source, or no range that holds its value")
    return Figure(value=number, low=low, high=high, assumption=assumption, source=source)
