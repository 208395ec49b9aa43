"""The sphere and the warned area against an independent computation: PROJ's geodesics."""

import math
from itertools import pairwise

import pytest
from pyproj import Geod

from simulator.world import geography
from simulator.world.earth import (
    EARTH_RADIUS_KM,
    Place,
    azimuth_deg,
    destination,
    distance_km,
    great_circle,
    unit_vector,
)
from simulator.world.flight import plan_flight
from simulator.world.records import launch_sites, predicted_tracks
from simulator.world.warning_area import Corridor, default_corridor, under_track, warning_area

_SPHERE = Geod(a=EARTH_RADIUS_KM * 1000, b=EARTH_RADIUS_KM * 1000)
_EARTH = Geod(ellps="WGS84")
_TOWNS = geography.municipalities()[::40]


def test_distances_and_directions_are_those_of_proj() -> None:
    for site in launch_sites().values():
        for town in _TOWNS:
            place = Place(latitude=town.latitude, longitude=town.longitude)
            azimuth, _, metres = _SPHERE.inv(
                site.longitude, site.latitude, place.longitude, place.latitude
            )
            assert distance_km(site, place) == pytest.approx(metres / 1000, abs=1e-6)
            assert azimuth_deg(site, place) == pytest.approx(azimuth % 360, abs=1e-9)


def test_the_sphere_is_within_six_thousandths_of_the_ellipsoid() -> None:
    for site in launch_sites().values():
        for town in _TOWNS:
            place = Place(latitude=town.latitude, longitude=town.longitude)
            _, _, metres = _EARTH.inv(
                site.longitude, site.latitude, place.longitude, place.latitude
            )
            assert distance_km(site, place) == pytest.approx(metres / 1000, rel=6e-3)


@pytest.mark.parametrize("azimuth", [0.0, 37.0, 90.0, 181.5, 300.0])
@pytest.mark.parametrize("distance", [1.0, 1500.0, 12000.0, 20000.0])
def test_destinations_are_those_of_proj(azimuth: float, distance: float) -> None:
    start = launch_sites()["sunan"]
    east, north, _ = _SPHERE.fwd(start.longitude, start.latitude, azimuth, distance * 1000)
    there = destination(start, azimuth, distance)
    assert there.latitude == pytest.approx(north, abs=1e-9)
    assert (there.longitude - east + 180) % 360 == pytest.approx(180, abs=1e-9)


def test_the_nearest_point_of_a_track_is_that_of_a_search_with_proj() -> None:
    start, azimuth = launch_sites()["mupyong-ri"], 81.7
    circle = great_circle(start, azimuth)
    for town in _TOWNS[:12]:
        place = Place(latitude=town.latitude, longitude=town.longitude)
        along, cross = circle.along_and_cross_km(unit_vector(place))
        low, high = 0.0, 4000.0
        for _ in range(80):
            thirds = (low + (high - low) / 3, high - (high - low) / 3)
            near, far = (_to_track_km(start, azimuth, at, place) for at in thirds)
            low, high = (low, thirds[1]) if near < far else (thirds[0], high)
        assert along == pytest.approx(low, abs=0.05)
        assert abs(cross) == pytest.approx(_to_track_km(start, azimuth, low, place), abs=1e-3)


def _to_track_km(start: Place, azimuth: float, along_km: float, place: Place) -> float:
    east, north, _ = _SPHERE.fwd(start.longitude, start.latitude, azimuth, along_km * 1000)
    _, _, metres = _SPHERE.inv(east, north, place.longitude, place.latitude)
    return float(metres) / 1000


def _beside_km(slug: str, start: Place, azimuth: float) -> float:
    """Distance of an outline from the endless track ahead, by PROJ and the law of sines.

    Edges are divided until their points lie closer than the tolerance of the comparison.
    """
    best = math.inf
    for ring in geography.outlines()[slug]:
        easts, norths = [], []
        for (east, north), (east_to, north_to) in pairwise(ring):
            pieces = 1 + int(math.hypot(east_to - east, north_to - north) / 0.02)
            for piece in range(pieces):
                share = piece / pieces
                easts.append(east + (east_to - east) * share)
                norths.append(north + (north_to - north) * share)
        count = len(easts)
        bearings, _, metres = _SPHERE.inv(
            [start.longitude] * count, [start.latitude] * count, easts, norths
        )
        sides = set()
        for bearing, far in zip(bearings, metres, strict=True):
            turn = math.radians(bearing - azimuth)
            if math.cos(turn) > 0:
                cross = math.asin(math.sin(far / 1000 / EARTH_RADIUS_KM) * math.sin(turn))
                sides.add(cross > 0)
                best = min(best, abs(cross) * EARTH_RADIUS_KM)
        if len(sides) == 2:
            return 0.0
    return best


@pytest.mark.parametrize(
    ("site", "azimuth"),
    [
        ("sunan", 73.0),
        ("sunan", 88.3),
        ("sunan", 90.0),
        ("sunan", 91.5),
        ("sunan", 104.0),
        ("mupyong-ri", 81.7),
        ("mupyong-ri", 110.0),
        ("sohae", 120.0),
        ("sohae", 160.0),
        ("sohae", 173.5),
    ],
)
@pytest.mark.parametrize("half_width", [15.0, 40.0])
def test_the_area_under_a_track_is_that_of_proj(
    site: str, azimuth: float, half_width: float
) -> None:
    start = launch_sites()[site]
    flight = plan_flight(launch=start, azimuth_deg=azimuth, range_km=6000.0, apogee_km=1500.0)
    corridor = Corridor(half_width_km=half_width, impact_radius_km=0.0)
    under = set(under_track(flight, corridor))
    beside = {slug: _beside_km(slug, start, azimuth) for slug in geography.outlines()}
    assert {slug for slug, far in beside.items() if far <= half_width} <= under
    assert under <= {slug for slug, far in beside.items() if far <= half_width + 0.5}


@pytest.mark.parametrize("event", list(predicted_tracks()))
def test_the_area_of_every_activation_follows_from_its_track(event: str) -> None:
    track = predicted_tracks()[event]
    assert warning_area(track.flight(), track.policy).warned == track.area


def test_directions_that_the_facts_leave_give_the_area_almost_everywhere() -> None:
    held = {}
    for event, track in predicted_tracks().items():
        span = track.azimuth_high_deg - track.azimuth_low_deg
        tries = [track.azimuth_low_deg + span * number / 10 for number in range(11)]
        areas = [warning_area(track.flight(azimuth), track.policy).warned for azimuth in tries]
        held[event] = sum(area == track.area for area in areas)
    assert held.pop("2022-10-04") >= 9
    assert set(held.values()) == {11}


def test_the_founding_corridor_is_at_most_forty_kilometres_to_either_side() -> None:
    track = predicted_tracks()["2022-11-03"]
    assert default_corridor(track.policy).half_width_km <= 40.0
    wider = Corridor(half_width_km=60.0, impact_radius_km=60.0)
    for number in range(33):
        area = warning_area(track.flight(88.3 + number / 10), track.policy, wider)
        assert area.warned != track.area
