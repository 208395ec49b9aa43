import pytest

from simulator.errors import InputError
from simulator.world.earth import Place, distance_km
from simulator.world.flight import Flight, plan_flight
from simulator.world.flown import fly


def _flight() -> Flight:
    return plan_flight(
        launch=Place(latitude=39.24, longitude=125.67),
        azimuth_deg=90.0,
        range_km=5500.0,
        apogee_km=2000.0,
    )


def test_without_options_it_completes_and_is_never_lost() -> None:
    flown = fly(_flight())
    assert flown.completes
    assert flown.ends_at_s == flown.seen_until_s == flown.flight.duration_s
    assert flown.end_km == pytest.approx(5500.0)
    assert flown.arrives(flown.flight.duration_s)


def test_what_breaks_up_arrives_nowhere_later() -> None:
    flown = fly(_flight(), ends_at_s=360.0)
    assert not flown.completes
    assert flown.arrives(360.0)
    assert not flown.arrives(360.1)
    assert distance_km(flown.end, flown.flight.launch) == pytest.approx(flown.end_km)


def test_what_falls_short_ends_over_its_last_kilometre() -> None:
    flown = fly(_flight(), ends_over_km=750.0)
    assert flown.end_km == pytest.approx(750.0)
    assert flown.ends_at_s == flown.flight.when_over_km(750.0)


def test_a_lost_flight_flies_on_unseen() -> None:
    flown = fly(_flight(), lost_at_s=300.0)
    assert flown.completes
    assert flown.seen_until_s == 300.0
    assert fly(_flight(), ends_at_s=200.0, lost_at_s=300.0).seen_until_s == 200.0


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"ends_at_s": 100.0, "ends_over_km": 100.0}, "ends_over_km"),
        ({"ends_at_s": -1.0}, "ends_at_s"),
        ({"ends_at_s": 1e5}, "ends_at_s"),
        ({"ends_over_km": 5501.0}, "ends_over_km"),
        ({"lost_at_s": float("nan")}, "lost_at_s"),
    ],
)
def test_ends_outside_the_flight_are_refused(options: dict[str, float], field: str) -> None:
    with pytest.raises(InputError) as caught:
        fly(_flight(), **options)
    assert caught.value.field == field
    assert caught.value.remedy
