"""Whatever the outages and the rhythm: nobody is connected during an outage."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulator.delivery.absences import absences_of
from simulator.delivery.backoff import Backoff
from simulator.randomness import Streams
from simulator.units import NS_PER_MS, NS_PER_S

GAPS = st.lists(
    st.tuples(st.integers(1, 40 * NS_PER_S), st.integers(1, 20 * NS_PER_S)), max_size=12
)


@st.composite
def outages(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Spans in order, none touching another."""
    found: list[tuple[int, int]] = []
    end = draw(st.integers(-NS_PER_S, NS_PER_S))
    for gap, length in draw(GAPS):
        found.append((end + gap, end + gap + length))
        end = found[-1][1]
    return found


@st.composite
def rhythms(draw: st.DrawFn) -> Backoff:
    first = draw(st.integers(NS_PER_MS, NS_PER_S))
    longest = draw(st.integers(first, 60 * NS_PER_S))
    return Backoff(first_ns=first, longest_ns=longest, jitter=draw(st.booleans()))


@given(outages(), rhythms(), st.integers(0, 2**32))
def test_who_is_away_is_away_in_every_outage_and_returns_in_none(
    spans: list[tuple[int, int]], rhythm: Backoff, seed: int
) -> None:
    found = absences_of(spans, rhythm, Streams(seed).stream("x"))
    starts = {start for start, _ in spans}
    assert all(each.leaves_ns in starts and each.returns_ns > each.leaves_ns for each in found)
    assert all(one.returns_ns < other.leaves_ns for one, other in pairwise(found))
    for start, end in spans:
        assert any(each.leaves_ns <= start and each.returns_ns >= end for each in found)
        assert not any(start <= each.returns_ns < end for each in found)


@given(outages(), rhythms(), st.integers(0, 2**32))
def test_nobody_waits_longer_than_the_longest_wait_for_the_end(
    spans: list[tuple[int, int]], rhythm: Backoff, seed: int
) -> None:
    for each in absences_of(spans, rhythm, Streams(seed).stream("x")):
        over = max(end for _, end in spans if end <= each.returns_ns)
        assert each.returns_ns - over <= rhythm.longest_ns
