"""The true offset lies inside the stated bound, whatever the delays and the drift."""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simulator.measure.offsets import OffsetEstimator, place

PPM = 1000
HORIZON_NS = 10**12


@dataclass(frozen=True)
class ForeignClock:
    """A monotonic clock that drifts at changing rates within the bound."""

    base_ns: int
    rates_ppm: tuple[int, ...]  # one for each equal part of the horizon

    def read(self, ours_ns: int) -> int:
        part_ns = HORIZON_NS // len(self.rates_ppm)
        gained = Fraction(0)
        for index, rate in enumerate(self.rates_ppm):
            inside = min(max(ours_ns - index * part_ns, 0), part_ns)
            gained += Fraction(inside * rate, 10**6)
        return ours_ns - self.base_ns + gained.__floor__()

    def offset(self, ours_ns: int) -> int:
        return ours_ns - self.read(ours_ns)


Journeys = list[tuple[int, int]]

instants = st.integers(0, HORIZON_NS)
delays = st.one_of(st.integers(0, 10**6), st.integers(0, 10**10))
clocks = st.builds(
    ForeignClock,
    base_ns=st.integers(-(10**18), 10**18),
    rates_ppm=st.lists(st.integers(-PPM, PPM), min_size=1, max_size=5).map(tuple),
)
journeys = st.lists(st.tuples(instants, delays), max_size=30)


def learned(clock: ForeignClock, to_us: Journeys, to_them: Journeys) -> OffsetEstimator:
    known = OffsetEstimator(drift_ppm=PPM)
    for left_ns, delay_ns in to_us:
        known.reached_us(theirs_ns=clock.read(left_ns), ours_ns=left_ns + delay_ns)
    for left_ns, delay_ns in to_them:
        known.reached_them(ours_ns=left_ns, theirs_ns=clock.read(left_ns + delay_ns))
    return known


@given(
    clock=clocks,
    to_us=journeys,
    to_them=journeys,
    start_ns=instants,
    length_ns=delays,
    where=st.floats(0, 1),
)
def test_the_true_offset_is_inside_at_every_instant_of_the_window(
    *,
    clock: ForeignClock,
    to_us: Journeys,
    to_them: Journeys,
    start_ns: int,
    length_ns: int,
    where: float,
) -> None:
    bound = learned(clock, to_us, to_them).over(start_ns, start_ns + length_ns)

    if not (to_us and to_them):
        assert bound is None
        return
    assert bound is not None
    truth = clock.offset(start_ns + int(length_ns * where))
    assert bound.low_ns <= truth <= bound.high_ns


@given(
    clock=clocks,
    to_us=journeys,
    to_them=journeys,
    sent_ns=instants,
    transit_ns=delays,
    handling_ns=delays,
    back_ns=delays,
)
def test_the_true_reception_is_inside_its_uncertainty(
    *,
    clock: ForeignClock,
    to_us: Journeys,
    to_them: Journeys,
    sent_ns: int,
    transit_ns: int,
    handling_ns: int,
    back_ns: int,
) -> None:
    true_received_ns = sent_ns + transit_ns
    true_handled_ns = true_received_ns + handling_ns
    arrival_ns = true_handled_ns + back_ns
    received_ns, handled_ns = clock.read(true_received_ns), clock.read(true_handled_ns)
    known = learned(clock, to_us, to_them)
    known.reached_them(ours_ns=sent_ns, theirs_ns=received_ns)
    known.reached_us(theirs_ns=handled_ns, ours_ns=arrival_ns)

    bound = known.over(sent_ns, arrival_ns)
    assert bound is not None
    placed = place(
        bound,
        received_ns=received_ns,
        handled_ns=handled_ns,
        sent_ns=sent_ns,
        arrival_ns=arrival_ns,
    )

    assert placed is not None
    assert placed.received_ns - placed.uncertainty_ns <= true_received_ns <= placed.received_ns
    assert placed.handled_ns - placed.received_ns == handled_ns - received_ns
    # Never worse than what causality says without any clock.
    assert placed.uncertainty_ns <= arrival_ns - sent_ns


@given(clock=clocks, to_us=journeys, to_them=journeys)
def test_the_true_offset_and_the_true_mean_rate_are_inside_the_estimate(
    *, clock: ForeignClock, to_us: Journeys, to_them: Journeys
) -> None:
    estimate = learned(clock, to_us, to_them).estimate(0, HORIZON_NS)

    if not (to_us and to_them):
        assert estimate is None
        return
    assert estimate is not None
    truth = clock.offset(estimate.at_ns)
    assert estimate.bound.low_ns <= truth <= estimate.bound.high_ns
    assert -PPM <= estimate.drift_low_ppm <= estimate.drift_high_ppm <= PPM
    if len(clock.rates_ppm) == 1:  # the same rate all the time is also the mean of any part
        (rate,) = clock.rates_ppm
        assert estimate.drift_low_ppm <= rate <= estimate.drift_high_ppm


def test_many_exchanges_over_a_while_tell_the_rate() -> None:
    clock = ForeignClock(base_ns=123_456_789, rates_ppm=(200,))
    exchanges = [(at_ns, 100_000) for at_ns in range(0, HORIZON_NS, HORIZON_NS // 50)]
    estimate = learned(clock, exchanges, exchanges).estimate(0, HORIZON_NS)

    assert estimate is not None
    assert estimate.bound.width_ns <= 250_000
    assert estimate.drift_low_ppm <= 200 <= estimate.drift_high_ppm
    assert estimate.drift_high_ppm - estimate.drift_low_ppm < 5
