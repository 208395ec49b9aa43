"""The minimum-delay filter beside its closed form.

With delays drawn from an exponential law of mean ``m``, the smallest of ``n`` is exponential with
mean ``m / n``. The interval left after ``n`` exchanges is as wide as the smallest delay there plus
the smallest delay back: mean ``2 m / n``, variance ``2 (m / n)^2``. With a drift of at most ``d``,
evidence that is older by ``a`` adds ``a d``: waiting widens, asking again narrows.
"""

import math

import pytest

from simulator.measure.offsets import OffsetEstimator
from simulator.randomness import Streams

MEAN_NS = 20_000_000  # a delay between two hosts far apart
OFFSET_NS = 123_456_789_012
RUNS = 400
SIGMAS = 4.0  # of the mean of the runs: a true estimator fails once in 16,000


def width_after(exchanges: int, run: int, *, drift_ppm: int = 0, every_ns: int = 0) -> int:
    """Width at the end of so many exchanges; the truth is inside."""
    draw = Streams(1, run).stream(f"delays/{exchanges}").uniform
    estimator = OffsetEstimator(drift_ppm=drift_ppm)
    now_ns = 0
    for _ in range(exchanges):
        there, back = (round(-MEAN_NS * math.log(1 - draw())) for _ in range(2))
        t1 = now_ns - OFFSET_NS
        t2 = now_ns + there
        t4 = t2 + back - OFFSET_NS
        estimator.reached_us(theirs_ns=t1, ours_ns=t2)
        estimator.reached_them(ours_ns=t2, theirs_ns=t4)
        now_ns += there + back + every_ns
    bound = estimator.over(now_ns, now_ns)
    assert bound is not None
    assert bound.low_ns <= OFFSET_NS <= bound.high_ns
    return bound.width_ns


@pytest.mark.parametrize("exchanges", [1, 8, 64])
def test_the_interval_is_as_wide_as_the_smallest_delays(exchanges: int) -> None:
    widths = [width_after(exchanges, run) for run in range(RUNS)]

    mean = 2 * MEAN_NS / exchanges
    error = math.sqrt(2) * MEAN_NS / exchanges / math.sqrt(RUNS)
    assert abs(sum(widths) / RUNS - mean) <= SIGMAS * error + 1


def test_drift_adds_what_the_clocks_may_have_parted_since() -> None:
    # 64 exchanges a second apart at 1,000 ppm: the best of the last few, not of all.
    drifting = [width_after(64, run, drift_ppm=1000, every_ns=10**9) for run in range(RUNS)]
    steady = [width_after(64, run, every_ns=10**9) for run in range(RUNS)]

    assert all(wide >= narrow for wide, narrow in zip(drifting, steady, strict=True))
    # Of the last k exchanges the smallest delays have mean m / k, and the oldest lies k turns back.
    turn_ns = 10**9 + 2 * MEAN_NS
    best = min(2 * MEAN_NS / k + 2 * k * turn_ns / 1000 for k in range(1, 65))
    assert sum(drifting) / RUNS <= best
