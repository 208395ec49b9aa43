"""Contrast of runs: how what was measured in one run differs from another.

Rule of the module: two runs are independent samples of bursts: intervals resample the bursts of
each run, never deliveries, and under ten bursts of either there is none. Counts of the ledger are
exact and carry no interval. Only live deliveries have a latency here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np

from simulator.errors import ThresholdError
from simulator.experiment.comparison import (
    DifferenceSummary,
    EffectWord,
    GateSummary,
    MetricSummary,
    ValueSummary,
    VerdictWord,
)
from simulator.experiment.estimates import Floats, Interval
from simulator.measure.columns import Int64s
from simulator.measure.sampling import FEWEST_BURSTS, Resampler, nearest_rank
from simulator.thresholds import samples_needed
from simulator.thresholds.gates import BoundKind, Gate, judge_gate

LATENCIES: Final = {
    "delivery_latency": "delivery_ns",
    "send_latency": "send_ns",
    "transit_latency": "transit_ns",
    "handling_latency": "handling_ns",
    "end_to_end_latency": "end_to_end_ns",
}
COUNTS: Final = (
    "expected", "delivered", "late", "queued", "expired", "missed_offline", "undetermined", "lost",
    "not_sent", "duplicates", "unexpected",
)  # fmt: skip
_AGGREGATES: Final = (None, *map(Fraction, (50, 90, 99)), Fraction(999, 10))
_FEW: Final = f"no interval under {FEWEST_BURSTS} bursts"
_EXACT: Final = "counted in one run each, without an interval"
_LOW, _HIGH = Fraction(25, 10), Fraction(975, 10)
_HUNDRED: Final = 100
_BECAUSE: Final[dict[VerdictWord, str]] = {
    "fail": "the whole interval is so",
    "pass": "none of the interval is so",
    "inconclusive": "the bound lies inside the interval",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunSide:
    """One of the runs compared.

    Attributes:
        number: of the side, from 0; its resamples are its own.
        latencies: live samples in wall ns by metric.
        bursts: the burst behind each sample, by metric.
        counts: of the ledger.
        limited: the instrument was the bottleneck.
        incomplete: the run did not reach its end.
    """

    number: int
    latencies: Mapping[str, Int64s]
    bursts: Mapping[str, Int64s]
    counts: Mapping[str, int]
    limited: bool = False
    incomplete: bool = False
    _ordered: dict[str, Int64s] = field(default_factory=dict, init=False)
    _drawn: dict[tuple[str, Fraction | None], Int64s | None] = field(
        default_factory=dict, init=False
    )

    def value(self, metric: str, percent: Fraction | None) -> float | None:
        """The mean or a quantile of a latency; None if the samples do not carry it."""
        values = self.latencies[metric]
        if len(values) < (1 if percent is None else samples_needed(percent)):
            return None
        if percent is None:
            return float(values.mean())
        if metric not in self._ordered:
            self._ordered[metric] = np.sort(values)
        return float(nearest_rank(self._ordered[metric], percent))

    def drawn(self, metric: str, percent: Fraction | None) -> Int64s | None:
        """The same of every resample of bursts; None under ten bursts."""
        if (metric, percent) not in self._drawn:
            self._draw(metric, percent)
        return self._drawn[metric, percent]

    def _draw(self, metric: str, percent: Fraction | None) -> None:
        """Resample once for all the usual quantiles: sorting the samples is what takes time."""
        percents = [one for one in (*_AGGREGATES, percent) if one is not None]
        found = _resampler(self.number).drawn(self.latencies[metric], self.bursts[metric], percents)
        self._drawn[metric, None] = None if found is None else found.mean
        for place, one in enumerate(percents):
            self._drawn[metric, one] = None if found is None else found.quantiles[place]


@lru_cache(maxsize=64)
def _resampler(number: int) -> Resampler:
    """The resamples of a side, drawn once for each number of bursts."""
    return Resampler(number)


def metrics_of_runs(sides: Sequence[RunSide]) -> tuple[MetricSummary, ...]:
    """Every latency by mean and quantiles, and the counts that are not zero everywhere."""
    found = [
        _latency(metric, percent, sides)
        for metric in LATENCIES
        for percent in _AGGREGATES
        if any(side.value(metric, percent) is not None for side in sides)
    ]
    found += [_count(name, sides) for name in COUNTS if any(side.counts[name] for side in sides)]
    return tuple(found)


def check_run_gates(gates: Sequence[Gate]) -> None:
    """Refuse gates that runs cannot be judged by.

    Raises:
        ThresholdError: for the first, with what can.
    """
    for gate in gates:
        known = [*LATENCIES, *COUNTS]
        if gate.metric not in known:
            near = get_close_matches(gate.metric, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise _refused(gate, "unknown metric", f"{hint}known: {', '.join(known)}")
        timed = gate.metric in LATENCIES
        if gate.aggregate not in ({"", "mean", "p"} if timed else {"", "count"}):
            remedy = "write its mean or a quantile such as p99" if timed else "write lost > 0"
            raise _refused(gate, "this cannot be asked of it", remedy)
        if gate.kind is not BoundKind.RATIO and gate.timed != timed:
            unit = "a duration, such as 5ms" if timed else "a number without a unit"
            raise _refused(gate, f"{gate.metric} is compared with {unit}", "or with a multiple: 2x")


def judge_runs(gates: Sequence[Gate], sides: Sequence[RunSide]) -> tuple[GateSummary, ...]:
    """Judge every gate on every run but the baseline."""
    return tuple(_judged(gate, sides[0], side) for gate in gates for side in sides[1:])


def _latency(metric: str, percent: Fraction | None, sides: Sequence[RunSide]) -> MetricSummary:
    values = [side.value(metric, percent) for side in sides]
    draws = [
        None if value is None else side.drawn(metric, percent)
        for value, side in zip(values, sides, strict=True)
    ]
    return MetricSummary(
        metric=metric,
        aggregate="mean" if percent is None else f"p{float(percent):g}",
        unit="ns",
        scale="wall",
        headline=metric == "delivery_latency",
        values=tuple(
            ValueSummary(
                side=side.number,
                n=len(side.latencies[metric]),
                missing=0,
                value=value,
                interval=None if drawn is None else _ends(drawn),
            )
            for side, value, drawn in zip(sides, values, draws, strict=True)
        ),
        differences=tuple(
            _difference(number, values, draws, sides, metric) for number in range(1, len(sides))
        ),
    )


def _difference(
    number: int,
    values: Sequence[float | None],
    draws: Sequence[Int64s | None],
    sides: Sequence[RunSide],
    metric: str,
) -> DifferenceSummary:
    base, other = values[0], values[number]
    first, second = draws[0], draws[number]
    samples = min(len(sides[0].latencies[metric]), len(sides[number].latencies[metric]))
    if base is None or other is None:
        return DifferenceSummary(
            side=number, n=samples, paired=False, value=None, interval=None, ratio=None,
            ratio_interval=None, effect="unknown", reason="too few samples for this quantile",
        )  # fmt: skip
    interval = None if first is None or second is None else _ends(second - first)
    ratio_interval = None
    if first is not None and second is not None and (first > 0).all():
        ratio_interval = _ends(second / first)
    return DifferenceSummary(
        side=number,
        n=samples,
        paired=False,
        value=other - base,
        interval=interval,
        ratio=other / base if base > 0 else None,
        ratio_interval=ratio_interval,
        effect=_effect(interval),
        reason="" if interval else _FEW,
    )


def _count(name: str, sides: Sequence[RunSide]) -> MetricSummary:
    counts = [side.counts[name] for side in sides]
    return MetricSummary(
        metric=name,
        aggregate="count",
        unit="count",
        scale="none",
        headline=name in {"lost", "late", "duplicates", "unexpected", "delivered"},
        values=tuple(
            ValueSummary(side=side.number, n=1, missing=0, value=count, interval=None)
            for side, count in zip(sides, counts, strict=True)
        ),
        differences=tuple(
            DifferenceSummary(
                side=number,
                n=1,
                paired=False,
                value=counts[number] - counts[0],
                interval=None,
                ratio=counts[number] / counts[0] if counts[0] else None,
                ratio_interval=None,
                effect="unknown",
                reason=_EXACT,
            )
            for number in range(1, len(sides))
        ),
    )


def _effect(interval: Interval | None) -> EffectWord:
    """A latency is better if it is shorter."""
    if interval is None:
        return "unknown"
    low, high = interval
    if low <= 0 <= high:
        return "none" if low == high else "unclear"
    return "worse" if low > 0 else "better"


def _judged(gate: Gate, base: RunSide, other: RunSide) -> GateSummary:
    if base.incomplete or other.incomplete:
        which = "the baseline" if base.incomplete else "this run"
        return _gate(gate, other, "inconclusive", reason=f"{which} did not reach its end")
    if gate.metric in COUNTS:
        return _judged_count(gate, base.counts[gate.metric], other.counts[gate.metric], other)
    known = _asked(gate, base, other)
    if isinstance(known, str):
        return _gate(gate, other, "inconclusive", reason=known)
    value, drawn = known
    interval = _ends(drawn)
    verdict: VerdictWord = judge_gate(gate, *interval).value
    reason = _BECAUSE[verdict]
    doubted = other.limited if verdict == "fail" else base.limited
    if doubted and verdict != "inconclusive":
        verdict, reason = "inconclusive", f"{reason}, but the instrument was the bottleneck"
    return _gate(gate, other, verdict, reason=reason, value=value, interval=interval)


def _asked(gate: Gate, base: RunSide, other: RunSide) -> tuple[float, Floats] | str:
    """The value that a bound is compared with, and its resamples; or why there is none."""
    sides = (other,) if gate.kind is BoundKind.VALUE else (other, base)
    values = [side.value(gate.metric, gate.percent) for side in sides]
    if None in values:
        needed = 1 if gate.percent is None else samples_needed(gate.percent)
        return f"it needs {needed} samples"
    draws = [side.drawn(gate.metric, gate.percent) for side in sides]
    numbers = [float(value or 0.0) for value in values]
    floats = [drawn.astype(np.float64) for drawn in draws if drawn is not None]
    if len(floats) < len(sides):
        return _FEW
    if gate.kind is BoundKind.VALUE:
        return numbers[0], floats[0]
    if gate.kind is BoundKind.DIFFERENCE:
        return numbers[0] - numbers[1], floats[0] - floats[1]
    if numbers[1] <= 0 or (floats[1] <= 0).any():
        return "the baseline is not above zero, so there is no multiple of it"
    return numbers[0] / numbers[1], floats[0] / floats[1]


def _judged_count(gate: Gate, before: int, after: int, other: RunSide) -> GateSummary:
    value: float = after
    judged = Fraction(after)
    bound = gate
    if gate.kind is BoundKind.DIFFERENCE:
        value, judged = after - before, Fraction(after - before)
    elif gate.kind is BoundKind.RATIO:
        value = after / before if before else float(after)
        judged = Fraction(after) - gate.bound * before
        bound = Gate(
            metric=gate.metric, aggregate=gate.aggregate, percent=None, operator=gate.operator,
            kind=gate.kind, bound=Fraction(0), timed=False, text=gate.text,
        )  # fmt: skip
    verdict = judge_gate(bound, judged, judged)
    return _gate(gate, other, verdict.value, reason="counted", value=value)


def _gate(
    gate: Gate,
    other: RunSide,
    verdict: VerdictWord,
    *,
    reason: str,
    value: float | None = None,
    interval: Interval | None = None,
) -> GateSummary:
    low, high = interval or (None, None)
    return GateSummary(
        expression=gate.expression,
        metric=gate.metric,
        side=other.number,
        verdict=verdict,
        value=value,
        low=low,
        high=high,
        reason=reason,
    )


def _ends(drawn: Int64s | Floats) -> Interval:
    ordered = np.sort(drawn)
    low, high = (
        ordered[int(-(-len(ordered) * percent // _HUNDRED)) - 1] for percent in (_LOW, _HIGH)
    )
    return float(low), float(high)


def _refused(gate: Gate, message: str, remedy: str) -> ThresholdError:
    return ThresholdError(message, "--fail-if", "", gate.text, remedy)
