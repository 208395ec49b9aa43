"""Whom a run plays to, by its settings and its scenario."""

import os
from dataclasses import replace
from typing import Any

import pytest

from simulator.delivery.populations import Audience
from simulator.errors import ConfigurationError, ScenarioError
from simulator.measure.plan import Conduct, PlannedSubscriber, SubscriberKind
from simulator.model import simulate
from simulator.run.audience import audience, begun, last_step_ns, lead_in_ns, rehearse
from simulator.scenario import Scenario, load_scenario
from simulator.settings import load_settings
from simulator.units import NS_PER_S


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("ALERTSIM_")]:
        monkeypatch.delenv(name)


def grouped(*groups: dict[str, Any]) -> Scenario:
    document = load_scenario("tohoku-2022-11-03").resolved()
    return Scenario.model_validate(document | {"subscribers": list(groups)})


def of(scenario: Scenario, **options: Any) -> Audience:
    settings = load_settings(options)
    return audience(scenario, simulate(scenario, settings.seed), settings, run="r1")


def swarm(found: Audience) -> int:
    return sum(each.kind is SubscriberKind.SWARM for each in found.subscribers)


COUNTED = {"id": "a", "kind": "steady", "count": 5}
SHARED_OUT = {"id": "b", "kind": "steady", "share": 0.25}


def test_without_groups_everybody_is_steady_as_before() -> None:
    scenario = load_scenario("tohoku-2022-11-03")
    found = of(scenario, subscribers=20)
    assert swarm(found) == 20
    assert found.groups == ()
    assert found.subscribers[0].client == "r1-swarm-00000"
    assert swarm(of(scenario)) == 300


def test_a_scenario_with_counts_needs_nothing_more_and_may_get_others() -> None:
    assert swarm(of(grouped(COUNTED))) == 5
    assert swarm(of(grouped(COUNTED), subscribers=20)) == 25
    assert swarm(of(grouped(COUNTED), subscribers=0)) == 0


def test_shares_are_of_the_subscribers_asked_for() -> None:
    assert {g.name: g.members for g in of(grouped(SHARED_OUT)).groups} == {
        "b": 75,
        "others": 225,
        "controls": 15,
    }
    assert swarm(of(grouped(SHARED_OUT), subscribers=8)) == 8


def test_the_settings_reach_the_groups() -> None:
    late = {"id": "l", "kind": "late", "count": 1, "joins_from": "07:55", "joins_until": "07:55"}
    found = of(grouped(late), speed="60", qos=2, session="persistent", root="exercise")
    subscriber = found.subscribers[0]
    assert subscriber.conduct == Conduct(joins_ns=5 * NS_PER_S)
    assert subscriber.filters[0] == ("exercise/v1/alerts/miyagi/+", 2)
    assert subscriber.session == "persistent"
    assert of(grouped(COUNTED), qos=2, subscribe_qos=0).subscribers[0].filters[0][1] == 0


def test_the_seed_decides_who_joins_when() -> None:
    late = {"id": "l", "kind": "late", "count": 9, "joins_from": "07:51", "joins_until": "08:20"}
    first = [each.conduct for each in of(grouped(late)).subscribers]
    assert first == [each.conduct for each in of(grouped(late)).subscribers]
    assert first != [each.conduct for each in of(grouped(late), seed=2).subscribers]


def test_the_timeline_does_not_know_its_audience() -> None:
    plain = simulate(load_scenario("tohoku-2022-11-03"), 1)
    assert simulate(grouped(COUNTED, SHARED_OUT), 1).digest == plain.digest


def test_a_refusal_names_the_scenario() -> None:
    with pytest.raises(ScenarioError, match="no message goes") as caught:
        of(grouped(COUNTED | {"prefectures": ["tokyo"]}))
    assert caught.value.where == "tohoku-2022-11-03"


def test_a_rehearsal_is_the_plan_of_a_run_without_options() -> None:
    plan = rehearse(load_scenario("subscriber-mix"), "subscriber-mix")
    assert plan.document()["total"] == len(of(load_scenario("subscriber-mix")).subscribers)
    assert plan.lines()[0] == "  197 subscribers in 10 groups"
    assert plan.lines()[-1].startswith("  note: ")


def test_the_ledger_owes_a_joiner_from_its_join() -> None:
    late = PlannedSubscriber(
        number=0,
        client="c",
        kind=SubscriberKind.SWARM,
        prefecture="miyagi",
        filters=(),
        conduct=Conduct(joins_ns=7),
    )
    there = PlannedSubscriber(
        number=1, client="d", kind=SubscriberKind.SWARM, prefecture="miyagi", filters=()
    )
    assert [each.joins_ns for each in begun([late, there], 1000)] == [1007, None]
    assert last_step_ns([late, there]) == 7
    assert last_step_ns([there]) == 0


@pytest.mark.parametrize(
    ("scenario", "asked", "speed", "expected_ns"),
    [
        ("tohoku-2022-11-03", "0", "60", 0),
        ("tohoku-2022-11-03", "60s", "60", 1_000_000_000),
        ("tohoku-2022-11-03", "launch", "60", 11_000_000_000),  # launch 07:39, alert 07:50
        ("drill-minimal", "launch", "1", 0),  # nothing flies: from its only event on
    ],
)
def test_a_lead_in_is_scenario_time_before_the_first_alert(
    scenario: str, asked: str, speed: str, expected_ns: int
) -> None:
    timeline = simulate(load_scenario(scenario), 1)
    settings = load_settings({"lead_in": 0 if asked == "0" else asked, "speed": speed})

    assert lead_in_ns(settings, timeline) == expected_ns


def test_nothing_to_send_needs_no_lead_in() -> None:
    timeline = replace(simulate(load_scenario("tohoku-2022-11-03"), 1), alerts=())

    assert lead_in_ns(load_settings({"lead_in": "launch"}), timeline) == 0


def test_a_lead_in_that_is_no_duration_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="lead-in"):
        load_settings({"lead_in": "soon"})
