from hypothesis import given
from hypothesis import strategies as st

from simulator.units import NS_PER_H, UNITS_NS, format_duration, parse_duration

LONGEST = 366 * 24 * NS_PER_H


@given(st.integers(-LONGEST, LONGEST))
def test_what_is_written_reads_back_the_same(duration_ns: int) -> None:
    assert parse_duration(format_duration(duration_ns)) == duration_ns


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS_NS)))
def test_a_whole_number_of_a_unit_is_exact(count: int, unit: str) -> None:
    if count * UNITS_NS[unit] <= LONGEST:
        assert parse_duration(f"{count}{unit}") == count * UNITS_NS[unit]


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        duration_ns = parse_duration(text)
    except ValueError as error:
        assert repr(text) in str(error)  # noqa: PT017  # either outcome is allowed
    else:
        assert parse_duration(format_duration(duration_ns)) == duration_ns
