"""From groups of a scenario to planned subscribers."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from simulator.delivery.absences import Pace
from simulator.delivery.populations import (
    Audience,
    Setting,
    populate,
    sizes_of,
)
from simulator.errors import ConfigurationError, ScenarioError
from simulator.measure.plan import Session, SubscriberKind
from simulator.scenario.subscribers import AnyGroup
from simulator.units import NS_PER_MIN
from simulator.world.geography import municipalities, prefectures

EPOCH = datetime.fromisoformat("2026-01-15T10:00:00+09:00")
PACE = Pace(epoch=EPOCH, first_ns=0, last_ns=10 * NS_PER_MIN)
ALERTED = ("miyagi", "yamagata", "niigata")
PEOPLE = {entry.slug: entry.population for entry in prefectures()}
GROUP: TypeAdapter[AnyGroup] = TypeAdapter(AnyGroup)


def group(name: str = "a", **fields: Any) -> AnyGroup:
    return GROUP.validate_python({"id": name, "kind": "steady", **fields})


def plan(*groups: AnyGroup, alerted: tuple[str, ...] = ALERTED, **setting: Any) -> Audience:
    given = {"run": "r1", "root": "alertsim"} | setting
    return populate(groups, PACE, alerted, PEOPLE, Setting(**given))


def sizes(audience: Audience) -> dict[str, int]:
    found = Counter(each.group for each in audience.subscribers)
    assert {one.name: one.members for one in audience.groups} == found
    return dict(found)


# --- how many ---


def test_counts_are_exact_and_controls_come_on_top() -> None:
    audience = plan(group(count=40), group("b", kind="shared", count=7))
    assert sizes(audience) == {"a": 40, "b": 7, "controls": 10}
    controls = [s for s in audience.subscribers if s.kind is SubscriberKind.CONTROL]
    assert {s.group for s in controls} == {"controls"}
    assert not {s.prefecture for s in controls} & set(ALERTED)
    assert [s.number for s in audience.subscribers] == list(range(57))
    assert len({s.client for s in audience.subscribers}) == 57


def test_shares_are_of_300_and_what_they_leave_over_is_steady() -> None:
    audience = plan(group(share=0.25), group("b", share=0.1), group("c", count=5))
    assert sizes(audience) == {"a": 75, "b": 30, "c": 5, "others": 195, "controls": 16}


def test_shares_are_of_what_was_asked_for() -> None:
    assert sizes_of([group(share=1 / 2), group("b", share=0.5)], 7) == ({"a": 4, "b": 3}, 0)
    assert sizes_of([group(share=0.3), group("b", share=0.3)], 5) == ({"a": 2, "b": 1}, 2)


def test_beside_counts_alone_others_stand_only_if_they_were_asked_for() -> None:
    assert sizes_of([group(count=5)], None) == ({"a": 5}, 0)
    assert sizes_of([group(count=5)], 20) == ({"a": 5}, 20)


def test_a_share_that_is_nobody_is_refused() -> None:
    with pytest.raises(ScenarioError, match="a share of 10 subscribers is nobody") as caught:
        plan(group(share=0.01), subscribers=10)
    assert caught.value.field == "subscribers.a.share"
    assert "--subscribers" in caught.value.remedy


def test_where_all_prefectures_are_alerted_there_are_no_controls() -> None:
    assert sizes(plan(group(count=60), alerted=tuple(PEOPLE))) == {"a": 60}


def test_asked_for_nobody_or_alerting_nobody_there_is_nobody() -> None:
    assert plan(group(count=5), subscribers=0) == Audience((), ())
    assert plan(group(count=5), alerted=()) == Audience((), ())


def test_more_than_a_run_can_hold_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="1000010 subscribers are more than"):
        plan(group(count=10), subscribers=1_000_000)


# --- where ---


def test_members_stand_by_population_where_the_group_says() -> None:
    audience = plan(group(count=30), group("b", count=4, prefectures=["niigata", "tokyo"]))
    places = Counter((s.group, s.prefecture) for s in audience.subscribers)
    assert places["a", "miyagi"] > places["a", "yamagata"] > 0
    assert places["b", "niigata"] == 4


def test_where_no_message_goes_no_group_can_stand() -> None:
    with pytest.raises(ScenarioError, match="no message goes") as caught:
        plan(group(count=3, prefectures=["tokyo"]))
    assert caught.value.field == "subscribers.a.prefectures"
    assert "miyagi, yamagata, niigata" in caught.value.remedy


def test_there_is_one_in_each_inhabited_municipality() -> None:
    audience = plan(group(kind="geographic"), alerted=("fukushima",))
    inhabited = {
        town.code for town in municipalities() if town.prefecture == "fukushima" and town.population
    }
    ours = [s for s in audience.subscribers if s.group == "a"]
    assert {s.municipality for s in ours} == inhabited
    assert len(ours) == len(inhabited) == 58  # of 59: Futaba-machi was evacuated


def test_so_many_municipalities_are_those_with_most_inhabitants() -> None:
    audience = plan(group(kind="geographic", count=2))
    assert [s.municipality for s in audience.subscribers[:2]] == ["04100", "15100"]  # the cities


# --- as what ---


def test_qos_and_versions_take_turns_so_that_all_pairs_occur() -> None:
    audience = plan(group(count=12, qos=[0, 1, 2], protocol="mixed"))
    pairs = Counter((s.filters[0][1], s.protocol) for s in audience.subscribers[:12])
    assert pairs == {(qos, version): 2 for qos in (0, 1, 2) for version in ("3.1.1", "5")}


def test_what_a_group_does_not_say_the_run_decides() -> None:
    session = Session.PERSISTENT
    audience = plan(group(count=3), qos=2, protocol="3.1.1", session=session)
    assert {(s.filters[0][1], s.protocol, s.session) for s in audience.subscribers} == {
        (2, "3.1.1", session)
    }


def test_filters_follow_the_kind() -> None:
    audience = plan(
        group("own", count=1, state=True),
        group("over", kind="overlapping", count=1, filters=["alerts/{prefecture}/+", "alerts/#"]),
        group("near", kind="shared", count=1),
        group("far", kind="shared", count=1, across="all"),
        root="exercise/team-2",
    )
    base = "exercise/team-2/v1/"
    assert [[text for text, _ in s.filters] for s in audience.subscribers[:4]] == [
        [base + "alerts/miyagi/+", base + "state/miyagi"],
        [base + "alerts/miyagi/+", base + "alerts/#"],
        ["$share/r1-near-miyagi/" + base + "alerts/miyagi/+"],
        ["$share/r1-far/" + base + "alerts/+/+"],
    ]


def test_who_is_in_a_group_and_when_it_is_away_depends_on_scenario_and_seed_alone() -> None:
    away = group("z", kind="offline", count=9, leaves="10:02", returns="10:03", spread="1min")

    def of(audience: Audience) -> list[object]:
        members = [s for s in audience.subscribers if s.group == "z"]
        return [(s.prefecture, s.filters, s.conduct) for s in members]

    alone = of(plan(away))
    assert alone == of(plan(group(count=50), away, run="r2"))
    assert alone != of(plan(away, seed=2))


def test_a_version_that_the_broker_does_not_speak_is_refused() -> None:
    with pytest.raises(ScenarioError, match="not given for this MQTT version") as caught:
        plan(group(count=3, protocol="mixed"), spoken=("5",), protocol="5")
    assert caught.value.field == "subscribers.a.protocol"
    assert 'protocol: "5"' in caught.value.remedy


def test_who_reads_more_seldom_than_half_the_keep_alive_is_refused() -> None:
    slow = group(kind="slow", count=3, reads_every="31s")
    with pytest.raises(ScenarioError, match="silent broker") as caught:
        plan(slow)
    assert (caught.value.field, caught.value.value) == ("subscribers.a.reads_every", "31s")
    assert plan(slow, keep_alive_s=62).groups


def test_every_group_says_what_it_is_owed() -> None:
    audience = plan(group(count=3), group("b", kind="shared", count=2))
    assert [one.kind for one in audience.groups] == ["steady", "shared", "control"]
    assert all(one.why for one in audience.groups)
