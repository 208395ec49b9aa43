import pytest

from simulator.errors import ThresholdError
from simulator.measure.history import ConditionSummary, PointSummary, history_json_schema
from simulator.measure.history_gates import (
    Newest,
    aggregate_of,
    check_history_gates,
    judge_newest,
)
from simulator.thresholds.gates import parse_gate

_MS = 1e6
_EARLIER = tuple(_MS * value for value in (9, 10, 10, 10, 11, 12))  # median 10, 9 to 12


def _judged(
    text: str,
    value: float | None,
    interval: tuple[float, float] | None,
    earlier: tuple[float, ...] = _EARLIER,
    *,
    bottleneck: bool = False,
) -> ConditionSummary:
    point = PointSummary(value=value, interval=interval)
    newest = Newest(run="r9", point=point, earlier=earlier, bottleneck=bottleneck)
    return judge_newest(parse_gate(text), newest)


@pytest.mark.parametrize(
    ("text", "ends", "verdict"),
    [
        ("delivery_latency.p99 > 1.1x", (14, 16), "fail"),  # 14 / 12 is above 1.1
        ("delivery_latency.p99 > 1.1x", (13, 16), "inconclusive"),  # 13 / 12 is not
        ("delivery_latency.p99 > 1.1x", (8, 9.5), "pass"),  # 9.5 / 9 is below
        ("delivery_latency.p99 > +3ms", (15.1, 17), "fail"),
        ("delivery_latency.p99 > +3ms", (14.9, 17), "inconclusive"),
        ("delivery_latency.p99 > +3ms", (9, 11.9), "pass"),
        ("delivery_latency.p99 < -1ms", (4, 7.9), "fail"),
        ("delivery_latency.p99 > 13ms", (14, 16), "fail"),
        ("delivery_latency.p99 > 15ms", (14, 16), "inconclusive"),
        ("delivery_latency.p99 > 16ms", (14, 16), "pass"),
    ],
)
def test_a_latency_is_judged_on_all_that_both_intervals_leave(
    text: str, ends: tuple[float, float], verdict: str
) -> None:
    low, high = (end * _MS for end in ends)
    found = _judged(text, (low + high) / 2, (low, high))
    assert found.verdict == verdict
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert found.low <= found.value <= found.high
    assert found.earlier == 6


def test_what_cannot_be_judged_is_inconclusive_and_says_why() -> None:
    text = "delivery_latency > 1.1x"
    for value, interval, earlier, said in (
        (None, None, _EARLIER, "too few samples"),
        (20 * _MS, None, _EARLIER, "fewer than ten bursts"),
        (20 * _MS, (19 * _MS, 21 * _MS), (), "no earlier run"),
        (20 * _MS, (19 * _MS, 21 * _MS), _EARLIER[:1], "1 earlier run has no interval"),
        (20 * _MS, (19 * _MS, 21 * _MS), _EARLIER[:5], "5 earlier runs has no interval"),
        (20 * _MS, (19 * _MS, 21 * _MS), (0.0,) * 6, "not above zero"),
    ):
        found = _judged(text, value, interval, earlier)
        assert found.verdict == "inconclusive"
        assert said in found.reason
        assert found.value is None


def test_an_instrument_at_its_limit_cannot_fail_a_latency_but_a_count() -> None:
    found = _judged("delivery_latency > 1.1x", 20 * _MS, (19 * _MS, 21 * _MS), bottleneck=True)
    assert found.verdict == "inconclusive"
    assert "bottleneck" in found.reason
    assert _judged("lost > 2", 3, (3, 3), bottleneck=True).verdict == "fail"
    passed = _judged("delivery_latency > 1.1x", 5 * _MS, (4 * _MS, 6 * _MS), bottleneck=True)
    assert passed.verdict == "pass"


@pytest.mark.parametrize(
    ("text", "lost", "earlier", "verdict"),
    [
        ("lost > +0", 0, (0,) * 6, "pass"),
        ("lost > +0", 1, (0,) * 6, "fail"),
        ("lost > 2x", 0, (0,) * 6, "pass"),
        ("lost > 2x", 1, (0,) * 6, "fail"),  # any is more than a multiple of nothing
        ("lost > 2x", 3, (1, 1, 1, 1, 1, 1), "fail"),
        ("lost > 2x", 3, (0, 1, 1, 2, 2, 3), "inconclusive"),
        ("lost > 0", 0, (), "pass"),
    ],
)
def test_counts_are_exact_and_the_median_of_the_earlier_is_not(
    text: str, lost: float, earlier: tuple[float, ...], verdict: str
) -> None:
    assert _judged(text, lost, (lost, lost), earlier).verdict == verdict


@pytest.mark.parametrize(
    ("text", "aggregate"),
    [("delivery_latency > 1x", "mean"), ("transit_latency.p99.9 > 1x", "p99.9"),
     ("delivery_latency.med > 1x", "p50"), ("lost > 0", "count")],
)  # fmt: skip
def test_a_condition_names_its_figure(text: str, aggregate: str) -> None:
    gate = parse_gate(text)
    check_history_gates([gate])
    assert aggregate_of(gate) == aggregate


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("delivery_latenzy > 1x", "did you mean delivery_latency"),
        ("colour > 1x", "known: delivery_latency"),
        ("delivery_latency.max > 1x", "p99"),
        ("lost.p99 > 1x", "lost > 0"),
        ("delivery_latency.p95 > 1x", "p50, p90, p99, p99.9"),
        ("delivery_latency > 5", "a duration"),
        ("lost > 5ms", "without a unit"),
    ],
)
def test_what_summaries_cannot_answer_is_refused(text: str, said: str) -> None:
    with pytest.raises(ThresholdError) as error:
        check_history_gates([parse_gate(text)])
    assert said in str(error.value)


def test_the_document_has_a_schema() -> None:
    schema = history_json_schema()
    assert {"series", "skipped", "conditions", "verdict"} <= set(schema["required"]) | set(
        schema["properties"]
    )
