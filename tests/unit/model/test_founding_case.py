"""3 November 2022: what the timeline must say, from the published record."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from simulator.model import Timeline, simulate
from simulator.model.timeline import AlertEvent, EventKind, MsgType
from simulator.scenario import load_scenario
from simulator.units import NS_PER_S

PREFECTURES = ("miyagi", "yamagata", "niigata")
EPOCH = datetime.fromisoformat("2022-11-03T07:39:00+09:00")


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return simulate(load_scenario("tohoku-2022-11-03"), seed=7)


def _clock(at_ns: int) -> str:
    return (EPOCH + timedelta(microseconds=at_ns // 1000)).strftime("%H:%M:%S")


def test_nine_messages_go_out_three_kinds_to_three_prefectures(timeline: Timeline) -> None:
    sent = [(_clock(a.at_ns), str(a.event), a.prefecture) for a in timeline.alerts]
    assert sent == [
        (clock, event, prefecture)
        for clock, event in (
            ("07:50:00", "launch"),
            ("08:00:00", "passage"),
            ("09:24:00", "correction"),
        )
        for prefecture in PREFECTURES
    ]
    assert timeline.prefectures == PREFECTURES


def test_the_messages_are_those_on_record(timeline: Timeline) -> None:
    scenario = load_scenario("tohoku-2022-11-03")
    record = [
        (scenario.offset_ns(message.at), message.event, prefecture)
        for message in scenario.record
        for prefecture in message.prefectures
    ]
    assert [(a.at_ns, str(a.event), a.prefecture) for a in timeline.alerts] == record


def test_the_life_cycle_is_that_of_the_contract(timeline: Timeline) -> None:
    for place, prefecture in enumerate(PREFECTURES):
        own = [alert for alert in timeline.alerts if alert.prefecture == prefecture]
        assert [a.msg_type for a in own] == [MsgType.ALERT, MsgType.UPDATE, MsgType.CANCEL]
        assert [a.sequence for a in own] == [1, 2, 3]
        assert [a.in_force for a in own] == [True, False, False]
        assert [a.references for a in own] == [(), (place,), (place + 3,)]
        assert [a.historical_channel for a in own] == [None, None, "em-net"]
        assert [bool(a.reason) for a in own] == [False, False, True]


def test_the_correction_withdraws_the_false_passage_notice(timeline: Timeline) -> None:
    correction = timeline.alerts[6]
    withdrawn = timeline.alerts[correction.references[0]]
    assert (withdrawn.event, withdrawn.prefecture) == (AlertEvent.PASSAGE, "miyagi")
    assert "did not pass" in correction.reason
    assert "Sea of Japan" in correction.reason


def test_the_predicted_lead_time_is_minus_two_minutes(timeline: Timeline) -> None:
    for alert in timeline.alerts[:3]:
        assert alert.believed_arrival_ns is not None
        assert alert.believed_arrival_ns - alert.at_ns == -120 * NS_PER_S
        assert alert.true_arrival_ns is None
    assert all(alert.believed_arrival_ns is None for alert in timeline.alerts[3:])


def test_the_passage_notice_states_the_false_time(timeline: Timeline) -> None:
    assert [a.stated_ns and _clock(a.stated_ns) for a in timeline.alerts] == (
        [None] * 3 + ["07:48:00"] * 3 + [None] * 3
    )


def test_the_stages_of_the_alert_fill_the_eleven_minutes_and_are_assumed(
    timeline: Timeline,
) -> None:
    stages = timeline.alerts[0].stages
    assert [stage.name for stage in stages] == ["sensing", "assessment", "decision", "issue"]
    assert stages[0].started_ns == 0
    assert all(before.ended_ns == after.started_ns for before, after in pairwise(stages))
    assert stages[-1].ended_ns == timeline.alerts[0].at_ns == 660 * NS_PER_S
    assert all(stage.assumption for stage in stages)


def test_truth_is_that_nothing_arrived(timeline: Timeline) -> None:
    truth = [(e.name, e.assumption) for e in timeline.events if e.kind is EventKind.TRUTH]
    assert truth == [("launch", False), ("vanished", True)]


def test_belief_goes_from_passage_to_vanished(timeline: Timeline) -> None:
    beliefs = [
        (e.name, e.about_ns and _clock(e.about_ns))
        for e in timeline.events
        if e.kind is EventKind.BELIEF
    ]
    assert beliefs == [
        ("predicted-passage", "07:48:00"),
        ("believed-passage", "07:48:00"),
        ("believed-vanished", "07:45:00"),
    ]


def test_press_statements_are_marks_and_not_messages(timeline: Timeline) -> None:
    marks = {e.name: _clock(e.at_ns) for e in timeline.events if e.kind is EventKind.MARK}
    assert marks["ministry-statement"] == "08:30:00"
    assert marks["minister-statement"] == "09:00:00"
    assert all(e.sources for e in timeline.events if e.kind is EventKind.MARK)


def test_published_events_name_their_sources(timeline: Timeline) -> None:
    known = {source.id for source in load_scenario("tohoku-2022-11-03").sources}
    launch = timeline.events[0]
    assert launch.sources == ("MOD-221103b",)
    assert {source for event in timeline.events for source in event.sources} <= known


def test_a_replay_does_not_depend_on_the_seed(timeline: Timeline) -> None:
    other = simulate(load_scenario("tohoku-2022-11-03"), seed=8, replication=3)
    assert other.digest == timeline.digest
    assert (other.seed, other.replication) == (8, 3)


def test_the_modelled_morning_depends_on_seed_and_replication() -> None:
    scenario = load_scenario("tohoku-2022-11-03-modelled")
    digests = {simulate(scenario, seed, n).digest for seed in (1, 2) for n in (0, 1)}
    assert len(digests) == 4
    assert simulate(scenario, 1, 1).digest == simulate(scenario, 1, 1).digest


def test_the_modelled_morning_sends_the_same_messages_at_other_times(timeline: Timeline) -> None:
    modelled = simulate(load_scenario("tohoku-2022-11-03-modelled"), seed=7)
    assert [(a.event, a.prefecture, a.msg_type) for a in modelled.alerts] == [
        (a.event, a.prefecture, a.msg_type) for a in timeline.alerts
    ]
    assert [a.at_ns for a in modelled.alerts] != [a.at_ns for a in timeline.alerts]
