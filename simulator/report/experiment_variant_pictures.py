"""The pictures of variants: tornado, Sobol indices, responses, the trade-off.

Rule of the module: as :mod:`simulator.report.experiment_pictures`.
"""

from typing import Any, Final

from simulator.experiment.summary import ExperimentSummary, FigureSummary, PairedSummary
from simulator.report.drawing import (
    MOST_ROWS,
    ROW_PX,
    Picture,
    axis,
    layout,
    rows_axis,
    safe,
)
from simulator.report.experiment_words import amount, change, name_of
from simulator.units import NS_PER_S

_ROLES: Final = ("@stage", "@belief", "@send", "@truth", "@correct", "@transit")
_MOST_SERIES: Final = 10
_MOST_MARKS: Final = 600
_LEAD: Final = "predicted_lead_time_ns"
_NEEDLESS: Final = "alerted_needlessly_people"


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
    chosen = [share for share in summary.shares if share.column == column and share.total > 0]
    chosen = chosen[:MOST_ROWS]
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
    for point, figure in found[:_MOST_MARKS]:
        rest = " ".join(f"{k}={v}" for k, v in point.settings.items() if k != first)
        series.setdefault(rest if summary.design == "grid" else "variants", []).append(
            (point.settings[first], figure)
        )
    values = list(dict.fromkeys(point.settings[first] for point, _ in found))
    ordered = summary.design == "grid" and all(value[:1].isdigit() for value in values)
    traces = []
    for number, (label, items) in enumerate(list(series.items())[:_MOST_SERIES]):
        role = _ROLES[number % len(_ROLES)]
        widths = [
            0.0 if one.student is None else (one.student[1] - one.student[0]) / 2
            for _, one in items
        ]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if ordered else "markers",
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
    chosen = []
    for point in summary.points[:_MOST_MARKS]:
        means = {figure.column: figure.mean for figure in point.figures}
        if _LEAD in means and _NEEDLESS in means:
            chosen.append((safe(point.name), means[_LEAD], means[_NEEDLESS]))
    if len(chosen) <= 1:
        return None
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers+text" if len(chosen) <= _MOST_SERIES else "markers",
                "textposition": "top center",
                "cliponaxis": False,
                "name": "variant",
                "x": [round(one[2]) for one in chosen],
                "y": [_plain(_LEAD, one[1]) for one in chosen],
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
            yaxis=axis(title={"text": "shortest predicted lead time of all warned prefectures, s"}),
        ),
        "narrow": {"height": 420},
    }


def _plain(column: str, value: float) -> float:
    """In seconds where the column is a duration."""
    return round(value / NS_PER_S, 3) if column.endswith("_ns") else round(value, 3)


def _unit(column: str) -> str:
    return ", s" if column.endswith("_ns") else ""
