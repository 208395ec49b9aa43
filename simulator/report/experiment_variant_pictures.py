"""The pictures of variants: tornado, Sobol indices, responses, the trade-off.

Rule of the module: as :mod:`simulator.report.experiment_pictures`.
"""

from collections.abc import Sequence
from typing import Any, Final

from simulator.experiment.summary import (
    ExperimentSummary,
    PairedSummary,
    PointSummary,
    SwingSummary,
)
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
from simulator.report.experiment_words import change, name_of
from simulator.units import NS_PER_S, parse_duration

_ROLES: Final = ("@stage", "@belief", "@send", "@truth", "@correct", "@transit")
_MARKS: Final = ("circle", "diamond", "square", "triangle-up", "cross", "x")
_MOST_SERIES: Final = 10
_MOST_MARKS: Final = 600
_MOST_NAMED: Final = 40
_LEAD: Final = "predicted_lead_time_ns"
_NEEDLESS: Final = "alerted_needlessly_people"
_VISIBLE: Final = 0.002
_FAINT: Final = 0.25
_MARGIN: Final = 0.08
AS_IT_IS: Final = "0, as it is"


def tornado(summary: ExperimentSummary, column: str) -> Picture | None:
    """How far a figure moves with each assumption; the longest bar on top."""
    chosen = [swing for swing in summary.swings if swing.column == column][:MOST_ROWS]
    if not chosen:
        return None
    longest = max(_reach(swing) for swing in chosen)
    chosen = [swing for swing in chosen if _reach(swing) >= longest * _VISIBLE]
    chosen.sort(key=is_chance)  # what chance may have done stands below what is told apart
    rows = [_swing_row(swing) for swing in chosen]
    traces = []
    for high in (False, True):
        trace = _swing_bars(
            column, rows, [s.at_high if high else s.at_low for s in chosen], high=high
        )
        trace["text"] = [s.high if high else s.low for s in chosen]
        trace["marker"]["opacity"] = [_FAINT if is_chance(s) else 1 for s in chosen]
        traces.append(trace)
    return {
        "data": traces,
        "layout": layout(
            120 + (ROW_PX + 8) * len(rows),
            barmode="overlay",
            xaxis=axis(
                title={"text": f"change of {name_of(column)}{_unit(column)}"},
                zeroline=True,
                zerolinecolor="@ink",
            ),
            yaxis=rows_axis(rows),
        ),
        "narrow": {
            "height": 120 + (ROW_PX + 8) * len(rows) + LEGEND_ROW_PX,
            "xaxis": {"title": {"text": f"change{_unit(column)}"}, "nticks": 4},
            "yaxis": {"tickfont": {"size": 10}},
        },
    }


def is_chance(swing: SwingSummary) -> bool:
    """Whether the figure may not move at all: the intervals of both ends hold zero, or are none."""
    ends = (swing.at_low.student, swing.at_high.student)
    return all(end is None or end[0] <= 0 <= end[1] for end in ends)


def _swing_row(swing: SwingSummary) -> str:
    label = f"<b>{safe(swing.path)}</b><br>{safe(swing.low)} to {safe(swing.high)}"
    return f"{label} · within chance" if is_chance(swing) else label


def _reach(swing: SwingSummary) -> float:
    return max(abs(swing.at_low.mean), abs(swing.at_high.mean))


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


def response(summary: ExperimentSummary, column: str, path: str = "") -> Picture | None:
    """How a figure changes along one axis: of a grid, a line for each value of the others.

    Differences from the scenario as it is are drawn, not the figures: under the same random numbers
    they are far better known.

    Args:
        summary: of the experiment.
        column: the figure.
        path: the axis; the first if it is not said.
    """
    found = [
        (point, figure)
        for point in summary.points
        if point.number
        for figure in point.differences
        if figure.column == column
    ][:_MOST_MARKS]
    if not found or not summary.varied:
        return None
    along = path or summary.varied[0]
    values = list(dict.fromkeys(point.settings[along] for point, _ in found))
    scattered = summary.design == "lhs" and numbers(values) is not None
    series: dict[str, list[tuple[str | float, PairedSummary]]] = {}
    for point, figure in found:
        place = (numbers([point.settings[along]]) or [0.0])[0] if scattered else None
        series.setdefault(_series(summary, point), []).append(
            (point.settings[along] if place is None else place, figure)
        )
    shown = list(series.items())[:_MOST_SERIES]
    ordered = summary.design == "grid" and numbers(values) is not None
    traces = [
        _response_line(column, number, label or along, items, ordered=ordered)
        for number, (label, items) in enumerate(shown)
    ]
    across = (
        axis(title={"text": safe(along) + _axis_unit(values)})
        if scattered
        else axis(
            type="category",
            categoryorder="array",
            categoryarray=values,
            title={"text": safe(along)},
        )
    )
    # Marks at the same value stand side by side, so that no interval hides another.
    grouped = {} if scattered else {"scattermode": "group", "scattergap": 0.6}
    return {
        "data": traces,
        "layout": layout(
            400,
            **grouped,
            showlegend=len(traces) > 1,
            xaxis=across,
            yaxis=axis(
                title={"text": f"change of {name_of(column)}{_unit(column)}"},
                range=_range(column, [figure for _, figure in found]),
                zeroline=True,
                zerolinecolor="@ink",
            ),
        ),
        "narrow": {
            "height": 440 + LEGEND_ROW_PX * len(traces),
            "xaxis": {"nticks": 5} if scattered else {"tickangle": -30},
        },
    }


