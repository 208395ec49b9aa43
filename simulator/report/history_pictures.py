"""The pictures of a history: a figure by run, with its levels and bands.

Rule of the module: as :mod:`simulator.report.drawing`; a run without the figure leaves a gap.
"""

from collections.abc import Sequence
from typing import Any, Final

from simulator.measure.history import RunShown, TrendSummary
from simulator.report import words
from simulator.report.drawing import Picture, axis, layout, safe
from simulator.report.history_words import trend_name
from simulator.units import NS_PER_MS

_HEIGHT: Final = 300


def trend_picture(trend: TrendSummary, runs: Sequence[RunShown]) -> Picture | None:
    """Runs as marks, levels as lines, bands behind them.

    Returns:
        None of fewer than two runs: there is no trend to look at.
    """
    known = [number for number, point in enumerate(trend.points) if point.value is not None]
    if len(known) <= 1:
        return None
    scale = NS_PER_MS if trend.unit == "ns" else 1
    unit = "milliseconds (wall)" if trend.unit == "ns" else "count"
    title = "runs, the newest on the right"
    return {
        "data": [*_bands(trend, scale), *_levels(trend, scale), _marks(trend, runs, known, scale)],
        "layout": layout(
            _HEIGHT,
            xaxis=axis(type="linear", title={"text": title}, tickformat="d"),
            yaxis=axis(type="linear", title={"text": unit}, rangemode="tozero"),
        ),
        "narrow": {"height": _HEIGHT},
    }


def _bands(trend: TrendSummary, scale: float) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    for level in trend.levels:
        if level.band is None:
            continue
        left, right = level.first + 0.5, level.last + 1.5
        low, high = (end / scale for end in level.band)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "where about 19 of 20 runs lie",
                "showlegend": not traces,
                "x": [left, right, right, left, left],
                "y": [low, low, high, high, low],
                "fill": "toself",
                "fillcolor": "@grid",
                "line": {"width": 0},
                "hoverinfo": "skip",
            }
        )
    return traces


def _levels(trend: TrendSummary, scale: float) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "median since the last change",
            "showlegend": number == 0,
            "x": [level.first + 0.5, level.last + 1.5],
            "y": [level.median / scale, level.median / scale],
            "line": {"color": "@ink", "width": 1.5, "dash": "dash"},
            "hoverinfo": "skip",
        }
        for number, level in enumerate(trend.levels)
    ]


def _marks(
    trend: TrendSummary, runs: Sequence[RunShown], known: Sequence[int], scale: float
) -> dict[str, Any]:
    points = [trend.points[number] for number in known]
    unit = " ms" if trend.unit == "ns" else ""
    values = [(point.value or 0.0) / scale for point in points]
    ends = [point.interval or (point.value or 0.0,) * 2 for point in points]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{trend_name(trend)} of a run, with its interval ({len(known):,} runs)",
        "x": [number + 1 for number in known],
        "y": values,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [
                max(0.0, high / scale - one) for (_, high), one in zip(ends, values, strict=True)
            ],
            "arrayminus": [
                max(0.0, one - low / scale) for (low, _), one in zip(ends, values, strict=True)
            ],
            "color": "@transit",
            "thickness": 1.2,
            "width": 2,
            "visible": trend.unit == "ns",
        },
        # Names and figures alone: a thousand sentences would have to be said in both languages.
        "text": [
            f"{safe(runs[number].run)}<br>{safe(words.moment(runs[number].started))}"
            for number in known
        ],
        "marker": {"color": "@transit", "size": 7, "symbol": "circle"},
        "hovertemplate": f"%{{text}}<br>%{{y:.4~g}}{unit}<extra></extra>",
    }
