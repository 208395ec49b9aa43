"""Judging: three verdicts, each on an interval, and how a run ends by them.

Rule of the module: a verdict is only as firm as the interval behind it. Where the evidence is thin,
overlapped, cut short or made by a struggling instrument, the verdict is inconclusive and says why.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from simulator.errors import ExitCode
from simulator.thresholds.expressions import Threshold, samples_needed
from simulator.units import format_seconds

Number = int | float | Fraction


class Verdict(StrEnum):
    """What became of a threshold."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was measured for one threshold.

    Attributes:
        value: the aggregate's value in the threshold's unit; None if there is none.
        low: lower end of the interval it lies in, after clock and stamp error.
        high: upper end.
        samples: samples behind it.
        reason: why there is no value, one sentence; empty if there is one. An interval may stand
            without a value: it is judged all the same.
    """

    value: Number | None
    low: Number | None
    high: Number | None
    samples: int
    reason: str = ""

    @classmethod
    def exact(cls, value: Number, samples: int) -> "Observation":
        """A value without error: a count."""
        return cls(value=value, low=value, high=value, samples=samples)

    @classmethod
    def missing(cls, reason: str) -> "Observation":
        """Nothing to judge."""
        return cls(value=None, low=None, high=None, samples=0, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A threshold with its verdict, its value and the interval it was judged on."""

    threshold: Threshold
    verdict: Verdict
    observation: Observation
    reason: str


_NEGATED: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_UPPER: Final = frozenset({"<", "<="})
_LOWER: Final = frozenset({">", ">="})


def judge(
    threshold: Threshold,
    observation: Observation,
    *,
    instrument_limited: bool = False,
    overlapped: str = "",
) -> Judgement:
    """Judge one threshold.

    Args:
        threshold: the expression.
        observation: what was measured for it.
        instrument_limited: the instrument was the bottleneck: a pass stands, because a slow
            instrument can only lengthen a figure, and a fail becomes inconclusive.
        overlapped: why deliveries overlap; latency thresholds are then inconclusive.

    Returns:
        The verdict: pass if the whole interval meets the expression, fail if none of it does, else
        inconclusive; too few samples are inconclusive.
    """
    low, high = observation.low, observation.high
    if low is None or high is None:
        reason = observation.reason or "nothing was measured"
        return _verdict(threshold, Verdict.INCONCLUSIVE, observation, reason)
    doubt = _too_few(threshold, observation.samples)
    if not doubt and overlapped and threshold.definition.latency and threshold.timed:
        doubt = overlapped
    if doubt:
        return _verdict(threshold, Verdict.INCONCLUSIVE, observation, doubt)
    interval = _interval(threshold, low, high)
    if observation.reason:
        interval = f"{interval} ({observation.reason})"
    met = _on_interval(threshold, low, high)
    if met is None:
        reason = f"the bound lies inside the interval {interval}"
        return _verdict(threshold, Verdict.INCONCLUSIVE, observation, reason)
    if instrument_limited and (not met or _leans_on_slowness(threshold)):
        reason = f"{interval}, but the instrument was the bottleneck"
        return _verdict(threshold, Verdict.INCONCLUSIVE, observation, reason)
    verdict, word = (Verdict.PASS, "meets it") if met else (Verdict.FAIL, "does not meet it")
    return _verdict(threshold, verdict, observation, f"{interval} {word}")


def not_judged(threshold: Threshold, observation: Observation, reason: str) -> Judgement:
    """Leave a threshold unjudged: the run was aborted, or broke down."""
    return _verdict(threshold, Verdict.NOT_JUDGED, observation, reason)


def as_incomplete(judgement: Judgement, reason: str) -> Judgement:
    """Weaken a verdict for a run that was cut short: what failed has failed, a pass is open."""
    if judgement.verdict is not Verdict.PASS:
        return judgement
    return _verdict(judgement.threshold, Verdict.INCONCLUSIVE, judgement.observation, reason)


def overall(judgements: Iterable[Judgement]) -> Verdict:
    """All verdicts together: fail before inconclusive before pass; not-judged if any is not."""
    verdicts = {judgement.verdict for judgement in judgements}
    for verdict in (Verdict.NOT_JUDGED, Verdict.FAIL, Verdict.INCONCLUSIVE):
        if verdict in verdicts:
            return verdict
    return Verdict.PASS


def worst_exit(codes: Iterable[ExitCode]) -> ExitCode:
    """The exit code that wins: 107 > 106 > 105 > 99 > 98 > 0 (and 104 never meets the others)."""
    return max(codes, default=ExitCode.PASS)


def _too_few(threshold: Threshold, samples: int) -> str:
    if threshold.percent is None:
        return ""
    needed = samples_needed(threshold.percent)
    if samples >= needed:
        return ""
    return f"too few samples: {samples} of the {needed} that {threshold.expression} needs"


def _on_interval(threshold: Threshold, low: Number, high: Number) -> bool | None:
    """All of the interval meets the expression, none of it does, or (None) it is not known."""
    if _all_meets(threshold.operator, low, high, threshold.bound):
        return True
    negated = _NEGATED[threshold.operator]
    return False if _all_meets(negated, low, high, threshold.bound) else None


def _all_meets(operator: str, low: Number, high: Number, bound: Number) -> bool:
    match operator:
        case "<":
            return high < bound
        case "<=":
            return high <= bound
        case ">":
            return low > bound
        case ">=":
            return low >= bound
        case "==":
            return low == high == bound
        case _:
            return not low <= bound <= high


def _leans_on_slowness(threshold: Threshold) -> bool:
    """A pass that a faster instrument might take away: a latency above, a lead time below."""
    if not threshold.timed:
        return False
    slow = _LOWER if threshold.definition.lengthened else _UPPER
    return threshold.operator in slow or threshold.operator in {"==", "!="}


def _interval(threshold: Threshold, low: Number, high: Number) -> str:
    ends = dict.fromkeys(_written(threshold, end) for end in (low, high))
    return " to ".join(ends)


def _written(threshold: Threshold, value: Number) -> str:
    return format_seconds(round(value)) if threshold.timed else f"{float(value):g}"


def _verdict(
    threshold: Threshold, verdict: Verdict, observation: Observation, reason: str
) -> Judgement:
    return Judgement(threshold=threshold, verdict=verdict, observation=observation, reason=reason)
