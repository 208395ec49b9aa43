"""The pictures of a comparison: the trade-off, who is warned by when, where the minutes go.

Rule of the module: as :mod:`simulator.report.experiment_pictures`. A side has the same colour, mark
and dash in every picture.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from simulator.experiment.comparison import ComparisonSummary, CurveSummary, MetricSummary
from simulator.experiment.contrast import Side, column_of
from simulator.experiment.estimates import Floats
from simulator.report.comparison_words import NEEDLESS, lead_of, letter, metric_of
from simulator.report.drawing import LEGEND_ROW_PX, ROW_PX, Picture, axis, layout, rows_axis, safe
from simulator.report.experiment_pictures import STAGE_STYLES, warned_over_time
from simulator.report.experiment_words import amount, name_of
from simulator.units import NS_PER_MIN, NS_PER_S

_ROLES: Final = ("@stage", "@alert", "@correct", "@belief", "@send", "@truth")
_MARKS: Final = ("circle", "diamond", "square", "triangle-up", "cross", "star")
_DASHES: Final = ("dash", "solid", "dot", "dashdot", "longdash", "longdashdot")
_MOST_MARKS: Final = 200
_SECONDS: Final = 60
_READABLE: Final = 0.09
_BANDS: Final = ((5.0, 95.0), (25.0, 75.0))
_SHOWN: Final = (0.05, 0.95)
_MARGIN: Final = 0.12


def trade_off(summary: ComparisonSummary, sides: Sequence[Side]) -> Picture | None:
    """Lead time against people alerted needlessly: means on a line, replications around them."""
    lead, needless = lead_of(summary), metric_of(summary, NEEDLESS)
    if lead is None or needless is None:
        return None
    means = [
        (number, people.value, seconds.value)
        for number, (people, seconds) in enumerate(zip(needless.values, lead.values, strict=True))
        if people.value is not None and seconds.value is not None
    ]
    if len(means) <= 1:
        return None
    traces = [_cloud(number, sides[number], lead.metric) for number, _, _ in means]
    line = sorted(means, key=lambda one: one[1])
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "showlegend": False,
            "x": [round(people) for _, people, _ in line],
            "y": [round(seconds / NS_PER_S, 2) for _, _, seconds in line],
            "line": {"color": "@ink", "width": 1.5, "dash": "dot"},
            "hoverinfo": "skip",
        }
    )
    traces += [_mean(number, lead, needless) for number, _, _ in means]
    return {
        "data": traces,
        "layout": layout(
            440,
            xaxis=axis(title={"text": "people alerted who need not have been"}, rangemode="tozero"),
            yaxis=axis(
                title={"text": f"shortest {name_of(lead.metric)}, s"}, range=_most_of(traces, line)
            ),
        ),
        "narrow": {"height": 440 + LEGEND_ROW_PX * len(means)},
    }


def _most_of(
    traces: Sequence[Mapping[str, Any]], line: Sequence[tuple[int, float, float]]
) -> list[float]:
    """A range that holds every mean and all replications but the farthest few of each side."""
    ends = [seconds / NS_PER_S for _, _, seconds in line]
    for trace in traces[: len(line)]:
        ends += np.quantile(trace["y"], _SHOWN).tolist() if trace["y"] else []
    margin = _MARGIN * (max(ends) - min(ends)) or 1.0
    return [round(min(ends) - margin, 1), round(max(ends) + margin, 1)]


def _cloud(number: int, side: Side, lead: str) -> dict[str, Any]:
    """The first replications of a side, faint."""
    people, seconds = column_of(side, NEEDLESS), column_of(side, lead)
    there = np.flatnonzero(~(np.isnan(people) | np.isnan(seconds)))[:_MOST_MARKS]
    return {
        "type": "scatter",
        "mode": "markers",
        "showlegend": False,
        "x": _whole(people[there]),
        "y": [round(float(value) / NS_PER_S, 1) for value in seconds[there]],
        "marker": {
            "color": _ROLES[number % len(_ROLES)],
            "symbol": _MARKS[number % len(_MARKS)],
            "size": 5,
            "opacity": 0.35,
        },
        "hovertemplate": "one replication of "
        + letter(number)
        + ": %{y:.0f} s, %{x:,} people<extra></extra>",
    }


def _mean(number: int, lead: MetricSummary, needless: MetricSummary) -> dict[str, Any]:
    people, seconds = needless.values[number], lead.values[number]
    wide = 0.0 if people.interval is None else (people.interval[1] - people.interval[0]) / 2
    high = 0.0 if seconds.interval is None else (seconds.interval[1] - seconds.interval[0]) / 2
    role = _ROLES[number % len(_ROLES)]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": f"{letter(number)}, mean",
        "x": [round(people.value or 0.0)],
        "y": [round((seconds.value or 0.0) / NS_PER_S, 2)],
        "text": [letter(number)],
        "textposition": "top center",
        "textfont": {"size": 15, "color": "@ink"},
        "cliponaxis": False,
        "error_x": {"type": "data", "array": [round(wide)], "color": "@ink", "thickness": 1.5},
        "error_y": {
            "type": "data",
            "array": [round(high / NS_PER_S, 2)],
            "color": "@ink",
            "thickness": 1.5,
        },
        "marker": {
            "color": role,
            "size": 14,
            "symbol": _MARKS[number % len(_MARKS)],
            "line": {"color": "@ink", "width": 1.5},
        },
        "hovertemplate": f"{letter(number)}: %{{y:.1f}} s, %{{x:,}} people (means)<extra></extra>",
    }


def warned_by(summary: ComparisonSummary) -> Picture | None:
    """People warned by time after the launch: the mean of each side, nine tenths around it."""
    if not summary.curves:
        return None
    return warned_over_time([trace for curve in summary.curves for trace in _curve(curve)])


def _curve(curve: CurveSummary) -> list[dict[str, Any]]:
    role = _ROLES[curve.side % len(_ROLES)]
    times = [round(one.after_s / _SECONDS, 3) for one in curve.points]
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{letter(curve.side)}, mean",
        "x": times,
        "y": [round(one.mean) for one in curve.points],
        "line": {"color": role, "width": 2.5, "dash": _DASHES[curve.side % len(_DASHES)]},
        "hovertemplate": "%{y:,} people by %{x:.1f} min<extra>" + letter(curve.side) + "</extra>",
    }
    ends = [{one.percent: one.value for one in point.quantiles} for point in curve.points]
    known = [band for band in _BANDS if all(set(band) <= set(one) for one in ends)]
    if not known:
        return [line]
    low, high = known[0]
    band = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{letter(curve.side)}, {high - low:g} % of replications",
        "x": times + times[::-1],
        "y": [round(one[high]) for one in ends] + [round(one[low]) for one in ends[::-1]],
        "fill": "toself",
        "fillcolor": role,
        "opacity": 0.18,
        "line": {"width": 0, "color": role},
        "hoverinfo": "skip",
    }
    return [band, line]


def minutes(summary: ComparisonSummary) -> Picture | None:
    """Where the time from launch to first alert goes: a bar for each side, its stages stacked."""
    stages = [metric for metric in summary.metrics if metric.metric.startswith("stage_")]
    alert = metric_of(summary, "alert_ns")
    if not stages or alert is None:
        return None
    rows = [letter(side.number) for side in summary.sides]
    longest = max((one.value or 0.0) for one in alert.values)
    traces = []
    for number, stage in enumerate(stages):
        role, shape = STAGE_STYLES[number % len(STAGE_STYLES)]
        # A stage that some replications skip takes no time in those.
        spent = [(one.value or 0.0) * one.n / max(one.n + one.missing, 1) for one in stage.values]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": safe(name_of(stage.metric).removeprefix("stage ")),
                "y": rows,
                "x": [round(one / NS_PER_MIN, 3) for one in spent],
                "text": [
                    amount(stage.metric, one) if one > longest * _READABLE else "" for one in spent
                ],
                "customdata": [amount(stage.metric, one) for one in spent],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "marker": {
                    "color": role,
                    "line": {"color": "@ink", "width": 1},
                    "pattern": {
                        "shape": shape, "fillmode": "overlay", "fgcolor": "@page",
                        "fgopacity": 0.4, "size": 7,
                    },
                },
                "hovertemplate": "%{y}: %{customdata}<extra>"
                + safe(name_of(stage.metric))
                + "</extra>",
            }
        )  # fmt: skip
    height = 130 + 2 * ROW_PX * len(rows)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="stack",
            xaxis=axis(title={"text": "minutes after the launch (scenario time)"}),
            yaxis=rows_axis(rows),
        ),
        "narrow": {"height": height + 3 * LEGEND_ROW_PX},
    }


def _whole(values: Floats) -> list[int]:
    return [round(float(value)) for value in values]
