import math
from itertools import pairwise

import pytest

from simulator.errors import InputError
from simulator.world.earth import Place, azimuth_deg, distance_km
from simulator.world.flight import Flight, plan_flight
from simulator.world.powered import Regime

_SUNAN = Place(latitude=39.24, longitude=125.67)


def _flight(range_km: float = 3700.0, apogee_km: float = 800.0) -> Flight:
    return plan_flight(launch=_SUNAN, azimuth_deg=73.0, range_km=range_km, apogee_km=apogee_km)


def test_it_takes_its_free_flight_and_the_time_lost() -> None:
    flight = _flight()
    assert flight.duration_s == flight.ellipse.duration_s + flight.lost_s
    assert flight.apogee_s == flight.ellipse.half_s + flight.lost_s
    assert flight.powered_s == 2 * flight.lost_s
    assert (flight.range_km, flight.apogee_km) == (3700.0, 800.0)


def test_it_comes_down_where_range_and_direction_say() -> None:
    flight = _flight()
    assert distance_km(_SUNAN, flight.impact) == pytest.approx(3700.0)
    assert azimuth_deg(_SUNAN, flight.impact) == pytest.approx(73.0)
    end = flight.place_at(flight.duration_s)
    assert distance_km(end, flight.impact) == pytest.approx(0.0, abs=1e-3)


def test_it_starts_from_rest_and_is_on_its_ellipse_after_the_powered_phase() -> None:
    flight = _flight()
    ellipse, lost_s = flight.ellipse, flight.lost_s
    assert flight.height_km(1.0) < ellipse.height_km(1.0) / 100
    halfway_s = flight.powered_s / 2
    assert flight.height_km(halfway_s) == pytest.approx(ellipse.height_km(lost_s / 4))
    later_s = flight.powered_s + 10
    assert flight.height_km(later_s) == pytest.approx(ellipse.height_km(later_s - lost_s))
    before, after = flight.height_km(flight.powered_s - 1e-3), flight.height_km(flight.powered_s)
    assert after - before == pytest.approx(0.0, abs=0.01)


def test_before_the_launch_and_after_the_impact_it_is_on_the_ground() -> None:
    flight = _flight()
    assert flight.height_km(-10.0) == 0.0
    assert flight.ground_km(-10.0) == pytest.approx(0.0, abs=1e-9)
    assert flight.height_km(1e6) == pytest.approx(0.0, abs=1e-6)
    assert flight.ground_km(1e6) == 3700.0


def test_times_over_points_of_the_track() -> None:
    flight = _flight()
    assert flight.when_over_km(-1.0) == 0.0
    assert flight.when_over_km(1850.0) == pytest.approx(flight.apogee_s)
    assert flight.when_over_km(9999.0) == pytest.approx(flight.duration_s)


def test_the_ground_track_runs_evenly_from_launch_to_impact() -> None:
    flight = _flight()
    track = flight.ground_track(38)
    assert track[-1] == flight.impact
    assert distance_km(track[0], _SUNAN) == pytest.approx(0.0, abs=1e-6)
    for start, end in pairwise(track):
        assert distance_km(start, end) == pytest.approx(100.0)


def test_times_at_a_height() -> None:
    flight = _flight()
    both = flight.when_at_height(100.0)
    assert both is not None
    assert both[0] < flight.powered_s < both[1]
    for at_s in both:
        assert flight.height_km(at_s) == pytest.approx(100.0)
    assert flight.when_at_height(800.1) is None


def test_a_flight_that_is_powered_to_its_end_ends_all_the_same() -> None:
    flight = plan_flight(
        launch=_SUNAN, azimuth_deg=90.0, range_km=20.0, apogee_km=5.0, regime=Regime.SPACE_LAUNCH
    )
    assert flight.ellipse.duration_s < flight.lost_s
    assert flight.powered_s == flight.duration_s
    assert flight.ground_km(flight.duration_s) == pytest.approx(20.0)
    assert flight.when_over_km(20.0) == pytest.approx(flight.duration_s)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"apogee_km": -1.0}, "apogee_km"),
        ({"range_km": 30000.0}, "range_km"),
        ({"azimuth_deg": 400.0}, "azimuth_deg"),
        ({"azimuth_deg": math.nan}, "azimuth_deg"),
        ({"launch": Place(latitude=91.0, longitude=0.0)}, "launch.latitude"),
        ({"launch": Place(latitude=0.0, longitude=-181.0)}, "launch.longitude"),
    ],
)
def test_figures_out_of_range_are_refused_with_their_field(
    changes: dict[str, object], field: str
) -> None:
    sound: dict[str, object] = {
        "launch": _SUNAN,
        "azimuth_deg": 73.0,
        "range_km": 3700.0,
        "apogee_km": 800.0,
    }
    with pytest.raises(InputError) as caught:
        plan_flight(**{**sound, **changes})  # type: ignore[arg-type]
    assert caught.value.field == field
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(27.09, 142.19), (35.5, 139.85)],
    ids=["Chichijima", "Tokyo Bay"],
)
def test_a_launch_on_an_islet_or_in_a_bay_is_refused_too(latitude: float, longitude: float) -> None:
    place = Place(latitude=latitude, longitude=longitude)
    with pytest.raises(InputError, match="within 10 km of Japan") as caught:
        plan_flight(launch=place, azimuth_deg=0.0, range_km=100.0, apogee_km=50.0)
    assert caught.value.field == "launch"
    assert "off tokyo" in str(caught.value.value)


def test_a_launch_inside_japan_is_refused_and_one_off_its_coast_is_not() -> None:
    sendai = Place(latitude=38.26, longitude=140.87)
    with pytest.raises(InputError, match="inside Japan") as caught:
        plan_flight(launch=sendai, azimuth_deg=0.0, range_km=100.0, apogee_km=50.0)
    assert "in miyagi" in str(caught.value.value)
    plan_flight(
        launch=Place(latitude=38.26, longitude=142.5),
        azimuth_deg=0.0,
        range_km=100.0,
        apogee_km=50.0,
    )
