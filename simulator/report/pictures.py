"""Pictures of what was played: where the minutes went, and the life of the alert.

Rule of the module: from the timeline alone; shapes, patterns and labels say the same as the
colours do.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.model.timeline import (
    AlertEvent,
    EventKind,
    PlannedAlert,
    Timeline,
    TimelineEvent,
)
from simulator.report import words
from simulator.report.drawing import ROW_PX, Picture, axis, layout, safe
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S, NS_PER_US

MOST_LAUNCHES: Final = 8

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


# --- where the minutes went ------------------------------------------------------------------


def chain(timeline: Timeline) -> Picture | None:
    """Simulated stages of each launch as bars on a clock, assumed ones hatched.

    Returns:
        None if the timeline passes no stages.
    """
    spans = _stage_spans(timeline)
    if not spans:
        return None
    launches = list(dict.fromkeys(launch for launch, _ in spans))
    rows = [_stage_label(launch, name, several=len(launches) > 1) for launch, name in spans]
    traces = []
    for assumed, label in ((False, "simulated stage"), (True, "simulated stage, an assumption")):
        chosen = [
            (row, span)
            for row, span in zip(rows, spans.values(), strict=True)
            if span[2] == assumed
        ]
        if chosen:
            traces.append(_stage_bars(timeline, chosen, label, assumed=assumed))
    first, last = _chain_range(timeline, spans)
    height = 110 + ROW_PX * len(rows)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="overlay",
            bargap=0.3,
            xaxis=axis(
                type="date",
                range=[_clock(timeline, first), _clock(timeline, last)],
                tickformat="%H:%M",
                hoverformat="%H:%M:%S",
                title={"text": _clock_title(timeline)},
            ),
            yaxis=axis(
                type="category", categoryorder="array", categoryarray=rows, autorange="reversed"
            ),
            shapes=[_line(timeline, at, role, dash) for at, _, role, dash in _instants(timeline)],
            annotations=_instant_labels(timeline),
        ),
        "narrow": {
            "xaxis": {"nticks": 5},
            "yaxis": {"tickfont": {"size": 11}},
            "height": height + 20,
        },
    }


def _stage_spans(timeline: Timeline) -> dict[tuple[str, str], tuple[int, int, bool]]:
    """First start and last end of each stage by launch: prefectures share most of them."""
    spans: dict[tuple[str, str], tuple[int, int, bool]] = {}
    for event in timeline.events:
        if event.kind is not EventKind.STAGE or event.started_ns is None:
            continue
        key = (event.launch or "", event.name)
        start, end, assumed = spans.get(key, (event.started_ns, event.at_ns, False))
        spans[key] = (
            min(start, event.started_ns),
            max(end, event.at_ns),
            assumed or event.assumption,
        )
    kept = list(dict.fromkeys(launch for launch, _ in spans))[:MOST_LAUNCHES]
    return {key: span for key, span in spans.items() if key[0] in kept}


def _stage_label(launch: str, name: str, *, several: bool) -> str:
    return safe(f"{launch} · {name}" if several else name)


def _stage_bars(
    timeline: Timeline,
    chosen: list[tuple[str, tuple[int, int, bool]]],
    label: str,
    *,
    assumed: bool,
) -> dict[str, Any]:
    widths = [end - start for _, (start, end, _) in chosen]
    return {
        "type": "bar",
        "orientation": "h",
        "name": label,
        "y": [row for row, _ in chosen],
        "base": [_clock(timeline, start) for _, (start, _, _) in chosen],
        "x": [width / NS_PER_MS for width in widths],
        "text": [words.span(width) for width in widths],
        "textposition": "auto",
        "insidetextfont": {"color": "#0b1a24"},
        "outsidetextfont": {"color": "@ink"},
        "cliponaxis": False,
        "marker": {
            "color": "@stage",
            "line": {"color": "@ink", "width": 1},
            "pattern": {
                "shape": "/" if assumed else "",
                "fillmode": "overlay",
                "fgcolor": "@page",
                "fgopacity": 0.55,
                "size": 7,
            },
        },
        "hovertemplate": "%{y}: %{text}<br>from %{base|%H:%M:%S}<extra>" + label + "</extra>",
    }


def _chain_range(
    timeline: Timeline, spans: Mapping[tuple[str, str], tuple[int, int, bool]]
) -> tuple[int, int]:
    ends = [end for _, end, _ in spans.values()] + [at for at, _, _, _ in _instants(timeline)]
    starts = [start for start, _, _ in spans.values()]
    first, last = min(starts), max(ends)
    margin = max((last - first) // 12, NS_PER_S)
    return first - margin, last + margin


def _instants(timeline: Timeline) -> list[tuple[int, str, str, str]]:
    """Launch, first predicted passage and first warning: (when, label, colour, dash)."""
    found: list[tuple[int, str, str, str]] = []
    warning = next((a for a in timeline.alerts if a.event not in CLEARING and a.stages), None)
    for event in timeline.events:
        if event.kind is EventKind.TRUTH and event.name == "launch":
            found.append((event.at_ns, "launch", "@truth", "solid"))
            break
    if warning is not None and warning.believed_arrival_ns is not None:
        found.append((warning.believed_arrival_ns, "predicted passage", "@belief", "dash"))
    if warning is not None:
        found.append((warning.at_ns, "first warning", "@alert", "solid"))
    return found


def _line(timeline: Timeline, at_ns: int, role: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": _clock(timeline, at_ns),
        "x1": _clock(timeline, at_ns),
        "y0": 0,
        "y1": 1,
        "line": {"color": role, "width": 2, "dash": dash},
    }


def _instant_labels(timeline: Timeline) -> list[dict[str, Any]]:
    """Labels at the foot of the lines, the later ones to their left so that none meet."""
    labels = []
    for number, (at_ns, label, role, _) in enumerate(_instants(timeline)):
        labels.append(
            {
                "xref": "x",
                "yref": "paper",
                "x": _clock(timeline, at_ns),
                "y": 0.04,
                "xanchor": "left" if number == 0 else "right",
                "yanchor": "bottom",
                "text": f"{label} {_clock(timeline, at_ns)[11:16]}",
                "showarrow": False,
                "font": {"color": role, "size": 12},
                "bgcolor": "@page",
                "opacity": 0.9,
            }
        )
    return labels


# --- the life of the alert per prefecture ----------------------------------------------------


def life_cycle(timeline: Timeline) -> Picture:
    """Truth, belief, every prefecture's messages and the marks beside the chain, on a clock."""
    prefectures = list(timeline.prefectures)
    rows = [
        *(name for name, kind in _LANES if kind is not EventKind.MARK and _has(timeline, kind)),
        *(safe(words.prefecture(slug)) for slug in prefectures),
        *(name for name, kind in _LANES if kind is EventKind.MARK and _has(timeline, kind)),
    ]
    moments = [e.at_ns for e in timeline.events] + [a.at_ns for a in timeline.alerts]
    first, last = (min(moments), max(moments)) if moments else (0, NS_PER_MIN)
    margin = max((last - first) // 20, NS_PER_S)
    traces = [
        *_in_force(timeline, last + margin),
        *(_lane(timeline, name, kind) for name, kind in _LANES if _has(timeline, kind)),
        *_arrivals(timeline),
        *_messages(timeline),
    ]
    height = 140 + ROW_PX * max(len(rows), 2)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="overlay",
            bargap=0.35,
            xaxis=axis(
                type="date",
                range=[_clock(timeline, first - margin), _clock(timeline, last + margin)],
                tickformat="%H:%M",
                title={"text": _clock_title(timeline)},
            ),
            yaxis=axis(
                type="category", categoryorder="array", categoryarray=rows, autorange="reversed"
            ),
        ),
        "narrow": {
            "height": height + 60,
            "xaxis": {"nticks": 4},
            "yaxis": {"tickfont": {"size": 11}},
        },
    }


