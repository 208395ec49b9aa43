import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.world.earth import (
    HALF_EARTH_KM,
    Place,
    azimuth_deg,
    destination,
    distance_km,
    great_circle,
    unit_vector,
)
from simulator.world.ellipse import solve_ellipse
from simulator.world.flight import Flight, plan_flight
from simulator.world.flown import fly
from simulator.world.powered import Regime

_SEA = Place(latitude=39.24, longitude=125.67)

ranges = st.floats(1.0, HALF_EARTH_KM)
apogees = st.floats(1.0, 20_000.0)
shares = st.floats(0.0, 1.0)
regimes = st.sampled_from(list(Regime))
places = st.builds(Place, latitude=st.floats(-89.0, 89.0), longitude=st.floats(-180.0, 180.0))
azimuths = st.floats(0.0, 360.0)


@st.composite
def flights(draw: st.DrawFn) -> Flight:
    return plan_flight(
        launch=_SEA,
        azimuth_deg=draw(azimuths),
        range_km=draw(ranges),
        apogee_km=draw(apogees),
        regime=draw(regimes),
    )


@given(start=places, azimuth=azimuths, distance=st.floats(1.0, HALF_EARTH_KM - 100.0))
def test_there_and_back(start: Place, azimuth: float, distance: float) -> None:
    there = destination(start, azimuth, distance)
    assert distance_km(start, there) == pytest.approx(distance, rel=1e-9)
    again = destination(start, azimuth_deg(start, there), distance)
    assert distance_km(there, again) == pytest.approx(0.0, abs=1e-3)


@given(start=places, azimuth=azimuths, point=places)
def test_along_and_across_are_a_point_again(start: Place, azimuth: float, point: Place) -> None:
    circle = great_circle(start, azimuth)
    along, cross = circle.along_and_cross_km(unit_vector(point))
    assert -HALF_EARTH_KM / 2 <= along <= 1.5 * HALF_EARTH_KM
    foot = circle.place_at(along)
    assert distance_km(foot, point) == pytest.approx(abs(cross), abs=1e-3)


@given(flight=flights(), share=shares)
def test_when_it_is_somewhere_it_is_there_then(flight: Flight, share: float) -> None:
    over_km = flight.range_km * share
    at_s = flight.when_over_km(over_km)
    assert 0.0 <= at_s <= flight.duration_s + 1e-6
    assert flight.ground_km(at_s) == pytest.approx(over_km, rel=1e-6, abs=1e-3)


@given(flight=flights(), share=shares)
def test_when_it_is_at_a_height_it_is_that_high_then(flight: Flight, share: float) -> None:
    height_km = flight.apogee_km * share
    both = flight.when_at_height(height_km)
    assert both is not None
    rising_s, falling_s = both
    assert 0.0 <= rising_s <= flight.apogee_s + 1e-6
    assert flight.apogee_s - 1e-6 <= falling_s <= flight.duration_s + 1e-6
    for at_s in both:
        assert flight.height_km(at_s) == pytest.approx(height_km, rel=1e-6, abs=1e-3)


@given(flight=flights(), one=shares, other=shares)
def test_later_is_farther_along(flight: Flight, one: float, other: float) -> None:
    early, late = sorted((one * flight.duration_s, other * flight.duration_s))
    assert flight.ground_km(early) <= flight.ground_km(late) + 1e-6


@given(flight=flights(), share=shares)
def test_no_height_is_above_the_apogee_or_below_the_ground(flight: Flight, share: float) -> None:
    assert 0.0 <= flight.height_km(share * flight.duration_s) <= flight.apogee_km + 1e-6


@given(flight=flights())
def test_the_powered_phase_adds_what_its_law_says_and_no_more(flight: Flight) -> None:
    assert flight.duration_s >= flight.ellipse.duration_s
    assert flight.duration_s <= flight.ellipse.duration_s + flight.lost_s or (
        flight.ellipse.duration_s < flight.lost_s
    )


@given(range_km=st.floats(1.0, HALF_EARTH_KM / 4), apogee_km=apogees, more=st.floats(1.0, 2.0))
def test_higher_takes_longer(range_km: float, apogee_km: float, more: float) -> None:
    low = plan_flight(launch=_SEA, azimuth_deg=0.0, range_km=range_km, apogee_km=apogee_km)
    high = plan_flight(launch=_SEA, azimuth_deg=0.0, range_km=range_km, apogee_km=apogee_km * more)
    assert high.duration_s >= low.duration_s - 1e-6


@given(flight=flights(), share=shares)
def test_what_ends_earlier_arrives_no_farther(flight: Flight, share: float) -> None:
    flown = fly(flight, ends_at_s=flight.duration_s * share)
    assert flown.end_km <= flight.range_km
    assert flown.arrives(flight.when_over_km(flown.end_km) - 1e-3)


@given(range_km=st.floats(), apogee_km=st.floats())
def test_any_two_numbers_make_a_flight_or_a_clear_error(range_km: float, apogee_km: float) -> None:
    sound = 0.001 <= range_km <= HALF_EARTH_KM and 0.001 <= apogee_km <= 384_400
    if not sound:
        with pytest.raises(InputError) as caught:
            solve_ellipse(range_km, apogee_km)
        assert caught.value.field in {"range_km", "apogee_km"}
        assert caught.value.remedy
        return
    ellipse = solve_ellipse(range_km, apogee_km)
    assert 0.0 < ellipse.duration_s < math.inf
    assert ellipse.height_km(ellipse.half_s) == pytest.approx(apogee_km, rel=1e-6)
