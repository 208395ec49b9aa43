"""Plots of measured figures, in the form that plotly.js reads: latency, lead time, the ledger.

Rule of the module: as :mod:`simulator.report.drawing`; every curve states its n, and none goes
beyond the quantile that its n allows.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from simulator.measure.summary import (
    Curve,
    CurvePoint,
    GroupCounts,
    LatencyRow,
    LeadTimeRow,
    TimeBin,
)
from simulator.report import words
from simulator.report.drawing import (
    LEGEND_ROW_PX,
    MOST_ROWS,
    ROW_PX,
    Picture,
    axis,
    layout,
    rows_axis,
    safe,
)
from simulator.report.latency_tables import is_whole
from simulator.units import NS_PER_MS, NS_PER_S

_SEGMENT_STYLES: Final = {
    "send": ("@send", "dot"),
    "transit": ("@transit", "dash"),
    "handling": ("@handling", "dashdot"),
    "delivery": ("@total", "solid"),
}
_FLOOR_NS: Final = 1_000  # a logarithmic axis has no zero: a microsecond stands for what is below
_PERCENT_TICKS: Final = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999)
_OUTCOME_STYLES: Final = {
    "delivered": ("@delivered", ""),
    "late": ("@late", "/"),
    "queued": ("@queued", "\\"),
    "expired": ("@missing", "."),
    "missed_offline": ("@missing", "-"),
    "undetermined": ("@beside", "x"),
    "lost": ("@missing", ""),
    "not_sent": ("@beside", ""),
}


def _tail(percent: float) -> float:
    """Place of a percentile on an axis that stretches the tail: 0, 1 at p90, 2 at p99."""
    return -math.log10(max(1 - percent / 100, 1e-7))


def percentiles(
    curves: Iterable[Curve], rows: Iterable[LatencyRow] = (), population: str = "live"
) -> Picture | None:
    """Latency over percentile, a line per segment, both axes stretched where it matters.

    Args:
        curves: of all populations and segments.
        rows: whose intervals over bursts become the band of the delivery.
        population: whose curves.

    Returns:
        None if the population has no curve.
    """
    chosen = [
        (curve, points)
        for curve in curves
        if curve.population == population and curve.segment in _SEGMENT_STYLES
        if (points := _supported(curve))
    ]
    if not chosen:
        return None
    traces = [*_band(rows, population)]
    for curve, points in chosen:
        role, dash = _SEGMENT_STYLES[curve.segment]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{curve.segment} (n = {curve.n:,})",
                "x": [round(_tail(point.percent), 4) for point in points],
                "y": [max(point.value_ns, _FLOOR_NS) / NS_PER_MS for point in points],
                "text": [
                    f"{words.quantile_name(point.percent)}: {words.measured(point.value_ns)}"
                    for point in points
                ],
                "line": {"color": role, "dash": dash, "width": 2.5},
                "hovertemplate": "%{text}<extra>" + curve.segment + "</extra>",
            }
        )
    last = max(points[-1].percent for _, points in chosen)
    ticks = [p for p in _PERCENT_TICKS if _tail(p) <= _tail(last) + 0.35]
    return {
        "data": traces,
        "layout": layout(
            380,
            xaxis=axis(
                type="linear",
                tickvals=[_tail(p) for p in ticks],
                ticktext=[words.quantile_name(p) for p in ticks],
                title={"text": "share of deliveries that were faster"},
                rangemode="tozero",
            ),
            yaxis=_milliseconds_log(),
        ),
        "narrow": {"height": 420},
    }


def intervals_of(rows: Iterable[LatencyRow], population: str) -> list[tuple[float, int, int]]:
    """Quantiles of the whole delivery that have a 95 % interval over bursts: (percent, low, high).

    Args:
        rows: of the summary.
        population: whose.
    """
    return [
        (quantile.percent, quantile.low_ns, quantile.high_ns)
        for row in rows
        if (row.population, row.segment) == (population, "delivery") and is_whole(row)
        for quantile in row.quantiles
        if quantile.low_ns is not None and quantile.high_ns is not None
    ]


def _band(rows: Iterable[LatencyRow], population: str) -> list[dict[str, Any]]:
    """The intervals of p50, p90, p99 and p99.9, joined to a band; at least two make one."""
    known = intervals_of(rows, population)
    if len(known) <= 1:
        return []
    places = [round(_tail(percent), 4) for percent, _, _ in known]
    low = [max(low_ns, _FLOOR_NS) / NS_PER_MS for _, low_ns, _ in known]
    high = [max(high_ns, _FLOOR_NS) / NS_PER_MS for _, _, high_ns in known]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "delivery, 95 % interval over bursts",
            "x": [*places, *reversed(places)],
            "y": [*low, *reversed(high)],
            "fill": "toself",
            "fillcolor": "@band",
            "line": {"color": "@total", "width": 0.75, "dash": "dot"},
            "hoverinfo": "skip",
        }
    ]


def _supported(curve: Curve) -> list[CurvePoint]:
    """The points that n supports: at least ten deliveries lie beyond each."""
    beyond = 10
    return [point for point in curve.points if (100 - point.percent) * curve.n >= 100 * beyond]


def _milliseconds_log() -> dict[str, Any]:
    return axis(
        type="log",
        title={"text": "milliseconds (wall), logarithmic"},
        dtick="D2",
        tickformat="~g",
        exponentformat="none",
    )


def over_time(bins: Sequence[TimeBin]) -> Picture | None:
    """Live delivery latency over the run: the median and the range of each stretch.

    Returns:
        None if nothing live was delivered.
    """
    if not bins:
        return None
    middle = [max(one.median_ns, 1) / NS_PER_MS for one in bins]
    low = [max(one.min_ns, 1) / NS_PER_MS for one in bins]
    high = [max(one.max_ns, 1) / NS_PER_MS for one in bins]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": f"median, smallest and largest (n = {sum(one.n for one in bins):,})",
        "x": [(one.start_ns + one.end_ns) / 2 / NS_PER_S for one in bins],
        "y": middle,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [top - mid for top, mid in zip(high, middle, strict=True)],
            "arrayminus": [mid - bottom for bottom, mid in zip(low, middle, strict=True)],
            "color": "@transit",
            "thickness": 1.5,
            "width": 3,
        },
        "text": [
            f"n = {one.n:,}<br>smallest {words.measured(one.min_ns)}, median "
            f"{words.measured(one.median_ns)}, largest {words.measured(one.max_ns)}"
            for one in bins
        ],
        "marker": {"color": "@transit", "size": 8, "symbol": "circle"},
        "hovertemplate": "%{x:.2f} s into the run<br>%{text}<extra></extra>",
    }
    return {
        "data": [trace],
        "layout": layout(
            320,
            xaxis=axis(
                type="linear",
                title={"text": "seconds since the first planned message (wall)"},
            ),
            yaxis=_milliseconds_log(),
        ),
        "narrow": {"height": 320},
    }


def lead_times(rows: Sequence[LeadTimeRow]) -> Picture | None:
    """Lead time per prefecture, signed around zero, with the precision of the sources.

    Returns:
        None if no row has an arrival to count to.
    """
    known = [row for row in rows if row.applicable and _lead(row) is not None]
    if not known:
        return None
    shown = sorted(known, key=lambda row: _lead(row) or 0)[:MOST_ROWS]
    shown.sort(key=rows.index)
    several = len({row.launch for row in known}) > 1
    labels = list(dict.fromkeys(_lead_label(row, several=several) for row in shown))
    traces = []
    for kind, label, pattern in (
        ("predicted", "to the predicted arrival", ""),
        ("true", "to the true arrival", "x"),
    ):
        chosen = [row for row in shown if row.kind == kind]
        if not chosen:
            continue
        values = [(_lead(row) or 0) / NS_PER_S for row in chosen]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": label,
                "y": [_lead_label(row, several=several) for row in chosen],
                "x": values,
                "error_x": {
                    "type": "data",
                    "array": [row.precision_ns / NS_PER_S for row in chosen],
                    "color": "@ink",
                    "thickness": 1.5,
                    "visible": any(row.precision_ns for row in chosen),
                },
                "text": [_lead_text(row) for row in chosen],
                "textposition": "none",
                "marker": {
                    "color": ["@loss" if value < 0 else "@gain" for value in values],
                    "pattern": {"shape": pattern, "fillmode": "replace", "size": 7},
                },
                "hovertemplate": "%{y}: %{text}<extra>" + label + "</extra>",
            }
        )
    height = 130 + ROW_PX * len(labels) * len(traces)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="group",
            bargap=0.35,
            xaxis=axis(
                type="linear",
                zeroline=True,
                zerolinecolor="@zero",
                zerolinewidth=2,
                range=_around_zero(shown, label_share=0.22),
                title={"text": "seconds: left of zero the warning came after the arrival"},
            ),
            yaxis=rows_axis(labels),
            annotations=_lead_labels(shown, several=several),
        ),
        "narrow": {
            "height": height + LEGEND_ROW_PX * len(traces),
            "xaxis": {
                "nticks": 5,
                "title": {"text": "seconds (negative: too late)"},
                "range": _around_zero(shown, label_share=0.05),
            },
            "annotations": [],
        },
    }


def _around_zero(rows: Sequence[LeadTimeRow], *, label_share: float) -> list[float]:
    """A range with room for the precision at one end and for labels at the other end of zero."""
    low = min(0, *((_lead(row) or 0) - row.precision_ns for row in rows)) / NS_PER_S
    high = max(0, *((_lead(row) or 0) + row.precision_ns for row in rows)) / NS_PER_S
    span = max(high - low, 1)
    latest = max(_lead(row) or 0 for row in rows)
    earliest = min(_lead(row) or 0 for row in rows)
    left = label_share if earliest >= 0 else 0.05
    right = label_share if latest <= 0 else 0.05
    return [low - span * left, high + span * right]


def _lead_labels(rows: Sequence[LeadTimeRow], *, several: bool) -> list[dict[str, Any]]:
    """Each prefecture's figures, on the side of zero that its bars leave free."""
    labels: dict[str, list[LeadTimeRow]] = {}
    for row in rows:
        labels.setdefault(_lead_label(row, several=several), []).append(row)
    both = len({row.kind for row in rows}) > 1
    written = []
    for label, of_label in labels.items():
        signs = {(_lead(row) or 0) > 0 for row in of_label}
        if len(signs) > 1:
            continue  # both sides of zero are taken: the table has the figures
        early = signs.pop()
        texts = [f"{row.kind} {_lead_text(row)}" if both else _lead_text(row) for row in of_label]
        written.append(
            {
                "x": 0,
                "y": label,
                "text": ", ".join(texts),
                "showarrow": False,
                "xanchor": "right" if early else "left",
                "xshift": -8 if early else 8,
                "font": {"size": 12, "color": "@ink"},
            }
        )
    return written


