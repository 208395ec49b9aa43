"""Per prefecture: the simulated stages before its warning, and beside them the measured delivery.

Rule of the module: as :mod:`simulator.report.drawing`. Two panels with axes of their own, minutes
of the scenario and milliseconds of the wall, never added up: what is simulated is hatched and
pale, what was measured is solid.
"""

from collections.abc import Sequence
from typing import Any, Final

from simulator.measure.summary import AlertShown, LatencyRow, Summary
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
from simulator.units import NS_PER_MIN, NS_PER_MS

_PATTERNS: Final = ("/", "\\", "x", "-", "|", "+", ".")
_MIDDLE: Final = 50.0
_P99: Final = 99.0


def stages_and_segments(summary: Summary) -> Picture | None:
    """A row per prefecture; None where no message passed stages and nothing was delivered."""
    warned = _first_warnings(summary)
    delivered = [
        row
        for row in summary.latency
        if (row.population, row.segment) == ("live", "delivery") and row.prefecture and row.n
    ][:MOST_ROWS]
    slugs = list(dict.fromkeys([*warned, *(row.prefecture or "" for row in delivered)]))
    if not warned or not delivered:
        return None
    traces = [*_stages(warned), *_delivered(delivered)]
    height = 140 + ROW_PX * max(len(slugs), 2)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="overlay",
            bargap=0.35,
            xaxis=axis(
                type="linear",
                domain=[0, 0.62],
                rangemode="tozero",
                title={"text": "simulated: minutes since the launch (scenario)"},
            ),
            xaxis2=axis(
                type="linear",
                domain=[0.68, 1],
                rangemode="tozero",
                nticks=5,
                title={"text": "measured: milliseconds (wall)"},
            ),
            yaxis=rows_axis([_name(slug) for slug in slugs]),
        ),
        "narrow": {
            "height": height + LEGEND_ROW_PX * len(traces),
            "xaxis": {"nticks": 4, "title": {"text": "simulated, min"}},
            "xaxis2": {"nticks": 3, "title": {"text": "measured, ms"}},
            "yaxis": {"tickfont": {"size": 11}},
        },
    }


def _name(slug: str) -> str:
    return safe(words.prefecture(slug))


def _first_warnings(summary: Summary) -> dict[str, AlertShown]:
    """The first message of each prefecture that passed stages."""
    found = {}
    for place in summary.timeline[:MOST_ROWS]:
        passed = [alert for alert in place.alerts if alert.stages]
        if passed:
            found[place.prefecture] = min(passed, key=lambda alert: (alert.issue_ns, alert.number))
    return found


def _stages(warned: dict[str, AlertShown]) -> list[dict[str, Any]]:
    """One trace a stage: bars where each took place, counted from the start of the first."""
    names = dict.fromkeys(stage.name for alert in warned.values() for stage in alert.stages)
    traces = []
    for number, name in enumerate(names):
        passed = [
            (slug, stage.started_ns - alert.stages[0].started_ns, stage)
            for slug, alert in warned.items()
            for stage in alert.stages
            if stage.name == name
        ]
        spans = [stage.ended_ns - stage.started_ns for _, _, stage in passed]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": f"simulated: {name}",
                "y": [_name(slug) for slug, _, _ in passed],
                "base": [round(start / NS_PER_MIN, 4) for _, start, _ in passed],
                "x": [round(span / NS_PER_MIN, 4) for span in spans],
                "text": [words.span(span) for span in spans],
                "textposition": "none",
                "marker": {
                    "color": "@stage-pale",
                    "line": {"color": "@stage", "width": 1},
                    "pattern": {
                        "shape": _PATTERNS[number % len(_PATTERNS)],
                        "fillmode": "overlay",
                        "fgcolor": "@stage",
                        "size": 7,
                    },
                },
                "hovertemplate": f"%{{y}}, {safe(name)}: %{{text}}<extra>simulated</extra>",
            }
        )
    return traces


def _delivered(rows: Sequence[LatencyRow]) -> list[dict[str, Any]]:
    """The middle delivery as a bar, with a whisker to p99, or to the largest where n is small."""
    middle = [_at(row, _MIDDLE) or row.mean_ns or 0 for row in rows]
    far = [_at(row, _P99) or row.max_ns or 0 for row in rows]
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": "measured: delivery, middle, and up to p99",
            "xaxis": "x2",
            "y": [_name(row.prefecture or "") for row in rows],
            "x": [round(value / NS_PER_MS, 4) for value in middle],
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [
                    round(max(end - value, 0) / NS_PER_MS, 4)
                    for end, value in zip(far, middle, strict=True)
                ],
                "arrayminus": [0] * len(rows),
                "color": "@ink",
                "thickness": 1.5,
            },
            "text": [
                f"{words.measured(value)}, p99 {words.measured(_at(row, _P99))}, largest "
                f"{words.measured(row.max_ns)} (n = {row.n:,})"
                for row, value in zip(rows, middle, strict=True)
            ],
            "textposition": "none",
            "marker": {"color": "@transit"},
            "hovertemplate": "%{y}: %{text}<extra>measured</extra>",
        }
    ]


def _at(row: LatencyRow, percent: float) -> int | None:
    return next((one.value_ns for one in row.quantiles if one.percent == percent), None)
