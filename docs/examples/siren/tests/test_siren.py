"""The siren against exercises: `pytest` in this folder, nothing else to start."""

from collections.abc import Iterator

import pytest
from siren import Siren


@pytest.fixture
def siren(alertsim) -> Iterator[Siren]:
    siren = Siren("siren-1", "miyagi")
    siren.switch_on(alertsim.host, alertsim.port)
    yield siren
    siren.switch_off()


def test_siren(alertsim, siren):
    played = alertsim.play("tohoku-2022-11-03", speed=3000, clients=1)

    assert siren.history == played.events("miyagi") == ["launch", "passage", "correction"]
    assert not siren.sounding
    played.assert_received_once("siren-1")
    played.assert_nothing_unexpected("siren-1")
    played.assert_within("siren-1", "5s")
    played.assert_passed()


def test_siren_sounds_and_misses_nothing_while_its_power_is_off(alertsim, siren):
    with alertsim.start("tohoku-2022-11-03", speed=1000, clients=1) as playing:
        playing.wait_until_sent("launch", "miyagi")
        alertsim.wait_until(lambda: "launch" in siren.history, "the siren sounds")
        siren.switch_off()
        playing.wait_until_sent("passage", "miyagi")
        siren.switch_on(alertsim.host, alertsim.port)
        alertsim.wait_until(lambda: not siren.sounding, "the siren stops")
    played = playing.finish()
    played.assert_received("siren-1")
    assert siren.history == played.events("miyagi")
