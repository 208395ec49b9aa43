from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulator.errors import ConfigurationError, ThresholdError
from simulator.experiment.comparison import GateSummary
from simulator.experiment.contrast import (
    Side,
    curves_of,
    effect_of,
    metrics_of,
    only_some,
    wanted,
)
from simulator.experiment.resampling import aggregate_of, pair_of, resampled, welch_interval
from simulator.experiment.verdict import exit_code, judge, overall, resolve
from simulator.thresholds.gates import parse_gate

_S = 1_000_000_000


class MadeRows:
    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = {name: np.array(values, np.float64) for name, values in columns.items()}
        self.columns = list(columns)

    def column(self, name: str) -> np.ndarray:
        return self._columns[name]


def _side(name: str, columns: Mapping[str, Any], seed: int = 1) -> Side:
    n = len(next(iter(columns.values())))
    return Side(name=name, seed=seed, replications=n, rows=MadeRows(columns))


def _noise(n: int, seed: int) -> np.ndarray:
    drawn: np.ndarray = stats.norm.ppf((np.random.PCG64(seed).random_raw(n) >> 11) / 2**53)
    return drawn


def _pair(n: int = 200, seed: int = 1) -> tuple[Side, Side]:
    """B is 10 s earlier than A in every replication but for a little; luck is far larger."""
    luck, little = 100 * _noise(n, 1), 0.5 * _noise(n, 2)
    a = (600 + luck) * _S
    b = (600 + luck - 10 + little) * _S
    return (
        _side("a", {"alert_ns": a, "predicted_lead_time_ns": -a, "warned_people": [100.0] * n}),
        _side(
            "b",
            {"alert_ns": b, "predicted_lead_time_ns": -b, "warned_people": [150.0] * n},
            seed,
        ),
    )


def test_the_same_random_numbers_tell_a_small_effect_from_luck() -> None:
    paired = {one.metric: one for one in metrics_of(_pair())}["alert_ns"].differences[0]
    apart = {one.metric: one for one in metrics_of(_pair(seed=2))}["alert_ns"].differences[0]
    assert paired.paired
    assert not apart.paired
    assert paired.value == pytest.approx(-10 * _S, rel=0.02)
    assert paired.effect == "better"
    assert apart.effect == "unclear"
    assert paired.interval is not None
    assert apart.interval is not None
    assert paired.interval[1] - paired.interval[0] < (apart.interval[1] - apart.interval[0]) / 50


def test_intervals_are_those_of_an_independent_calculation() -> None:
    a, b = (side.rows.column("alert_ns") for side in _pair())
    reference = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert welch_interval(pair_of(a, b, paired=False)) == pytest.approx(
        (reference.low, reference.high)
    )
    paired = {one.metric: one for one in metrics_of(_pair())}["alert_ns"].differences[0]
    reference = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert paired.interval == pytest.approx((reference.low, reference.high))


def test_a_constant_difference_is_known_exactly_and_its_ratio_too() -> None:
    warned = {one.metric: one for one in metrics_of(_pair())}["warned_people"]
    found = warned.differences[0]
    assert (found.value, found.interval) == (50, (50, 50))
    assert (found.ratio, found.ratio_interval) == (1.5, (1.5, 1.5))
    assert found.effect == "different"
    assert warned.values[0].value == 100
    assert wanted("warned_before_arrival_people") == 1


def test_a_multiple_of_a_signed_figure_is_not_stated() -> None:
    lead = {one.metric: one for one in metrics_of(_pair())}["predicted_lead_time_ns"]
    assert lead.differences[0].ratio is None
    assert lead.differences[0].effect == "better"


def test_figures_of_one_side_alone_are_named() -> None:
    a = _side("a", {"alert_ns": [1.0] * 10, "correction_ns": [1.0] * 10})
    b = _side("b", {"alert_ns": [1.0] * 10, "closing_ns": [2.0] * 10})
    assert only_some((a, b)) == {"correction_ns": (0,), "closing_ns": (1,)}
    metrics = {one.metric: one.differences[0] for one in metrics_of((a, b))}
    assert list(metrics) == ["alert_ns", "closing_ns", "correction_ns"]
    assert metrics["alert_ns"].effect == "none"
    assert metrics["closing_ns"].reason == "it never happens in a"
    c = _side("c", {"messages_count": [1.0] * 10})
    with pytest.raises(ConfigurationError, match="no figure is found in both"):
        metrics_of((a, c))
    three = {one.metric: one for one in metrics_of((a, c, a))}["alert_ns"]
    assert three.differences[0].value is None
    assert three.differences[0].reason == "it never happens in c"


