"""The life of the alert: truth, belief and every prefecture's messages on a clock.

Rule of the module: from the timeline alone; shapes and labels say the same as the colours do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulator.model.timeline import (
    AlertEvent,
    EventKind,
    PlannedAlert,
    Timeline,
    TimelineEvent,
)
from simulator.report import words
from simulator.report.clock_axis import clock, clock_axis
from simulator.report.drawing import LEGEND_ROW_PX, ROW_PX, Picture, layout, rows_axis, safe
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S

MOST_LABELLED_ROWS: Final = 16

# What the placing of labels assumes: a desktop page's plot, and the page's small type.
_LABELLED_WIDTH_PX: Final = 940
_BESIDE_PX: Final = 16
_CHARACTER_PX: Final = 6.4
_MARKER_PX: Final = 9

# Symbol and colour of a message on the timeline, by what it says.
CLEARING: Final = frozenset(
    {
        AlertEvent.PASSAGE,
        AlertEvent.FELL_IN_SEA,
        AlertEvent.NOT_COMING,
        AlertEvent.NOT_FALLING,
        AlertEvent.ALL_CLEAR,
    }
)
_ALERT_STYLES: Final = {
    "warning": ("triangle-up", "@alert"),
    "follow-up": ("circle", "@clear"),
    "correction": ("diamond", "@correct"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A row of the picture that belongs to no prefecture."""

    row: str
    kind: EventKind
    symbol: str
    colour: str
    label: str


_LANES: Final = (
    Lane(
        row="truth",
        kind=EventKind.TRUTH,
        symbol="star",
        colour="@truth",
        label="what the flight did",
    ),
    Lane(
        row="belief",
        kind=EventKind.BELIEF,
        symbol="star-open",
        colour="@belief",
        label="what the chain believed",
    ),
    Lane(
        row="beside the chain",
        kind=EventKind.MARK,
        symbol="square-open",
        colour="@mark",
        label="beside the chain",
    ),
)


def life_cycle(timeline: Timeline) -> Picture:
    """Truth, belief, every prefecture's messages and the marks beside the chain, on a clock."""
    lanes = [lane for lane in _LANES if _events(timeline, lane.kind)]
    above = [lane.row for lane in lanes if lane.kind is not EventKind.MARK]
    below = [lane.row for lane in lanes if lane.kind is EventKind.MARK]
    rows = [*above, *(safe(words.prefecture(slug)) for slug in timeline.prefectures), *below]
    moments = [e.at_ns for e in timeline.events] + [a.at_ns for a in timeline.alerts]
    first, last = (min(moments), max(moments)) if moments else (0, NS_PER_MIN)
    margin = max((last - first) // 14, NS_PER_S)
    first, last = first - margin, last + margin
    traces = [
        *_in_force(timeline, last),
        *(_lane(timeline, lane) for lane in lanes),
        *_arrivals(timeline),
        *_messages(timeline),
    ]
    height = 150 + ROW_PX * max(len(rows), 2)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="overlay",
            bargap=0.3,
            xaxis=clock_axis(timeline, first, last),
            yaxis=rows_axis(rows),
            annotations=_labels(timeline, lanes, first, last)
            if len(rows) <= MOST_LABELLED_ROWS
            else [],
        ),
        "narrow": {
            "height": height + LEGEND_ROW_PX * (len(traces) - 2),
            "xaxis": {"nticks": 4},
            "yaxis": {"tickfont": {"size": 11}},
            "annotations": [],
        },
    }


# --- labels beside the markers ---------------------------------------------------------------


def _labels(
    timeline: Timeline, lanes: Sequence[Lane], first_ns: int, last_ns: int
) -> list[dict[str, Any]]:
    """What each marker is, written beside it wherever the row has room for it."""
    rows: dict[str, list[tuple[int, str]]] = {}
    for lane in lanes:
        rows[lane.row] = [
            (event.at_ns, event.name.removeprefix("believed-").replace("-", " "))
            for event in _events(timeline, lane.kind)
        ]
    for alert in timeline.alerts:
        points = rows.setdefault(safe(words.prefecture(alert.prefecture)), [])
        points.append((alert.at_ns, str(alert.event)))
        if alert.believed_arrival_ns is not None:
            points.append((alert.believed_arrival_ns, ""))
    px_per_ns = _LABELLED_WIDTH_PX / (last_ns - first_ns)
    labels = []
    for row, marked in rows.items():
        placed = [((at_ns - first_ns) * px_per_ns, at_ns, text) for at_ns, text in sorted(marked)]
        for at_ns, text, side in _beside(placed):
            labels.append(
                {
                    "x": clock(timeline, at_ns),
                    "y": row,
                    "text": safe(text).replace("\n", "<br>"),
                    "align": side,
                    "showarrow": False,
                    "xanchor": side,
                    "xshift": 10 if side == "left" else -10,
                    "font": {"size": 11, "color": "@ink"},
                }
            )
    return labels


