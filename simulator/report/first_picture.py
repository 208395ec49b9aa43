"""The picture of the first screen: the chain's stages and the people warned, on one clock.

Rule of the module: as :mod:`simulator.report.drawing`. The upper half is the model of people, the
lower half the simulated chain; what was measured stands in words, since a delivery of milliseconds
has no width on a clock of minutes.
"""

from typing import Any, Final

from simulator.model.timeline import Timeline
from simulator.report import chain_picture, words
from simulator.report.clock_axis import clock
from simulator.report.drawing import ROW_PX, Picture, axis, merged
from simulator.report.people import PeopleWarned
from simulator.units import NS_PER_S

_CURVE_PX: Final = 190
_GAP_PX: Final = 26
_NEARLY_ALL: Final = 0.97
_STEP: Final = 3  # every third point, where nothing happens between


def first_picture(timeline: Timeline, people: PeopleWarned | None) -> Picture | None:
    """Stages below, people warned by time above, launch, warning and arrivals as lines.

    Returns:
        The chain alone where no people are modelled; None if there are no stages either.
    """
    below = chain_picture.chain(timeline)
    if below is None or people is None or not people.warned:
        return below
    rows = len(below["layout"]["yaxis"]["categoryarray"])
    plot_px = _CURVE_PX + _GAP_PX + ROW_PX * rows
    chain_share = round(ROW_PX * rows / plot_px, 4)
    curve_from = round((ROW_PX * rows + _GAP_PX) / plot_px, 4)
    first_ns, last_ns = chain_picture.chain_range(timeline)
    last_ns = max(last_ns, _nearly_all_ns(people))
    over = {
        "xaxis": {
            "range": [clock(timeline, first_ns), clock(timeline, last_ns)],
            "anchor": "y",
        },
        "yaxis": {"domain": [0, chain_share]},
        "yaxis2": axis(
            domain=[curve_from, 1],
            anchor="x",
            rangemode="tozero",
            nticks=5,
            tickformat="~s",
            range=[0, round(people.alerted * 1.08)],
            title={"text": "people warned (modelled)"},
        ),
        "height": plot_px + 120,
    }
    return {
        "data": [*_curve(timeline, people, last_ns), *below["data"]],
        "layout": merged(below["layout"], over),
        "narrow": merged(
            below["narrow"],
            {"height": plot_px + 210, "yaxis2": {"title": {"text": "people (modelled)"}}},
        ),
    }


def _nearly_all_ns(people: PeopleWarned) -> int:
    """When nearly all who are ever warned have been."""
    enough = _NEARLY_ALL * max(people.by_then)
    return next(
        at for at, count in zip(people.at_ns, people.by_then, strict=True) if count >= enough
    )


def _curve(timeline: Timeline, people: PeopleWarned, last_ns: int) -> list[dict[str, Any]]:
    points = [
        (at, count)
        for number, (at, count) in enumerate(zip(people.at_ns, people.by_then, strict=True))
        if at <= last_ns + NS_PER_S * 30 and (count or not number % _STEP)
    ]
    total = round(people.alerted)
    ends = [clock(timeline, points[0][0]), clock(timeline, points[-1][0])]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "people warned (modelled)",
            "x": [clock(timeline, at) for at, _ in points],
            "y": [round(count) for _, count in points],
            "yaxis": "y2",
            "text": [words.share(round(count), total) for _, count in points],
            "fill": "tozeroy",
            "fillcolor": "@people-fill",
            "line": {"color": "@people", "width": 3},
            "hovertemplate": "%{x|%H:%M:%S}: %{y:,.0f} people, %{text}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"all where an alert was issued ({total:,})",
            "x": ends,
            "y": [total, total],
            "yaxis": "y2",
            "line": {"color": "@soft", "width": 1.5, "dash": "dot"},
            "hoverinfo": "skip",
        },
    ]
