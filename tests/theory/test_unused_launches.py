"""Launches that no law was set by: whom the model warns, in all directions that the facts leave."""

from typing import Any

import pytest

from simulator.model import simulate
from simulator.model.geometry import Geometry
from simulator.model.outlook import flight_geometry
from simulator.scenario import Scenario, load_scenario

QUIET = ("akita-2016-08-03", "hokkaido-2016-09-05", "akita-2017-03-06", "hokkaido-2022-03-24")
MS_PER_MIN = 60_000


def _variants(name: str) -> list[Scenario]:
    """As it is, and with the first launch's assumed figures at either end of their ranges."""
    resolved = load_scenario(name).resolved()
    found = [Scenario.model_validate(resolved)]
    for field in ("azimuth_deg", "apogee_km"):
        for end in (0, 1):
            document: dict[str, Any] = load_scenario(name).resolved()
            figure = document["launches"][0]["flight"][field]
            if "range" in figure:
                figure["value"] = figure["range"][end]
                found.append(Scenario.model_validate(document))
    return found


def _geometry(scenario: Scenario) -> Geometry:
    found = flight_geometry(scenario, scenario.launches[0])
    assert found is not None
    return found


@pytest.mark.parametrize("name", QUIET)
def test_launches_that_warned_nobody_warn_nobody(name: str) -> None:
    variants = _variants(name)
    assert len(variants) > 2
    for scenario in variants:
        timeline = simulate(scenario, 5)
        assert not timeline.alerts
        marks = [event.name for event in timeline.events if event.name == "not-warned"]
        assert len(marks) == len(scenario.launches)


def test_2009_passes_over_akita_and_iwate_when_it_did() -> None:
    """The first stage fell 280 km before Akita at 11:37, the rest far out at 11:43."""
    for scenario in _variants("tohoku-2009-04-05"):
        found = _geometry(scenario)
        assert {"akita", "iwate"} <= set(found.warned)
        assert 6 < found.true_ms["akita"] / MS_PER_MIN < 9
    assert _geometry(load_scenario("tohoku-2009-04-05")).ends_ms / MS_PER_MIN == pytest.approx(
        13, abs=2.1
    )


def test_2012_arrives_nowhere() -> None:
    for scenario in _variants("okinawa-2012-04-13"):
        assert not _geometry(scenario).true_ms


def test_2022_takes_71_minutes() -> None:
    minutes = _geometry(load_scenario("hokkaido-2022-03-24")).ends_ms / MS_PER_MIN
    assert minutes == pytest.approx(71, rel=0.03)
