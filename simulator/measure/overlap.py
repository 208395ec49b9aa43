"""Overlap: whether playing faster than life made deliveries run into each other.

Rule of the module: a delivery that arrives after the next alert on its topic was intended has
outlived the wait that speed had shortened. At another speed than 1 the run is then *overlapped*:
its latencies may be an effect of the speed, and latency thresholds become inconclusive. Where they
would have overlapped at any speed, speed is no excuse, and they are judged. Only live deliveries
tell: a queued one waited for its subscriber.
"""

from itertools import pairwise

import numpy as np

from simulator.measure.columns import Int64s
from simulator.measure.measured import Measured
from simulator.measure.outcomes import Population
from simulator.measure.segments import Segment
from simulator.measure.summary import Overlap


def find_overlap(measured: Measured, speed: float, gap_ns: int = 0) -> Overlap | None:
    """Deliveries that outlived their wait; None at speed 1 or if there are none.

    Args:
        measured: the samples.
        speed: scenario seconds per wall second.
        gap_ns: wall ns between two playings of the timeline, which speed does not scale.

    Returns:
        Their number and the highest speed at which none of them would have overlapped, taking each
        latency as given.
    """
    if speed == 1:
        return None
    samples = measured.samples(Segment.DELIVERY, measured.of_population(Population.LIVE))
    following, unscaled = _waits(measured, gap_ns)
    wait = following[samples.alert]
    over = (wait >= 0) & (samples.values_ns > wait)
    if not over.any():
        return None
    latency = samples.values_ns[over].astype(np.float64)
    fixed = unscaled[samples.alert[over]].astype(np.float64)
    scaled = (wait[over] - fixed) * speed  # scenario time between the two alerts
    highest = float((scaled / (latency - fixed)).min())
    count = int(np.count_nonzero(over))
    if highest <= 0:
        return Overlap(
            deliveries=count,
            highest_speed=None,
            note=f"{count} deliveries came after the next alert on their topic was intended, and "
            "would have at any speed, so that speed excuses no latency",
        )
    shown = _rounded_down(highest)
    return Overlap(
        deliveries=count,
        highest_speed=shown,
        note=f"{count} deliveries came after the next alert on their topic was intended; none "
        f"would have at a speed of up to {shown:g}",
    )


def _waits(measured: Measured, gap_ns: int) -> tuple[Int64s, Int64s]:
    """By alert: wall ns to the next one on its topic (-1: none), and the unscaled part of it."""
    alerts = measured.account.alerts
    wait = np.full(len(alerts), -1, np.int64)
    unscaled = np.zeros(len(alerts), np.int64)
    for numbers in measured.account.evidence.expectation.topic_alerts:
        for here, after in pairwise(numbers):
            first, second = alerts[here], alerts[after]
            wait[here] = second.intended_ns - first.intended_ns
            unscaled[here] = gap_ns * (second.repetition - first.repetition)
    return wait, unscaled


def _rounded_down(speed: float) -> float:
    """Three significant figures, never above the value."""
    step = 10.0 ** (np.floor(np.log10(speed)) - 2)
    return float(np.floor(speed / step) * step)
