import numpy as np
import pytest

from simulator.randomness import Streams
from simulator.reach import ReachPlan, ReachResult, load_profile
from simulator.units import NS_PER_S
from simulator.world.geography import Municipality
from tests.unit.reach.test_plan import MORNING

ISSUE = {"miyagi": 660 * NS_PER_S, "yamagata": 700 * NS_PER_S}
ARRIVAL = {"miyagi": 780 * NS_PER_S, "yamagata": 760 * NS_PER_S}


@pytest.fixture
def result(towns: tuple[Municipality, ...]) -> ReachResult:
    plan = ReachPlan.build(load_profile("j-alert-2022"), towns, MORNING)
    return plan.replicate(issues_ns=ISSUE, arrivals_ns=ARRIVAL, streams=Streams(1))


def test_people_warned_before_a_moment_of_their_own(result: ReachResult) -> None:
    assert np.array_equal(result.warned_before(ARRIVAL), result.in_time)
    for prefecture, at_ns in ARRIVAL.items():
        alone = result.warned_before({prefecture: at_ns}).sum()
        assert alone == pytest.approx(result.warned_by([at_ns], prefecture)[0])
        assert alone > 0


def test_nobody_is_warned_before_no_moment_or_before_the_issue(result: ReachResult) -> None:
    assert not result.warned_before({}).any()
    assert not result.warned_before({"okinawa": 10**15}).any()
    assert not result.warned_before({slug: at_ns - 1 for slug, at_ns in ISSUE.items()}).any()


def test_half_of_the_warned_have_been_warned_by_their_moment(result: ReachResult) -> None:
    half = result.half_warned_ns()
    assert (np.isnan(half) == (result.warned == 0)).all()
    for slug in result.area.prefectures:
        chosen = np.flatnonzero(
            (result.area.prefecture_of == result.area.prefectures.index(slug)) & ~np.isnan(half)
        )
        for town in chosen[:5]:
            moment = {slug: round(half[town])}
            by_then = result.warned_before(moment)[town]
            assert by_then == pytest.approx(result.warned[town] / 2, rel=1e-6)


def test_in_the_end_those_warned_at_all_are_warned(result: ReachResult) -> None:
    late = dict.fromkeys(ISSUE, 10**15)
    assert np.array_equal(result.warned_before(late), result.warned)