def _beside(points: Sequence[tuple[float, int, str]]) -> Iterator[tuple[int, str, str]]:
    """Labels of one row that fit: right of their marker, else left of it, else in two lines."""
    taken_until = 0.0
    for index, (at_px, at_ns, text) in enumerate(points):
        after = points[index + 1][0] if index + 1 < len(points) else _LABELLED_WIDTH_PX + _BESIDE_PX
        for written in dict.fromkeys((text, text.replace(" ", "\n", 1))):
            width = max(map(len, written.split("\n"))) * _CHARACTER_PX + 2 * _MARKER_PX
            if text and at_px + width <= after:
                yield at_ns, written, "left"
                taken_until = at_px + width
                break
            if text and at_px - width >= taken_until:
                yield at_ns, written, "right"
                taken_until = at_px + _MARKER_PX
                break
        else:
            taken_until = at_px + _MARKER_PX


# --- traces ----------------------------------------------------------------------------------


def _events(timeline: Timeline, kind: EventKind) -> list[TimelineEvent]:
    return [event for event in timeline.events if event.kind is kind]


def _lane(timeline: Timeline, lane: Lane) -> dict[str, Any]:
    events = _events(timeline, lane.kind)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": lane.label,
        "x": [clock(timeline, event.at_ns) for event in events],
        "y": [lane.row] * len(events),
        "text": [_told(event) for event in events],
        "marker": {
            "symbol": lane.symbol,
            "size": 11,
            "color": lane.colour,
            "line": {"width": 1.5, "color": lane.colour},
        },
        "hovertemplate": "%{x|%H:%M:%S} %{text}<extra>" + lane.label + "</extra>",
    }


def _told(event: TimelineEvent) -> str:
    text = words.happening(event.name) + (f": {event.note}" if event.note else "")
    return safe(text + (" (assumption)" if event.assumption else ""))


def _in_force(timeline: Timeline, until_ns: int) -> list[dict[str, Any]]:
    """A band for each stretch during which a warning stood in a prefecture."""
    bands: list[tuple[str, int, int]] = []
    for slug in timeline.prefectures:
        since: int | None = None
        for alert in (one for one in timeline.alerts if one.prefecture == slug):
            if alert.in_force and since is None:
                since = alert.at_ns
            elif not alert.in_force and since is not None:
                bands.append((slug, since, alert.at_ns))
                since = None
        if since is not None:
            bands.append((slug, since, until_ns))
    if not bands:
        return []
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": "warning in force",
            "y": [safe(words.prefecture(slug)) for slug, _, _ in bands],
            "base": [clock(timeline, start) for _, start, _ in bands],
            "x": [(end - start) / NS_PER_MS for _, start, end in bands],
            "text": [words.span(end - start) for _, start, end in bands],
            "textposition": "none",
            "marker": {"color": "@force", "line": {"width": 0}},
            "hovertemplate": "warning in force in %{y} for %{text}<extra></extra>",
        }
    ]


def _arrivals(timeline: Timeline) -> list[dict[str, Any]]:
    traces = []
    for label, symbol, role, field in (
        ("predicted arrival", "line-ns-open", "@belief", "believed_arrival_ns"),
        ("true arrival", "x-thin-open", "@truth", "true_arrival_ns"),
    ):
        points = {
            (alert.prefecture, at): None
            for alert in timeline.alerts
            if (at := getattr(alert, field)) is not None
        }
        if points:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": label,
                    "x": [clock(timeline, at) for _, at in points],
                    "y": [safe(words.prefecture(slug)) for slug, _ in points],
                    "marker": {
                        "symbol": symbol,
                        "size": 15,
                        "color": role,
                        "line": {"width": 3, "color": role},
                    },
                    "hovertemplate": f"{label} %{{x|%H:%M:%S}}, %{{y}}<extra></extra>",
                }
            )
    return traces


def style_of(alert: PlannedAlert) -> str:
    """``warning``, ``follow-up`` or ``correction``."""
    if alert.event is AlertEvent.CORRECTION:
        return "correction"
    return "follow-up" if alert.event in CLEARING else "warning"


def _messages(timeline: Timeline) -> list[dict[str, Any]]:
    traces = []
    for style, (symbol, role) in _ALERT_STYLES.items():
        alerts = [alert for alert in timeline.alerts if style_of(alert) == style]
        if alerts:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": f"{style} issued",
                    "x": [clock(timeline, alert.at_ns) for alert in alerts],
                    "y": [safe(words.prefecture(alert.prefecture)) for alert in alerts],
                    "text": [_said(alert) for alert in alerts],
                    "marker": {
                        "symbol": symbol,
                        "size": 13,
                        "color": role,
                        "line": {"width": 1, "color": "@page"},
                    },
                    "hovertemplate": "%{x|%H:%M:%S} %{text}, %{y}<extra></extra>",
                }
            )
    return traces


def _said(alert: PlannedAlert) -> str:
    text = f"{alert.event} ({alert.msg_type})"
    return safe(f"{text}, {alert.historical_channel}" if alert.historical_channel else text)
