import math

import pytest

from simulator.errors import InputError
from simulator.world.earth import EARTH_GM_KM3_S2, EARTH_RADIUS_KM, HALF_EARTH_KM
from simulator.world.ellipse import solve_ellipse

_GRAVITY = EARTH_GM_KM3_S2 / EARTH_RADIUS_KM**2


def test_a_short_low_flight_is_the_parabola_of_the_school_book() -> None:
    ellipse = solve_ellipse(10.0, 2.5)
    assert ellipse.duration_s == pytest.approx(2 * math.sqrt(2 * 2.5 / _GRAVITY), rel=1e-3)
    assert ellipse.height_km(ellipse.half_s / 2) == pytest.approx(2.5 * 0.75, rel=1e-3)


def test_a_flight_close_above_half_the_earth_takes_half_an_orbit() -> None:
    ellipse = solve_ellipse(HALF_EARTH_KM, 0.001)
    assert ellipse.duration_s == pytest.approx(
        math.pi * math.sqrt(EARTH_RADIUS_KM**3 / EARTH_GM_KM3_S2)
    )


def test_a_steep_flight_takes_as_long_as_a_straight_fall() -> None:
    # Free fall from rest at r0 to the surface, in closed form.
    top = EARTH_RADIUS_KM + 4475.0
    share = EARTH_RADIUS_KM / top
    fall_s = math.sqrt(top**3 / (2 * EARTH_GM_KM3_S2)) * (
        math.acos(math.sqrt(share)) + math.sqrt(share * (1 - share))
    )
    assert solve_ellipse(1e-3, 4475.0).duration_s == pytest.approx(2 * fall_s, rel=1e-6)


def test_the_apogee_is_halfway_in_time_and_on_the_ground() -> None:
    ellipse = solve_ellipse(4600.0, 1000.0)
    assert ellipse.height_km(ellipse.half_s) == pytest.approx(1000.0)
    assert ellipse.ground_km(ellipse.half_s) == pytest.approx(2300.0)
    assert ellipse.when_at_km(2300.0) == pytest.approx(ellipse.half_s)
    assert ellipse.when_at_height(1000.0) == pytest.approx((ellipse.half_s, ellipse.half_s))


def test_start_and_end_are_on_the_surface() -> None:
    ellipse = solve_ellipse(950.0, 4475.0)
    assert ellipse.height_km(0.0) == pytest.approx(0.0, abs=1e-6)
    assert ellipse.ground_km(0.0) == pytest.approx(0.0, abs=1e-6)
    assert ellipse.height_km(ellipse.duration_s) == pytest.approx(0.0, abs=1e-6)
    assert ellipse.ground_km(ellipse.duration_s) == pytest.approx(950.0)
    assert ellipse.when_at_km(0.0) == pytest.approx(0.0, abs=1e-9)
    assert ellipse.when_at_km(950.0) == pytest.approx(ellipse.duration_s)
    assert ellipse.when_at_height(0.0) == pytest.approx((0.0, ellipse.duration_s), abs=1e-6)


def test_it_is_never_above_its_apogee() -> None:
    assert solve_ellipse(950.0, 100.0).when_at_height(100.1) is None


@pytest.mark.parametrize(
    ("range_km", "apogee_km", "field", "says"),
    [
        (1000.0, 0.0, "apogee_km", "the apogee is not above the surface (got 0)"),
        (1000.0, -5.0, "apogee_km", "the apogee is not above the surface (got -5)"),
        (1000.0, math.nan, "apogee_km", "the apogee is not above the surface (got nan)"),
        (1000.0, math.inf, "apogee_km", "the apogee is beyond the Moon (got inf)"),
        (0.0, 100.0, "range_km", "the range is not above 0 (got 0)"),
        (1e-4, 100.0, "range_km", "the range is not above 0 (got 0.0001)"),
        (math.nan, 100.0, "range_km", "the range is not above 0 (got nan)"),
        (20016.0, 100.0, "range_km", "the range is more than half the Earth (got 20016)"),
    ],
)
def test_what_no_flight_has_is_refused(
    range_km: float, apogee_km: float, field: str, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        solve_ellipse(range_km, apogee_km)
    assert caught.value.field == field
    assert says in str(caught.value)
    assert caught.value.remedy
