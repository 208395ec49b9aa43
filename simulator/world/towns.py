"""When a flight is nearest to each of the 1,741 municipalities, all at once.

Rule of the module: NumPy arrays in the order of ``geography.municipalities()``, for curves over
people. Last digits may differ between processors, so nothing of it enters a timeline: there, use
`arrival`, with which it agrees within a microsecond.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from simulator.world.earth import EARTH_GM_KM3_S2, EARTH_RADIUS_KM, Place, unit_vector
from simulator.world.flight import Flight
from simulator.world.geography import municipalities
from simulator.world.warning_area import Corridor

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TownArrivals:
    """A flight's arrival at every municipality.

    Attributes:
        at_s: seconds after launch at which it is nearest to the municipal office, or down if it
            comes down near it; NaN where it does not come near.
        distance_km: from the track, or from the impact; NaN likewise.
    """

    at_s: Floats
    distance_km: Floats


def town_arrivals(flight: Flight, corridor: Corridor) -> TownArrivals:
    """When a flight arrives at every municipality.

    Args:
        flight: as flown or as predicted.
        corridor: how near is near.
    """
    points = _points()
    along = np.arctan2(points @ flight.circle.forward, points @ flight.circle.start)
    cross_km = np.abs(np.arcsin(np.clip(points @ flight.circle.left, -1, 1))) * EARTH_RADIUS_KM
    end = np.array(unit_vector(flight.impact))
    chord = np.linalg.norm(points - end, axis=1)
    from_impact_km = 2 * np.arcsin(np.clip(chord / 2, 0, 1)) * EARTH_RADIUS_KM
    falls = from_impact_km <= corridor.impact_radius_km
    along_km = along * EARTH_RADIUS_KM
    passes = (along_km >= 0) & (along_km <= flight.range_km) & (cross_km <= corridor.half_width_km)
    at_s = np.where(passes, _when_over(flight, along_km), np.nan)
    distance = np.where(passes, cross_km, np.nan)
    return TownArrivals(
        at_s=np.where(falls, flight.duration_s, at_s),
        distance_km=np.where(falls, from_impact_km, distance),
    )


def _when_over(flight: Flight, along_km: Floats) -> Floats:
    """`Flight.when_over_km` for an array."""
    ellipse = flight.ellipse
    past = (np.clip(along_km, 0, flight.range_km) - flight.range_km / 2) / (2 * EARTH_RADIUS_KM)
    stretch = np.sqrt((2 - ellipse.roundness) / ellipse.roundness)
    anomaly = 2 * np.arctan2(np.sin(past) * stretch, np.cos(past))
    mean_motion = np.sqrt(EARTH_GM_KM3_S2 / ellipse.semi_major_km**3)
    since_apogee = (anomaly + ellipse.eccentricity * np.sin(anomaly)) / mean_motion
    ellipse_s = np.maximum(0, ellipse.half_s + since_apogee)
    early = 2 * np.sqrt(flight.lost_s * ellipse_s)
    at_s: Floats = np.where(ellipse_s < flight.lost_s, early, ellipse_s + flight.lost_s)
    return at_s


@cache
def _points() -> Floats:
    points = np.array(
        [
            unit_vector(Place(latitude=town.latitude, longitude=town.longitude))
            for town in municipalities()
        ]
    )
    points.setflags(write=False)
    return points
