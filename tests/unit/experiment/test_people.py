from dataclasses import replace

import pytest

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
from simulator.scenario import load_scenario
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
