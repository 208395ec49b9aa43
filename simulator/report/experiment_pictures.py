"""The pictures of an experiment, in the form that plotly.js reads.

Rule of the module: as :mod:`simulator.report.drawing`: dictionaries of numbers and text, few enough
points for a page that stays small.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from simulator.experiment.estimates import FEWEST, Floats
from simulator.experiment.summarise import Rows
from simulator.experiment.summary import PointSummary
from simulator.report.drawing import (
    LEGEND_ROW_PX,
    ROW_PX,
    Picture,
    axis,
    layout,
    rows_axis,
    safe,
)
from simulator.report.experiment_words import amount, name_of
from simulator.units import NS_PER_MIN

STAGE_STYLES: Final = (
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
_SECONDS: Final = 60
_READABLE: Final = 0.09
_LAST_SHARE: Final = 0.99
_BANDS: Final = ((5.0, 95.0, 0.16), (25.0, 75.0, 0.28))


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
    longest = max(float(np.nanmean(alert[chosen])) for chosen in groups.values())
    traces = []
    for number, stage in enumerate(stages):
        spent = rows.column(stage)[:replications]
        role, shape = STAGE_STYLES[number % len(STAGE_STYLES)]
        means = [float(np.nan_to_num(spent[chosen]).mean()) for chosen in groups.values()]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name_of(stage).removeprefix("stage "),
                "y": list(groups),
                "x": [round(mean / NS_PER_MIN, 3) for mean in means],
                "text": [
                    amount(stage, mean) if mean > longest * _READABLE else "" for mean in means
                ],
                "customdata": [amount(stage, mean) for mean in means],
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
                "hovertemplate": "%{y}: %{customdata}<extra>" + safe(name_of(stage)) + "</extra>",
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
    last = 0.0
    for column, label, role, dash in _BY_TIME:
        if column not in rows.columns:
            continue
        after = rows.column(column)[:replications]
        times = np.sort((after if column == "alert_ns" else alert + after) / NS_PER_MIN)
        times = times[~np.isnan(times)]
        if len(times) < FEWEST:
            continue
        traces += _curve(times, replications, label, role, dash)
        last = max(last, float(np.quantile(times, _LAST_SHARE)))
    if not traces:
        return None
    return {
        "data": traces,
        "layout": layout(
            380,
            xaxis=axis(
                title={"text": "minutes after the launch (scenario time)"},
                range=[0, round(last * (1 + _READABLE), 2)],
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


def warned_by(points: Sequence[PointSummary]) -> Picture | None:
    """People warned by time after the launch: the median and bands, a line for each variant.

    Args:
        points: variants; the first with its bands, the others as lines.
    """
    shown = [point for point in points if point.warned_by]
    if not shown:
        return None
    traces: list[dict[str, Any]] = []
    for low, high, opacity in _BANDS:
        band = _between(shown[0], low, high)
        if band is not None:
            traces.append({**band, "opacity": opacity})
    for number, point in enumerate(shown):
        role, _ = STAGE_STYLES[number % len(STAGE_STYLES)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": safe(f"mean, {point.name}"),
                "x": [one.after_s / _SECONDS for one in point.warned_by],
                "y": [round(one.mean) for one in point.warned_by],
                "line": {
                    "color": "@alert" if not number else role,
                    "width": 2.5,
                    "dash": "dash" if number else "solid",
                },
                "hovertemplate": "%{y:,} people by %{x:.1f} min<extra>"
                + safe(point.name)
                + "</extra>",
            }
        )
    return warned_over_time(traces)


def warned_over_time(traces: list[dict[str, Any]]) -> Picture:
    """Curves of people warned over the minutes since the launch, on their axes."""
    return {
        "data": traces,
        "layout": layout(
            400,
            xaxis=axis(
                title={"text": "minutes after the launch (scenario time)"}, rangemode="tozero"
            ),
            yaxis=axis(title={"text": "people warned"}, rangemode="tozero"),
        ),
        "narrow": {"height": 400 + LEGEND_ROW_PX * len(traces)},
    }


def _between(point: PointSummary, low: float, high: float) -> dict[str, Any] | None:
    """The area between two quantiles of the replications; None if they are not known."""
    ends: list[tuple[float, float, float]] = []
    for one in point.warned_by:
        known = {quantile.percent: quantile.value for quantile in one.quantiles}
        if low not in known or high not in known:
            return None
        ends.append((one.after_s / _SECONDS, known[low], known[high]))
    times = [end[0] for end in ends]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{high - low:g} % of replications",
        "x": times + times[::-1],
        "y": [round(end[2]) for end in ends] + [round(end[1]) for end in ends[::-1]],
        "fill": "toself",
        "fillcolor": "@alert",
        "line": {"width": 0, "color": "@alert"},
        "hoverinfo": "skip",
    }