def _lead_text(row: LeadTimeRow) -> str:
    return f"{words.lead(_lead(row))} {words.precision(row.precision_ns)}".strip()


def _lead(row: LeadTimeRow) -> int | None:
    return row.lead_median_ns if row.lead_median_ns is not None else row.model_term_ns


def _lead_label(row: LeadTimeRow, *, several: bool) -> str:
    name = words.prefecture(row.prefecture)
    return safe(f"{name} · {row.launch}" if several and row.launch else name)


def ledger(groups: Sequence[GroupCounts]) -> Picture | None:
    """What became of every expected delivery, a bar per prefecture.

    Returns:
        None if nothing was expected.
    """
    known = [group for group in groups if group.counts.expected]
    if not known:
        return None
    rows = [safe(words.prefecture(group.name)) for group in known]
    traces = []
    for outcome, (role, pattern) in _OUTCOME_STYLES.items():
        counts = [getattr(group.counts, outcome) for group in known]
        if not any(counts):
            continue
        label = words.OUTCOMES[outcome][0]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": f"{label} ({sum(counts):,})",
                "y": rows,
                "x": counts,
                "text": [
                    f"{count:,} of {group.counts.expected:,}"
                    for count, group in zip(counts, known, strict=True)
                ],
                "textposition": "none",
                "marker": {
                    "color": role,
                    "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": "@page"},
                },
                "hovertemplate": "%{y}, " + label + ": %{text}<extra></extra>",
            }
        )
    height = 120 + ROW_PX * len(rows)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="stack",
            bargap=0.35,
            xaxis=axis(type="linear", title={"text": "expected deliveries"}, tickformat=",d"),
            yaxis=rows_axis(rows),
        ),
        "narrow": {"height": height + 30, "xaxis": {"nticks": 5}},
    }