_LANES: Final = (
    ("truth", EventKind.TRUTH),
    ("belief", EventKind.BELIEF),
    ("beside the chain", EventKind.MARK),
)
_LANE_STYLES: Final = {
    EventKind.TRUTH: ("star", "@truth", "what the flight did"),
    EventKind.BELIEF: ("star-open", "@belief", "what the chain believed"),
    EventKind.MARK: ("square-open", "@mark", "beside the chain"),
}


def _has(timeline: Timeline, kind: EventKind) -> bool:
    return any(event.kind is kind for event in timeline.events)


def _lane(timeline: Timeline, row: str, kind: EventKind) -> dict[str, Any]:
    events = [event for event in timeline.events if event.kind is kind]
    symbol, role, label = _LANE_STYLES[kind]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "x": [_clock(timeline, event.at_ns) for event in events],
        "y": [row] * len(events),
        "text": [_told(event) for event in events],
        "marker": {"symbol": symbol, "size": 11, "color": role, "line": {"width": 2}},
        "hovertemplate": "%{x|%H:%M:%S} %{text}<extra>" + label + "</extra>",
    }


def _told(event: TimelineEvent) -> str:
    text = event.name.replace("-", " ") + (f": {event.note}" if event.note else "")
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
            "base": [_clock(timeline, start) for _, start, _ in bands],
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
        ("predicted passage", "line-ns-open", "@belief", "believed_arrival_ns"),
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
                    "x": [_clock(timeline, at) for _, at in points],
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
                    "x": [_clock(timeline, alert.at_ns) for alert in alerts],
                    "y": [safe(words.prefecture(alert.prefecture)) for alert in alerts],
                    "text": [
                        safe(f"{alert.event} ({alert.msg_type})")
                        + (
                            f", {safe(alert.historical_channel)}"
                            if alert.historical_channel
                            else ""
                        )
                        for alert in alerts
                    ],
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


def _clock(timeline: Timeline, at_ns: int) -> str:
    moment: datetime = timeline.epoch + timedelta(microseconds=at_ns // NS_PER_US)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")


def _clock_title(timeline: Timeline) -> str:
    offset = timeline.epoch.strftime("%z")
    zone = "JST" if offset == "+0900" else f"UTC{offset[:3]}:{offset[3:]}"
    return f"{timeline.epoch:%Y-%m-%d}, {zone}"
