"""Latency over the run as a heat map: how many deliveries took how long, when.

Rule of the module: as :mod:`simulator.report.drawing`. Colours go by the logarithm of the count, so
that a single slow delivery is seen beside thousands of fast ones; empty cells have no colour.
"""

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from simulator.report import words
from simulator.report.drawing import Picture, axis, layout
from simulator.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from simulator.report.heat import LatencyHeat


def heat_map(heat: "LatencyHeat | None") -> Picture | None:
    """Deliveries by stretch of the run and by latency; None if nothing live was delivered."""
    if heat is None:
        return None
    largest = max(max(row) for row in heat.by_time)
    tops = [10**power for power in range(len(str(largest)))]
    bounds = heat.latency_edges_ns
    return {
        "data": [
            {
                "type": "heatmap",
                "name": f"n = {heat.n:,}",
                "x": [round(edge / NS_PER_S, 6) for edge in heat.time_edges_ns],
                "y": [round(edge / NS_PER_MS, 6) for edge in bounds],
                "z": [
                    [round(math.log10(count), 3) if count else None for count in row]
                    for row in heat.by_time
                ],
                "customdata": [[f"{count:,}" for count in row] for row in heat.by_time],
                "text": [
                    [f"{words.measured(low)} to {words.measured(high)}"] * len(heat.by_time[0])
                    for low, high in pairwise(bounds)
                ],
                "colorscale": "Cividis",
                "reversescale": True,
                "hoverongaps": False,
                "xgap": 0.5,
                "colorbar": {
                    "title": {"text": "deliveries", "side": "right", "font": {"color": "@soft"}},
                    "tickvals": [round(math.log10(top), 3) for top in tops],
                    "ticktext": [f"{top:,}" for top in tops],
                    "tickfont": {"color": "@ink"},
                    "thickness": 14,
                    "outlinewidth": 0,
                },
                "hovertemplate": "%{x:.2f} s into the run, %{text}: %{customdata}<extra></extra>",
            }
        ],
        "layout": layout(
            340,
            showlegend=False,
            xaxis=axis(
                type="linear",
                title={"text": "seconds since the first planned message (wall)"},
            ),
            yaxis=axis(
                type="log",
                title={"text": "milliseconds (wall), logarithmic"},
                dtick="D2",
                tickformat="~g",
                exponentformat="none",
            ),
        ),
        "narrow": {"height": 340},
    }
