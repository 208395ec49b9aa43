from fractions import Fraction

import numpy as np
import pytest

from simulator.errors import ThresholdError
from simulator.experiment.comparison import GateSummary, MetricSummary
from simulator.measure.run_contrast import (
    COUNTS,
    LATENCIES,
    RunSide,
    check_run_gates,
    judge_runs,
    metrics_of_runs,
)
from simulator.thresholds.gates import parse_gate

_MS = 1_000_000


def _side(
    number: int,
    *,
    shift_ms: float = 0.0,
    bursts: int = 40,
    each: int = 50,
    limited: bool = False,
    incomplete: bool = False,
    **counts: int,
) -> RunSide:
    raw = np.random.PCG64(number + 1).random_raw(bursts * each) >> np.uint64(11)
    values = ((raw / 2**53 * 10 + 5 + shift_ms) * _MS).astype(np.int64)
    burst = np.repeat(np.arange(bursts), each).astype(np.int64)
    return RunSide(
        number=number,
        latencies=dict.fromkeys(LATENCIES, values),
        bursts=dict.fromkeys(LATENCIES, burst),
        counts=dict.fromkeys(COUNTS, 0) | {"expected": bursts * each} | counts,
        limited=limited,
        incomplete=incomplete,
    )


def _found(*sides: RunSide) -> dict[tuple[str, str], MetricSummary]:
    return {(one.metric, one.aggregate): one for one in metrics_of_runs(sides)}


def test_a_shift_is_found_with_the_interval_that_holds_it() -> None:
    found = _found(_side(0), _side(1, shift_ms=3))
    for aggregate in ("mean", "p50", "p90"):
        difference = found["delivery_latency", aggregate].differences[0]
        assert difference.effect == "worse"
        assert difference.interval is not None
        assert difference.interval[0] < 3 * _MS < difference.interval[1] * 1.1
        assert difference.ratio_interval is not None
        assert difference.ratio is not None
        assert (
            difference.ratio_interval[0] <= difference.ratio <= difference.ratio_interval[1] * 1.1
        )
        assert not difference.paired
    back = _found(_side(0), _side(1, shift_ms=-3))["transit_latency", "mean"].differences[0]
    assert back.effect == "better"
    assert _found(_side(0), _side(1))["send_latency", "mean"].differences[0].effect == "unclear"


def test_means_and_quantiles_are_those_of_the_samples() -> None:
    sides = _side(0), _side(1)
    found = _found(*sides)
    values = np.sort(sides[1].latencies["delivery_latency"])
    assert found["delivery_latency", "mean"].values[1].value == pytest.approx(values.mean())
    assert found["delivery_latency", "p99"].values[1].value == values[1979]
    assert ("delivery_latency", "p99.9") not in found  # needs ten thousand
    assert found["delivery_latency", "p50"].headline
    assert not found["send_latency", "p50"].headline


def test_under_ten_bursts_there_is_no_interval_and_few_samples_carry_no_quantile() -> None:
    few, tiny = _side(0, bursts=9), _side(1, bursts=1, each=5)
    found = _found(few, tiny)
    mean = found["delivery_latency", "mean"]
    assert mean.values[0].interval is None
    assert mean.differences[0].effect == "unknown"
    assert mean.differences[0].reason == "no interval under 10 bursts"
    assert mean.differences[0].value is not None
    p90 = found["delivery_latency", "p90"]
    assert p90.differences[0].value is None
    assert "too few samples" in p90.differences[0].reason


def test_a_baseline_that_is_not_above_zero_has_no_ratio() -> None:
    difference = _found(_side(0, shift_ms=-100), _side(1))["delivery_latency", "mean"]
    assert difference.differences[0].ratio is None
    assert difference.differences[0].ratio_interval is None
    same = _found(_side(0), _side(0))["delivery_latency", "mean"].differences[0]
    assert (same.value, same.effect) == (0, "none")


def test_counts_are_exact_and_shown_where_there_are_any() -> None:
    found = _found(_side(0, lost=2), _side(1, lost=5, late=1))
    lost = found["lost", "count"]
    assert [one.value for one in lost.values] == [2, 5]
    assert (lost.differences[0].value, lost.differences[0].ratio) == (3, 2.5)
    assert "without an interval" in lost.differences[0].reason
    assert found["late", "count"].differences[0].ratio is None
    assert ("duplicates", "count") not in found


