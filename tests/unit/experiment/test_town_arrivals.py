import numpy as np
import pytest

from simulator.experiment.figures import launch_times
from simulator.experiment.people import first_warnings, true_arrivals
from simulator.experiment.town_arrivals import town_arrivals_ns
from simulator.model import simulate
from simulator.scenario import Scenario, load_scenario
from simulator.units import NS_PER_S
from simulator.world.geography import municipalities

CODES = [town.code for town in municipalities()]
SLUGS = np.array([town.prefecture for town in municipalities()])


def _arrivals(name: str, **fields: object) -> tuple[np.ndarray, dict[str, int]]:
    scenario = Scenario.model_validate(load_scenario(name).resolved() | fields)
    timeline = simulate(scenario, 1)
    first = first_warnings(timeline)
    true = true_arrivals(timeline, first)
    believed = {
        slug: alert.believed_arrival_ns
        for slug, alert in first.items()
        if alert.believed_arrival_ns is not None
    }
    arrivals = believed | dict(true)
    return town_arrivals_ns(scenario, launch_times(timeline), arrivals, set(true)), arrivals


def test_towns_have_their_own_arrivals_along_the_track() -> None:
    found, arrivals = _arrivals("hokkaido-2017-09-15")
    hakodate, erimo, nemuro = (
        found[CODES.index(code)] / NS_PER_S for code in ("01202", "01609", "01223")
    )
    assert hakodate + 20 < erimo < nemuro
    hokkaido = found[SLUGS == "hokkaido"] / NS_PER_S
    first = arrivals["hokkaido"] / NS_PER_S
    # Towns beside the track may be nearest to it before it is over land at all.
    assert first - 30 < hokkaido.min() < first + 15
    assert hokkaido.max() < first + 180
    assert np.isnan(found[SLUGS == "okinawa"]).all()


def test_what_was_only_believed_follows_from_the_prediction() -> None:
    found, arrivals = _arrivals("tohoku-2022-11-03-modelled")
    for slug in ("niigata", "yamagata", "miyagi"):
        of_slug = found[slug == SLUGS] / NS_PER_S
        assert np.ptp(of_slug) > 5
        assert abs(np.median(of_slug) - arrivals[slug] / NS_PER_S) < 40
    assert found[CODES.index("15100")] < found[CODES.index("04100")]


def test_a_replay_has_the_arrival_of_the_prefecture_everywhere() -> None:
    found, arrivals = _arrivals("tohoku-2022-11-03")
    assert set(found[SLUGS == "miyagi"]) == {arrivals["miyagi"]}


def test_nothing_arrives_where_nobody_is_warned() -> None:
    found, arrivals = _arrivals("akita-2016-08-03")
    assert not arrivals
    assert np.isnan(found).all()


def test_a_launch_that_was_not_played_changes_nothing() -> None:
    scenario = load_scenario("hokkaido-2017-09-15")
    found = town_arrivals_ns(scenario, {}, {"hokkaido": 1}, {"hokkaido"})
    assert found[SLUGS == "hokkaido"] == pytest.approx(1)
