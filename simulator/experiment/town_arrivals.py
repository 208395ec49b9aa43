"""When something arrives at every municipality, from when it arrives at the prefectures.

Rule of the module: pure; for maps and curves, never for a timeline. Where the arrival follows from
a flight, each municipality has its own: when the flight is nearest to its office, or down beside
it. Elsewhere, as in a replay, all of a prefecture have that of the prefecture.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from simulator.experiment.estimates import Floats
from simulator.model.geometry import Geometry
from simulator.model.outlook import flight_geometry
from simulator.scenario.schema import Scenario
from simulator.units import NS_PER_MS, NS_PER_S
from simulator.world.flight import Flight
from simulator.world.geography import municipalities
from simulator.world.towns import town_arrivals
from simulator.world.warning_area import Corridor

_FAR_KM: Final = 2000.0
_KEPT: Final = 32


def town_arrivals_ns(
    scenario: Scenario,
    launched: Mapping[str, int],
    arrivals: Mapping[str, int],
    truly: Collection[str],
) -> Floats:
    """Scenario time of the arrival at every municipality, in the order of ``municipalities()``.

    Args:
        scenario: whose flights they follow from.
        launched: when each launch was, scenario ns.
        arrivals: at the prefectures, scenario ns.
        truly: prefectures at which it really arrives; at the others it is only believed to.

    Returns:
        Not a number where nothing arrives at the prefecture.
    """
    slugs = np.array([town.prefecture for town in municipalities()])
    found = np.array([arrivals.get(slug, np.nan) for slug in slugs], np.float64)
    for launch in scenario.launches:
        geometry, start_ns = flight_geometry(scenario, launch), launched.get(launch.id)
        if geometry is None or start_ns is None:
            continue
        for flight, ends_s, times, real in _ways(geometry):
            own = [
                slug
                for slug, at_ms in times.items()
                if (slug in truly) is real and arrivals.get(slug) == start_ns + at_ms * NS_PER_MS
            ]
            if own:
                at_s = np.minimum(_nearest_s(flight, geometry.corridor.impact_radius_km), ends_s)
                here = np.isin(slugs, own) & ~np.isnan(at_s)
                found[here] = start_ns + at_s[here] * NS_PER_S
    return found


def _ways(geometry: Geometry) -> Iterator[tuple[Flight, float, Mapping[str, int], bool]]:
    """The flight as it went and as it was predicted, until when, and when it is over whom."""
    yield geometry.flown.flight, geometry.flown.ends_at_s, geometry.true_ms, True
    yield geometry.predicted, geometry.predicted.duration_s, geometry.believed_ms, False


@lru_cache(maxsize=_KEPT)
def _nearest_s(flight: Flight, impact_radius_km: float) -> Floats:
    """Seconds after launch at which a flight is nearest to each municipality, however far."""
    wide = Corridor(half_width_km=_FAR_KM, impact_radius_km=impact_radius_km)
    return town_arrivals(flight, wide).at_s
