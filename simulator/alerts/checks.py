"""Checks of single values, for input that may have been made by anybody.

Rule of the module: a value comes in, the same value goes out, or a ValueError that names it. Types
are compared exactly: a subclass of ``str`` or ``int`` could answer a check with a lie and then
write something else.
"""

import re
from functools import lru_cache
from typing import Any, Final

from simulator.alerts.marks import FIT_LINE, denies_exercise

INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,19})")
_MOST: Final = 10**20


# The same few texts stand in every message of a run.
@lru_cache(maxsize=4096)
def _is_fit(line: str) -> bool:
    return FIT_LINE.fullmatch(line) is not None


_denies: Final = lru_cache(maxsize=4096)(denies_exercise)


def check_line(value: object, what: str, longest: int) -> str:
    """One line of visible text that does not deny the exercise.

    Exactly ``str``: a subclass could answer ``startswith`` with a lie.

    Raises:
        ValueError: otherwise.
    """
    if type(value) is not str:
        raise ValueError(f"{what} must be text, not {type(value).__name__}")
    if len(value) > longest or not _is_fit(value):
        raise ValueError(f"{what} must be 1 to {longest} visible characters: {value[:80]!r}")
    if _denies(value):
        raise ValueError(f"{what} denies that this is an exercise: {value[:80]!r}")
    return value


def check_marked(value: object, what: str, mark: str, longest: int) -> str:
    """A line that begins with the mark of an exercise.

    Raises:
        ValueError: otherwise.
    """
    line = check_line(value, what, longest)
    if not line.startswith(mark):
        raise ValueError(f"{what} must begin with {mark}: {line[:80]!r}")
    return line


def check_sequence(values: object, what: str, most: int, least: int = 0) -> tuple[Any, ...]:
    """A tuple of at least and at most so many values."""
    if type(values) is not tuple or not least <= len(values) <= most:
        raise ValueError(f"{what} must be a tuple of {least} to {most}")
    return values


def check_fits(value: object, what: str, pattern: re.Pattern[str], longest: int) -> str:
    """Text that matches a pattern from end to end."""
    if type(value) is not str or len(value) > longest or not pattern.fullmatch(value):
        raise ValueError(f"{what} is not as it must be: {value!r:.120}")
    return value


def check_one_of(value: object, what: str, allowed: tuple[str, ...]) -> str:
    """One of the texts that a standard allows."""
    if type(value) is not str or value not in allowed:
        raise ValueError(f"{what} is {value!r:.80}, not one of {', '.join(allowed)}")
    return value


def check_decimal(value: object, what: str) -> str:
    """An integer of at most 39 digits, as the decimal text that goes on the wire."""
    if type(value) is not int or not -_MOST < value < _MOST:
        raise ValueError(f"{what} must be an integer: {type(value).__name__}")
    return str(value)


def check_count(value: object, what: str) -> int:
    """A number that survives JavaScript: 0 to 2**53 - 1."""
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(f"{what} must be a count: {type(value).__name__}")
    return value


def check_maybe_decimal(value: object, what: str) -> str | None:
    """``check_decimal``, or None."""
    return None if value is None else check_decimal(value, what)


def check_maybe_line(value: object, what: str, longest: int) -> str | None:
    """``check_line``, or None."""
    return None if value is None else check_line(value, what, longest)
