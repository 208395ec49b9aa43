import pytest

from simulator.world.arrival import Arrival, ArrivalKind, place_arrival, prefecture_arrival
from simulator.world.earth import Place
from simulator.world.flight import Flight, plan_flight
from simulator.world.warning_area import Corridor

_SUNAN = Place(latitude=39.24, longitude=125.67)
_CORRIDOR = Corridor(half_width_km=40.0, impact_radius_km=50.0)


def _flight(range_km: float = 5500.0) -> Flight:
    return plan_flight(launch=_SUNAN, azimuth_deg=90.0, range_km=range_km, apogee_km=2000.0)


def _arrival(slug: str, range_km: float = 5500.0) -> Arrival:
    found = prefecture_arrival(_flight(range_km), slug, _CORRIDOR)
    assert found is not None
    return found


def test_it_passes_from_coast_to_coast_in_order() -> None:
    niigata, yamagata, miyagi = (_arrival(slug) for slug in ("niigata", "yamagata", "miyagi"))
    assert {entry.kind for entry in (niigata, yamagata, miyagi)} == {ArrivalKind.OVER}
    assert niigata.at_s < niigata.leaves_s <= yamagata.leaves_s <= miyagi.leaves_s
    assert yamagata.leaves_s == pytest.approx(miyagi.at_s, abs=1.0)
    assert miyagi.distance_km == 0.0
    assert miyagi.height_km == pytest.approx(_flight().height_km(miyagi.at_s))


def test_it_passes_beside_what_lies_in_the_corridor() -> None:
    fukushima = _arrival("fukushima")
    assert fukushima.kind is ArrivalKind.BESIDE
    assert fukushima.leaves_s == fukushima.at_s
    assert 0.0 < fukushima.distance_km <= 40.0


def test_it_never_comes_near_the_rest() -> None:
    assert prefecture_arrival(_flight(), "tokyo", _CORRIDOR) is None


def test_it_comes_down_in_or_near_what_lies_about_its_impact() -> None:
    down = _arrival("yamagata", range_km=1240.0)
    assert down.kind is ArrivalKind.IMPACT
    assert down.at_s == down.leaves_s == _flight(1240.0).duration_s
    assert down.height_km == 0.0
    off_niigata = _arrival("niigata", range_km=1165.0)
    assert off_niigata.kind is ArrivalKind.IMPACT
    assert 20.0 < off_niigata.distance_km <= 50.0


def test_timelines_take_whole_milliseconds() -> None:
    found = _arrival("miyagi")
    assert found.at_ms == pytest.approx(found.at_s * 1000, abs=0.5)
    assert isinstance(found.at_ms, int)


def test_a_municipal_office_is_reached_when_the_flight_is_nearest() -> None:
    flight = _flight()
    abeam = flight.circle.place_at(1300.0)
    aside = Place(latitude=abeam.latitude + 0.3, longitude=abeam.longitude)
    for place, kind in ((abeam, ArrivalKind.OVER), (aside, ArrivalKind.BESIDE)):
        found = place_arrival(flight, place, _CORRIDOR)
        assert found is not None
        if kind is ArrivalKind.BESIDE:
            assert found.kind is kind
            assert 30.0 < found.distance_km < 34.0
        assert found.at_s == pytest.approx(flight.when_over_km(1300.0), abs=2.0)
        assert found.leaves_s == found.at_s


def test_an_office_that_the_flight_does_not_come_near_has_no_arrival() -> None:
    flight = _flight(1250.0)
    far_aside = Place(latitude=35.7, longitude=139.7)
    behind = Place(latitude=39.24, longitude=124.0)
    beyond = flight.circle.place_at(1310.0)
    for place in (far_aside, behind, beyond):
        assert place_arrival(flight, place, _CORRIDOR) is None


def test_an_office_about_the_impact_is_reached_at_the_impact() -> None:
    flight = _flight(1250.0)
    found = place_arrival(flight, flight.circle.place_at(1270.0), _CORRIDOR)
    assert found is not None
    assert found.kind is ArrivalKind.IMPACT
    assert found.distance_km == pytest.approx(20.0)
    assert found.at_s == flight.duration_s
