"""Reach: nobody is lost, nobody is warned before the cause, and faster never warns fewer."""

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.randomness import Streams
from simulator.reach import PROFILES, ChannelProfile, ReachPlan, load_profile
from simulator.units import NS_PER_MS, NS_PER_S
from simulator.world.geography import municipalities

MORNING = datetime.fromisoformat("2022-11-03T07:39+09:00")
PREFECTURES = ("miyagi", "yamagata", "niigata")
TOWNS = tuple(town for town in municipalities() if town.prefecture in PREFECTURES)
PLANS = {name: ReachPlan.build(load_profile(name), TOWNS, MORNING) for name in PROFILES}
PLAN = PLANS["j-alert-2022"]

MOMENTS = st.integers(-3_600_000, 3_600_000).map(lambda at: at * NS_PER_MS)
PLACES = st.dictionaries(
    st.sampled_from([*PREFECTURES, *(town.code for town in TOWNS[:5])]), st.none() | MOMENTS
)
STREAMS = st.builds(Streams, st.integers(0, 2**64), st.integers(0, 10**6))


@given(st.sampled_from(PROFILES), PLACES, PLACES, STREAMS)
@settings(max_examples=150)
def test_people_are_conserved_in_every_town(
    name: str, issues: dict[str, int | None], arrivals: dict[str, int | None], streams: Streams
) -> None:
    result = PLANS[name].replicate(issues_ns=issues, arrivals_ns=arrivals, streams=streams)
    people = result.area.population
    outcomes = (
        result.in_time, result.late, result.needless, result.missed, result.undisturbed,
    )  # fmt: skip
    assert np.abs(sum(outcomes) - people).max() <= 1e-9 * people.max()
    assert all(column.min() >= 0 for column in outcomes)
    totals = result.totals()
    assert sum(totals.first.values()) == pytest.approx(totals.warned, rel=1e-9)
    assert sum(result.first_in_time().values()) == pytest.approx(totals.in_time, rel=1e-9, abs=1e-6)
    parts = [result.totals(prefecture) for prefecture in PREFECTURES]
    assert sum(part.warned for part in parts) == pytest.approx(totals.warned, rel=1e-9)
    assert totals.alerted >= totals.warned
    assert sum(result.unwarned().values()) + totals.warned == pytest.approx(
        totals.alerted, rel=1e-9
    )


@given(PLACES, PLACES, STREAMS)
@settings(max_examples=100)
def test_nobody_is_warned_before_the_cause(
    issues: dict[str, int | None], arrivals: dict[str, int | None], streams: Streams
) -> None:
    result = PLAN.replicate(issues_ns=issues, arrivals_ns=arrivals, streams=streams)
    known = [at for at in issues.values() if at is not None]
    if known:
        assert result.warned_by([min(known) - 1])[0] == 0
    too_late = ~(result.arrival_ns >= result.issue_ns)
    assert not result.in_time[too_late].any()
    assert not result.warned[np.isnan(result.issue_ns)].any()


@given(STREAMS, st.lists(st.integers(0, 1_900_000), min_size=2, max_size=30))
@settings(max_examples=100)
def test_the_warned_never_become_fewer_with_time(streams: Streams, times_ms: list[int]) -> None:
    result = PLAN.replicate(
        issues_ns=dict.fromkeys(PREFECTURES, 0), arrivals_ns={}, streams=streams
    )
    warned = result.warned_by([at * NS_PER_MS for at in sorted(times_ms)])
    assert np.all(np.diff(warned) >= -1e-6)
    assert warned[-1] <= result.totals().warned * (1 + 1e-12)


@given(STREAMS, st.integers(0, 900), st.integers(0, 600), MOMENTS)
@settings(max_examples=150)
def test_an_earlier_issue_never_warns_fewer_in_time(
    streams: Streams, issue_s: int, earlier_s: int, arrival_ns: int
) -> None:
    slow, fast = (
        PLAN.replicate(
            issues_ns=dict.fromkeys(PREFECTURES, at_s * NS_PER_S),
            arrivals_ns=dict.fromkeys(PREFECTURES, arrival_ns),
            streams=streams,
        )
        for at_s in (issue_s, issue_s - earlier_s)
    )
    assert np.all(fast.in_time >= slow.in_time - 1e-6)
    assert fast.totals().warned == pytest.approx(slow.totals().warned, rel=1e-12)


def _changed(**change: Any) -> ReachPlan:
    document = load_profile("j-alert-2017").model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    for path, value in change.items():
        *inner, last = path.split("__")
        node: Any = document
        for step in inner:
            node = node[int(step) if step.isdigit() else step]
        node[last] = value
    document["fictional"] = True
    return ReachPlan.build(ChannelProfile.model_validate(document), TOWNS, MORNING)


def _lognormal(median: str, p95: str) -> dict[str, Any]:
    return {"law": "lognormal", "median": median, "p95": p95}


BETTER = {
    "network": _changed(
        **{"channels__cell-broadcast__stages__1__delay": _lognormal("4s", "10s")}
    ),
    "no-late-phones": _changed(
        **{"channels__cell-broadcast__stages__2__share": {"share": 0.0}}
    ),
    "siren": _changed(
        channels__loudspeaker__stages__1__delay={"law": "constant", "value": "3s"}
    ),
    "new-receivers": _changed(municipal__old__delay={"law": "constant", "value": "0s"}),
    "fewer-old": _changed(municipal__old__share={"share": 0.05}),
    "cut-in": _changed(
        channels__television__stages__0__delay={"law": "uniform", "low": "1s", "high": "20s"}
    ),
    "awake": _changed(notices__2__delay=_lognormal("5s", "20s")),
    "more-phones": _changed(phones__held={"share": 0.99}),
    "fewer-failures": _changed(municipal__failure={"a": 2, "b": 500}),
}  # fmt: skip


@pytest.mark.parametrize("name", BETTER)
@given(STREAMS, st.integers(0, 1800))
@settings(max_examples=25)
def test_a_better_stage_never_warns_fewer(name: str, streams: Streams, arrival_s: int) -> None:
    """Under common random numbers, in every town."""
    issues = dict.fromkeys(PREFECTURES, 0)
    arrivals = dict.fromkeys(PREFECTURES, arrival_s * NS_PER_S)
    before, after = (
        plan.replicate(issues_ns=issues, arrivals_ns=arrivals, streams=streams)
        for plan in (PLANS["j-alert-2017"], BETTER[name])
    )
    assert np.all(after.in_time >= before.in_time - 1e-6)
    assert np.all(after.warned >= before.warned - 1e-6)


@pytest.mark.parametrize("name", BETTER)
def test_a_better_stage_warns_more(name: str) -> None:
    issues = dict.fromkeys(PREFECTURES, 0)
    arrivals = dict.fromkeys(PREFECTURES, 30 * NS_PER_S)
    more = 0.0
    for number in range(20):
        before, after = (
            plan.replicate(issues_ns=issues, arrivals_ns=arrivals, streams=Streams(1, number))
            for plan in (PLANS["j-alert-2017"], BETTER[name])
        )
        more += after.totals().in_time - before.totals().in_time
    assert more > 0


@given(STREAMS)
@settings(max_examples=25)
def test_the_same_streams_give_the_same_people(streams: Streams) -> None:
    issues = {"miyagi": 0}
    one, other = (
        PLAN.replicate(issues_ns=issues, arrivals_ns={}, streams=streams) for _ in range(2)
    )
    assert one.totals() == other.totals()
