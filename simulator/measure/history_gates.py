"""Conditions on a history: is the newest run worse than the median of the runs before it?

Rule of the module: pure. The figure of the newest run has its interval over bursts, the median of
the earlier runs one over runs; a condition is judged on all that both leave possible, so it fails
only if the whole of that is so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

from simulator.errors import ThresholdError
from simulator.experiment.estimates import Interval
from simulator.measure.history import ConditionSummary, PointSummary, VerdictWord
from simulator.measure.run_contrast import COUNTS, LATENCIES
from simulator.measure.sampling import QUANTILES
from simulator.measure.trend import FEWEST_OF_MEDIAN, median_interval
from simulator.thresholds.gates import BoundKind, Gate, judge_gate

MEAN: Final = "mean"
COUNT: Final = "count"
_REASONS: Final[dict[VerdictWord, str]] = {
    "fail": "all of what the intervals leave possible is so",
    "pass": "none of what the intervals leave possible is so",
    "inconclusive": "the bound lies inside what the intervals leave possible",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The run that conditions are asked of.

    Attributes:
        run: its id.
        point: its figure.
        earlier: values of the runs before it that have one, at most so many as were asked for.
        bottleneck: the instrument set its pace.
    """

    run: str
    point: PointSummary
    earlier: Sequence[float]
    bottleneck: bool = False


def aggregate_of(gate: Gate) -> str:
    """The aggregate that a condition speaks about: ``mean``, ``p99`` or ``count``."""
    if gate.metric in COUNTS:
        return COUNT
    return MEAN if gate.percent is None else f"p{float(gate.percent):g}"


def check_history_gates(gates: Sequence[Gate]) -> None:
    """Refuse conditions that summaries of runs cannot answer.

    Raises:
        ThresholdError: for the first, with what can be asked.
    """
    quantiles = [f"p{float(one):g}" for one in QUANTILES]
    known = [*LATENCIES, *COUNTS]
    for gate in gates:
        if gate.metric not in known:
            near = get_close_matches(gate.metric, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise _refused(gate, "unknown metric", f"{hint}known: {', '.join(known)}")
        timed = gate.metric in LATENCIES
        if gate.aggregate not in ({"", MEAN, "p"} if timed else {"", COUNT}):
            remedy = "write its mean or a quantile such as p99" if timed else "write lost > 0"
            raise _refused(gate, "this cannot be asked of it", remedy)
        if gate.percent is not None and gate.percent not in QUANTILES:
            raise _refused(
                gate, "summaries of runs do not hold this quantile", f"use {', '.join(quantiles)}"
            )
        if gate.kind is not BoundKind.RATIO and gate.timed != timed:
            unit = "a duration, such as 5ms" if timed else "a number without a unit"
            raise _refused(gate, f"{gate.metric} is compared with {unit}", "or with a multiple: 2x")


def judge_newest(gate: Gate, newest: Newest) -> ConditionSummary:
    """Judge a condition on the newest run of a series."""
    asked = _asked(gate, newest)
    if isinstance(asked, str):
        return _condition(gate, newest, "inconclusive", asked)
    found: VerdictWord = judge_gate(asked.gate, *asked.judged).value  # type: ignore[assignment]
    reason = _REASONS[found]
    if newest.bottleneck and found == "fail" and gate.metric in LATENCIES:
        found, reason = "inconclusive", f"{reason}, but the instrument was the bottleneck"
    return _condition(gate, newest, found, reason, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a condition comes to: the value to show, and what is judged by which gate."""

    value: float
    judged: Interval
    gate: Gate
    shown: bool = True


def _asked(gate: Gate, newest: Newest) -> _Asked | str:
    """What the bound is compared with, and all that it may be; or why that is not known."""
    value, own = newest.point.value, newest.point.interval
    if value is None:
        return "the newest run has too few samples for it"
    if own is None:
        return "the newest run has fewer than ten bursts, so its figure has no interval"
    if gate.kind is BoundKind.VALUE:
        return _Asked(value=value, judged=own, gate=gate)
    return _against_earlier(gate, newest, value, own)


def _against_earlier(gate: Gate, newest: Newest, value: float, own: Interval) -> _Asked | str:
    """The same of a bound that is measured against the median of the earlier runs."""
    if not newest.earlier:
        return "there is no earlier run to compare with"
    median, around = median_interval(newest.earlier)
    if around is None:
        return (
            f"the median of {words_of(len(newest.earlier))} has no interval: it takes "
            f"{FEWEST_OF_MEDIAN}"
        )
    low, high = around
    if gate.kind is BoundKind.DIFFERENCE:
        return _Asked(value=value - median, judged=(own[0] - high, own[1] - low), gate=gate)
    if low > 0:
        return _Asked(value=value / median, judged=(own[0] / high, own[1] / low), gate=gate)
    if gate.metric not in COUNTS:
        return "the earlier runs are not above zero, so there is no multiple of them"
    # A multiple of nothing is nothing: what is judged is how far the count lies from it.
    times = float(gate.bound)
    return _Asked(
        value=value,
        judged=(own[0] - times * high, own[1] - times * low),
        gate=replace(gate, bound=Fraction(0)),
        shown=False,
    )


def words_of(runs: int) -> str:
    """``1 earlier run``, ``4 earlier runs``."""
    return f"{runs} earlier run{'' if runs == 1 else 's'}"


def _condition(
    gate: Gate,
    newest: Newest,
    verdict: VerdictWord,
    reason: str,
    asked: _Asked | None = None,
) -> ConditionSummary:
    low, high = asked.judged if asked is not None and asked.shown else (None, None)
    return ConditionSummary(
        expression=gate.expression,
        metric=gate.metric,
        run=newest.run,
        earlier=len(newest.earlier),
        verdict=verdict,
        value=None if asked is None else asked.value,
        low=low,
        high=high,
        reason=reason,
    )


def _refused(gate: Gate, message: str, remedy: str) -> ThresholdError:
    return ThresholdError(message, "--fail-if", "", gate.text, remedy)
