"""The map of municipalities coloured by lead time.

Rule of the module: as :mod:`simulator.report.drawing`: plain scatter outlines on degrees, since geo
traces fetch from hosts. Marks differ in shape as well as in colour.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from simulator.experiment.town_leads import TownLeads
from simulator.report import words
from simulator.report.drawing import Picture, axis, layout, safe
from simulator.report.layout import Table
from simulator.units import NS_PER_S
from simulator.world.geography import municipalities, outlines

_MARGIN_DEG: Final = 0.5
_LEAST_DEG: Final = 2.0
_ENDS: Final = (0.02, 0.98)
_DIGITS: Final = 3
_HEIGHT_PX: Final = 620
_NARROW_PX: Final = 440
_EXTREMES: Final = 5

Box = tuple[float, float, float, float]


def town_map(leads: TownLeads | None) -> Picture | None:
    """Municipalities coloured by lead time; None where there is none.

    Args:
        leads: lead times, None where nobody has one.
    """
    if leads is None or not leads.known:
        return None
    towns = municipalities()
    known = np.array(leads.known)
    box = _box([(towns[place].longitude, towns[place].latitude) for place in known])
    low, high = (float(np.quantile(leads.seconds[known], share)) for share in _ENDS)
    traces = [_land(box), _others(box, leads)]
    for label, symbol, chosen in (
        ("warned in time", "circle", known[leads.seconds[known] >= 0]),
        ("warned too late", "diamond", known[leads.seconds[known] < 0]),
    ):
        if len(chosen):
            traces += [_marks(label, symbol, leads, chosen.tolist()), _key(label, symbol)]
    middle = math.cos(math.radians((box[2] + box[3]) / 2))
    bar = {
        "title": {"text": "lead time, s", "side": "right", "font": {"color": "@soft"}},
        "thickness": 14,
        "outlinewidth": 0,
        "tickfont": {"color": "@ink"},
    }
    hidden = {"showgrid": False, "showticklabels": False, "ticks": "", "showline": False}
    return {
        "data": traces,
        "layout": layout(
            _HEIGHT_PX,
            coloraxis={
                "colorscale": "Cividis",
                "cmin": round(low, 1),
                "cmax": round(max(high, low + 1), 1),
                "colorbar": bar,
            },
            xaxis=axis(**hidden, range=[box[0], box[1]], constrain="domain"),
            yaxis=axis(
                **hidden,
                range=[box[2], box[3]],
                scaleanchor="x",
                scaleratio=round(1 / middle, 4),
                constrain="domain",
            ),
        ),
        "narrow": {
            "height": _NARROW_PX,
            "coloraxis": {
                "colorbar": {
                    "orientation": "h",
                    "y": -0.02,
                    "yanchor": "top",
                    "title": {"side": "bottom"},
                }
            },
        },
    }


def extremes(leads: TownLeads | None) -> Table:
    """The municipalities with the least and the most lead time; no rows where there is none."""
    head = ("municipality", "prefecture", "people", "warned", "before arrival", "lead time")
    if leads is None or not leads.known:
        return Table(caption="", head=head, rows=())
    towns = municipalities()
    order = [
        place
        for place in np.argsort(leads.seconds, kind="stable").tolist()
        if not math.isnan(leads.seconds[place])
    ]
    chosen = order[:_EXTREMES] + order[max(_EXTREMES, len(order) - _EXTREMES) :]
    rows = [
        (
            towns[place].name_en,
            words.prefecture(towns[place].prefecture),
            f"{towns[place].population:,}",
            f"{leads.people[place]:,.0f}",
            f"{leads.in_time[place]:,.0f}",
            words.lead(round(leads.seconds[place] * NS_PER_S)),
        )
        for place in chosen
    ]
    arrival = "that was predicted" if leads.predicted else "that was true, else the predicted one"
    counted = words.plural(len(order), "municipality", "municipalities")
    note = (
        f"{counted}; means of the first {words.plural(leads.replications, 'replication')}. Lead "
        f"time: the arrival {arrival}, less the moment at which half of those who are warned there "
        "have been. All municipalities stand in municipalities.csv."
    )
    return Table(
        caption="Municipalities with the least and the most lead time",
        head=head,
        rows=tuple(rows),
        numeric=frozenset({2, 3, 4, 5}),
        notes=(note,),
    )


def _box(places: Sequence[tuple[float, float]]) -> Box:
    """West, east, south and north of what is shown."""
    found: list[float] = []
    for values in zip(*places, strict=True):
        low, high = min(values) - _MARGIN_DEG, max(values) + _MARGIN_DEG
        room = max(0.0, _LEAST_DEG - (high - low)) / 2
        found += [round(low - room, _DIGITS), round(high + room, _DIGITS)]
    return found[0], found[1], found[2], found[3]


def _land(box: Box) -> dict[str, Any]:
    """Outlines of the prefectures that are in sight, as one line with gaps."""
    along: list[float | None] = []
    up: list[float | None] = []
    for rings in outlines().values():
        for ring in rings:
            if not any(_inside(box, longitude, latitude) for longitude, latitude in ring):
                continue
            along += [round(longitude, _DIGITS) for longitude, _ in ring]
            up += [round(latitude, _DIGITS) for _, latitude in ring]
            along.append(None)
            up.append(None)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": along,
        "y": up,
        "line": {"color": "@line", "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _others(box: Box, leads: TownLeads) -> dict[str, Any]:
    """Municipalities in sight to which no warning with an arrival went."""
    rest = [
        town
        for town, seconds in zip(municipalities(), leads.seconds.tolist(), strict=True)
        if math.isnan(seconds) and _inside(box, town.longitude, town.latitude)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "not warned",
        "x": [town.longitude for town in rest],
        "y": [town.latitude for town in rest],
        "marker": {"color": "@grid", "size": 4},
        "hoverinfo": "skip",
        "showlegend": bool(rest),
    }


def _marks(label: str, symbol: str, leads: TownLeads, chosen: Sequence[int]) -> dict[str, Any]:
    towns = [municipalities()[place] for place in chosen]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "showlegend": False,
        "x": [town.longitude for town in towns],
        "y": [town.latitude for town in towns],
        "text": [
            safe(f"{town.name_en} {town.name_ja}, {words.prefecture(town.prefecture)}")
            for town in towns
        ],
        "customdata": [
            f"{words.lead(round(leads.seconds[place] * NS_PER_S))}<br>"
            f"{leads.people[place]:,.0f} people warned, "
            f"{leads.in_time[place]:,.0f} before the arrival"
            for place in chosen
        ],
        "marker": {
            "coloraxis": "coloraxis",
            "color": [round(float(leads.seconds[place]), 1) for place in chosen],
            "symbol": symbol,
            "size": [_size(town.population) for town in towns],
            "line": {"color": "@ink", "width": 0.6},
        },
        "hovertemplate": "%{text}<br>lead time %{customdata}<extra></extra>",
    }


def _key(label: str, symbol: str) -> dict[str, Any]:
    """What stands in the legend for marks of many colours."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "x": [None],
        "y": [None],
        "marker": {"color": "@soft", "symbol": symbol, "size": 9},
        "hoverinfo": "skip",
    }


def _size(people: int) -> float:
    """The area of a mark grows with the people who live there, within bounds."""
    return round(min(26.0, max(6.0, math.sqrt(people / 1200))), 1)


def _inside(box: Box, longitude: float, latitude: float) -> bool:
    return box[0] <= longitude <= box[1] and box[2] <= latitude <= box[3]
