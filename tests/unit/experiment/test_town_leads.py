import numpy as np
import pytest

from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import Plan, make_plan, one_point
from simulator.experiment.replications import Player
from simulator.experiment.town_leads import MOST, town_leads
from simulator.experiment.variants import read_base
from simulator.world.geography import municipalities


def _plan(name: str, people: PeopleOrder | None = PeopleOrder()) -> Plan:  # noqa: B008  (frozen)
    return make_plan(read_base(name), one_point(), 1, 200, people)


def test_towns_of_the_warned_prefectures_have_a_lead_time_near_that_of_the_message() -> None:
    plan = _plan("hokkaido-2022-10-04")
    leads = town_leads(plan, 20)
    assert leads is not None
    assert leads.replications == 20
    assert not leads.predicted
    known = ~np.isnan(leads.seconds)
    towns = municipalities()
    places = {town.prefecture for town, there in zip(towns, known.tolist(), strict=True) if there}
    assert {"hokkaido", "aomori"} <= places
    assert set(np.unique(leads.warned[known])) <= set(range(1, 21))
    rows = [Player(plan).play(0, replication).figures for replication in range(20)]
    issued = np.mean([float(row["lead_time_aomori_ns"] or 0) for row in rows]) / 1e9
    aomori = [
        seconds
        for town, seconds in zip(towns, leads.seconds.tolist(), strict=True)
        if town.prefecture == "aomori" and not np.isnan(seconds)
    ]
    # Half of the people of a town have been warned some seconds to minutes after the issue.
    assert all(0 < issued - seconds < 180 for seconds in aomori)


def test_where_nothing_arrives_the_predicted_arrival_counts_and_few_are_looked_at() -> None:
    leads = town_leads(_plan("tohoku-2022-11-03"), 200)
    assert leads is not None
    assert leads.predicted
    assert leads.replications == MOST
    assert int((~np.isnan(leads.seconds)).sum()) == 100
    assert np.isnan(leads.before_arrival).all()
    known = ~np.isnan(leads.seconds)
    assert leads.before_predicted[known].tolist() == leads.in_time[known].tolist()


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("tohoku-2022-11-03", None),
        ("drill-minimal", PeopleOrder()),
        ("akita-2016-08-03", PeopleOrder()),
    ],
)
def test_without_people_or_a_warning_there_is_nothing_to_show(
    name: str, people: PeopleOrder | None
) -> None:
    assert town_leads(_plan(name, people), 3) is None


def test_without_an_arrival_there_are_people_but_no_lead_times() -> None:
    leads = town_leads(_plan("hawaii-2018"), 3)
    assert leads is not None
    assert leads.known == []
    assert leads.people.sum() > 0 == leads.in_time.sum()


def test_people_of_the_municipalities_are_those_of_the_replications() -> None:
    plan = _plan("hokkaido-2022-10-04")
    leads = town_leads(plan, 4)
    assert leads is not None
    rows = [Player(plan).play(0, replication).figures for replication in range(4)]
    warned = np.mean([float(row["warned_people"] or 0) for row in rows])
    assert leads.people.sum() == pytest.approx(warned, abs=0.1)
    # By the arrival at each town, not at the first of its prefecture: at least as many.
    in_time = np.mean([float(row["warned_before_arrival_people"] or 0) for row in rows])
    true = leads.before_arrival[~np.isnan(leads.before_arrival)].sum()
    assert in_time - 1 < true <= leads.in_time.sum() < warned
    expected = np.mean([float(row["warned_before_predicted_people"] or 0) for row in rows])
    believed = leads.before_predicted[~np.isnan(leads.before_predicted)].sum()
    assert expected - 1 < believed < warned
