import math
from dataclasses import replace

import pytest

from simulator.errors import InputError
from simulator.world.earth import EARTH_RADIUS_KM, Place, destination
from simulator.world.flight import Flight, plan_flight
from simulator.world.flown import fly
from simulator.world.sensing import (
    Radar,
    Satellite,
    early_warning,
    elevation_deg,
    first_visible_s,
    forming_s,
    radar_track,
    radars,
    satellite_report_s,
    sees,
    sights,
)

_SUNAN = Place(latitude=39.24, longitude=125.67)
_SATELLITE = Satellite(cloud_top_km=10.0, revisit_s=10.0, looks=3, processing_s=45.0)
_RADAR = Radar(
    id="here",
    name="A radar off the track",
    place=destination(_SUNAN, 90.0, 1000.0),
    altitude_km=0.5,
    range_km=2000.0,
    max_height_km=3000.0,
    min_elevation_deg=1.0,
    earth_factor=4 / 3,
)


def _flight(range_km: float = 4600.0, apogee_km: float = 1000.0) -> Flight:
    return plan_flight(launch=_SUNAN, azimuth_deg=85.0, range_km=range_km, apogee_km=apogee_km)


def test_the_satellite_reports_after_the_clouds_its_looks_and_its_processing() -> None:
    flight = _flight()
    above = flight.when_at_height(10.0)
    assert above is not None
    first, last = (satellite_report_s(fly(flight), _SATELLITE, phase) for phase in (0.0, 1.0))
    assert first == pytest.approx(above[0] + 2 * 10.0 + 45.0)
    assert last == pytest.approx(above[0] + 3 * 10.0 + 45.0)


def test_what_stays_below_the_clouds_or_ends_too_soon_is_not_reported() -> None:
    assert satellite_report_s(fly(_flight(50.0, 9.0)), _SATELLITE, 0.0) is None
    assert satellite_report_s(fly(_flight(), ends_at_s=40.0), _SATELLITE, 0.0) is None


@pytest.mark.parametrize("phase", [-0.1, 1.1, math.nan])
def test_a_phase_is_a_share_of_the_scan(phase: float) -> None:
    with pytest.raises(InputError, match="phase"):
        satellite_report_s(fly(_flight()), _SATELLITE, phase)


def test_the_horizon_is_that_of_four_thirds_of_the_earth() -> None:
    radius = EARTH_RADIUS_KM * 4 / 3
    low = replace(_RADAR, altitude_km=0.0)
    for height in (1.0, 10.0, 100.0):
        horizon = radius * math.acos(radius / (radius + height))
        assert elevation_deg(low, horizon, height) == pytest.approx(0.0, abs=1e-6)
    assert elevation_deg(low, 0.0, 10.0) == pytest.approx(90.0)
    # The usual rule of thumb: kilometres to the horizon are 4.12 times the root of metres.
    assert radius * math.acos(radius / (radius + 1.0)) == pytest.approx(4.12 * 1000**0.5, rel=1e-2)


def test_a_radar_sees_from_the_horizon_until_its_range_or_height_ends() -> None:
    flight = _flight()
    (sight,) = sights(fly(flight), _RADAR)
    assert sees(flight, _RADAR, sight.from_s + 1e-3)
    assert not sees(flight, _RADAR, sight.from_s - 1e-3)
    assert sees(flight, _RADAR, sight.until_s - 1e-3)
    assert not sees(flight, _RADAR, sight.until_s + 1e-3)
    assert first_visible_s(fly(flight), _RADAR) == sight.from_s


@pytest.mark.parametrize(
    "limit", [{"range_km": 1000.0}, {"max_height_km": 500.0}, {"min_elevation_deg": 20.0}]
)
def test_every_limit_shortens_the_sight(limit: dict[str, float]) -> None:
    flown = fly(_flight())
    limited = replace(_RADAR, **limit)  # type: ignore[arg-type]
    whole = sum(sight.until_s - sight.from_s for sight in sights(flown, _RADAR))
    less = sum(sight.until_s - sight.from_s for sight in sights(flown, limited))
    assert 0 < less < whole


def test_a_height_limit_makes_two_sights_of_one() -> None:
    high = _flight(1500.0, 3000.0)
    both = sights(fly(high), replace(_RADAR, max_height_km=1000.0, range_km=3000.0))
    assert len(both) == 2
    assert both[0].until_s < high.apogee_s < both[1].from_s


def test_a_lost_or_ended_flight_is_seen_no_longer() -> None:
    flight = _flight()
    (whole,) = sights(fly(flight), _RADAR)
    for flown in (fly(flight, lost_at_s=300.0), fly(flight, ends_at_s=300.0)):
        (cut,) = sights(flown, _RADAR)
        assert cut.from_s == pytest.approx(whole.from_s, abs=1e-6)
        assert cut.until_s == 300.0
    assert sights(fly(flight, lost_at_s=10.0), _RADAR) == ()
    assert first_visible_s(fly(flight, lost_at_s=10.0), _RADAR) is None


def test_a_radar_at_the_launch_sees_it_from_the_start() -> None:
    here = replace(_RADAR, place=_SUNAN, altitude_km=0.0, min_elevation_deg=-90.0)
    assert sights(fly(_flight()), here)[0].from_s == 0.0


def test_the_first_track_is_the_earliest_seen_for_long_enough() -> None:
    flown = fly(_flight())
    track = radar_track(flown, radars(), forming_s())
    assert track is not None
    firsts = {site.id: first_visible_s(flown, site) for site in radars()}
    assert track.first_seen_s == min(at for at in firsts.values() if at is not None)
    assert firsts[track.radar] == track.first_seen_s
    assert track.formed_s == track.first_seen_s + forming_s()
    assert not track.complete


def test_a_radar_that_misses_the_flight_leaves_it_to_the_next() -> None:
    flown = fly(_flight())
    first = radar_track(flown, radars(), 20.0)
    assert first is not None
    second = radar_track(flown, radars(), 20.0, missed_by={first.radar})
    assert second is not None
    assert second.radar != first.radar
    assert second.formed_s > first.formed_s
    assert radar_track(flown, radars(), 20.0, missed_by={site.id for site in radars()}) is None


def test_a_flight_seen_too_briefly_forms_no_track() -> None:
    assert radar_track(fly(_flight(), lost_at_s=100.0), radars(), 60.0) is None


def test_a_flight_followed_to_its_end_is_complete() -> None:
    near = replace(_RADAR, min_elevation_deg=-90.0, range_km=9000.0)
    flight = _flight(900.0, 300.0)
    track = radar_track(fly(flight), [near], 20.0)
    assert track is not None
    assert track.complete
    assert track.lost_s == flight.duration_s
    broken = radar_track(fly(flight, ends_at_s=200.0), [near], 20.0)
    assert broken is not None
    assert not broken.complete


def test_the_shipped_sites_and_satellite_are_those_of_the_tables() -> None:
    assert [site.id for site in radars()] == ["ominato", "sado", "shimokoshiki", "yozadake"]
    assert all(site.altitude_km < 2 for site in radars())
    assert early_warning() == _SATELLITE
