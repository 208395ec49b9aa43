"""Thresholds: what is written back means the same; a wider interval is never more certain."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ThresholdError
from simulator.thresholds import (
    METRICS,
    Observation,
    Threshold,
    Unit,
    Verdict,
    judge,
    parse_thresholds,
)
from simulator.units import format_duration

OPERATORS = ("<", "<=", ">", ">=", "==", "!=")


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    metric = draw(st.sampled_from(list(METRICS.values())))
    tags = draw(st.lists(st.sampled_from(sorted(metric.tags)), unique=True)) if metric.tags else []
    pairs = [f"{tag}={draw(st.sampled_from(metric.tags[tag] or ('miyagi',)))}" for tag in tags]
    key = f"{metric.name}{{{','.join(pairs)}}}" if pairs else metric.name
    operator = draw(st.sampled_from(OPERATORS))
    if metric.unit is Unit.COUNT:
        aggregate = draw(st.sampled_from(["count", "rate"]))
        bound = draw(st.sampled_from(["0", "1", "0.5"] if aggregate == "rate" else ["0", "12"]))
        return key, f"{aggregate}{operator}{bound}"
    percent = draw(st.integers(1, 999)) / 10
    aggregate = draw(st.sampled_from(["min", "max", "avg", "med", f"p({percent:g})"]))
    bound = format_duration(draw(st.integers(-(10**14), 10**14)))
    return key, f"{aggregate}{operator}{bound}"


def parsed(key: str, expression: str) -> Threshold:
    (threshold,) = parse_thresholds({key: [expression]})
    return threshold


@given(written())
def test_what_is_written_back_means_the_same(text: tuple[str, str]) -> None:
    threshold = parsed(*text)

    assert parsed(threshold.key, threshold.expression) == threshold


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_understood_or_refused_and_never_crashes(key: str, expression: str) -> None:
    with contextlib.suppress(ThresholdError):
        parse_thresholds({key: [expression]})
    with contextlib.suppress(ThresholdError):
        parse_thresholds({"delivery_latency": [expression], f"lost{{{key}}}": "count==0"})


@given(
    st.sampled_from(OPERATORS),
    st.integers(-20, 20),
    st.integers(-20, 20),
    st.integers(0, 10),
    st.integers(0, 10),
)
def test_a_wider_interval_is_never_more_certain_and_never_of_another_opinion(
    operator: str, bound: int, low: int, width: int, more: int
) -> None:
    threshold = parsed("predicted_lead_time", f"min{operator}{bound}ns")

    def verdict(start: int, end: int) -> Verdict:
        return judge(threshold, Observation(value=start, low=start, high=end, samples=1)).verdict

    narrow, wide = verdict(low, low + width), verdict(low - more, low + width + more)
    assert wide in {narrow, Verdict.INCONCLUSIVE}
    if width == 0:
        expected = {
            "<": low < bound,
            "<=": low <= bound,
            ">": low > bound,
            ">=": low >= bound,
            "==": low == bound,
            "!=": low != bound,
        }[operator]
        assert narrow is (Verdict.PASS if expected else Verdict.FAIL)
