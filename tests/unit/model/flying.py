"""Launches with a flight, played under rules of whole minutes, and read in a line."""

from collections.abc import Callable

from simulator.model import Timeline
from simulator.model.timeline import EventKind
from simulator.scenario import Scenario
from simulator.units import NS_PER_S

Build = Callable[..., Scenario]
Fly = Callable[..., Timeline]

RULES = {
    "policy": "prefectures",
    "relay": {"law": "constant", "value": "30s"},
    "forming": {"law": "constant", "value": "20s"},
    "cancellation": {"law": "constant", "value": "15min"},
}
SECOND_LOOK = {"second_look": {"law": "constant", "value": "6min"}}
TOHOKU = {"site": "sunan", "azimuth_deg": 90, "range_km": 5500, "apogee_km": 2000}
THREE = ("miyagi", "yamagata", "niigata")
# Comes down in the sea off Niigata, whose coast is some 1,190 km from the launch.
SHORT = {"site": "sunan", "azimuth_deg": 90, "range_km": 1160, "apogee_km": 900}
OKINAWA = {
    "site": "sohae",
    "kind": "space-launch",
    "azimuth_deg": 173.5,
    "range_km": 2700,
    "apogee_km": 500,
}


def told(timeline: Timeline) -> list[tuple[str, tuple[str, ...]]]:
    """What was said, in order, and to whom."""
    said: dict[str, list[str]] = {}
    for alert in timeline.alerts:
        said.setdefault(str(alert.event), []).append(alert.prefecture)
    return [(event, tuple(slugs)) for event, slugs in said.items()]


def event_names(timeline: Timeline, kind: EventKind) -> list[str]:
    return [event.name for event in timeline.events if event.kind is kind]


def first_s(timeline: Timeline) -> float:
    return timeline.alerts[0].at_ns / NS_PER_S
