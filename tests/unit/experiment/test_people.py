from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.experiment.people import (
    People,
    PeopleOrder,
    band_column,
    band_seconds,
    first_warnings,
    is_band,
    profile_of,
    true_arrivals,
)
from simulator.experiment.plan import make_plan, one_point
from simulator.experiment.replications import Player
from simulator.experiment.variants import Setting, read_base
from simulator.model import simulate
from simulator.randomness import Streams
from simulator.reach import ChannelName
from simulator.scenario import Scenario, load_scenario
from simulator.units import NS_PER_H
from simulator.world.geography import municipalities


def test_people_of_the_founding_case_are_conserved() -> None:
    scenario = load_scenario("tohoku-2022-11-03")
    found = People(PeopleOrder()).figures(scenario, simulate(scenario, 1), Streams(1, 0))
    area = sum(
        town.population
        for town in municipalities()
        if town.prefecture in {"miyagi", "yamagata", "niigata"}
    )
    assert found["alerted_people"] == area
    warned = found["warned_people"]
    assert warned is not None
    assert 0 < warned < area
    first = [value or 0 for name, value in found.items() if name.startswith("first_")]
    assert sum(first) == pytest.approx(warned, abs=0.01)
    # Nothing arrived that morning: whoever was warned was warned needlessly, and too late for
    # what was believed.
    assert found["alerted_needlessly_people"] == warned
    assert found["warned_before_arrival_people"] is None
    assert found["missed_people"] is None
    assert found["warned_before_predicted_people"] == 0


def test_nobody_is_warned_before_the_alert_and_ever_more_after_it() -> None:
    scenario = load_scenario("tohoku-2022-11-03")
    found = People(PeopleOrder()).figures(scenario, simulate(scenario, 1), Streams(1, 0))
    curve = {band_seconds(name): value or 0 for name, value in found.items() if is_band(name)}
    assert list(curve) == list(range(0, 1801, 30))
    assert all(value == 0 for after, value in curve.items() if after <= 660)
    values = list(curve.values())
    assert values == sorted(values)
    assert 0 < values[-1] <= (found["warned_people"] or 0)


def test_where_something_arrives_those_warned_before_late_and_never_add_up() -> None:
    scenario = load_scenario("hokkaido-2022-10-04")
    timeline = simulate(scenario, 1)
    found = People(PeopleOrder()).figures(scenario, timeline, Streams(1, 0))
    true = true_arrivals(timeline, first_warnings(timeline))
    endangered = sum(town.population for town in municipalities() if town.prefecture in true)
    before, missed = found["warned_before_arrival_people"], found["missed_people"]
    assert before is not None
    assert missed is not None
    late = endangered - before - missed
    assert late > -0.01
    warned = found["warned_people"] or 0
    assert warned == pytest.approx(
        before + late + (found["alerted_needlessly_people"] or 0), abs=0.01
    )


def test_a_faster_stage_never_warns_fewer_people() -> None:
    base = read_base("hokkaido-2022-10-04")
    plan = make_plan(base, one_point(), 1, 30, PeopleOrder())
    fast = base.set_to([Setting(path="chain.decision", value="1s")])
    slow, quick = Player(plan), Player(replace(plan, base=fast))
    for replication in range(30):
        one, other = slow.play(0, replication).figures, quick.play(0, replication).figures
        for name in ("warned_before_predicted_people", "warned_before_arrival_people"):
            assert (one[name] or 0) <= (other[name] or 0) + 0.01


def test_without_a_launch_nobody_is_counted() -> None:
    scenario = load_scenario("drill-minimal")
    assert People(PeopleOrder()).figures(scenario, simulate(scenario, 1), Streams(1, 0)) == {}


def test_the_channels_are_those_of_the_time() -> None:
    assert profile_of(load_scenario("tohoku-2022-11-03-modelled")) == "j-alert-2022"
    recorded = load_scenario("tohoku-2022-11-03")
    assert profile_of(recorded) == "j-alert-2022"
    for year, name in ((1999, "j-alert-2012"), (2016, "j-alert-2012"), (2030, "j-alert-2023")):
        moved = recorded.model_copy(update={"epoch": recorded.epoch.replace(year=year)})
        assert profile_of(moved) == name


def test_few_plans_of_reach_are_kept() -> None:
    people = People(PeopleOrder(profile="j-alert-2022"))
    recorded = load_scenario("tohoku-2022-11-03")
    for hour in range(9):
        people._plan(recorded, hour * NS_PER_H)
    assert len(people._plans) == 8
    kept = people._plan(recorded, 8 * NS_PER_H)
    assert people._plan(recorded, 8 * NS_PER_H) is kept


def test_columns_of_the_curve_name_their_seconds() -> None:
    assert band_column(90) == "warned_by_0090s_people"
    assert band_seconds(band_column(90)) == 90
    assert is_band(band_column(0))
    assert not is_band("warned_people")


def _changed(name: str, **fields: Any) -> Scenario:
    return Scenario.model_validate(load_scenario(name).resolved() | fields)


def _figures(scenario: Scenario, profile: str | None = None) -> dict[str, float]:
    found = People(PeopleOrder(profile=profile)).figures(
        scenario, simulate(scenario, 1), Streams(1, 0)
    )
    return {name: value or 0.0 for name, value in found.items()}


