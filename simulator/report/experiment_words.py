"""How the figures of experiments are named and written for people.

Rule of the module: pure text from column names and values; the unit is read from the ending of the
column, as everywhere in experiments.
"""

import re
from collections.abc import Iterable
from typing import Final

from simulator.experiment.figures import LAUNCHES
from simulator.experiment.summary import ExperimentSummary
from simulator.report import words
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S

_NAMES: Final = {
    "alert": "launch to first alert",
    "predicted_lead_time": "predicted lead time",
    "lead_time": "lead time",
    "last_alert": "first launch to the alert of the last",
    "least_predicted_lead_time": "shortest predicted lead time of all launches",
    "least_lead_time": "shortest lead time of all launches",
    "team_waiting": "longest wait of a launch for assessment teams",
    "unwarned_launches": "launches that nobody was warned of",
    "shelter": "launch to the call to take shelter",
    "closing": "first alert to closing message",
    "correction": "wrong message to its correction",
    "all_clear": "first alert to all-clear",
    "in_force": "longest time under a warning",
    "prefectures": "prefectures warned",
    "messages": "messages sent",
    "withheld": "messages withheld",
    "alerted": "people where an alert was issued",
    "warned": "people warned at all",
    "warned_before_predicted": "people warned before the predicted arrival",
    "warned_before_arrival": "people warned before the true arrival",
    "alerted_needlessly": "people warned although nothing arrived",
    "missed": "people not warned although something arrived",
    "corrected": "people whom a correction reached",
}
_OF_A_LAUNCH: Final = frozenset(
    {
        "alert",
        "predicted_lead_time",
        "lead_time",
        "shelter",
        "closing",
        "correction",
        "all_clear",
    }
)
_PLACED: Final = re.compile(
    r"(issue|predicted_lead_time|lead_time|warned|warned_before_(?:arrival|predicted))_([a-z]+)"
)
_PLACES: Final = {
    "issue": "launch to alert",
    "warned": "people warned at all",
    "warned_before_arrival": "people warned before the true arrival",
    "warned_before_predicted": "people warned before the predicted arrival",
    "predicted_lead_time": "predicted lead time",
    "lead_time": "lead time",
}
_SIGNED: Final = re.compile(r"(^|\.)(least_)?(predicted_)?lead_time_")
_FINE_NS: Final = 100 * NS_PER_MS
_THOUSANDS: Final = 1000


def has_several_launches(columns: Iterable[str]) -> bool:
    """Whether these are the figures of a scenario with several launches."""
    return not set(LAUNCHES).isdisjoint(columns)


def name_of(column: str, *, several: bool = False) -> str:
    """A column in words: ``predicted lead time, Miyagi``.

    Args:
        column: the column.
        several: whether there are several launches, so that it has to be said whose a figure is.
    """
    launch, dot, rest = column.rpartition(".")
    stem = rest.rpartition("_")[0]
    if stem in _NAMES:
        text = _NAMES[stem]
    elif stem.startswith("stage_"):
        text = f"stage {stem.removeprefix('stage_').replace('_', '-')}"
    elif stem.startswith("first_"):
        text = f"people who heard it first by {stem.removeprefix('first_').replace('_', ' ')}"
    elif match := _PLACED.fullmatch(stem):
        text = f"{_PLACES[match[1]]}, {words.prefecture(match[2])}"
    else:
        text = stem.replace("_", " ")
    if several and not dot and (stem in _OF_A_LAUNCH or stem.startswith("stage_")):
        launch = "first launch"
    return f"{text} ({launch})" if launch else text


def named(summary: ExperimentSummary, column: str) -> str:
    """A column of a summary in words."""
    figures = summary.points[0].figures if summary.points else ()
    return name_of(column, several=has_several_launches(one.column for one in figures))


def is_detail(column: str) -> bool:
    """Whether a figure is of one prefecture, or of a launch after the first."""
    return "." in column or _PLACED.fullmatch(column.rpartition("_")[0]) is not None


def amount(column: str, value: float | None) -> str:
    """A value of a column: ``10 min 48.2 s``, ``+90.1 s``, ``1,234``."""
    if value is None:
        return words.DASH
    if not column.endswith("_ns"):
        return _number(value)
    if _SIGNED.search(column):
        return words.lead(round(value))
    return words.span(round(value / _FINE_NS) * _FINE_NS)


def change(column: str, value: float | None) -> str:
    """A difference between two values of a column: always with its sign."""
    if value is None:
        return words.DASH
    if column.endswith("_ns"):
        return words.lead(round(value))
    sign = words.MINUS if value < 0 else "+"
    return f"{sign}{_number(abs(value))}"


def half(column: str, interval: tuple[float, float] | None) -> str:
    """Half the width of an amount's interval, in its units: ``± 3.1 s``, ``± 1 min 13 s``.

    Nothing if there is none.
    """
    if interval is None or interval[0] == interval[1]:
        return ""
    width = (interval[1] - interval[0]) / 2
    if column.endswith("_ns") and not _SIGNED.search(column) and width >= _FINE_NS:
        step = NS_PER_S if width >= NS_PER_MIN else _FINE_NS
        return f"± {words.span(round(width / step) * step)}"
    return half_change(column, interval)


def half_change(column: str, interval: tuple[float, float] | None) -> str:
    """Half the width of a change's interval, in seconds as the change is: ``± 73.0 s``."""
    if interval is None or interval[0] == interval[1]:
        return ""
    width = (interval[1] - interval[0]) / 2
    if column.endswith("_ns"):
        return f"± {width / NS_PER_S:.1f} s"
    return f"± {_number(width)}"


def span_of(column: str, interval: tuple[float, float] | None) -> str:
    """An interval: ``10 min 42 s to 10 min 54 s``; a dash if there is none."""
    if interval is None:
        return words.DASH
    return f"{amount(column, interval[0])} to {amount(column, interval[1])}"


def _number(value: float) -> str:
    if float(value).is_integer() or abs(value) >= _THOUSANDS:
        return f"{value:,.0f}".replace("-", words.MINUS)
    return f"{value:.3g}".replace("-", words.MINUS)
