"""Axes: what ``--vary PATH=VALUES`` means.

Rule of the module: pure. Text comes in, a frozen axis goes out: either a list of values, or a range
from low to high that a design divides as it needs. Values keep the form in which they would stand
in a scenario file; a number followed by ``x`` multiplies what the scenario has.

    chain.decision=60s,90s,2min     a list
    chain.decision=60s..240s:5      five values, evenly spaced, both ends included
    chain.decision=0.5x..1.5x       a range for a Latin hypercube or a tornado
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.errors import ConfigurationError
from simulator.experiment.variants import Setting
from simulator.units import NS_PER_MS, format_duration, parse_duration

_FACTOR: Final = re.compile(r"(\d+(?:\.\d+)?)x")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_COUNT: Final = re.compile(r"-?\d+")
_EXAMPLE: Final = "for example chain.decision=60s..240s:5, or chain.teams.count=1,2,3"
_FEWEST: Final = 2
_MOST: Final = 10_000_000


class Kind(StrEnum):
    """What the values of an axis are."""

    DURATION = "duration"
    FACTOR = "factor"
    COUNT = "count"
    NUMBER = "number"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One field and the values it takes.

    Attributes:
        path: dotted path of the field.
        kind: what its values are.
        values: the list; for a range, its two ends. Durations in ns.
        count: of a range, how many values a grid takes; 0 if not said; None for a list.
    """

    path: str
    kind: Kind
    values: tuple[int | float | str, ...]
    count: int | None = None

    @property
    def steps(self) -> int:
        """How many values a grid takes."""
        return len(self.values) if self.count is None else self.count

    def at_step(self, step: int) -> Setting:
        """The value of one step of a grid, from 0."""
        if self.count is None:
            return self._setting(self.values[step])
        return self._between(step / (self.count - 1))

    def at_share(self, share: float) -> Setting:
        """The value below which a share of the axis lies; every value of a list as likely.

        Args:
            share: at least 0, at most 1.
        """
        if self.count is None or self.kind is Kind.WORD:
            place = min(int(share * len(self.values)), len(self.values) - 1)
            return self._setting(self.values[place])
        return self._between(share)

    def end(self, *, high: bool) -> Setting:
        """The first or the last value."""
        return self._setting(self.values[-1 if high else 0])

    def _between(self, share: float) -> Setting:
        low, high = float(self.values[0]), float(self.values[-1])
        value = low + (high - low) * share
        if self.kind is Kind.DURATION:
            return self._setting(round(value / NS_PER_MS) * NS_PER_MS)
        return self._setting(round(value) if self.kind is Kind.COUNT else value)

    def _setting(self, value: float | str) -> Setting:
        ordered = self.values if self.kind is Kind.WORD else tuple(sorted(self.values, key=float))
        return Setting(
            path=self.path,
            value=self._written(value),
            factor=self.kind is Kind.FACTOR,
            low=self._written(ordered[0]),
            high=self._written(ordered[-1]),
        )

    def _written(self, value: float | str) -> str | int | float:
        return format_duration(int(value)) if self.kind is Kind.DURATION else value


def parse_axis(text: str) -> Axis:
    """Read ``PATH=VALUES``.

    Raises:
        ConfigurationError: if it cannot be read, saying what can.
    """
    path, equals, written = (part.strip() for part in text.partition("="))
    if not (path and equals and written):
        raise _refusal("a field and its values are expected", text)
    low, dots, rest = written.partition("..")
    if dots:
        return _range(text, path, low.strip(), rest.strip())
    items = [item.strip() for item in written.split(",")]
    if not all(items):
        raise _refusal("an empty value", text)
    kind = _kind(items)
    values = tuple(_read(item, kind) for item in items)
    if len(set(values)) < len(values):
        raise _refusal("a value stands twice in the list", text)
    return Axis(path=path, kind=kind, values=values)


def parse_setting(text: str) -> Setting:
    """Read ``PATH=VALUE``, one value.

    Raises:
        ConfigurationError: if it cannot be read, or names several values.
    """
    axis = parse_axis(text)
    if axis.count is not None or len(axis.values) > 1:
        raise ConfigurationError(
            "one value is expected", field="--set", value=text, remedy="or use alertsim sweep"
        )
    return axis.at_step(0)


def parse_axes(texts: Sequence[str]) -> tuple[Axis, ...]:
    """Read several axes; each field once.

    Raises:
        ConfigurationError: if one cannot be read or a field stands twice.
    """
    axes = tuple(parse_axis(text) for text in texts)
    for number, axis in enumerate(axes):
        if any(axis.path == earlier.path for earlier in axes[:number]):
            raise ConfigurationError(
                "this field is varied twice",
                field="--vary",
                value=axis.path,
                remedy="write all its values behind one --vary",
            )
    return axes


def _range(text: str, path: str, low: str, rest: str) -> Axis:
    high, colon, many = (part.strip() for part in rest.partition(":"))
    kind = _kind([low, high])
    if kind is Kind.WORD:
        raise _refusal(
            "the ends of a range are two durations, two numbers or two multiples (0.5x)", text
        )
    if colon and not (many.isdecimal() and _FEWEST <= int(many) <= _MOST):
        raise _refusal(f"a range has a whole number of values, from {_FEWEST} to {_MOST:,}", text)
    first, last = _read(low, kind), _read(high, kind)
    if float(first) >= float(last):
        raise _refusal("the range is empty: its low end is not below its high end", text)
    count = int(many) if colon else 0
    if kind is Kind.COUNT and count and (int(last) - int(first)) % (count - 1):
        raise _refusal(
            f"{int(last) - int(first) + 1} whole numbers do not divide into {count} even steps",
            text,
        )
    return Axis(path=path, kind=kind, values=(first, last), count=count)


def _kind(items: Sequence[str]) -> Kind:
    """What all values are; words if they are not all the same."""
    if all(_COUNT.fullmatch(item) for item in items):
        return Kind.COUNT
    if all(_NUMBER.fullmatch(item) for item in items):
        return Kind.NUMBER
    if all(_FACTOR.fullmatch(item) for item in items):
        return Kind.FACTOR
    if all(_is_duration(item) for item in items):
        return Kind.DURATION
    return Kind.WORD


def _is_duration(item: str) -> bool:
    try:
        parse_duration(item)
    except ValueError:
        return False
    return True


def _read(item: str, kind: Kind) -> int | float | str:
    match kind:
        case Kind.DURATION:
            return parse_duration(item)
        case Kind.FACTOR:
            return float(item.removesuffix("x"))
        case Kind.COUNT:
            return int(item)
        case Kind.NUMBER:
            return float(item)
        case Kind.WORD:
            return item


def _refusal(message: str, text: str) -> ConfigurationError:
    return ConfigurationError(message, field="--vary", value=text, remedy=_EXAMPLE)
