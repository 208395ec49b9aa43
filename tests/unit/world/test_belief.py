import pytest

from simulator.errors import InputError
from simulator.world.belief import predicted
from simulator.world.earth import Place
from simulator.world.flight import plan_flight
from simulator.world.powered import Regime

_FLIGHT = plan_flight(
    launch=Place(latitude=39.66, longitude=124.705),
    azimuth_deg=359.0,
    range_km=1000.0,
    apogee_km=300.0,
    regime=Regime.SPACE_LAUNCH,
)


def test_without_errors_belief_is_truth() -> None:
    assert predicted(_FLIGHT) == _FLIGHT


def test_errors_change_direction_range_and_apogee_only() -> None:
    wrong = predicted(_FLIGHT, azimuth_error_deg=2.5, range_factor=1.5, apogee_factor=2.0)
    assert wrong.azimuth_deg == pytest.approx(1.5)
    assert (wrong.range_km, wrong.apogee_km) == (1500.0, 600.0)
    assert (wrong.launch, wrong.regime) == (_FLIGHT.launch, _FLIGHT.regime)


def test_a_prediction_that_no_flight_has_is_refused() -> None:
    with pytest.raises(InputError, match="more than half the Earth"):
        predicted(_FLIGHT, range_factor=30.0)