def numbers(values: Sequence[str]) -> list[float] | None:
    """Settings as numbers: seconds, factors or plain numbers; None if one of them is a word."""
    found = []
    for value in values:
        try:
            found.append(float(value.removesuffix("x")))
        except ValueError:
            try:
                found.append(parse_duration(value) / NS_PER_S)
            except ValueError:
                return None
    return found


def _axis_unit(values: Sequence[str]) -> str:
    if all(value.endswith("x") for value in values):
        return ", times what the scenario has"
    return "" if all(value[-1:].isdigit() for value in values) else ", s"


def _range(column: str, found: Sequence[PairedSummary]) -> list[float]:
    """A range that holds every interval, and nothing."""
    ends = [0.0] + [_plain(column, end) for one in found for end in one.student or (one.mean,)]
    margin = _MARGIN * (max(ends) - min(ends)) or 1.0
    return [min(ends) - margin, max(ends) + margin]


def _series(summary: ExperimentSummary, point: PointSummary) -> str:
    """What a point of a grid has in common with those along the first axis."""
    if summary.design != "grid":
        return "variants"
    first = summary.varied[0]
    return " ".join(f"{path}={value}" for path, value in point.settings.items() if path != first)


def _response_line(
    column: str,
    number: int,
    label: str,
    items: Sequence[tuple[str | float, PairedSummary]],
    *,
    ordered: bool,
) -> dict[str, Any]:
    role = _ROLES[number % len(_ROLES)]
    widths = [
        0.0 if one.student is None else (one.student[1] - one.student[0]) / 2 for _, one in items
    ]
    return {
        "type": "scatter",
        "mode": "lines+markers" if ordered else "markers",
        "name": safe(label),
        "offsetgroup": str(number),
        "x": [value for value, _ in items],
        "y": [_plain(column, one.mean) for _, one in items],
        "error_y": {
            "type": "data",
            "array": [_plain(column, width) for width in widths],
            "color": role,
            "thickness": 1.5,
        },
        "text": [change(column, one.mean) for _, one in items],
        "line": {"color": role, "width": 2},
        "marker": {
            "color": role,
            "size": 9,
            "symbol": _MARKS[number % len(_MARKS)],
            "line": {"color": "@ink", "width": 1},
        },
        "hovertemplate": "%{x}: %{text}<extra>" + safe(label) + "</extra>",
    }


def trade_off(summary: ExperimentSummary) -> Picture | None:
    """Lead time against people alerted needlessly; None without people.

    Marks are named by the number of their point, which the tables explain; those that differ only
    in the first axis are joined to a curve if it has an order: numbers, not words.
    """
    series: dict[str, list[tuple[PointSummary, float, float]]] = {}
    for point in summary.points[:_MOST_MARKS]:
        means = {figure.column: figure.mean for figure in point.figures}
        if _LEAD in means and _NEEDLESS in means:
            label = _series(summary, point) if point.number else AS_IT_IS
            series.setdefault(label, []).append((point, means[_NEEDLESS], means[_LEAD]))
    if sum(map(len, series.values())) <= 1:
        return None
    shown = list(series.items())[: _MOST_SERIES + 1]
    return {
        "data": [_curve(summary, number, label, items) for number, (label, items) in
                 enumerate(shown)],
        "layout": layout(
            440,
            showlegend=len(shown) > 1,
            xaxis=axis(title={"text": "people alerted who need not have been"}),
            yaxis=axis(title={"text": "shortest predicted lead time, s"}),
        ),
        "narrow": {
            "height": 440 + LEGEND_ROW_PX * len(shown),
            "yaxis": {"title": {"text": "shortest predicted lead time, s"}},
            "xaxis": {"nticks": 4},
        },
    }  # fmt: skip


def _curve(
    summary: ExperimentSummary,
    number: int,
    label: str,
    items: list[tuple[PointSummary, float, float]],
) -> dict[str, Any]:
    base = label == AS_IT_IS
    items = sorted(items, key=lambda item: item[1])
    role = "@alert" if base else _ROLES[(number - 1) % len(_ROLES)]
    values = [point.settings.get(summary.varied[0], "") for point, _, _ in items]
    joined = summary.design == "grid" and not base and numbers(values) is not None
    return {
        "type": "scatter",
        "mode": ("lines+" if joined else "")
        + ("markers" if len(items) > _MOST_NAMED else "markers+text"),
        "name": safe(label or summary.varied[0]),
        "x": [round(people) for _, people, _ in items],
        "y": [_plain(_LEAD, lead) for _, _, lead in items],
        "text": [str(point.number) for point, _, _ in items],
        "textposition": "top center",
        "cliponaxis": False,
        "customdata": [safe(point.name) for point, _, _ in items],
        "line": {"color": role, "width": 1.5, "dash": "dot"},
        "marker": {
            "color": role,
            "size": 13 if base else 9,
            "symbol": "star" if base else _MARKS[(number - 1) % len(_MARKS)],
            "line": {"color": "@ink", "width": 1},
        },
        "hovertemplate": "%{customdata}<br>%{y:.0f} s, %{x:,} people<extra></extra>",
    }


def _plain(column: str, value: float) -> float:
    """In seconds where the column is a duration."""
    return round(value / NS_PER_S, 3) if column.endswith("_ns") else round(value, 3)


def _unit(column: str) -> str:
    return ", s" if column.endswith("_ns") else ""