def test_pairs_need_both_and_are_cut_to_the_shorter() -> None:
    nan = float("nan")
    a = _side("a", {"alert_ns": [1.0, nan, 3.0, 4.0]})
    b = _side("b", {"alert_ns": [2.0, 2.0, nan]})
    found = metrics_of((a, b))[0]
    assert (found.values[0].n, found.values[0].missing) == (3, 1)
    assert (found.differences[0].n, found.differences[0].value) == (1, 1.0)
    assert found.differences[0].effect == "unknown"
    assert "fewer than 10" in found.differences[0].reason
    apart = _side("c", {"alert_ns": [nan, 2.0, nan]})
    never = metrics_of((a, apart))[0].differences[0]
    assert never.reason == "it never happens in both of a pair"


def test_curves_need_people() -> None:
    a = _side(
        "a", {"alert_ns": [1.0] * 20, "warned_by_0030s_people": [float(x) for x in range(20)]}
    )
    curve = curves_of((a, _side("b", {"alert_ns": [1.0] * 20})))
    assert [one.side for one in curve] == [0]
    assert curve[0].points[0].after_s == 30
    assert curve[0].points[0].mean == 9.5


@pytest.mark.parametrize(
    ("column", "interval", "effect"),
    [
        ("alert_ns", (1, 2), "worse"),
        ("icbm.alert_ns", (-2, -1), "better"),
        ("lead_time_miyagi_ns", (1, 2), "better"),
        ("alerted_needlessly_people", (1, 2), "worse"),
        ("alerted_people", (1, 2), "different"),
        ("closing_ns", (-2, -1), "different"),
        ("closing_ns", (-2, 1), "unclear"),
        ("closing_ns", (0, 0), "none"),
        ("closing_ns", None, "unknown"),
    ],
)
def test_an_effect_is_called_one_only_where_the_whole_interval_says_so(
    column: str, interval: tuple[float, float] | None, effect: str
) -> None:
    assert effect_of(column, interval) == effect


@pytest.mark.parametrize("n", [200, 1500])
def test_resampling_agrees_with_the_theory_of_means(n: int) -> None:
    a, b = (side.rows.column("alert_ns") for side in _pair(n))
    pair = pair_of(a, b, paired=False)
    drawn, known = resampled(pair).difference, welch_interval(pair)
    assert drawn is not None
    assert known is not None
    width = known[1] - known[0]
    assert drawn[0] == pytest.approx(known[0], abs=0.15 * width)
    assert drawn[1] == pytest.approx(known[1], abs=0.15 * width)
    assert resampled(pair) == resampled(pair)


def test_resampled_quantiles_hold_the_true_one() -> None:
    a, b = (side.rows.column("alert_ns") for side in _pair(400))
    gate = parse_gate("alert.p90 < 1x")
    pair = pair_of(a, b, paired=True)
    found = resampled(pair, gate.percent)
    assert found.other is not None
    low, high = found.other
    true = (590 + 100 * stats.norm.ppf(0.9)) * _S
    assert low < true < high
    assert low <= aggregate_of(b, gate.percent) <= high
    few = resampled(pair_of(a[:9], b[:9], paired=True))
    assert (few.other, few.difference, few.ratio) == (None, None, None)
    assert welch_interval(pair_of(a[:9], b[:9], paired=False)) is None


@pytest.mark.parametrize("text", ["x > 1x", "x.p50 > 1x"])
def test_pairs_are_drawn_again_as_pairs_and_others_each_for_itself(text: str) -> None:
    base = 600 + 100 * _noise(300, 3)
    percent = parse_gate(text).percent
    together = resampled(pair_of(base, 1.5 * base, paired=True), percent)
    assert together.ratio == pytest.approx((1.5, 1.5))
    shifted = resampled(pair_of(base, base + 7, paired=True), percent)
    assert shifted.difference == pytest.approx((7, 7))
    apart = resampled(pair_of(base, base + 7, paired=False), percent)
    assert apart.other is not None
    assert apart.difference is not None
    # Two independent samples that spread alike: the difference spreads by the root of two more.
    wider = np.ptp(apart.difference) / np.ptp(apart.other)
    assert wider == pytest.approx(np.sqrt(2), rel=0.25)


