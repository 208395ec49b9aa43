from fractions import Fraction

import pytest

from simulator.delivery.placement import apportion, place
from simulator.errors import ConfigurationError
from simulator.measure.plan import Session, SubscriberKind, filter_matches

PEOPLE = {"miyagi": 2_302, "yamagata": 1_068, "niigata": 2_201, "aomori": 1_238, "iwate": 1_211}
ALERTED = ("miyagi", "yamagata", "niigata")


def test_shares_follow_population_by_largest_remainder() -> None:
    # 300 x 2302 / 5571 = 123.96, 57.51, 118.53: two remainders win
    assert apportion(300, ALERTED, PEOPLE) == {"miyagi": 124, "yamagata": 57, "niigata": 119}


def test_a_small_prefecture_gets_one_and_the_others_divide_the_rest() -> None:
    assert apportion(10, ("big", "small"), {"big": 1_000_000, "small": 1}) == {"big": 9, "small": 1}


def test_one_that_falls_below_one_after_others_left_also_gets_one() -> None:
    people = {"huge": 1_000, "middle": 101, "tiny": 1}

    assert apportion(11, tuple(people), people) == {"huge": 9, "middle": 1, "tiny": 1}


def test_fewer_subscribers_than_prefectures_stand_with_the_most_people() -> None:
    assert apportion(2, ALERTED, PEOPLE) == {"miyagi": 1, "yamagata": 0, "niigata": 1}


def test_ties_go_to_the_prefecture_named_first() -> None:
    assert apportion(4, ("b", "a", "c"), {"a": 5, "b": 5, "c": 5}) == {"b": 2, "a": 1, "c": 1}
    assert apportion(1, ("b", "a"), {"a": 5, "b": 5}) == {"b": 1, "a": 0}


def test_a_prefecture_without_population_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="atlantis"):
        apportion(3, ("miyagi", "atlantis"), PEOPLE)


def test_subscribers_hear_their_own_prefecture_and_nothing_else() -> None:
    placed = place(300, ALERTED, PEOPLE, run="r1", root="exercise/team-2", qos=2)

    for each in placed:
        ((topic_filter, qos),) = each.filters
        assert qos == 2
        assert filter_matches(topic_filter, f"exercise/team-2/v1/alerts/{each.prefecture}/launch")
        assert not filter_matches(topic_filter, "exercise/team-2/v1/alerts/tokyo/launch")


def test_numbers_and_client_ids_are_unique_and_in_order() -> None:
    placed = place(300, ALERTED, PEOPLE, run="r1", root="alertsim")

    assert [each.number for each in placed] == list(range(len(placed)))
    assert len({each.client for each in placed}) == len(placed)
    assert placed[0].client == "r1-swarm-00000"


def test_controls_are_a_twentieth_and_stand_round_robin_where_nothing_is_heard() -> None:
    placed = place(301, ALERTED, PEOPLE, run="r1", root="alertsim")
    controls = [each for each in placed if each.kind is SubscriberKind.CONTROL]

    assert len(placed) - len(controls) == 301
    assert len(controls) == 16  # 15.05 rounded up
    assert [each.prefecture for each in controls[:3]] == ["aomori", "iwate", "aomori"]


def test_there_are_at_least_ten_controls() -> None:
    placed = place(3, ALERTED, PEOPLE, run="r1", root="alertsim")

    assert sum(each.kind is SubscriberKind.CONTROL for each in placed) == 10


def test_share_and_least_number_of_controls_can_be_chosen() -> None:
    placed = place(
        10,
        ALERTED,
        PEOPLE,
        run="r1",
        root="alertsim",
        controls_share=Fraction(1, 2),
        controls_min=0,
    )

    assert sum(each.kind is SubscriberKind.CONTROL for each in placed) == 5


def test_without_a_quiet_prefecture_there_are_no_controls() -> None:
    assert len(place(7, tuple(PEOPLE), PEOPLE, run="r1", root="alertsim")) == 7


def test_without_subscribers_there_is_nobody() -> None:
    assert place(0, ALERTED, PEOPLE, run="r1", root="alertsim") == ()


def test_mixed_alternates_both_versions_in_every_prefecture_and_among_controls() -> None:
    placed = place(30, ALERTED, PEOPLE, run="r1", root="alertsim", protocol="mixed")

    groups = [[each for each in placed if each.prefecture == slug] for slug in ALERTED]
    groups.append([each for each in placed if each.kind is SubscriberKind.CONTROL])
    assert all({each.protocol for each in group} == {"3.1.1", "5"} for group in groups)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_one_version_and_the_session_are_passed_on(protocol: str) -> None:
    placed = place(
        3,
        ALERTED,
        PEOPLE,
        run="r1",
        root="alertsim",
        protocol=protocol,
        session=Session.PERSISTENT,
    )

    assert {each.protocol for each in placed} == {protocol}
    assert {each.session for each in placed} == {Session.PERSISTENT}


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"one of 3\.1\.1, 5, mixed"):
        place(3, ALERTED, PEOPLE, run="r1", root="alertsim", protocol="4")


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="negative"):
        place(-1, ALERTED, PEOPLE, run="r1", root="alertsim")
