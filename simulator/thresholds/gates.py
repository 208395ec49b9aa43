"""Gates: what makes a comparison fail: ``alert.p95 > 1.1x``, ``predicted_lead_time < -30s``.

Rule of the module: as :mod:`simulator.thresholds.expressions`, but an expression says what is *not*
wanted, and its bound may stand in relation to the baseline. A gate knows no metric: which figures
exist is the comparison's to say.

    warned_before_arrival < 0.9x     less than 0.9 times the baseline's mean
    alert.p95 > +30s                 its 95th percentile is more than 30 s above the baseline's
    alert.max > 12min                the longest is above 12 minutes, whatever the baseline
    lost > 0                         more than none
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from simulator.errors import ThresholdError
from simulator.thresholds.verdicts import Number, Verdict
from simulator.units import format_duration, parse_duration

_GATE: Final = re.compile(
    r"\s*([A-Za-z_][\w-]*)((?:\.[A-Za-z_][\w-]*)*?)"
    r"(?:\.(?:(mean|avg|med|min|max|count)|p\(?(\d+(?:\.\d+)?)\)?))?\s*(<=|>=|<|>)\s*(\S.*?)\s*"
)
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_HUNDRED: Final = 100
_MEDIAN: Final = Fraction(50)
_EXAMPLE: Final = (
    'write metric, operator and bound, for example of runs "delivery_latency.p99 > 1.1x", '
    '"delivery_latency > +5ms" or "lost > 0"; of scenarios and experiments "alert.p95 > 1.1x", '
    '"warned_before_arrival < 0.9x" or "alert > +30s"'
)


class BoundKind(StrEnum):
    """What a gate's bound is measured against."""

    RATIO = "ratio"  # of the value to the baseline's
    DIFFERENCE = "difference"  # of the value less the baseline's
    VALUE = "value"  # the value itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One condition under which a comparison fails, understood.

    Attributes:
        metric: as written, dashes as underscores.
        aggregate: ``mean``, ``p``, ``min``, ``max`` or ``count``; empty if it was not said.
        percent: for ``p``, strictly between 0 and 100; else None.
        operator: ``<``, ``<=``, ``>`` or ``>=``.
        kind: what the bound is measured against.
        bound: a ratio, nanoseconds or a plain number; exact.
        timed: the bound has a unit of time.
        text: as written.
    """

    metric: str
    aggregate: str
    percent: Fraction | None
    operator: str
    kind: BoundKind
    bound: Fraction
    timed: bool
    text: str

    @property
    def expression(self) -> str:
        """The gate as it was understood."""
        shown = self.aggregate
        if self.percent is not None:
            shown = f"p{float(self.percent):g}"
        metric = f"{self.metric}.{shown}" if shown else self.metric
        if self.kind is BoundKind.RATIO:
            return f"{metric} {self.operator} {float(self.bound):g}x"
        bound = format_duration(int(self.bound)) if self.timed else f"{float(self.bound):.12g}"
        sign = "+" if self.kind is BoundKind.DIFFERENCE and self.bound >= 0 else ""
        return f"{metric} {self.operator} {sign}{bound}"


def parse_gate(text: str, where: str = "--fail-if") -> Gate:
    """Read one gate.

    Args:
        text: metric, perhaps ``.aggregate``, operator, bound. A bound that ends in ``x`` is a
            multiple of the baseline, one with a sign is a difference from it.
        where: option or file, for error messages.

    Raises:
        ThresholdError: if it cannot be read, saying what can.
    """
    match = _GATE.fullmatch(text)
    if match is None:
        raise ThresholdError("not a condition", where, "", text or '""', _EXAMPLE)
    percent = None if match[4] is None else _percent(match[4], text, where)
    aggregate = match[3] or ("" if percent is None else "p")
    if aggregate == "med":
        aggregate, percent = "p", _MEDIAN
    kind, bound, timed = _bound(match[6], text, where)
    return Gate(
        metric=(match[1] + match[2]).replace("-", "_"),
        aggregate="mean" if aggregate == "avg" else aggregate,
        percent=percent,
        operator=match[5],
        kind=kind,
        bound=bound,
        timed=timed,
        text=text.strip(),
    )


def judge_gate(gate: Gate, low: Number, high: Number) -> Verdict:
    """Fail if the whole interval is what is not wanted, pass if none of it is.

    Args:
        gate: the condition.
        low: lower end of the interval of what the bound is measured against.
        high: upper end.
    """
    if all(_holds(gate, end) for end in (low, high)):
        return Verdict.FAIL
    if not any(_holds(gate, end) for end in (low, high)):
        return Verdict.PASS
    return Verdict.INCONCLUSIVE


def _holds(gate: Gate, value: Number) -> bool:
    match gate.operator:
        case "<":
            return value < gate.bound
        case "<=":
            return value <= gate.bound
        case ">":
            return value > gate.bound
        case _:
            return value >= gate.bound


def _percent(text: str, whole: str, where: str) -> Fraction:
    percent = Fraction(text)
    if not 0 < percent < _HUNDRED:
        raise ThresholdError(
            "a percentile lies strictly between 0 and 100",
            where,
            "",
            whole,
            "write p99 or p99.9; for the ends use min and max",
        )
    return percent


def _bound(text: str, whole: str, where: str) -> tuple[BoundKind, Fraction, bool]:
    digits = text.removesuffix("x").strip()
    if text.endswith("x"):
        if not _NUMBER.fullmatch(digits):
            raise ThresholdError(
                "a multiple of the baseline is a number and an x", where, "", whole, _EXAMPLE
            )
        return BoundKind.RATIO, Fraction(digits), False
    signed = text[0] in "+-"
    kind = BoundKind.DIFFERENCE if signed else BoundKind.VALUE
    sign = -1 if text[0] == "-" else 1
    body = (text[1:] if signed else text).strip()
    if _NUMBER.fullmatch(body):
        return kind, sign * Fraction(body), False
    try:
        return kind, sign * Fraction(parse_duration(body)), True
    except ValueError as error:
        raise ThresholdError(str(error), where, "", whole, _EXAMPLE) from error
