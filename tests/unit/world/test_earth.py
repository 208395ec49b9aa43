import math

import pytest

from simulator.world.earth import (
    EARTH_RADIUS_KM,
    HALF_EARTH_KM,
    Place,
    azimuth_deg,
    destination,
    distance_km,
    great_circle,
    unit_vector,
)

_ORIGIN = Place(latitude=0.0, longitude=0.0)
_QUARTER_KM = HALF_EARTH_KM / 2


@pytest.mark.parametrize(
    ("azimuth", "latitude", "longitude"),
    [(0.0, 30.0, 0.0), (90.0, 0.0, 30.0), (180.0, -30.0, 0.0), (270.0, 0.0, -30.0)],
)
def test_thirty_degrees_in_each_direction(
    azimuth: float, latitude: float, longitude: float
) -> None:
    there = destination(_ORIGIN, azimuth, EARTH_RADIUS_KM * math.pi / 6)
    assert there.latitude == pytest.approx(latitude, abs=1e-9)
    assert there.longitude == pytest.approx(longitude, abs=1e-9)
    assert azimuth_deg(_ORIGIN, there) == pytest.approx(azimuth, abs=1e-9)
    assert distance_km(_ORIGIN, there) == pytest.approx(EARTH_RADIUS_KM * math.pi / 6)


def test_distances_keep_their_digits_from_a_metre_to_half_the_earth() -> None:
    near = Place(latitude=0.0, longitude=math.degrees(0.001 / EARTH_RADIUS_KM))
    assert distance_km(_ORIGIN, near) == pytest.approx(0.001, rel=1e-9)
    assert distance_km(_ORIGIN, Place(latitude=0.0, longitude=180.0)) == pytest.approx(
        HALF_EARTH_KM
    )
    assert distance_km(_ORIGIN, _ORIGIN) == 0.0


def test_right_of_a_track_is_positive_and_behind_it_negative() -> None:
    eastward = great_circle(_ORIGIN, 90.0)
    south_east = unit_vector(Place(latitude=-1.0, longitude=2.0))
    along, cross = eastward.along_and_cross_km(south_east)
    degree_km = math.radians(1.0) * EARTH_RADIUS_KM
    assert along == pytest.approx(2 * degree_km)
    assert cross == pytest.approx(degree_km)
    along, cross = eastward.along_and_cross_km(unit_vector(Place(latitude=1.0, longitude=-2.0)))
    assert along == pytest.approx(-2 * degree_km)
    assert cross == pytest.approx(-degree_km)


def test_the_far_side_lies_ahead_up_to_three_quarters_of_the_earth() -> None:
    eastward = great_circle(_ORIGIN, 90.0)
    for longitude, along_km in ((-91.0, 269), (-89.0, -89), (180.0, 180)):
        along, _ = eastward.along_and_cross_km(unit_vector(Place(latitude=0, longitude=longitude)))
        assert along == pytest.approx(along_km * HALF_EARTH_KM / 180)


def test_a_circle_from_a_pole_has_a_direction_all_the_same() -> None:
    pole = Place(latitude=90.0, longitude=0.0)
    assert distance_km(pole, great_circle(pole, 45.0).place_at(100.0)) == pytest.approx(100.0)
    assert great_circle(pole, 0.0).place_at(_QUARTER_KM).latitude == pytest.approx(0.0, abs=1e-9)
