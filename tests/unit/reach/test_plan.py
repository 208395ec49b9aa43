import pickle
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.randomness import Streams
from simulator.reach import (
    ChannelName,
    DayKind,
    Faults,
    MeasuredDelivery,
    ReachPlan,
    ReachResult,
    load_profile,
)
from simulator.reach.channels import Activity
from simulator.units import NS_PER_S
from simulator.world.geography import Municipality, municipalities
from tests.unit.reach.small import EVERYBODY, built, constant, network, town

MORNING = datetime.fromisoformat("2022-11-03T07:39+09:00")
ISSUE = {"miyagi": 660 * NS_PER_S, "yamagata": 660 * NS_PER_S}
ARRIVAL = {"miyagi": 780 * NS_PER_S, "yamagata": None}


@pytest.fixture
def plan(towns: tuple[Municipality, ...]) -> ReachPlan:
    return ReachPlan.build(load_profile("j-alert-2022"), towns, MORNING)


def _certain(**networks: float) -> ReachPlan:
    """Everybody is warned after 4 s and the offset of the network."""

    def change(document: dict[str, Any]) -> None:
        document["channels"]["cell-broadcast"] = {
            "stages": [{"id": "send", "delay": constant(4)}],
            "hears": EVERYBODY,
            "carriers": [network(name, late=late) for name, late in networks.items()],
        }

    towns = (town("04100", 600), town("04202", 400), town("06201", 50, "yamagata"))
    return ReachPlan.build(built(change), towns, MORNING)


def test_everybody_is_warned_in_time_when_the_message_is_quick_enough() -> None:
    plan = _certain(one=0)
    at_ns = {"miyagi": 4 * NS_PER_S, "yamagata": 3 * NS_PER_S}
    result = plan.replicate(
        issues_ns={"miyagi": 0, "yamagata": 0}, arrivals_ns=at_ns, streams=Streams(1)
    )
    assert result.in_time.tolist() == [600, 400, 0]
    assert result.late.tolist() == [0, 0, 50]
    assert result.totals("miyagi").in_time == 1000
    assert result.totals("yamagata").late == 50
    assert result.totals().warned == 1050


def test_one_municipality_can_have_its_own_issue_and_arrival() -> None:
    plan = _certain(one=0)
    result = plan.replicate(
        issues_ns={"miyagi": 0, "04202": 10 * NS_PER_S},
        arrivals_ns={"miyagi": 5 * NS_PER_S, "04100": None},
        streams=Streams(1),
    )
    assert result.needless.tolist() == [600, 0, 0]
    assert result.late.tolist() == [0, 400, 0]
    assert result.undisturbed.tolist() == [0, 0, 50]
    assert result.totals().alerted == 1000
    assert result.warned_by([4 * NS_PER_S, 13 * NS_PER_S, 14 * NS_PER_S]).tolist() == [
        600, 600, 1000,
    ]  # fmt: skip


def test_one_municipality_can_be_left_out() -> None:
    result = _certain(one=0).replicate(
        issues_ns={"miyagi": 0, "04202": None}, arrivals_ns={"04202": 0}, streams=Streams(1)
    )
    assert result.needless.tolist() == [600, 0, 0]
    assert result.missed.tolist() == [0, 400, 0]


def test_without_an_issue_nobody_is_warned(plan: ReachPlan) -> None:
    result = plan.replicate(issues_ns={}, arrivals_ns=ARRIVAL, streams=Streams(1))
    totals = result.totals()
    assert totals.warned == totals.alerted == 0
    assert totals.missed == 1_152_000
    assert totals.undisturbed == 250_000
    assert not any(totals.first.values())
    assert result.warned_by([0, 10**12]).tolist() == [0, 0]


def test_an_alert_after_the_arrival_warns_nobody_in_time(plan: ReachPlan) -> None:
    result = plan.replicate(
        issues_ns=ISSUE, arrivals_ns={"miyagi": 540 * NS_PER_S}, streams=Streams(1)
    )
    assert result.totals("miyagi").in_time == 0
    assert result.totals("miyagi").late > 0
    assert not any(result.first_in_time().values())


