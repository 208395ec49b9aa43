import numpy as np
import pytest

from simulator.world.arrival import place_arrival
from simulator.world.earth import Place
from simulator.world.flight import Flight, plan_flight
from simulator.world.geography import municipalities
from simulator.world.powered import Regime
from simulator.world.towns import town_arrivals
from simulator.world.warning_area import Corridor

_CORRIDOR = Corridor(half_width_km=60.0, impact_radius_km=80.0)


def _flight(range_km: float, regime: Regime = Regime.BALLISTIC) -> Flight:
    return plan_flight(
        launch=Place(latitude=39.24, longitude=125.67),
        azimuth_deg=89.0,
        range_km=range_km,
        apogee_km=2000.0,
        regime=regime,
    )


@pytest.mark.parametrize("range_km", [5500.0, 1250.0])
def test_all_at_once_is_the_same_as_one_by_one(range_km: float) -> None:
    flight = _flight(range_km)
    arrivals = town_arrivals(flight, _CORRIDOR)
    reached = 0
    for number, town in enumerate(municipalities()):
        place = Place(latitude=town.latitude, longitude=town.longitude)
        single = place_arrival(flight, place, _CORRIDOR)
        if single is None:
            assert np.isnan(arrivals.at_s[number])
            assert np.isnan(arrivals.distance_km[number])
        else:
            reached += 1
            assert arrivals.at_s[number] == pytest.approx(single.at_s, abs=1e-6)
            assert arrivals.distance_km[number] == pytest.approx(single.distance_km, abs=1e-6)
    assert reached > 20


def test_an_arrival_within_the_powered_phase_agrees_too() -> None:
    flight = plan_flight(
        launch=Place(latitude=38.3, longitude=138.2),
        azimuth_deg=90.0,
        range_km=400.0,
        apogee_km=300.0,
        regime=Regime.SPACE_LAUNCH,
    )
    arrivals = town_arrivals(flight, _CORRIDOR)
    early = [
        (number, town)
        for number, town in enumerate(municipalities())
        if arrivals.at_s[number] < flight.powered_s
    ]
    assert early
    for number, town in early:
        place = Place(latitude=town.latitude, longitude=town.longitude)
        single = place_arrival(flight, place, _CORRIDOR)
        assert single is not None
        assert arrivals.at_s[number] == pytest.approx(single.at_s, abs=1e-6)
