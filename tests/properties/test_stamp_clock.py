"""The true arrival lies inside what a kernel stamp is said to mean, whatever the clock does."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import ManualClock
from simulator.delivery.wire.stamps import EARLY_NS, STEP_NS, StampClock
from simulator.units import NS_PER_MS, NS_PER_S, NS_PER_US

# One turn of a loop: how long it takes, how fast the wall clock is slewed in it (parts per million)
# or by how much it is stepped, where in the turn a message arrives and where the step lies, and
# whether the reader empties the socket at its end or comes back to it in a later turn.
changes = st.one_of(
    st.just((0, 0)),
    st.tuples(st.sampled_from([500, -500, 83_333, -83_333]), st.just(0)),
    st.tuples(st.just(0), st.integers(-5 * NS_PER_S, 5 * NS_PER_S)),
)
turns = st.lists(
    st.tuples(
        st.integers(0, 300 * NS_PER_MS),
        changes,
        st.lists(st.integers(0, 100), max_size=3),
        st.integers(0, 100),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
)


@given(turns=turns)
def test_the_true_arrival_is_inside_the_stated_interval(
    turns: list[tuple[int, tuple[int, int], list[int], int, bool]],
) -> None:
    clock = ManualClock(monotonic=NS_PER_S)
    stamps = StampClock(clock)
    floor_ns = clock.monotonic_ns()
    waiting: list[tuple[int, int]] = []  # when it truly arrived, and its stamp

    for length_ns, (rate_ppm, step_ns), arrivals, step_at, emptied in turns:
        done = 0
        for percent, arrives in sorted([(step_at, False), *((each, True) for each in arrivals)]):
            pass_(clock, length_ns * (percent - done) // 100, rate_ppm)
            done = percent
            if arrives:
                waiting.append((clock.monotonic_ns(), clock.wall_ns()))
            else:
                clock.step_wall(step_ns)
        pass_(clock, length_ns * (100 - done) // 100, rate_ppm)
        now_ns = clock.monotonic_ns()
        stamps.check(now_ns)
        if not emptied:
            continue
        for arrived_ns, stamp_ns in waiting:
            converted = stamps.convert(stamp_ns, floor_ns=floor_ns, now_ns=now_ns)
            assert converted is not None
            received_ns, uncertainty_ns = converted
            assert received_ns - uncertainty_ns <= arrived_ns <= received_ns
        waiting.clear()
        floor_ns = now_ns


def pass_(clock: ManualClock, duration_ns: int, rate_ppm: int) -> None:
    clock.advance(duration_ns)
    clock.step_wall(duration_ns * rate_ppm // 1_000_000)


def test_slewing_is_not_stepping() -> None:
    clock = ManualClock(monotonic=NS_PER_S)
    stamps = StampClock(clock)
    for _ in range(1000):
        pass_(clock, NS_PER_MS, 500)
        stamps.check(clock.monotonic_ns())
    assert stamps.steps == 0
    assert stamps.slewed_ns == 500 * NS_PER_US
    # What it costs: as far as the clock was slewed while a stamp may have been on its way.
    arrived_ns, stamp_ns = clock.monotonic_ns(), clock.wall_ns()
    converted = stamps.convert(stamp_ns, floor_ns=arrived_ns, now_ns=arrived_ns)
    assert converted is not None
    assert converted[1] <= (EARLY_NS + 2 * STEP_NS) * 500 // 1_000_000
