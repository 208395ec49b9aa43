"""Kernel stamps on the monotonic clock, with steps of the wall clock injected."""

import sys

import pytest

from simulator.clock import ManualClock, SystemClock
from simulator.delivery.wire.stamps import (
    PAIRS,
    REFRESH_NS,
    STEP_NS,
    StampClock,
    kernel_stamps_available,
)
from simulator.units import NS_PER_MS, NS_PER_S, NS_PER_US

WALL = 1_667_428_740_000_000_000
HOUR = 3600 * NS_PER_S


class SlowClock(ManualClock):
    """Every read takes time, and one may take much more: a real host."""

    def __init__(self, *, read_ns: int = 100, hiccup_at: int = -1, hiccup_ns: int = 0) -> None:
        super().__init__(monotonic=7 * NS_PER_S, wall=WALL)
        self.truth = WALL - 7 * NS_PER_S
        self._read_ns = read_ns
        self._hiccup_at, self._hiccup_ns = hiccup_at, hiccup_ns
        self.reads = 0

    def _pass(self) -> None:
        self.reads += 1
        self.advance(self._read_ns + (self._hiccup_ns if self.reads == self._hiccup_at else 0))

    def monotonic_ns(self) -> int:
        self._pass()
        return super().monotonic_ns()

    def wall_ns(self) -> int:
        self._pass()
        return super().wall_ns()


def fresh(clock: ManualClock) -> StampClock:
    return StampClock(clock)


def test_with_instant_reads_the_offset_is_exact() -> None:
    stamps = fresh(ManualClock(monotonic=5, wall=WALL))
    assert (stamps.offset_ns, stamps.error_ns, stamps.steps) == (WALL - 5, 0, 0)


@pytest.mark.parametrize("hiccup_at", [-1, 1, 2, 3, 50, 2 * PAIRS])
def test_the_bounds_hold_the_truth_however_unlucky_a_read(hiccup_at: int) -> None:
    clock = SlowClock(hiccup_at=hiccup_at, hiccup_ns=20 * NS_PER_MS)
    stamps = fresh(clock)
    assert stamps.offset_ns <= clock.truth <= stamps.offset_ns + stamps.error_ns
    assert stamps.error_ns <= 200  # one pair of quick reads, no matter the slow one


def test_refreshing_only_narrows_the_bounds() -> None:
    clock = SlowClock()
    stamps = fresh(clock)
    for _ in range(5):
        before = (stamps.offset_ns, stamps.offset_ns + stamps.error_ns)
        clock.advance(NS_PER_S)
        stamps.refresh()
        assert before[0] <= stamps.offset_ns
        assert stamps.offset_ns + stamps.error_ns <= before[1]
    assert stamps.steps == 0


def test_a_stamp_becomes_the_latest_arrival_and_its_uncertainty() -> None:
    clock = SlowClock()
    stamps = fresh(clock)
    arrived = ManualClock.monotonic_ns(clock)
    stamp = ManualClock.wall_ns(clock)
    clock.advance(200 * NS_PER_MS)  # read late: the stamp still tells when
    converted = stamps.convert(stamp, floor_ns=arrived - NS_PER_S, now_ns=clock.monotonic_ns())
    assert converted is not None
    received, uncertainty = converted
    assert received - uncertainty <= arrived <= received


def test_a_stamp_is_never_later_than_the_read() -> None:
    clock = ManualClock(monotonic=NS_PER_S, wall=WALL)
    stamps = fresh(clock)
    stamps.error_ns = 500
    assert stamps.convert(WALL + 400, floor_ns=0, now_ns=NS_PER_S) == (NS_PER_S, 500)


@pytest.mark.parametrize("by_ns", [HOUR, -HOUR, 2 * STEP_NS, -2 * STEP_NS])
def test_a_step_is_seen_on_the_next_turn_and_counted(by_ns: int) -> None:
    clock = ManualClock(monotonic=NS_PER_S, wall=WALL)
    stamps = fresh(clock)
    clock.advance(NS_PER_MS)
    stamps.check(clock.monotonic_ns())
    assert stamps.steps == 0
    clock.step_wall(by_ns)
    stamps.check(clock.monotonic_ns())
    assert stamps.steps == 1
    assert stamps.offset_ns == WALL - NS_PER_S + by_ns


@pytest.mark.parametrize("by_ns", [10 * NS_PER_US, -10 * NS_PER_US])
def test_a_change_too_small_for_a_step_is_followed_on_the_next_turn_as_a_slew(by_ns: int) -> None:
    clock = ManualClock(monotonic=NS_PER_S, wall=WALL)
    stamps = fresh(clock)
    clock.step_wall(by_ns)
    stamps.check(clock.monotonic_ns())
    assert stamps.offset_ns == WALL - NS_PER_S + by_ns
    assert (stamps.steps, stamps.slewed_ns, stamps.estimates) == (0, 10 * NS_PER_US, 2)