def test_channels_add_up_to_people(plan: ReachPlan) -> None:
    result = plan.replicate(issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(1))
    for prefecture in (None, "miyagi", "yamagata"):
        totals = result.totals(prefecture)
        assert sum(totals.first.values()) == pytest.approx(totals.warned, rel=1e-12)
        assert sum(result.first_in_time(prefecture).values()) == pytest.approx(
            totals.in_time, rel=1e-12
        )
        curves = result.first_by(prefecture)
        assert {name: curve[-1] for name, curve in curves.items()} == pytest.approx(totals.first)
        assert all(totals.ever[name] >= totals.first[name] for name in ChannelName)
        assert max(totals.ever.values()) <= totals.warned
        unwarned = result.unwarned(prefecture)
        assert set(unwarned) == set(Activity)
        assert sum(unwarned.values()) == pytest.approx(totals.alerted - totals.warned, rel=1e-12)


def test_sleepers_are_warned_least(plan: ReachPlan) -> None:
    result = plan.replicate(issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(1))
    unwarned = result.unwarned()
    share = {activity: unwarned[activity] / plan.activities[activity] for activity in Activity}
    assert max(share, key=lambda activity: share[activity]) is Activity.ASLEEP
    assert min(share, key=lambda activity: share[activity]) is Activity.TELEVISION


def test_fewer_people_are_warned_at_night(towns: tuple[Municipality, ...]) -> None:
    profile = load_profile("j-alert-2022")
    warned = {}
    for hour in (3, 15):
        moment = MORNING.replace(hour=hour)
        plan = ReachPlan.build(profile, towns, moment)
        result = plan.replicate(issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(1))
        warned[hour] = result.totals().warned
    assert warned[3] < 0.8 * warned[15]


def test_the_rhythm_of_the_day_can_be_given(towns: tuple[Municipality, ...]) -> None:
    profile = load_profile("j-alert-2022")
    holiday = ReachPlan.build(profile, towns, MORNING)
    weekday = ReachPlan.build(profile, towns, MORNING, day=DayKind.WEEKDAY)
    assert holiday.activities[Activity.ASLEEP] > weekday.activities[Activity.ASLEEP]


def test_a_measured_app_takes_the_place_of_its_law(towns: tuple[Municipality, ...]) -> None:
    profile = load_profile("j-alert-2022")
    firsts = []
    for seconds in (1, 300):
        app = MeasuredDelivery.from_sample([seconds * NS_PER_S])
        plan = ReachPlan.build(profile, towns, MORNING, app=app)
        result = plan.replicate(issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(1))
        firsts.append(result.totals().first[ChannelName.APP])
    assert firsts[0] > 3 * firsts[1] > 0


def test_silent_receivers_lose_only_their_own_channels(plan: ReachPlan) -> None:
    silent = Faults(silent_receivers=frozenset({"04301"}))

    def both(number: int) -> list[ReachResult]:
        return [
            plan.replicate(
                issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(1, number), faults=faults
            )
            for faults in (Faults(), silent)
        ]

    # In some replications the town has neither loudspeaker nor indoor receiver to lose.
    pairs = [both(number) for number in range(10)]
    before, after = next(pair for pair in pairs if pair[1].warned[2] < pair[0].warned[2])
    assert np.delete(after.warned, 2).tolist() == np.delete(before.warned, 2).tolist()
    media = after.totals().ever[ChannelName.TELEVISION]
    assert media == pytest.approx(before.totals().ever[ChannelName.TELEVISION])


def test_a_silent_network_can_be_asked_for(plan: ReachPlan) -> None:
    before, after = (
        plan.replicate(
            issues_ns=ISSUE,
            arrivals_ns=ARRIVAL,
            streams=Streams(1),
            faults=Faults(silent_carriers=names),
        ).totals()
        for names in (frozenset[str](), frozenset({"docomo"}))
    )
    ratio = after.ever[ChannelName.CELL_BROADCAST] / before.ever[ChannelName.CELL_BROADCAST]
    assert ratio == pytest.approx(1 - 0.418 / 0.999, abs=1e-3)