def test_many_values_are_resampled_in_bounded_time_and_constants_have_no_width() -> None:
    flat = np.full(25_000, 3.0)
    pair = pair_of(flat, 2 * flat, paired=False)
    assert resampled(pair, parse_gate("x.p50 > 1").percent).ratio == (2.0, 2.0)
    assert welch_interval(pair) == (3.0, 3.0)


def _gates(*texts: str, sides: tuple[Side, Side] | None = None) -> tuple[GateSummary, ...]:
    a, b = sides or _pair()
    return judge(resolve([parse_gate(text) for text in texts], a.figures), (a, b))


@pytest.mark.parametrize(
    ("text", "verdict", "value"),
    [
        ("alert > 0.5x", "fail", 0.983),
        ("alert < 0.5x", "pass", 0.983),
        ("alert < -9s", "fail", -10 * _S),
        ("alert < -11s", "pass", -10 * _S),
        ("alert_ns < -10s", "inconclusive", -10 * _S),
        ("alert > 1min", "fail", 590 * _S),
        ("alert.p90 > +1s", "pass", -10 * _S),
        ("alert.p90 > 5min", "fail", 720 * _S),
        ("alert.p90 < 0.5x", "pass", 0.98),
        ("people_warned > 1.4x", "fail", 1.5),
        ("warned > +50", "pass", 50),
        ("warned >= 150", "fail", 150),
    ],
)
def test_gates_are_judged_on_their_intervals(text: str, verdict: str, value: float) -> None:
    (found,) = _gates(text)
    assert found.verdict == verdict
    assert found.value == pytest.approx(value, rel=0.06)
    assert None not in {found.value, found.low, found.high}
    assert sorted([found.value or 0, found.low or 0, found.high or 0])[1] == found.value


def test_gates_without_evidence_are_inconclusive() -> None:
    few = _pair(8)
    (mean,) = _gates("alert > 2x", sides=few)
    assert (mean.verdict, mean.low) == ("inconclusive", None)
    assert "fewer than 10" in mean.reason
    (tail,) = _gates("alert.p99 > 2x")
    assert "needs 1000" in tail.reason
    nothing = (_side("a", {"x_people": [0.0] * 20}), _side("b", {"x_people": [5.0] * 20}))
    more, less = _gates("x > 2x", "x < 2x", sides=nothing)
    assert (more.verdict, more.value, less.verdict) == ("fail", None, "pass")
    never = (_side("a", {"alert_ns": [1.0] * 20}), _side("b", {"x_ns": [1.0] * 20}))
    (gone,) = _gates("alert > 2x", sides=never)
    assert (gone.verdict, gone.value) == ("inconclusive", None)
    assert gone.reason == "it never happens"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alarm > 1x", "did you mean alert"),
        ("nonsense > 1x", "known: alert, predicted_lead_time, warned"),
        ("alert.max > 1x", "a mean and quantiles"),
        ("predicted_lead_time < 0.9x", "a signed figure"),
        ("alert > 5", "a duration, such as 30s"),
        ("warned > 5s", "a number without a unit"),
    ],
)
def test_gates_that_cannot_be_judged_are_refused(text: str, said: str) -> None:
    with pytest.raises(ThresholdError) as error:
        _gates(text)
    assert said in str(error.value)


def test_the_worst_gate_decides() -> None:
    gates = _gates("alert > 0.5x", "alert < 0.5x", "alert < -10s")
    assert overall(gates) == "fail"
    assert overall(gates[1:]) == "inconclusive"
    assert overall(gates[1:2]) == "pass"
    assert overall(()) == "pass"
    assert [int(exit_code(word)) for word in ("pass", "inconclusive", "fail", "not-judged")] == [
        0,
        98,
        99,
        105,
    ]
