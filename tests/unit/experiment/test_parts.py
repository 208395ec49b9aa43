"""Areas that are parts of prefectures: whose people count."""

from typing import Any

import pytest

from simulator.errors import ConfigurationError
from simulator.experiment.people import People, PeopleOrder, issues_ns
from simulator.experiment.variants import Base
from simulator.model import simulate
from simulator.randomness import Streams
from simulator.scenario import load_scenario
from simulator.scenario.schema import Scenario
from simulator.scenario.values import parts_in, prefectures_in
from simulator.world.geography import municipalities
from tests.unit.experiment.conftest import DOCUMENT

_OGASAWARA = "13421"
_PEOPLE = {town.code: town.population for town in municipalities()}
_STEPS: dict[str, Any] = {
    stage: {"law": "constant", "value": "1min"} for stage in ("reassessment", "discovery")
}


def _made(belief: dict[str, Any], faults: dict[str, Any] | None = None) -> Scenario:
    own = {"arrival": "10:09", "outcome": "passage", "event": "launch"}
    launch = {"id": "one", "at": "10:00", "belief": own | belief, "faults": faults or {}}
    correction = {"law": "constant", "value": "1min"}
    chain = DOCUMENT["chain"] | _STEPS | {"correction": correction}
    document = DOCUMENT | {"chain": chain, "launches": [launch]}
    return Base(name="made", document=document).scenario()


def _alerted(scenario: Scenario) -> float:
    people = People(PeopleOrder(profile="j-alert-2022"))
    found = people.figures(scenario, simulate(scenario, 1), Streams(1, 0))["alerted_people"]
    assert found is not None
    return found


def test_a_municipality_alone_is_alerted_and_its_prefecture_gets_the_message() -> None:
    scenario = _made({"prefectures": [_OGASAWARA]})
    assert {alert.prefecture for alert in simulate(scenario, 1).alerts} == {"tokyo"}
    assert _alerted(scenario) == _PEOPLE[_OGASAWARA]


def test_by_a_fault_some_municipalities_are_alerted_besides() -> None:
    whole = _alerted(_made({"prefectures": ["miyagi"]}))
    wrong = _made({"prefectures": ["miyagi"]}, {"wrong_area": [_OGASAWARA, "13402", "04100"]})
    assert _alerted(wrong) == whole + _PEOPLE[_OGASAWARA] + _PEOPLE["13402"]


def test_a_whole_prefecture_that_is_warned_later_is_warned_then() -> None:
    scenario = _made(
        {
            "prefectures": [_OGASAWARA, "miyagi"],
            "escalation": {"prefectures": ["tokyo"], "arrival": "10:09"},
        }
    )
    timeline = simulate(scenario, 1)
    found = issues_ns(scenario, timeline)
    assert set(found) == {_OGASAWARA, "miyagi", "tokyo"}
    assert found[_OGASAWARA] == found["miyagi"] < found["tokyo"]


def test_parts_of_a_prefecture_that_is_already_warned_are_warned_no_later() -> None:
    first = {"id": "one", "at": "10:00", "belief": {"prefectures": ["tokyo"]}}
    later = {"id": "two", "at": "10:30", "belief": {"prefectures": [_OGASAWARA]}}
    chain = DOCUMENT["chain"] | {"all_clear": {"law": "constant", "value": "1h"}}
    document = DOCUMENT | {"chain": chain, "launches": [first, later]}
    scenario = Base(name="made", document=document).scenario()
    timeline = simulate(scenario, 1)
    assert len({alert.launch for alert in timeline.alerts}) == 2
    assert set(issues_ns(scenario, timeline)) == {"tokyo"}


def test_on_4_october_2022_islands_of_tokyo_were_alerted() -> None:
    scenario = load_scenario("hokkaido-2022-10-04")
    issues = issues_ns(scenario, simulate(scenario, 1))
    islands = [code for code in issues if code.isdecimal()]
    assert len(islands) == 9
    assert set(issues) - set(islands) == {"hokkaido", "aomori"}
    assert sum(_PEOPLE[code] for code in islands) == 24_475


def test_an_area_names_places_once() -> None:
    assert prefectures_in(["miyagi", _OGASAWARA, "13402"]) == ("miyagi", "tokyo")
    assert parts_in(["miyagi", _OGASAWARA, "13402"]) == {"tokyo": (_OGASAWARA, "13402")}


@pytest.mark.parametrize(
    ("area", "said"),
    [
        (["tokyo", _OGASAWARA], "named as a whole"),
        (["13999"], "no municipality 13999"),
        ([_OGASAWARA, _OGASAWARA], "stands twice"),
        (["tokio"], "unknown prefecture"),
        ([], "no prefecture is named"),
    ],
)
def test_an_area_that_cannot_be_is_refused(area: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        _made({"prefectures": area})
