import pytest

from simulator.measure.offsets import OffsetBound, OffsetEstimator, Placed, place


def estimator(drift_ppm: int = 0) -> OffsetEstimator:
    return OffsetEstimator(drift_ppm=drift_ppm)


def test_one_exchange_bounds_the_offset_by_its_two_delays() -> None:
    # Our clock is 1,000 ahead; 30 there, 50 back: t1=100, t2=1130, t3=1140, t4=190.
    clock = estimator()
    clock.reached_us(theirs_ns=100, ours_ns=1130)
    clock.reached_them(ours_ns=1140, theirs_ns=190)

    assert clock.over(1130, 1140) == OffsetBound(low_ns=950, high_ns=1030)
    assert clock.over(0, 10**12) == OffsetBound(low_ns=950, high_ns=1030)


def test_the_smallest_delay_each_way_decides_whatever_the_order() -> None:
    clock = estimator()
    for there, back in ((500, 20), (10, 900), (300, 300)):
        clock.reached_us(theirs_ns=0, ours_ns=1000 + there)
        clock.reached_them(ours_ns=2000, theirs_ns=1000 + back)

    assert clock.over(0, 3000) == OffsetBound(low_ns=980, high_ns=1010)


@pytest.mark.parametrize("side", ["us", "them", "none"])
def test_one_side_alone_bounds_nothing(side: str) -> None:
    clock = estimator()
    if side == "us":
        clock.reached_us(theirs_ns=0, ours_ns=10)
    if side == "them":
        clock.reached_them(ours_ns=0, theirs_ns=10)

    assert clock.over(0, 10) is None


def test_a_stepped_clock_has_no_offset() -> None:
    clock = estimator()
    clock.reached_us(theirs_ns=100, ours_ns=1110)  # offset at most 1010
    clock.reached_them(ours_ns=2000, theirs_ns=500)  # and at least 1500

    assert clock.over(1000, 2000) is None


def test_old_evidence_is_widened_by_drift_to_the_far_end_of_the_window() -> None:
    clock = estimator(drift_ppm=1000)
    clock.reached_us(theirs_ns=0, ours_ns=1_000_000)
    clock.reached_them(ours_ns=1_000_000, theirs_ns=10)

    assert clock.over(1_000_000, 1_000_000) == OffsetBound(low_ns=999_990, high_ns=1_000_000)
    bound = clock.over(2_000_000, 3_000_000)  # two million away, one in a thousand
    assert bound == OffsetBound(low_ns=997_990, high_ns=1_002_000)
    assert bound.width_ns == 4010
    # Less than a whole nanosecond of drift is rounded up, never down.
    assert clock.over(1_000_000, 1_000_001) == OffsetBound(low_ns=999_989, high_ns=1_000_001)


def test_newer_evidence_wins_where_drift_has_made_the_old_looser() -> None:
    clock = estimator(drift_ppm=1000)
    clock.reached_them(ours_ns=0, theirs_ns=0)
    clock.reached_us(theirs_ns=0, ours_ns=10)  # at 10: at most 10
    clock.reached_us(theirs_ns=10**9 - 500, ours_ns=10**9)  # a second later: at most 500

    near_start, near_end = clock.over(10, 10), clock.over(10**9, 10**9)
    assert near_start is not None
    assert near_end is not None
    assert near_start.high_ns == 10
    assert near_end.high_ns == 500


def test_evidence_is_bounded_and_what_is_dropped_only_widens() -> None:
    clock = estimator(drift_ppm=10)
    clock.reached_them(ours_ns=0, theirs_ns=10_000_000)
    for second in range(1000):  # ever looser, yet each the best of its own second
        ours_ns = second * 10**9
        clock.reached_us(theirs_ns=ours_ns - 5000 * second, ours_ns=ours_ns)

    assert len(clock._high._evidence) <= 128
    bound = clock.over(0, 0)
    assert bound is not None
    assert bound.high_ns == 0  # the tightest survived the thinning


def test_drift_is_not_negative() -> None:
    with pytest.raises(ValueError, match="drift_ppm"):
        OffsetEstimator(drift_ppm=-1)


BOUND = OffsetBound(low_ns=1000, high_ns=1010)


def test_a_receipt_is_placed_at_its_latest_instant_with_the_width_as_uncertainty() -> None:
    placed = place(BOUND, received_ns=500, handled_ns=503, sent_ns=1, arrival_ns=9000)

    assert placed == Placed(received_ns=1510, uncertainty_ns=10, handled_ns=1513)


def test_a_reception_lies_between_our_sending_and_the_arrival_of_its_receipt() -> None:
    placed = place(BOUND, received_ns=500, handled_ns=500, sent_ns=1504, arrival_ns=1507)

    assert placed == Placed(received_ns=1507, uncertainty_ns=3, handled_ns=1507)


def test_stamps_that_contradict_causality_are_not_placed() -> None:
    assert place(BOUND, received_ns=500, handled_ns=500, sent_ns=1511, arrival_ns=9000) is None
    assert place(BOUND, received_ns=500, handled_ns=500, sent_ns=1, arrival_ns=1499) is None


def test_an_estimate_names_its_best_instant_and_the_rate_between_two() -> None:
    # Theirs gains 100 ppm: 100,000 in a second; delays of 30 there and 50 back.
    clock = estimator(drift_ppm=1000)
    for second in (0, 1):
        ours = second * 10**9
        theirs = ours + second * 100_000
        clock.reached_us(theirs_ns=theirs, ours_ns=ours + 30)
        clock.reached_them(ours_ns=ours + 30, theirs_ns=theirs + 80)

    estimate = clock.estimate(0, 10**9 + 30)
    assert estimate is not None
    assert estimate.bound.width_ns == 80
    assert estimate.drift_low_ppm <= 100 <= estimate.drift_high_ppm
    assert estimate.drift_high_ppm - estimate.drift_low_ppm < 1


def test_of_one_instant_no_rate_is_known_but_the_assumed_one() -> None:
    clock = estimator(drift_ppm=7)
    clock.reached_us(theirs_ns=100, ours_ns=1130)
    clock.reached_them(ours_ns=1130, theirs_ns=190)

    estimate = clock.estimate(1130, 1130)
    assert estimate is not None
    assert (estimate.at_ns, estimate.drift_low_ppm, estimate.drift_high_ppm) == (1130, -7, 7)


def test_without_evidence_of_both_sides_there_is_no_estimate() -> None:
    clock = estimator()
    clock.reached_us(theirs_ns=100, ours_ns=1130)
    assert clock.estimate(0, 2000) is None
