"""Where the minutes went: the simulated stages from launch to warning, as bars on a clock.

Rule of the module: from the timeline alone; shapes, patterns and labels say the same as the
colours do.
"""

from typing import Any, Final

from simulator.model.timeline import EventKind, PlannedAlert, Timeline
from simulator.report import words
from simulator.report.clock_axis import clock, clock_axis
from simulator.report.drawing import LEGEND_ROW_PX, ROW_PX, Picture, layout, rows_axis, safe
from simulator.report.life_picture import CLEARING
from simulator.units import NS_PER_MS, NS_PER_S

MOST_LAUNCHES: Final = 8
_SENSORS: Final = frozenset({"satellite", "radar"})


def chain(timeline: Timeline) -> Picture | None:
    """Simulated stages of each launch as bars on a clock, assumed ones hatched.

    Returns:
        None if the timeline passes no stages.
    """
    spans = _stage_spans(timeline)
    if not spans:
        return None
    launches = list(dict.fromkeys(launch for launch, _ in spans))
    several = len(launches) > 1
    if several:
        # A row for each launch: the parts of sensing stand in its own bar.
        spans = {key: span for key, span in spans.items() if key[1] not in _SENSORS}
    labels = [safe(launch if several else name) for launch, name in spans]
    rows = list(dict.fromkeys(labels))
    traces = []
    for assumed, label in ((False, "simulated stage"), (True, "simulated stage, an assumption")):
        chosen = [
            (row, span)
            for row, span in zip(labels, spans.items(), strict=True)
            if span[1][2] == assumed
        ]
        if chosen:
            traces.append(_stage_bars(timeline, chosen, label, assumed=assumed, named=several))
    first, last = chain_range(timeline)
    height = 110 + ROW_PX * len(rows)
    return {
        "data": traces,
        "layout": layout(
            height,
            barmode="overlay",
            bargap=0.3,
            xaxis=clock_axis(timeline, first, last),
            yaxis=rows_axis(rows),
            shapes=[_line(timeline, *instant) for instant in _instants(timeline)],
        ),
        "narrow": {
            "xaxis": {"nticks": 5},
            "yaxis": {"tickfont": {"size": 11}},
            "height": height + LEGEND_ROW_PX * 3,
        },
    }


def _first_warnings(timeline: Timeline) -> dict[str, PlannedAlert]:
    """The first warning of each launch that passed stages, in order of issue."""
    found: dict[str, PlannedAlert] = {}
    for alert in timeline.alerts:
        if alert.stages and alert.event not in CLEARING:
            found.setdefault(alert.launch or "", alert)
    return dict(list(found.items())[:MOST_LAUNCHES])


def _stage_spans(timeline: Timeline) -> dict[tuple[str, str], tuple[int, int, bool]]:
    """Start, end and basis of each stage that ended before the launch's first warning."""
    warnings = _first_warnings(timeline)
    spans: dict[tuple[str, str], tuple[int, int, bool]] = {}
    for event in timeline.events:
        warning = warnings.get(event.launch or "")
        if event.kind is not EventKind.STAGE or event.started_ns is None or warning is None:
            continue
        if event.at_ns <= warning.at_ns:
            key = (event.launch or "", event.name)
            start, end, assumed = spans.get(key, (event.started_ns, event.at_ns, False))
            spans[key] = (
                min(start, event.started_ns),
                max(end, event.at_ns),
                assumed or event.assumption,
            )
    return spans


def _stage_bars(
    timeline: Timeline,
    chosen: list[tuple[str, tuple[tuple[str, str], tuple[int, int, bool]]]],
    label: str,
    *,
    assumed: bool,
    named: bool,
) -> dict[str, Any]:
    """Bars of stages; named inside where several stand in one row."""
    widths = [end - start for _, (_, (start, end, _)) in chosen]
    names = [safe(name) for _, ((_, name), _) in chosen]
    return {
        "type": "bar",
        "orientation": "h",
        "name": label,
        "y": [row for row, _ in chosen],
        "base": [clock(timeline, start) for _, (_, (start, _, _)) in chosen],
        "x": [width / NS_PER_MS for width in widths],
        "text": names if named else [words.rounded(width) for width in widths],
        "customdata": [words.rounded(width) for width in widths],
        "textposition": "inside" if named else "outside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"color": "@ink"},
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
        "hovertemplate": ("%{y}, %{text}: " if named else "%{y}: ")
        + "%{customdata}<br>from %{base|%H:%M:%S}<extra>"
        + label
        + "</extra>",
    }


def chain_range(timeline: Timeline) -> tuple[int, int]:
    """The stretch of scenario time that the stages and their instants need, with some room."""
    spans = _stage_spans(timeline).values()
    ends = [end for _, end, _ in spans] + [at for at, _, _, _ in _instants(timeline)]
    starts = [start for start, _, _ in spans]
    first, last = min(starts), max(ends)
    margin = max((last - first) // 16, NS_PER_S)
    # The label of the last bar stands to its right.
    return first - margin, last + 3 * margin


def _instants(timeline: Timeline) -> list[tuple[int, str, str, str]]:
    """Launch, first predicted arrival and first warning: (when, label, colour, dash)."""
    found: list[tuple[int, str, str, str]] = []
    warning = next(iter(_first_warnings(timeline).values()), None)
    for event in timeline.events:
        if event.kind is EventKind.TRUTH and event.name == "launch":
            found.append((event.at_ns, "launch", "@truth", "solid"))
            break
    if warning is not None and warning.believed_arrival_ns is not None:
        found.append((warning.believed_arrival_ns, "predicted arrival", "@belief", "dash"))
    if warning is not None and warning.true_arrival_ns is not None:
        found.append((warning.true_arrival_ns, "true arrival", "@truth", "dot"))
    if warning is not None:
        found.append((warning.at_ns, "first warning", "@alert", "solid"))
    return found


def _line(timeline: Timeline, at_ns: int, label: str, role: str, dash: str) -> dict[str, Any]:
    at = clock(timeline, at_ns)
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "line": {"color": role, "width": 2.5, "dash": dash},
        "showlegend": True,
        "name": f"{label} {at[11:16]}",
    }
