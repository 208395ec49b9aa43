"""The pictures of an experiment, in the form that plotly.js reads.

Rule of the module: as :mod:`simulator.report.drawing`: dictionaries of numbers and text, few enough
points for a page that stays small.
"""

from typing import Any, Final

import numpy as np

from simulator.experiment.estimates import FEWEST, Floats
from simulator.experiment.summarise import Rows
from simulator.experiment.summary import ExperimentSummary, FigureSummary, PairedSummary
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
from simulator.report.experiment_words import amount, change, name_of
from simulator.units import NS_PER_MIN, NS_PER_S

_STAGE_STYLES: Final = (
    ("@stage", ""),
    ("@belief", "/"),
    ("@send", "\\"),
    ("@truth", "x"),
    ("@correct", "."),
    ("@transit", "-"),
)
_TENTH: Final = 10
_CURVE_POINTS: Final = 150
_BY_TIME: Final = (
    ("alert_ns", "first alert", "@alert", "solid"),
    ("closing_ns", "closing message", "@clear", "dash"),
)
_Z: Final = 1.96


def stage_split(rows: Rows, replications: int) -> Picture | None:
    """The time from launch to first alert by stage: all, fastest tenth, slowest tenth.

    Args:
        rows: the table.
        replications: of point 0, the first rows.
    """
    stages = [name for name in rows.columns if name.startswith("stage_") and name.endswith("_ns")]
    if not stages or "alert_ns" not in rows.columns:
        return None
    alert = rows.column("alert_ns")[:replications]
    groups = _groups(alert)
    if not groups:
        return None
    traces = []
    for number, stage in enumerate(stages):
        spent = rows.column(stage)[:replications]
        role, shape = _STAGE_STYLES[number % len(_STAGE_STYLES)]
        means = [float(np.nanmean(spent[chosen])) for chosen in groups.values()]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name_of(stage).removeprefix("stage "),
                "y": list(groups),
                "x": [round(mean / NS_PER_MIN, 3) for mean in means],
                "text": [amount(stage, mean) for mean in means],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "marker": {
                    "color": role,
                    "line": {"color": "@ink", "width": 1},
                    "pattern": {
                        "shape": shape, "fillmode": "overlay", "fgcolor": "@page",
                        "fgopacity": 0.4, "size": 7,
                    },
                },
                "hovertemplate": "%{y}: %{text}<extra>" + safe(name_of(stage)) + "</extra>",
            }
        )  # fmt: skip
    return {
        "data": traces,
        "layout": layout(
            130 + 2 * ROW_PX * len(groups),
            barmode="stack",
            xaxis=axis(title={"text": "minutes after the launch (scenario time)"}),
            yaxis=rows_axis(list(groups)),
        ),
        "narrow": {"height": 130 + 2 * ROW_PX * len(groups) + 3 * LEGEND_ROW_PX},
    }


def _groups(alert: Floats) -> dict[str, Any]:
    """Which replications are shown together."""
    there = np.flatnonzero(~np.isnan(alert))
    if not len(there):
        return {}
    groups: dict[str, Any] = {f"all {len(there):,}": there}
    tenth = len(there) // _TENTH
    if tenth >= FEWEST:
        order = there[np.argsort(alert[there], kind="stable")]
        groups["fastest tenth"] = order[:tenth]
        groups["slowest tenth"] = order[-tenth:]
    return groups


def by_time(rows: Rows, replications: int) -> Picture | None:
    """Share of replications in which a message is out by a time after the launch."""
    if "alert_ns" not in rows.columns:
        return None
    alert = rows.column("alert_ns")[:replications]
    traces: list[dict[str, Any]] = []
    for column, label, role, dash in _BY_TIME:
        if column not in rows.columns:
            continue
        after = rows.column(column)[:replications]
        times = np.sort((after if column == "alert_ns" else alert + after) / NS_PER_MIN)
        times = times[~np.isnan(times)]
        if len(times) < FEWEST:
            continue
        traces += _curve(times, replications, label, role, dash)
    if not traces:
        return None
    return {
        "data": traces,
        "layout": layout(
            380,
            xaxis=axis(
                title={"text": "minutes after the launch (scenario time)"}, rangemode="tozero"
            ),
            yaxis=axis(title={"text": "share of replications"}, tickformat=".0%", range=[0, 1.02]),
        ),
        "narrow": {"height": 420},
    }


