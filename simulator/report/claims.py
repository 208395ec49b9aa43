"""Thresholds in words: what each asks for, without the notation in which it is written.

Rule of the module: pure text. The exact expression stands in the table of thresholds; on the first
screen a reader meets no notation.
"""

import re
from typing import Final

from simulator.measure.summary import ThresholdResult
from simulator.report import tables, words
from simulator.thresholds.catalogue import METRICS, Unit

_EXPRESSION: Final = re.compile(r"\s*(?:p\(([\d.]+)\)|(\w+))\s*(==|!=|<=|>=|<|>)\s*(.+?)\s*")
_UNIT: Final = re.compile(r"(?<=\d)(?=[A-Za-zµ%])|(?<=[A-Za-z])(?=\d)")
_OPERATORS: Final = {
    "==": "",
    "!=": "not ",
    "<": "under ",
    "<=": "at most ",
    ">": "over ",
    ">=": "at least ",
}
_TIMES: Final = {"max": "longest ", "min": "shortest ", "med": "median ", "avg": "mean "}
_OTHERS: Final = {"max": "largest ", "min": "smallest ", "med": "median ", "avg": "mean "}
_DURATIONS: Final = frozenset(one.name for one in METRICS.values() if one.unit is Unit.NS)
_NAMES: Final = {
    "lead_time": "true lead time",  # to the arrival itself, not the predicted one
    "qos_lowered": "deliveries below their QoS",
}
_USUAL: Final = {"population": "live"}


def claim(result: ThresholdResult) -> str:
    """What a threshold came to: ``longest delivery latency 7.31 ms (must be under 5 s)``."""
    return f"{subject(result)} {tables.threshold_actual(result)} ({demand(result)})"


def demand(result: ThresholdResult) -> str:
    """What it asks for: ``must be under 5 s``; an expression that is not known as it stands."""
    found = _EXPRESSION.fullmatch(result.expression)
    if found is None:
        return result.expression
    return f"must be {_OPERATORS[found[3]]}{_UNIT.sub(' ', found[4])}"


def subject(result: ThresholdResult) -> str:
    """What it is about: ``lost``, ``99th percentile of delivery latency (prefecture miyagi)``."""
    name = _NAMES.get(result.metric, result.metric.replace("_", " "))
    about = "".join(
        f" ({key} {words.prefecture(value) if key == 'prefecture' else value})"
        for key, value in result.tags.items()
        if _USUAL.get(key) != value
    )
    found = _EXPRESSION.fullmatch(result.expression)
    if found is None:
        return f"{name}{about}"
    if found[1]:
        return f"{_ordinal(found[1])} percentile of {name}{about}"
    if found[2] == "count" and result.metric in _DURATIONS:
        return f"samples of {name}{about}"  # how many were measured, not how long they took
    of = _TIMES if result.unit == "ns" else _OTHERS
    return f"{of.get(found[2], '')}{'share ' if found[2] == 'rate' else ''}{name}{about}"


def _ordinal(number: str) -> str:
    """``99th``, ``99.9th``, ``51st``."""
    teen = number[-2:] in {"11", "12", "13"}
    return number + ("th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th"))
