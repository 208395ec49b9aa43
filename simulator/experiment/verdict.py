"""The verdict of a comparison: its gates, each judged on the interval of what it speaks about.

Rule of the module: pure. A gate whose metric, unit or aggregate cannot be judged is refused before
anything is played, with the names that exist; one whose sample is too small is inconclusive.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

from simulator.errors import ExitCode, ThresholdError
from simulator.experiment.comparison import GateSummary, VerdictWord
from simulator.experiment.contrast import (
    TOO_FEW,
    Side,
    are_paired,
    column_of,
    is_signed,
    unit_of,
)
from simulator.experiment.estimates import Interval, student_interval
from simulator.experiment.resampling import (
    Pair,
    Resampled,
    aggregate_of,
    pair_of,
    resampled,
    welch_interval,
)
from simulator.thresholds import Verdict, samples_needed
from simulator.thresholds.gates import BoundKind, Gate, judge_gate

_AGGREGATES: Final = ("mean", "p")
_HUNDRED: Final = 100
_BECAUSE: Final = {
    Verdict.FAIL: "the whole interval is so",
    Verdict.PASS: "none of the interval is so",
    Verdict.INCONCLUSIVE: "the bound lies inside the interval",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A gate and the column it speaks about."""

    gate: Gate
    column: str


def resolve(gates: Sequence[Gate], columns: Sequence[str]) -> tuple[Resolved, ...]:
    """Find the figures that gates speak about.

    Args:
        gates: as read.
        columns: the figures there are; a gate may leave out the unit at the end, or write
            ``people_`` before a number of people.

    Raises:
        ThresholdError: for the first that cannot be judged.
    """
    known = {_stem(column): column for column in reversed(columns)}
    return tuple(_resolve(gate, columns, known) for gate in gates)


def judge(resolved: Sequence[Resolved], sides: Sequence[Side]) -> tuple[GateSummary, ...]:
    """Judge every gate on every side but the baseline."""
    return tuple(
        _judged(one, sides[0], side, number)
        for one in resolved
        for number, side in enumerate(sides[1:], start=1)
    )


def overall(gates: Sequence[GateSummary]) -> VerdictWord:
    """All gates together: fail before inconclusive before pass."""
    verdicts = {gate.verdict for gate in gates}
    for verdict in ("not-judged", "fail", "inconclusive"):
        if verdict in verdicts:
            return verdict
    return "pass"


def exit_code(verdict: VerdictWord) -> ExitCode:
    """How a comparison ends."""
    return {
        "pass": ExitCode.PASS,
        "fail": ExitCode.THRESHOLD_FAILED,
        "inconclusive": ExitCode.INCONCLUSIVE,
        "not-judged": ExitCode.ABORTED,
    }[verdict]


def _resolve(gate: Gate, columns: Sequence[str], known: dict[str, str]) -> Resolved:
    metric = gate.metric
    people = f"{metric.removeprefix('people_')}_people"
    column = next((name for name in (metric, people) if name in columns), known.get(metric))
    if column is None:
        near = get_close_matches(metric, list(known), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        raise _refused(gate, "unknown metric", f"{hint}known: {', '.join(sorted(known))}")
    if gate.aggregate not in {"", *_AGGREGATES}:
        raise _refused(
            gate, "replications have a mean and quantiles", "leave the aggregate out, or write p95"
        )
    if gate.kind is BoundKind.RATIO:
        if is_signed(column):
            raise _refused(
                gate, "a multiple of a signed figure has no sense", f"write {metric} < -10s"
            )
    elif gate.timed != (unit_of(column) == "ns"):
        unit = "a duration, such as 30s" if unit_of(column) == "ns" else "a number without a unit"
        raise _refused(gate, f"{metric} is compared with {unit}", "or with a multiple: 1.1x")
    return Resolved(gate=gate, column=column)


def _judged(one: Resolved, base: Side, other: Side, number: int) -> GateSummary:
    gate = one.gate
    pair = pair_of(
        column_of(base, one.column), column_of(other, one.column), paired=are_paired(base, other)
    )
    if gate.kind is BoundKind.VALUE:
        alone = pair_of(column_of(other, one.column), column_of(other, one.column), paired=True)
        pair = Pair(base=alone.base, other=alone.other, paired=True)
    needed = 0
    if gate.percent is not None:
        needed = samples_needed(max(gate.percent, _HUNDRED - gate.percent))
    value = _value(gate, pair) if pair.n else None
    if not pair.n or pair.n < needed:
        reason = (
            f"n is {pair.n}, and this quantile needs {needed}" if pair.n else "it never happens"
        )
        return _summary(one, number, Verdict.INCONCLUSIVE, reason, value=value)
    interval = _interval(gate, pair)
    if gate.kind is BoundKind.RATIO:
        # Above so many times the baseline is to have more than so many times it: that can be asked
        # where the baseline is nothing, too.
        scaled = Pair(base=pair.base * float(gate.bound), other=pair.other, paired=pair.paired)
        judged = resampled(scaled, gate.percent).difference
        gate = replace(gate, bound=Fraction(0))
    else:
        judged = interval
    if judged is None:
        return _summary(one, number, Verdict.INCONCLUSIVE, TOO_FEW, value=value)
    verdict = judge_gate(gate, *judged)
    return _summary(one, number, verdict, _BECAUSE[verdict], value=value, interval=interval)


def _value(gate: Gate, pair: Pair) -> float | None:
    """What the bound is compared with."""
    other = aggregate_of(pair.other, gate.percent)
    base = aggregate_of(pair.base, gate.percent)
    match gate.kind:
        case BoundKind.VALUE:
            return other
        case BoundKind.DIFFERENCE:
            return other - base
        case BoundKind.RATIO:
            return other / base if base > 0 else None


def _interval(gate: Gate, pair: Pair) -> Interval | None:
    if gate.percent is None and gate.kind is BoundKind.VALUE:
        return student_interval(pair.other)
    if gate.percent is None and gate.kind is BoundKind.DIFFERENCE:
        return student_interval(pair.other - pair.base) if pair.paired else welch_interval(pair)
    drawn: Resampled = resampled(pair, gate.percent)
    match gate.kind:
        case BoundKind.VALUE:
            return drawn.other
        case BoundKind.DIFFERENCE:
            return drawn.difference
        case BoundKind.RATIO:
            return drawn.ratio


def _summary(
    one: Resolved,
    side: int,
    verdict: Verdict,
    reason: str,
    *,
    value: float | None,
    interval: Interval | None = None,
) -> GateSummary:
    low, high = interval or (None, None)
    return GateSummary(
        expression=one.gate.expression,
        metric=one.column,
        side=side,
        verdict=verdict.value,
        value=value,
        low=low,
        high=high,
        reason=reason,
    )


def _stem(column: str) -> str:
    return column.rpartition("_")[0]


def _refused(gate: Gate, message: str, remedy: str) -> ThresholdError:
    return ThresholdError(message, "--fail-if", "", gate.text, remedy)