def test_a_silent_carrier_warns_fewer_people_by_cell_broadcast() -> None:
    name = "hokkaido-2022-10-04"
    carriers = ("docomo", "kddi", "softbank", "rakuten")
    sound = _figures(_changed(name, channel_faults=None))
    assert sound == _figures(_changed(name, channel_faults={}))
    fewer = {
        carrier: _figures(_changed(name, channel_faults={"silent_carriers": [carrier]}))
        for carrier in carriers
    }
    lost = {
        carrier: sound["first_cell_broadcast_people"] - figures["first_cell_broadcast_people"]
        for carrier, figures in fewer.items()
    }
    assert lost["docomo"] > lost["rakuten"] > 0
    none = _figures(_changed(name, channel_faults={"silent_carriers": carriers}))
    assert none["first_cell_broadcast_people"] == 0
    assert 0 < none["warned_people"] < min(figures["warned_people"] for figures in fewer.values())
    assert none["first_television_people"] > sound["first_television_people"]


def test_a_silent_receiver_takes_a_town_its_loudspeakers() -> None:
    name = "hokkaido-2022-10-04"
    towns = [town.code for town in municipalities() if town.prefecture in {"hokkaido", "aomori"}]
    sound = _figures(_changed(name, channel_faults=None))
    one = _figures(_changed(name, channel_faults={"silent_receivers": towns[:1]}))
    all_ = _figures(_changed(name, channel_faults={"silent_receivers": towns}))
    tokyo = {town.code for town in municipalities() if town.prefecture == "tokyo"}
    assert sound["first_loudspeaker_people"] >= one["first_loudspeaker_people"]
    assert one["first_loudspeaker_people"] > all_["first_loudspeaker_people"] > 0
    every = {"silent_receivers": [*towns, *sorted(tokyo)]}
    nobody = _figures(_changed(name, channel_faults=every))
    assert nobody["first_loudspeaker_people"] == nobody["first_indoor_receiver_people"] == 0
    assert nobody["first_cell_broadcast_people"] > sound["first_cell_broadcast_people"]


def test_a_carrier_of_another_time_is_silent_anyway_and_an_unknown_one_an_error() -> None:
    name = "hokkaido-2022-10-04"
    assert _figures(load_scenario(name), "j-alert-2012")["warned_people"] > 0
    with pytest.raises(InputError) as caught:
        _figures(_changed(name, channel_faults={"silent_carriers": ["rakutan"]}))
    assert (caught.value.field, caught.value.value) == ("silent_carriers", "'rakutan'")
    assert "rakuten" in (caught.value.remedy or "")


def test_a_correction_reaches_the_people_of_the_channels_that_carry_it() -> None:
    def corrected(only: list[str] | None) -> float:
        document = load_scenario("hawaii-2018").resolved()
        document["launches"][0]["correction"]["only_channels"] = only
        return _figures(Scenario.model_validate(document), "j-alert-2022")["corrected_people"]

    names = [name.value for name in ChannelName]
    alone = {name: corrected([name]) for name in names}
    everywhere = corrected(None)
    assert everywhere == pytest.approx(corrected(names))
    assert corrected([]) == 0
    assert alone["cell-broadcast"] > alone["television"] > alone["radio"] > 0
    assert max(alone.values()) < everywhere < sum(alone.values())
    assert corrected(["television", "radio"]) <= alone["television"] + alone["radio"] + 0.001
    figures = _figures(load_scenario("hawaii-2018"), "j-alert-2022")
    assert everywhere == pytest.approx(figures["warned_people"], rel=1e-6)


def test_without_a_correction_nobody_is_counted_as_corrected() -> None:
    scenario = load_scenario("hokkaido-2017-09-15")
    found = People(PeopleOrder()).figures(scenario, simulate(scenario, 1), Streams(1, 0))
    assert found["corrected_people"] is None


@pytest.mark.parametrize(
    ("epoch", "like"),
    [
        ("2022-11-02T22:39:00+00:00", "2022-11-03T07:39:00+09:00"),
        ("2022-11-03T07:39:00-10:00", "2022-11-03T07:39:00+09:00"),
        ("2022-11-03T03:39:00-10:00", "2022-11-03T03:39:00+09:00"),
    ],
)
def test_people_do_what_they_do_at_that_hour_of_the_place(epoch: str, like: str) -> None:
    people = People(PeopleOrder())
    scenario = load_scenario("tohoku-2022-11-03")
    one, other = (
        people._plan(scenario.model_copy(update={"epoch": datetime.fromisoformat(text)}), 0)
        for text in (epoch, like)
    )
    assert one.activities == other.activities


def test_people_of_the_prefectures_add_up() -> None:
    found = _figures(load_scenario("hokkaido-2022-10-04"))
    warned = [found.pop(f"warned_{slug}_people") for slug in ("hokkaido", "aomori", "tokyo")]
    assert all(people > 0 for people in warned)
    assert sum(warned) == pytest.approx(found["warned_people"], abs=0.01)
    assert not any(name.startswith("warned_iwate") for name in found)
    before = [value for name, value in found.items() if name.startswith("warned_before_arrival_")]
    assert sum(before) == pytest.approx(2 * found["warned_before_arrival_people"], abs=0.01)
    assert "warned_before_arrival_tokyo_people" not in found
    expected = [found[f"warned_before_predicted_{slug}_people"] for slug in ("hokkaido", "aomori")]
    assert all(people > 0 for people in expected)
    assert sum(expected) == pytest.approx(found["warned_before_predicted_people"], abs=0.01)
    # Tokyo's islands were warned by mistake: nothing was predicted to arrive there.
    assert "warned_before_predicted_tokyo_people" not in found


def test_of_where_all_are_warned_too_late_it_is_nobody_not_nothing() -> None:
    found = _figures(load_scenario("tohoku-2022-11-03"))
    places = [name for name in found if name.startswith("warned_before_predicted_")]
    assert {found[name] for name in places} == {0}
    assert len(places) == 4  # three prefectures, and all together