def test_the_difference_is_estimated_again_every_second() -> None:
    clock = ManualClock(monotonic=NS_PER_S, wall=WALL)
    stamps = fresh(clock)
    for _ in range(30):
        clock.advance(REFRESH_NS // 10)
        stamps.check(clock.monotonic_ns())
    assert (stamps.estimates, stamps.steps, stamps.slewed_ns) == (4, 0, 0)


@pytest.mark.parametrize("by_ns", [HOUR, -HOUR])
def test_around_a_step_stamps_of_both_sides_are_converted(by_ns: int) -> None:
    clock = ManualClock(monotonic=NS_PER_S, wall=WALL)
    stamps = fresh(clock)
    before_the_step = clock.wall_ns()
    clock.advance(NS_PER_MS)
    clock.step_wall(by_ns)
    after_the_step = clock.wall_ns()
    stamps.check(clock.monotonic_ns())
    now = clock.monotonic_ns()
    assert stamps.convert(before_the_step, floor_ns=0, now_ns=now) == (NS_PER_S, 0)
    assert stamps.convert(after_the_step, floor_ns=0, now_ns=now) == (NS_PER_S + NS_PER_MS, 0)


def test_where_both_sides_of_a_step_are_possible_the_bound_covers_both() -> None:
    clock = ManualClock(monotonic=NS_PER_S, wall=WALL)
    stamps = fresh(clock)
    clock.advance(30 * NS_PER_MS)
    clock.step_wall(-5 * NS_PER_MS)
    stamps.check(clock.monotonic_ns())
    now = clock.monotonic_ns()
    stamp = WALL + 20 * NS_PER_MS  # 20 ms after the start, or 25 ms by the stepped clock
    assert stamps.convert(stamp, floor_ns=NS_PER_S, now_ns=now) == (
        NS_PER_S + 25 * NS_PER_MS,
        5 * NS_PER_MS,
    )
    # Of a socket that was empty long after the step, nothing from before it can come.
    clock.advance(REFRESH_NS)
    stamps.check(clock.monotonic_ns())
    arrived = clock.monotonic_ns()
    stamp = clock.wall_ns()
    assert stamps.convert(stamp, floor_ns=arrived, now_ns=arrived) == (arrived, 0)


def test_former_offsets_are_bounded_in_number_and_in_age() -> None:
    clock = ManualClock(monotonic=NS_PER_S, wall=WALL)
    stamps = fresh(clock)
    arrived, stamp = clock.monotonic_ns(), clock.wall_ns()
    for _ in range(1000):
        clock.advance(NS_PER_US)
        clock.step_wall(1000)
        stamps.check(clock.monotonic_ns())
    assert stamps.slewed_ns == 1000 * 1000
    converted = stamps.convert(stamp, floor_ns=arrived, now_ns=clock.monotonic_ns())
    assert converted is not None
    received, uncertainty = converted
    assert received - uncertainty <= arrived <= received
    assert len(stamps._former) <= 64
    clock.advance(60 * NS_PER_S)
    clock.step_wall(1000)
    stamps.check(clock.monotonic_ns())
    assert len(stamps._former) == 1


@pytest.mark.parametrize("stamp", [WALL + NS_PER_S, WALL - HOUR])
def test_a_stamp_that_cannot_be_true_is_refused(stamp: int) -> None:
    clock = ManualClock(monotonic=NS_PER_S, wall=WALL)
    stamps = fresh(clock)
    assert stamps.convert(stamp, floor_ns=NS_PER_S, now_ns=NS_PER_S + NS_PER_MS) is None
    clock.step_wall(-2 * HOUR)
    stamps.check(clock.monotonic_ns())
    assert stamps.convert(stamp, floor_ns=NS_PER_S, now_ns=NS_PER_S + NS_PER_MS) is None


@pytest.mark.parametrize("by_ns", [HOUR, -HOUR])
def test_a_step_during_the_measurement_leaves_a_true_offset(by_ns: int) -> None:
    class SteppedMidway(SlowClock):
        def _pass(self) -> None:
            super()._pass()
            if self.reads == PAIRS:
                self.step_wall(by_ns)

    clock = SteppedMidway()
    stamps = fresh(clock)
    truth = clock.truth + by_ns
    assert stamps.offset_ns <= truth <= stamps.offset_ns + stamps.error_ns


def test_real_clocks_agree_within_a_millisecond() -> None:
    stamps = StampClock(SystemClock())
    stamps.refresh()
    assert 0 <= stamps.error_ns < NS_PER_MS


@pytest.mark.skipif(sys.platform != "linux", reason="SO_TIMESTAMPNS is of Linux")
def test_this_kernel_stamps_what_it_receives() -> None:
    assert kernel_stamps_available(SystemClock())


def test_a_clock_that_disagrees_with_every_stamp_means_no_stamps() -> None:
    # frozen in 2022: no stamp of today fits
    assert not kernel_stamps_available(ManualClock())