@pytest.mark.parametrize(
    ("wrong", "field", "remedy"),
    [
        ({"issues_ns": {"miyagy": 0}}, "issues", "did you mean miyagi?"),
        ({"issues_ns": {"tokyo": 0}}, "issues", "name a prefecture"),
        ({"arrivals_ns": {"04101": 0}}, "arrivals", "did you mean 04"),
        (
            {"faults": Faults(silent_receivers=frozenset({"x"}))},
            "silent_receivers",
            "name a prefecture",
        ),
        ({"faults": Faults(silent_carriers=frozenset({"x"}))}, "silent_carriers", "docomo"),
    ],
)
def test_unknown_places_and_networks_are_refused(
    plan: ReachPlan, wrong: dict[str, Any], field: str, remedy: str
) -> None:
    right: dict[str, Any] = {"issues_ns": ISSUE, "arrivals_ns": ARRIVAL, "streams": Streams(1)}
    with pytest.raises(InputError) as caught:
        plan.replicate(**(right | wrong))
    assert caught.value.field == field
    assert remedy in caught.value.remedy


def test_where_there_are_no_networks_none_can_be_silent(towns: tuple[Municipality, ...]) -> None:
    plan = ReachPlan.build(load_profile("j-alert-2012"), towns, MORNING)
    with pytest.raises(InputError, match="known: none"):
        plan.replicate(
            issues_ns=ISSUE,
            arrivals_ns=ARRIVAL,
            streams=Streams(1),
            faults=Faults(silent_carriers=frozenset({"docomo"})),
        )


def test_a_plan_needs_towns_and_each_once(towns: tuple[Municipality, ...]) -> None:
    profile = load_profile("j-alert-2022")
    with pytest.raises(InputError, match="no towns"):
        ReachPlan.build(profile, (), MORNING)
    with pytest.raises(InputError, match="twice"):
        ReachPlan.build(profile, (*towns, towns[0]), MORNING)


def test_results_know_only_prefectures_of_the_plan(plan: ReachPlan) -> None:
    result = plan.replicate(issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(1))
    with pytest.raises(InputError, match="one of miyagi, yamagata"):
        result.totals("niigata")


def test_a_plan_can_be_sent_to_another_process(plan: ReachPlan) -> None:
    there = pickle.loads(pickle.dumps(plan))  # noqa: S301
    one, other = (
        each.replicate(issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(8, 2)).totals()
        for each in (plan, there)
    )
    assert one == other


def test_a_national_plan_gives_a_prefecture_the_same_people() -> None:
    profile = load_profile("j-alert-2022")
    part = tuple(entry for entry in municipalities() if entry.prefecture == "niigata")
    issue = {"niigata": 0}
    small, national = (
        ReachPlan.build(profile, towns, MORNING)
        .replicate(issues_ns=issue, arrivals_ns=issue, streams=Streams(8, 2))
        .totals("niigata")
        for towns in (part, municipalities())
    )
    assert small.first == pytest.approx(national.first, rel=1e-9)
    assert small.late == pytest.approx(national.late, rel=1e-9)


def test_one_moment_less_and_nobody_is_warned_before_the_issue(plan: ReachPlan) -> None:
    result = plan.replicate(issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(1))
    at_ns = [659_999_999_999, 660_000_000_000, 3000 * NS_PER_S]
    warned = result.warned_by(at_ns)
    assert warned[0] == 0
    assert warned[1] >= 0
    assert warned[2] == pytest.approx(result.totals().warned)
    assert result.warned_by(at_ns, "miyagi")[2] == pytest.approx(result.totals("miyagi").warned)


def test_a_plan_knows_the_carriers_of_its_time(
    plan: ReachPlan, towns: tuple[Municipality, ...]
) -> None:
    assert plan.carriers == ("docomo", "kddi", "softbank", "rakuten")
    assert ReachPlan.build(load_profile("j-alert-2012"), towns, MORNING).carriers == ()