def _judged(text: str, *sides: RunSide) -> GateSummary:
    gate = parse_gate(text)
    check_run_gates([gate])
    (found,) = judge_runs([gate], sides)
    return found


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("delivery_latency > 1.1x", "fail"),
        ("delivery_latency > 2x", "pass"),
        ("delivery_latency.p90 > +1ms", "fail"),
        ("delivery_latency.p50 > +8ms", "pass"),
        ("delivery_latency.p50 > +3ms", "inconclusive"),
        ("delivery_latency > 10ms", "fail"),
        ("delivery_latency > 30ms", "pass"),
        ("transit_latency.mean < 1s", "fail"),
        ("lost > 0", "fail"),
        ("lost > +3", "pass"),
        ("lost > 2x", "fail"),
        ("lost > 2.5x", "pass"),
        ("late > 2x", "fail"),
        ("duplicates.count > 0", "pass"),
    ],
)
def test_gates_are_judged(text: str, verdict: str) -> None:
    found = _judged(text, _side(0, lost=2), _side(1, shift_ms=3, lost=5, late=1))
    assert found.verdict == verdict, found
    assert found.value is not None
    assert (found.low is None) == ("latency" not in text)


@pytest.mark.parametrize(
    ("text", "base", "other", "said"),
    [
        ("delivery_latency > 2x", _side(0, bursts=5), _side(1), "no interval"),
        ("delivery_latency > 2s", _side(0), _side(1, bursts=5), "no interval"),
        ("delivery_latency.p99.9 > 2x", _side(0), _side(1), "needs 10000 samples"),
        ("delivery_latency > 2x", _side(0, shift_ms=-100), _side(1), "not above zero"),
        ("delivery_latency > 1s", _side(0), _side(1, each=0), "needs 1 samples"),
    ],
    ids=range(5),
)
def test_without_evidence_a_gate_is_inconclusive(
    text: str, base: RunSide, other: RunSide, said: str
) -> None:
    found = _judged(text, base, other)
    assert (found.verdict, found.value) == ("inconclusive", None)
    assert said in found.reason


def test_a_struggling_instrument_leaves_open_what_it_may_have_made() -> None:
    slow = _judged("delivery_latency > 1.1x", _side(0), _side(1, shift_ms=3, limited=True))
    assert slow.verdict == "inconclusive"
    assert "bottleneck" in slow.reason
    masked = _judged("delivery_latency > 1.1x", _side(0, limited=True), _side(1))
    assert masked.verdict == "inconclusive"
    kept = _judged("delivery_latency > 1.1x", _side(0, limited=True), _side(1, shift_ms=3))
    assert kept.verdict == "fail"
    open_ = _judged("delivery_latency > +3ms", _side(0), _side(1, shift_ms=3, limited=True))
    assert open_.reason == "the bound lies inside the interval"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("delivery_latncy > 1x", "did you mean delivery_latency"),
        ("zzz > 1x", "known: delivery_latency"),
        ("delivery_latency.max > 1x", "its mean or a quantile"),
        ("lost.p99 > 1x", "write lost > 0"),
        ("lost > 5ms", "a number without a unit"),
        ("delivery_latency > 5", "a duration"),
    ],
)
def test_gates_that_runs_cannot_be_judged_by_are_refused(text: str, said: str) -> None:
    with pytest.raises(ThresholdError) as error:
        check_run_gates([parse_gate(text)])
    assert said in str(error.value)


def test_resampling_agrees_with_the_theory_of_means() -> None:
    found = _found(_side(0), _side(1))["delivery_latency", "mean"].values[0]
    assert found.interval is not None
    low, high = found.interval
    # Uniform over 10 ms: the standard error of 2,000 independent values.
    expected = 2 * 1.96 * (10 * _MS / 12**0.5) / 2000**0.5
    assert high - low == pytest.approx(expected, rel=0.4)
    assert Fraction(round(low)) < Fraction(10 * _MS) * Fraction(103, 100)


def test_a_run_that_did_not_reach_its_end_is_not_judged() -> None:
    gates = [parse_gate("delivery_latency > 1.1x"), parse_gate("lost > 0")]
    cut, whole = _side(1, shift_ms=30, incomplete=True, lost=3), _side(0)
    for sides, said in (((whole, cut), "this run"), ((_side(0, incomplete=True), cut), "baseline")):
        for gate in judge_runs(gates, sides):
            assert gate.verdict == "inconclusive"
            assert said in gate.reason
            assert gate.value is None