def _curve(times: Floats, whole: int, label: str, role: str, dash: str) -> list[dict[str, Any]]:
    """A curve with its 95 % band (E. B. Wilson's interval of a share, JASA 22 (1927) 209-212)."""
    ranks = np.unique(np.linspace(1, len(times), min(len(times), _CURVE_POINTS)).astype(int))
    share = ranks / whole
    spread = _Z * np.sqrt(share * (1 - share) / whole + _Z**2 / (4 * whole**2))
    middle = (share + _Z**2 / (2 * whole)) / (1 + _Z**2 / whole)
    wide = spread / (1 + _Z**2 / whole)
    at = [round(float(times[rank - 1]), 3) for rank in ranks]
    low = [round(float(value), 4) for value in middle - wide]
    high = [round(float(value), 4) for value in middle + wide]
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": at + at[::-1],
        "y": high + low[::-1],
        "fill": "toself",
        "fillcolor": role,
        "opacity": 0.18,
        "line": {"width": 0, "color": role},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{label} (n = {len(times):,})",
        "x": at,
        "y": [round(float(value), 4) for value in share],
        "line": {"color": role, "dash": dash, "width": 2.5},
        "hovertemplate": "%{y:.1%} by %{x:.1f} min<extra>" + label + "</extra>",
    }
    return [band, line]


def tornado(summary: ExperimentSummary, column: str) -> Picture | None:
    """How far a figure moves with each assumption; the longest bar on top."""
    chosen = [swing for swing in summary.swings if swing.column == column][:MOST_ROWS]
    if not chosen:
        return None
    rows = [safe(swing.path) for swing in chosen]
    traces = [
        _swing_bars(column, rows, [swing.at_low for swing in chosen], high=False),
        _swing_bars(column, rows, [swing.at_high for swing in chosen], high=True),
    ]
    for trace, ends in zip(
        traces, ([s.low for s in chosen], [s.high for s in chosen]), strict=True
    ):
        trace["text"] = ends
    return {
        "data": traces,
        "layout": layout(
            120 + ROW_PX * len(rows),
            barmode="overlay",
            xaxis=axis(title={"text": f"change of {name_of(column)}{_unit(column)}"}),
            yaxis=rows_axis(rows),
        ),
        "narrow": {"yaxis": {"tickfont": {"size": 10}}},
    }


def _swing_bars(
    column: str, rows: list[str], found: list[PairedSummary], *, high: bool
) -> dict[str, Any]:
    label, role, shape = ("high end", "@loss", "/") if high else ("low end", "@gain", "")
    widths = [
        0.0 if one.student is None else (one.student[1] - one.student[0]) / 2 for one in found
    ]
    return {
        "type": "bar",
        "orientation": "h",
        "name": label,
        "y": rows,
        "x": [_plain(column, one.mean) for one in found],
        "customdata": [change(column, one.mean) for one in found],
        "error_x": {
            "type": "data",
            "array": [_plain(column, width) for width in widths],
            "color": "@ink",
            "thickness": 1,
        },
        "marker": {
            "color": role,
            "line": {"color": "@ink", "width": 1},
            "pattern": {"shape": shape, "fillmode": "overlay", "fgcolor": "@page", "size": 7},
        },
        "textposition": "none",
        "hovertemplate": "%{y} = %{text}: %{customdata}<extra></extra>",
    }


def shares(summary: ExperimentSummary, column: str) -> Picture | None:
    """Sobol indices, total and alone, with their intervals."""
    chosen = [share for share in summary.shares if share.column == column][:MOST_ROWS]
    if not chosen:
        return None
    rows = [safe(share.stage.replace("_", "-")) for share in chosen]
    totals = [(share.total, share.total_interval) for share in chosen]
    alone = [(share.first, share.first_interval) for share in chosen]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": label,
            "y": rows,
            "x": [round(value, 4) for value, _ in values],
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [round(max(0.0, ends[1] - value), 4) for value, ends in values],
                "arrayminus": [round(max(0.0, value - ends[0]), 4) for value, ends in values],
                "color": "@ink",
                "thickness": 1,
            },
            "marker": {
                "color": role,
                "line": {"color": "@ink", "width": 1},
                "pattern": {"shape": shape, "fillmode": "overlay", "fgcolor": "@page", "size": 7},
            },
            "hovertemplate": "%{y}: %{x:.1%}<extra>" + label + "</extra>",
        }
        for label, values, role, shape in (
            ("total", totals, "@stage", ""),
            ("alone", alone, "@belief", "/"),
        )
    ]
    return {
        "data": traces,
        "layout": layout(
            120 + 2 * ROW_PX * len(rows),
            barmode="group",
            xaxis=axis(title={"text": "share of the variance"}, tickformat=".0%"),
            yaxis=rows_axis(rows),
        ),
        "narrow": {},
    }


