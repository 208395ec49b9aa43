import pytest

from simulator.world.powered import PoweredLaw, Regime, powered_law


def test_the_time_lost_grows_with_the_apogee_and_levels_off() -> None:
    law = PoweredLaw(lost_limit_s=300.0, apogee_scale_km=3000.0)
    assert law.lost_s(3.0) == pytest.approx(0.3, rel=1e-5)
    assert law.lost_s(3000.0) == pytest.approx(300.0 / 2**0.5)
    assert law.lost_s(4000.0) == pytest.approx(240.0)
    assert law.lost_s(1e9) == pytest.approx(300.0)


def test_a_space_launch_loses_the_same_whatever_its_apogee() -> None:
    law = powered_law(Regime.SPACE_LAUNCH)
    assert law.lost_s(300.0) == pytest.approx(law.lost_s(900.0), rel=1e-4)
    assert powered_law().lost_s(500.0) < law.lost_s(500.0)
