"""Laws invert their distributions, and drawing follows them."""

from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from simulator.scenario.laws import Law, duration_ns
from simulator.units import NS_PER_MS, format_duration

EPOCH = datetime.fromisoformat("2026-01-15T10:00:00+09:00")
LAWS: TypeAdapter[Law] = TypeAdapter(Law)
SHARES = st.floats(2.0**-53, 1 - 2.0**-53)
DURATIONS = st.integers(1, 3_600_000).map(lambda ms: ms * NS_PER_MS)


@st.composite
def laws(draw: st.DrawFn) -> Law:
    """Any law."""
    low, middle, high = (format_duration(d) for d in sorted(draw(st.tuples(*[DURATIONS] * 3))))
    fields: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"law": "constant", "value": low},
                {"law": "recorded", "starts": low, "ends": high},
                {"law": "uniform", "low": low, "high": high},
                {"law": "triangular", "low": low, "mode": middle, "high": high},
                {"law": "lognormal", "median": middle, "p95": high, "floor": low},
                {"law": "gamma", "mean": middle, "shape": draw(st.floats(0.1, 100)), "floor": low},
                {"law": "empirical", "values": [low, middle, high]},
            ]
        )
    )
    return LAWS.validate_python(fields)


@given(laws(), SHARES, SHARES)
def test_a_larger_share_is_no_shorter_duration(law: Law, one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    assert 0 <= duration_ns(law, shorter, EPOCH) <= duration_ns(law, longer, EPOCH)


@given(laws(), SHARES)
def test_durations_are_whole_milliseconds(law: Law, share: float) -> None:
    assert duration_ns(law, share, EPOCH) % NS_PER_MS == 0


@given(laws())
def test_laws_read_back_as_written(law: Law) -> None:
    assert LAWS.validate_python(LAWS.dump_python(law, mode="json")) == law
