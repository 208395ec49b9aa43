from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from simulator.delivery.pacer import (
    composition_times,
    schedule,
)
from simulator.errors import ConfigurationError
from simulator.measure.plan import ScheduledAlert
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, Timeline
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S

SHELTER, PASSAGE = AlertEvent.TAKE_SHELTER, AlertEvent.PASSAGE


def alert(
    number: int, at_ns: int, prefecture: str, event: AlertEvent, *references: int
) -> PlannedAlert:
    return PlannedAlert(
        number=number,
        event_number=number,
        at_ns=at_ns,
        launch="one",
        prefecture=prefecture,
        event=event,
        msg_type=MsgType.UPDATE if references else MsgType.ALERT,
        sequence=1,
        references=references,
        in_force=event is SHELTER,
        cause=0,
    )


def timeline(*alerts: PlannedAlert) -> Timeline:
    return Timeline(
        scenario="drill",
        title="Drill",
        epoch=datetime.fromisoformat("2022-11-03T07:39:00+09:00"),
        seed=1,
        replication=0,
        version="test",
        events=(),
        alerts=alerts,
    )


FOUNDING = timeline(
    alert(0, 11 * NS_PER_MIN, "miyagi", SHELTER),
    alert(1, 11 * NS_PER_MIN, "niigata", SHELTER),
    alert(2, 21 * NS_PER_MIN, "miyagi", PASSAGE, 0),
    alert(3, 21 * NS_PER_MIN, "niigata", PASSAGE, 1),
)


def played(
    repeat: int = 1, speed: Fraction | Decimal = Fraction(600)
) -> tuple[ScheduledAlert, ...]:
    return schedule(
        FOUNDING,
        run="r1",
        root="alertsim",
        qos=1,
        speed=speed,
        repeat=repeat,
        gap_ns=7,
        start_ns=1_000,
    )


def test_only_the_waiting_between_alerts_is_scaled() -> None:
    assert [each.intended_ns for each in played()] == [1_000, 1_000] + [NS_PER_S + 1_000] * 2


def test_a_decimal_speed_is_taken_exactly() -> None:
    scheduled = played(speed=Decimal("0.3"))

    assert scheduled[-1].intended_ns - scheduled[0].intended_ns == 2_000 * NS_PER_S


def test_a_repetition_begins_its_gap_after_the_last_alert() -> None:
    scheduled = played(repeat=3)

    assert scheduled[4].intended_ns == scheduled[3].intended_ns + 7
    assert [each.repetition for each in scheduled] == [0] * 4 + [1] * 4 + [2] * 4
    assert [each.number for each in scheduled] == list(range(12))


def test_sequences_run_on_over_repetitions_and_stand_in_identifiers() -> None:
    miyagi = [each for each in played(repeat=2) if each.planned.prefecture == "miyagi"]

    assert [each.sequence for each in miyagi] == [1, 2, 3, 4]
    assert [each.identifier for each in miyagi] == [f"r1-miyagi-{n}" for n in (1, 2, 3, 4)]


def test_references_point_into_the_same_repetition() -> None:
    assert [each.references for each in played(repeat=2)] == [
        (), (), (0,), (1,), (), (), (4,), (5,),
    ]  # fmt: skip


def test_a_burst_is_one_event_at_one_instant() -> None:
    assert [each.burst for each in played(repeat=2)] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_two_events_at_one_instant_are_two_bursts() -> None:
    both = timeline(alert(0, 0, "miyagi", SHELTER), alert(1, 0, "niigata", PASSAGE))
    scheduled = schedule(both, run="r", root="alertsim", qos=0, speed=Fraction(1))

    assert [each.burst for each in scheduled] == [0, 1]


def test_topics_name_prefecture_and_event() -> None:
    last = played()[-1]

    assert last.topic == "alertsim/v1/alerts/niigata/passage"
    assert last.state_topic == "alertsim/v1/state/niigata"


def test_alerts_out_of_order_are_played_in_order() -> None:
    swapped = timeline(alert(0, 50, "miyagi", PASSAGE), alert(1, 20, "miyagi", SHELTER))
    scheduled = schedule(swapped, run="r", root="alertsim", qos=0, speed=Fraction(1))

    assert [each.planned.number for each in scheduled] == [1, 0]
    assert [each.intended_ns for each in scheduled] == [0, 30]


def test_a_timeline_without_alerts_gives_an_empty_schedule() -> None:
    assert schedule(timeline(), run="r", root="alertsim", qos=0, speed=Fraction(1)) == ()


def test_too_many_alerts_are_refused_with_the_highest_possible_repeat() -> None:
    with pytest.raises(ConfigurationError, match=r"repeat at most 25 times"):
        schedule(FOUNDING, run="r", root="alertsim", qos=1, speed=Fraction(1), repeat=26, limit=100)


@pytest.mark.parametrize(
    "wrong", [{"speed": Fraction(0)}, {"repeat": 0}, {"gap_ns": -1}, {"qos": 3}]
)
def test_what_no_setting_can_hold_is_a_defect(wrong: dict[str, int]) -> None:
    given = {"speed": Fraction(1), "repeat": 1, "gap_ns": 0, "qos": 1} | wrong
    with pytest.raises(ValueError, match="not"):
        schedule(FOUNDING, run="r", root="alertsim", **given)  # type: ignore[arg-type]  # mixed


def test_composing_begins_earlier_in_a_burst_that_takes_longer_than_the_lookahead() -> None:
    due = [NS_PER_S] * 4 + [2 * NS_PER_S]
    begins = composition_times(due, lookahead_ns=100 * NS_PER_MS, cost_ns=60 * NS_PER_MS)

    assert [(due_ns - at) // NS_PER_MS for due_ns, at in zip(due, begins, strict=True)] == [
        280, 220, 160, 100, 100,
    ]  # fmt: skip


def test_nothing_to_compose() -> None:
    assert composition_times([], lookahead_ns=1, cost_ns=1) == []
