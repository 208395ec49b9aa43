"""When a flight is over a prefecture or municipality, or comes down there.

Rule of the module: seconds after launch, one figure per place, by scalar arithmetic: these times
stand in timelines, whose digest must not depend on the processor. The same for all municipalities
at once, for curves over people, is `towns`'s.
"""

from dataclasses import dataclass
from enum import StrEnum

from simulator.world.earth import Place, distance_km, great_circle, unit_vector
from simulator.world.flight import Flight
from simulator.world.outline import Approach, approach, stretches_over
from simulator.world.warning_area import Corridor


class ArrivalKind(StrEnum):
    """What arrives."""

    OVER = "over"
    BESIDE = "beside"
    IMPACT = "impact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A flight's arrival at one place.

    Attributes:
        kind: passes over it, passes beside it, or comes down in it or near it.
        at_s: seconds after launch: when it is first over its land, nearest to it, or down.
        leaves_s: when it has left it; ``at_s`` unless it passes over.
        distance_km: from the track, or from the impact, to the nearest land; 0 over it.
        height_km: above the surface at ``at_s``.
    """

    kind: ArrivalKind
    at_s: float
    leaves_s: float
    distance_km: float
    height_km: float

    @property
    def at_ms(self) -> int:
        """The arrival in whole milliseconds after launch, as timelines have it."""
        return round(self.at_s * 1000)


def prefecture_arrival(flight: Flight, slug: str, corridor: Corridor) -> Arrival | None:
    """When a flight arrives at a prefecture, None if it does not come near.

    Args:
        flight: as flown or as predicted.
        slug: the prefecture.
        corridor: how near is near.
    """
    landing = great_circle(flight.impact, 0.0)
    falls = approach(slug, landing, 0.0, corridor.impact_radius_km)
    if falls is not None:
        return _impact(flight, falls.distance_km)
    near = approach(slug, flight.circle, flight.range_km, corridor.half_width_km)
    if near is None:
        return None
    stretches = stretches_over(slug, flight.circle, flight.range_km)
    last_km = max((leaves for _, leaves in stretches), default=near.along_km)
    return _passage(flight, near, last_km)


def place_arrival(flight: Flight, place: Place, corridor: Corridor) -> Arrival | None:
    """When a flight arrives at a point, such as a municipal office; None if not near it.

    Args:
        flight: as flown or as predicted.
        place: the point.
        corridor: how near is near.
    """
    point = unit_vector(place)
    along_km, cross_km = flight.circle.along_and_cross_km(point)
    from_impact_km = distance_km(flight.impact, place)
    if from_impact_km <= corridor.impact_radius_km:
        return _impact(flight, from_impact_km)
    if not 0 <= along_km <= flight.range_km or abs(cross_km) > corridor.half_width_km:
        return None
    return _passage(flight, Approach(distance_km=abs(cross_km), along_km=along_km), along_km)


def _impact(flight: Flight, from_it_km: float) -> Arrival:
    down_s = flight.duration_s
    return Arrival(
        kind=ArrivalKind.IMPACT, at_s=down_s, leaves_s=down_s, distance_km=from_it_km, height_km=0
    )


def _passage(flight: Flight, near: Approach, last_km: float) -> Arrival:
    at_s = flight.when_over_km(near.along_km)
    return Arrival(
        kind=ArrivalKind.BESIDE if near.distance_km > 0 else ArrivalKind.OVER,
        at_s=at_s,
        leaves_s=flight.when_over_km(last_km),
        distance_km=near.distance_km,
        height_km=flight.height_km(at_s),
    )
