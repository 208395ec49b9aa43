"""Which messages follow from which belief and truth: the table of the MQTT contract."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.errors import InternalError
from simulator.model import simulate
from simulator.model.timeline import EventKind, Timeline
from simulator.scenario import Scenario
from simulator.units import NS_PER_MIN

Build = Callable[..., Scenario]
BELIEF: dict[str, Any] = {"prefectures": ["miyagi"], "arrival": "9min", "outcome": "passage"}
DRILL: dict[str, Any] = {"id": "d", "prefectures": ["miyagi", "akita"], "count": 3}
# Arrival at minute 9 is after the alert at minute 5; then 10 of confirmation and 1 of issue.
CLOSED = 20


def _told(timeline: Timeline) -> list[tuple[int, str, str, bool, tuple[int, ...]]]:
    return [
        (a.at_ns // NS_PER_MIN, str(a.event), str(a.msg_type), a.in_force, a.references)
        for a in timeline.alerts
    ]


def _told_where(timeline: Timeline) -> list[tuple[object, ...]]:
    told = zip(timeline.alerts, _told(timeline), strict=True)
    return [(alert.prefecture, *rest) for alert, rest in told]


def _play(scenario: Scenario) -> Timeline:
    return simulate(scenario, seed=1)


@pytest.mark.parametrize("outcome", ["passage", "fell-in-sea", "not-coming", "not-falling"])
def test_closing_messages_end_the_warning(build: Build, outcome: str) -> None:
    timeline = _play(build({"belief": BELIEF | {"outcome": outcome}}))
    assert _told(timeline) == [
        (5, "launch", "Alert", True, ()),
        (CLOSED, outcome, "Update", False, (0,)),
    ]


@pytest.mark.parametrize("outcome", ["intercepted", "fell-on-land"])
def test_what_keeps_people_in_shelter_is_lifted_by_an_all_clear(build: Build, outcome: str) -> None:
    timeline = _play(build({"belief": BELIEF | {"outcome": outcome}}))
    assert _told(timeline) == [
        (5, "launch", "Alert", True, ()),
        (CLOSED, outcome, "Update", True, (0,)),
        (CLOSED + 60, "all-clear", "Cancel", False, (1,)),
    ]
    assert timeline.alerts[2].reason == "The danger is over."
    assert timeline.alerts[2].stages[0].name == "all-clear"


def test_without_closing_message_the_all_clear_ends_the_warning(build: Build) -> None:
    timeline = _play(build({"belief": {"prefectures": ["miyagi"], "event": "take-shelter"}}))
    assert _told(timeline) == [
        (5, "take-shelter", "Alert", True, ()),
        (65, "all-clear", "Cancel", False, (0,)),
    ]
    assert timeline.alerts[0].believed_arrival_ns is None


def test_take_shelter_updates_where_warned_and_alerts_elsewhere(build: Build) -> None:
    belief = BELIEF | {
        "escalation": {"prefectures": ["akita", "miyagi"], "arrival": "12min"},
        "outcome": "fell-in-sea",
    }
    timeline = _play(build({"belief": belief}))
    assert [
        (a.prefecture, *told) for a, told in zip(timeline.alerts, _told(timeline), strict=True)
    ] == [
        ("miyagi", 5, "launch", "Alert", True, ()),
        ("akita", 9, "take-shelter", "Alert", True, ()),
        ("miyagi", 9, "take-shelter", "Update", True, (0,)),
        ("miyagi", 23, "fell-in-sea", "Update", False, (2,)),
        ("akita", 23, "fell-in-sea", "Update", False, (1,)),
    ]
    assert timeline.alerts[1].believed_arrival_ns == 12 * NS_PER_MIN
    assert [stage.name for stage in timeline.alerts[1].stages] == ["reassessment", "issue"]


def test_an_escalation_without_arrival_keeps_the_first(build: Build) -> None:
    timeline = _play(build({"belief": BELIEF | {"escalation": {"prefectures": ["miyagi"]}}}))
    assert timeline.alerts[1].believed_arrival_ns == 9 * NS_PER_MIN


def test_a_closing_message_waits_for_the_alert_if_that_comes_later(build: Build) -> None:
    timeline = _play(build({"belief": BELIEF | {"arrival": "2min"}}))
    assert _told(timeline)[1][:2] == (16, "passage")
    assert timeline.alerts[1].stated_ns == 2 * NS_PER_MIN


def test_without_arrival_the_confirmation_begins_with_the_alert(build: Build) -> None:
    timeline = _play(build({"belief": {"prefectures": ["miyagi"], "outcome": "not-coming"}}))
    assert _told(timeline)[1][:2] == (16, "not-coming")


@pytest.mark.parametrize("outcome", ["vanished", "fell-in-sea", "false-alarm"])
def test_a_false_passage_is_cancelled(build: Build, outcome: str) -> None:
    truth = {"outcome": outcome, "at": "6min"}
    timeline = _play(build({"belief": BELIEF, "truth": truth}))
    assert _told(timeline)[2:] == [(CLOSED + 50, "correction", "Cancel", False, (1,))]
    assert "In truth" in timeline.alerts[2].reason
    assert timeline.alerts[2].historical_channel is None
    assert timeline.alerts[0].true_arrival_ns is None


def test_discovery_waits_for_what_really_happened(build: Build) -> None:
    truth = {"outcome": "fell-in-sea", "at": "40min"}
    timeline = _play(build({"belief": BELIEF, "truth": truth}))
    assert _told(timeline)[2][:2] == (90, "correction")


@pytest.mark.parametrize("outcome", ["fell-on-land", "intercepted"])
def test_a_correction_that_leaves_danger_is_an_update(build: Build, outcome: str) -> None:
    truth = {"outcome": outcome, "at": "8min", "arrival": "8min"}
    timeline = _play(build({"belief": BELIEF, "truth": truth}))
    assert _told(timeline)[2:] == [
        (CLOSED + 50, "correction", "Update", True, (1,)),
        (CLOSED + 110, "all-clear", "Cancel", False, (2,)),
    ]
    assert timeline.alerts[0].true_arrival_ns == 8 * NS_PER_MIN


def test_a_correction_may_withdraw_the_alert_itself(build: Build) -> None:
    belief = {"prefectures": ["hokkaido"], "event": "take-shelter", "arrival": "30min"}
    truth = {"outcome": "vanished", "at": "8min"}
    notice = {"historical_channel": "em-net", "reason": "It will not fall there."}
    timeline = _play(build({"belief": belief, "truth": truth, "correction": notice}))
    assert _told(timeline)[1:] == [(58, "correction", "Cancel", False, (0,))]
    assert timeline.alerts[1].historical_channel == "em-net"
    assert timeline.alerts[1].reason == "It will not fall there."


def test_what_is_believed_and_true_is_not_corrected(build: Build) -> None:
    truth = {"outcome": "passed", "at": "12min", "arrival": "8min"}
    timeline = _play(build({"belief": BELIEF, "truth": truth}))
    assert [told[1] for told in _told(timeline)] == ["launch", "passage"]
    assert timeline.alerts[0].true_arrival_ns == 8 * NS_PER_MIN
    truths = [(e.at_ns // NS_PER_MIN, e.name) for e in timeline.events if e.kind is EventKind.TRUTH]
    assert truths == [(0, "launch"), (8, "arrival"), (12, "passed")]


@pytest.mark.parametrize(
    ("outcome", "arrives"),
    [("passage", True), (None, True), ("fell-in-sea", False), ("not-coming", False)],
)
def test_without_truth_the_belief_is_true(build: Build, outcome: str | None, arrives: bool) -> None:
    timeline = _play(build({"belief": BELIEF | {"outcome": outcome}}))
    assert timeline.alerts[0].true_arrival_ns == (9 * NS_PER_MIN if arrives else None)


def test_a_launch_that_nobody_sees_warns_nobody(build: Build) -> None:
    truth = {"outcome": "fell-in-sea", "at": "3min"}
    timeline = _play(build({"truth": truth}))
    assert timeline.alerts == ()
    assert [event.name for event in timeline.events] == ["launch", "fell-in-sea"]


@pytest.mark.parametrize(
    ("satellite", "radar", "slowest"),
    [(1, 2, "radar"), (3, 2, "satellite"), (1, None, "satellite")],
)
def test_sensing_ends_with_the_slower_sensor(
    build: Build, satellite: int, radar: int | None, slowest: str
) -> None:
    chain = {
        "satellite": {"law": "constant", "value": f"{satellite}min"},
        "radar": radar and {"law": "constant", "value": f"{radar}min"},
    }
    timeline = _play(build({"belief": BELIEF}, chain=chain))
    sensing = next(event for event in timeline.events if event.name == "sensing")
    assert sensing.cause is not None
    assert timeline.events[sensing.cause].name == slowest
    assert sensing.at_ns == max(satellite, radar or 0) * NS_PER_MIN


def test_a_warning_is_not_lifted_while_another_launch_threatens(build: Build) -> None:
    second = {"id": "b", "at": "10min", "belief": BELIEF | {"arrival": "19min"}}
    timeline = _play(build({"belief": BELIEF}, second, teams=2))
    assert _told(timeline) == [
        (5, "launch", "Alert", True, ()),
        (15, "launch", "Alert", True, ()),
        (30, "passage", "Update", False, (0, 1)),
    ]
    withheld = [event for event in timeline.events if event.name == "withheld-passage"]
    assert [(e.at_ns // NS_PER_MIN, e.launch, e.prefecture) for e in withheld] == [
        (CLOSED, "a", "miyagi")
    ]
    assert "another launch" in withheld[0].note


def test_where_nothing_false_was_said_nothing_is_corrected(build: Build) -> None:
    false = {"belief": BELIEF, "truth": {"outcome": "vanished", "at": "6min"}}
    second = {
        "id": "b",
        "at": "10min",
        "belief": BELIEF | {"arrival": "19min"},
    }
    timeline = _play(build(false, second, teams=2))
    assert [told[1] for told in _told(timeline)] == ["launch", "launch", "passage"]
    assert [e.note for e in timeline.events if e.name == "withheld-correction"] == [
        "Not sent: what it corrects was never said here."
    ]


def test_a_correction_leaves_another_launchs_warning_in_force(build: Build) -> None:
    false = {"belief": BELIEF, "truth": {"outcome": "vanished", "at": "6min"}}
    later = {"id": "b", "at": "62min", "belief": BELIEF | {"arrival": "71min"}}
    timeline = _play(build(false, later))
    assert _told(timeline) == [
        (5, "launch", "Alert", True, ()),
        (CLOSED, "passage", "Update", False, (0,)),
        (67, "launch", "Alert", True, ()),
        # The team left the correction for a minute, to assess the second launch.
        (71, "correction", "Update", True, (1,)),
        (82, "passage", "Update", False, (2,)),
    ]


def test_a_cancelling_correction_ends_what_waited_for_it(build: Build) -> None:
    # The first launch is over while the second, a false alarm, still keeps people in shelter.
    first = {"belief": BELIEF}
    second = {
        "id": "b",
        "at": "1min",
        "belief": {"prefectures": ["miyagi"], "arrival": "9min"},
        "truth": {"outcome": "false-alarm", "at": "1min"},
    }
    timeline = _play(build(first, second, teams=2))
    assert _told(timeline)[2:] == [(56, "correction", "Cancel", False, (0, 1))]


def test_salvos_wait_for_a_team(build: Build) -> None:
    launches = [{"id": name, "belief": BELIEF} for name in ("a", "b", "c")]
    one = _play(build(*launches, teams=1))
    assert [a.at_ns // NS_PER_MIN for a in one.alerts if a.event == "launch"] == [5, 6, 7]
    notes = [e.note for e in one.events if e.name == "assessment"]
    assert notes == ["", "Waited 1min for a free team.", "Waited 2min for a free team."]
    spans = [e.at_ns - (e.started_ns or 0) for e in one.events if e.name == "assessment"]
    assert spans == [NS_PER_MIN, 2 * NS_PER_MIN, 3 * NS_PER_MIN]
    three = _play(build(*launches, teams=3))
    assert [a.at_ns // NS_PER_MIN for a in three.alerts if a.event == "launch"] == [5, 5, 5]


def test_the_highest_threat_is_assessed_first(build: Build) -> None:
    launches = [
        {"id": "first", "belief": BELIEF, "threat": "low"},
        {"id": "low", "at": "10s", "belief": BELIEF, "threat": "low"},
        {"id": "medium", "at": "20s", "belief": BELIEF, "threat": "medium"},
        {"id": "high", "at": "30s", "belief": BELIEF, "threat": "high"},
    ]
    timeline = _play(build(*launches, teams=1))
    order = [e.launch for e in timeline.events if e.name == "assessment"]
    assert order == ["first", "high", "medium", "low"]


def test_launches_come_before_follow_ups(build: Build) -> None:
    # At minute 9 the only team is busy with c; the confirmation of a (minute 9) waits behind b.
    launches = [
        {"id": "a", "belief": BELIEF},
        {"id": "c", "at": "6min 30s", "belief": BELIEF},
        {"id": "b", "at": "7min 20s", "belief": BELIEF, "threat": "low"},
    ]
    timeline = _play(build(*launches, teams=1))
    worked = [
        (e.name, e.launch) for e in timeline.events if e.name in {"assessment", "confirmation"}
    ]
    assert worked[:4] == [
        ("assessment", "a"),
        ("assessment", "c"),
        ("assessment", "b"),
        ("confirmation", "a"),
    ]


def test_tests_are_sent_as_ordered(build: Build) -> None:
    drill = {
        "id": "d",
        "at": "-1min",
        "prefectures": ["miyagi", "akita"],
        "count": 3,
        "every": "1min",
    }
    timeline = _play(build(tests=[drill]))
    assert [
        (a.prefecture, a.sequence, *told)
        for a, told in zip(timeline.alerts, _told(timeline), strict=True)
    ] == [
        (prefecture, turn + 1, turn - 1, "test", "Alert", False, ())
        for turn in range(3)
        for prefecture in ("miyagi", "akita")
    ]
    assert all(a.launch is None and not a.stages for a in timeline.alerts)
    assert [timeline.events[a.cause].name for a in timeline.alerts] == ["test-ordered"] * 6


def test_a_test_never_replaces_a_warning(build: Build) -> None:
    drill = {
        "id": "d",
        "at": "4min",
        "prefectures": ["miyagi", "akita"],
        "count": 3,
        "every": "10min",
    }
    timeline = _play(build({"belief": BELIEF}, tests=[drill]))
    sent = [(a.at_ns // NS_PER_MIN, a.prefecture) for a in timeline.alerts if a.event == "test"]
    assert sent == [(4, "miyagi"), (4, "akita"), (14, "akita"), (24, "miyagi"), (24, "akita")]
    withheld = [e for e in timeline.events if e.name == "withheld-test"]
    assert [(e.prefecture, e.launch) for e in withheld] == [("miyagi", None)]
    assert withheld[0].note == "Not sent: a warning is in force."


def test_marks_stand_at_their_time_even_before_the_epoch(build: Build) -> None:
    marks = [
        {"id": "late", "at": "2min", "text": "Later."},
        {"id": "early", "at": "-30min", "text": "Earlier."},
    ]
    timeline = _play(build({"belief": BELIEF}, marks=marks))
    found = [
        (e.at_ns // NS_PER_MIN, e.name, e.note) for e in timeline.events if e.kind is EventKind.MARK
    ]
    assert found == [(-30, "early", "Earlier."), (2, "late", "Later.")]
    assert timeline.events[0].name == "early"


def test_everything_invented_is_shown_as_assumed(build: Build) -> None:
    timeline = _play(build({"belief": BELIEF}))
    figures = [e for e in timeline.events if e.kind is not EventKind.ALERT]
    assert all(event.assumption for event in figures)
    assert all(stage.assumption for alert in timeline.alerts for stage in alert.stages)


def test_a_stage_without_law_is_our_defect(build: Build) -> None:
    scenario = build({"belief": BELIEF})
    broken = scenario.model_copy(
        update={"chain": scenario.chain.model_copy(update={"decision": None})}
    )
    with pytest.raises(InternalError, match="decision has no law"):
        simulate(broken, seed=1)


def test_another_launch_does_not_change_the_draws_of_the_first(build: Build) -> None:
    chain = {"assessment": {"law": "lognormal", "median": "2min", "p95": "6min"}}
    first = {"belief": BELIEF}
    second = {"id": "b", "at": "3h", "belief": BELIEF | {"arrival": "4h"}}
    alone = simulate(build(first, chain=chain), seed=5)
    both = simulate(build(first, second, chain=chain), seed=5)
    assert alone.alerts == both.alerts[: len(alone.alerts)]


def test_negative_seeds_are_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        simulate(build({"belief": BELIEF}), seed=-1)


def test_the_package_offers_two_names() -> None:
    import simulator.model  # noqa: PLC0415

    assert simulator.model.simulate is simulate
    with pytest.raises(AttributeError):
        _ = simulator.model.simulation
