"""Latency: the table of measured segments, percentile curves, and the run over time.

Rule of the module: n, alerts and bursts stand beside every figure; a figure that the sample cannot
carry is null and says why. Quantiles are taken from all samples of a row together, never averaged
from parts. Negatives stay in: they are counted, and part of every quantile.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from simulator.measure.columns import Bools, Int64s
from simulator.measure.measured import Measured, Samples
from simulator.measure.outcomes import Population
from simulator.measure.sampling import MEDIAN, QUANTILES, Resampler, nearest_rank, too_few
from simulator.measure.segments import Segment
from simulator.measure.summary import (
    Curve,
    CurvePoint,
    LatencyRow,
    PopulationWord,
    Quantile,
    SegmentWord,
    TimeBin,
)
from simulator.thresholds import samples_needed
from simulator.units import NS_PER_H

HISTOGRAM_HIGHEST_NS: Final = 24 * NS_PER_H  # what latency.hlog holds
MOST_BINS: Final = 120
_CURVE_STEPS: Final = 8  # points for each halving of the tail
_SEGMENTS: Final[tuple[tuple[Segment, SegmentWord], ...]] = (
    (Segment.SEND, "send"),
    (Segment.TRANSIT, "transit"),
    (Segment.HANDLING, "handling"),
    (Segment.DELIVERY, "delivery"),
    (Segment.END_TO_END, "end-to-end"),
    (Segment.ROUND_TRIP, "round-trip"),
)
_FRESH: Final[tuple[tuple[Population, PopulationWord], ...]] = (
    (Population.LIVE, "live"),
    (Population.QUEUED, "queued"),
)


def latency_table(measured: Measured, resampler: Resampler) -> tuple[LatencyRow, ...]:
    """Rows for every population and segment with a sample, and live delivery by its parts."""
    rows: list[LatencyRow] = []
    for population, word in _FRESH:
        here = measured.of_population(population)
        for segment, name in _SEGMENTS:
            samples = measured.samples(segment, here)
            if len(samples):
                rows.append(_row(measured, resampler, samples, population=word, segment=name))
    ages = measured.ages()
    if len(ages):
        rows.append(_row(measured, resampler, ages, population="retained", segment="age"))
    return (*rows, *_parts(measured, resampler))


def _parts(measured: Measured, resampler: Resampler) -> list[LatencyRow]:
    """Live delivery by prefecture, by event, and by QoS where there are several."""
    live = measured.of_population(Population.LIVE)
    alerts = measured.account.alerts
    levels = sorted({int(qos) for qos in np.unique(measured.qos[live])})
    prefectures = dict.fromkeys(alert.planned.prefecture for alert in alerts)
    events = dict.fromkeys(alert.planned.event.value for alert in alerts)
    parts: list[tuple[Bools, dict[str, str | int]]] = []
    parts += [(measured.narrowed(live, prefecture=p), {"prefecture": p}) for p in prefectures]
    parts += [(measured.narrowed(live, event=event), {"event": event}) for event in events]
    if len(levels) > 1:
        parts += [(measured.narrowed(live, qos=qos), {"qos": qos}) for qos in levels]
    rows: list[LatencyRow] = []
    for here, narrowed_to in parts:
        samples = measured.samples(Segment.DELIVERY, here)
        if len(samples):
            row = _row(measured, resampler, samples, population="live", segment="delivery")
            rows.append(row.model_copy(update=narrowed_to))
    return rows


def _row(
    measured: Measured,
    resampler: Resampler,
    samples: Samples,
    *,
    population: PopulationWord,
    segment: SegmentWord,
) -> LatencyRow:
    values = samples.values_ns
    ordered = np.sort(values)
    bursts = measured.burst_of[samples.alert]
    intervals = resampler.intervals(values, bursts, QUANTILES)
    quantiles: list[Quantile] = []
    for index, percent in enumerate(QUANTILES):
        reason = too_few(len(values), percent)
        low, high = (None, None) if reason or not intervals else intervals.quantiles[index]
        quantiles.append(
            Quantile(
                percent=float(percent),
                value_ns=None if reason else nearest_rank(ordered, percent),
                low_ns=low,
                high_ns=high,
                reason=reason or ("" if intervals else "no interval under 10 bursts"),
            )
        )
    return LatencyRow(
        population=population,
        segment=segment,
        n=len(values),
        alerts=len(np.unique(samples.alert)),
        bursts=len(np.unique(bursts)),
        negatives=int(np.count_nonzero(values < 0)),
        out_of_range=int(np.count_nonzero(values > HISTOGRAM_HIGHEST_NS)),
        uncertainty_max_ns=samples.uncertainty_max_ns,
        min_ns=int(ordered[0]),
        mean_ns=round(float(np.mean(values))),
        mean_low_ns=intervals.mean[0] if intervals else None,
        mean_high_ns=intervals.mean[1] if intervals else None,
        max_ns=int(ordered[-1]),
        quantiles=tuple(quantiles),
    )


def latency_curves(measured: Measured) -> tuple[Curve, ...]:
    """Percentile curves of every fresh population and segment with a sample."""
    curves: list[Curve] = []
    for population, word in _FRESH:
        here = measured.of_population(population)
        for segment, name in _SEGMENTS:
            ordered = np.sort(measured.samples(segment, here).values_ns)
            if len(ordered):
                curves.append(percentile_curve(ordered, word, name))
    return tuple(curves)


def percentile_curve(ordered: Int64s, population: PopulationWord, segment: SegmentWord) -> Curve:
    """The percentile curve of samples, as far as their number allows.

    Args:
        ordered: samples, rising, at least one.
        population: whose.
        segment: of what.
    """
    points = tuple(
        CurvePoint(percent=float(percent), value_ns=nearest_rank(ordered, percent))
        for percent in _curve_percents(len(ordered))
    )
    return Curve(population=population, segment=segment, n=len(ordered), points=points)


def _curve_percents(samples: int) -> list[Fraction]:
    """Closer and closer to 100, as far as n allows; the last point is the maximum."""
    percents = [Fraction(round(step * 100 / 20), 1) for step in range(1, 10)]
    tail = Fraction(1, 2)
    while True:
        for step in range(_CURVE_STEPS):
            percent = 100 - 100 * tail * (1 - Fraction(step, 2 * _CURVE_STEPS))
            if samples_needed(percent) > samples:
                below = [p for p in percents if samples_needed(p) <= samples]
                return [*below, Fraction(100)]
            percents.append(percent)
        tail /= 2


def latency_over_time(measured: Measured) -> tuple[TimeBin, ...]:
    """Live delivery latency by intended time, in at most 120 equal stretches of the run."""
    samples = measured.samples(Segment.DELIVERY, measured.of_population(Population.LIVE))
    intended = measured.account.evidence.expectation.intended_ns
    if not len(samples):
        return ()
    since_ns = intended[samples.alert] - intended.min()
    span_ns = int(intended.max() - intended.min()) + 1
    width_ns = -(-span_ns // MOST_BINS)
    place = since_ns // width_ns
    order = np.lexsort((samples.values_ns, place))
    ordered, places = samples.values_ns[order], place[order]
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    bins: list[TimeBin] = []
    for part in np.split(np.arange(len(ordered)), starts[1:]):
        values = ordered[part]
        start_ns = int(places[part[0]]) * width_ns
        bins.append(
            TimeBin(
                start_ns=start_ns,
                end_ns=start_ns + width_ns,
                n=len(values),
                min_ns=int(values[0]),
                median_ns=nearest_rank(values, MEDIAN),
                max_ns=int(values[-1]),
            )
        )
    return tuple(bins)
