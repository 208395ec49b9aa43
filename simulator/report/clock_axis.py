"""Scenario time on a clock axis: local time of day of the scenario.

Rule of the module: plotly.js knows no time zones, so instants are written as local time without
one, and the axis title names it.
"""

from datetime import datetime, timedelta
from typing import Any

from simulator.model.timeline import Timeline
from simulator.report.drawing import axis
from simulator.units import NS_PER_US


def clock(timeline: Timeline, at_ns: int) -> str:
    """A scenario instant as local date and time, to the millisecond."""
    moment: datetime = timeline.epoch + timedelta(microseconds=at_ns // NS_PER_US)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")


def clock_axis(timeline: Timeline, first_ns: int, last_ns: int) -> dict[str, Any]:
    """A time axis over a stretch of scenario time, titled with date and zone."""
    offset = timeline.epoch.strftime("%z")
    zone = "JST" if offset == "+0900" else f"UTC{offset[:3]}:{offset[3:]}"
    return axis(
        type="date",
        range=[clock(timeline, first_ns), clock(timeline, last_ns)],
        tickformat="%H:%M",
        hoverformat="%H:%M:%S",
        title={"text": f"{timeline.epoch:%Y-%m-%d}, {zone}"},
    )
