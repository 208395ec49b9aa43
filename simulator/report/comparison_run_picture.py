"""The picture of compared runs: their live latencies side by side.

Rule of the module: as :mod:`simulator.report.comparison_pictures`, for what was measured.
"""

from typing import Final

from simulator.experiment.comparison import ComparisonSummary, ValueSummary
from simulator.report.comparison_words import letter, title_of, value_text
from simulator.report.drawing import LEGEND_ROW_PX, ROW_PX, Picture, axis, layout, rows_axis
from simulator.units import NS_PER_MS

CAPTION: Final = (
    "Live deliveries of each run: mean and percentiles, with 95 % intervals over bursts where "
    "there are enough of them. Shorter is better."
)
_STYLES: Final = (("@stage", ""), ("@alert", "/"), ("@correct", "x"), ("@belief", "\\"))


def latencies(summary: ComparisonSummary) -> Picture | None:
    """A bar for each run and headline latency; None where no latency is compared."""
    compared = [one for one in summary.metrics if one.headline and one.scale == "wall"]
    if not compared:
        return None
    rows = [title_of(one) for one in compared]
    traces = []
    for side in summary.sides:
        role, shape = _STYLES[side.number % len(_STYLES)]
        values = [one.values[side.number] for one in compared]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": letter(side.number),
                "y": rows,
                "x": [None if one.value is None else one.value / NS_PER_MS for one in values],
                "text": [
                    value_text(metric, one.value)
                    for metric, one in zip(compared, values, strict=True)
                ],
                # Beside a whisker it could not be read; the tables say the figure too.
                "textposition": "none" if any(one.interval for one in values) else "outside",
                "textfont": {"color": "@ink"},
                "cliponaxis": False,
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [_beyond(one, 1) for one in values],
                    "arrayminus": [_beyond(one, 0) for one in values],
                    "color": "@ink",
                    "thickness": 1.5,
                    "visible": any(one.interval for one in values),
                },
                "marker": {
                    "color": role,
                    "line": {"color": "@ink", "width": 1},
                    "pattern": {"shape": shape, "fillmode": "overlay", "fgcolor": "@page"},
                },
                "hovertemplate": f"{letter(side.number)}, %{{y}}: %{{text}}<extra></extra>",
            }
        )
    height = 120 + ROW_PX * len(rows) * len(traces)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="group",
            xaxis=axis(title={"text": "milliseconds (wall)"}, rangemode="tozero"),
            yaxis=rows_axis(rows),
        ),
        "narrow": {"height": height + LEGEND_ROW_PX, "yaxis": {"tickfont": {"size": 10}}},
    }


def _beyond(value: ValueSummary, end: int) -> float:
    """How far an end of the interval lies from the value, ms."""
    if value.interval is None or value.value is None:
        return 0.0
    return round(abs(value.interval[end] - value.value) / NS_PER_MS, 6)