def response(summary: ExperimentSummary, column: str) -> Picture | None:
    """A figure over the variants: along the first axis, a line for each value of the others."""
    found = [
        (point, figure)
        for point in summary.points
        if point.number
        for figure in point.figures
        if figure.column == column
    ]
    if not found or not summary.varied:
        return None
    first = summary.varied[0]
    series: dict[str, list[tuple[str, FigureSummary]]] = {}
    for point, figure in found[: MOST_ROWS * len(_STAGE_STYLES)]:
        rest = " ".join(f"{k}={v}" for k, v in point.settings.items() if k != first)
        series.setdefault(rest if summary.design == "grid" else "variants", []).append(
            (point.settings[first], figure)
        )
    values = list(dict.fromkeys(point.settings[first] for point, _ in found))
    traces = []
    for number, (label, items) in enumerate(list(series.items())[:_TENTH]):
        role, _ = _STAGE_STYLES[number % len(_STAGE_STYLES)]
        widths = [
            0.0 if one.student is None else (one.student[1] - one.student[0]) / 2
            for _, one in items
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if summary.design == "grid" else "markers",
                "name": safe(label or first),
                "x": [value for value, _ in items],
                "y": [_plain(column, one.mean) for _, one in items],
                "error_y": {
                    "type": "data",
                    "array": [_plain(column, width) for width in widths],
                    "color": role,
                    "thickness": 1.5,
                },
                "text": [amount(column, one.mean) for _, one in items],
                "line": {"color": role, "width": 2},
                "marker": {"color": role, "size": 8},
                "hovertemplate": "%{x}: %{text}<extra>" + safe(label) + "</extra>",
            }
        )
    return {
        "data": traces,
        "layout": layout(
            400,
            xaxis=axis(
                type="category",
                categoryorder="array",
                categoryarray=values,
                title={"text": safe(first)},
            ),
            yaxis=axis(title={"text": f"{name_of(column)}{_unit(column)}"}),
        ),
        "narrow": {"height": 440},
    }


def trade_off(summary: ExperimentSummary) -> Picture | None:
    """Lead time against people alerted needlessly; None without people."""
    lead, needless = "predicted_lead_time_ns", "alerted_needlessly_people"
    chosen = []
    for point in summary.points[: MOST_ROWS * _TENTH]:
        means = {figure.column: figure.mean for figure in point.figures}
        if lead in means and needless in means:
            chosen.append((safe(point.name), means[lead], means[needless]))
    if len(chosen) <= 1:
        return None
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "name": "variant",
                "x": [round(one[2]) for one in chosen],
                "y": [_plain(lead, one[1]) for one in chosen],
                "text": [one[0] for one in chosen],
                "marker": {
                    "color": "@alert",
                    "size": 10,
                    "symbol": ["diamond", *["circle"] * (len(chosen) - 1)],
                    "line": {"color": "@ink", "width": 1},
                },
                "hovertemplate": "%{text}<br>%{y:.0f} s, %{x:,} people<extra></extra>",
            }
        ],
        "layout": layout(
            400,
            showlegend=False,
            xaxis=axis(title={"text": "people alerted who need not have been"}),
            yaxis=axis(title={"text": "predicted lead time, s"}),
        ),
        "narrow": {"height": 420},
    }


def _plain(column: str, value: float) -> float:
    """In seconds where the column is a duration."""
    return round(value / NS_PER_S, 3) if column.endswith("_ns") else round(value, 3)


def _unit(column: str) -> str:
    return ", s" if column.endswith("_ns") else ""
