"""Launches with a flight: whom it warns, and when."""

from typing import Any

import pytest

from simulator.model import Timeline, simulate
from simulator.model.outlook import flight_geometry, outlook
from simulator.model.timeline import EventKind
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S
from tests.unit.model.flying import (
    OKINAWA,
    RULES,
    SECOND_LOOK,
    THREE,
    TOHOKU,
    Build,
    Fly,
    event_names,
    first_s,
    told,
)


def test_the_area_follows_from_the_predicted_track(fly: Fly) -> None:
    timeline = fly(TOHOKU)
    assert told(timeline) == [("launch", THREE), ("passage", THREE)]


def test_each_prefecture_has_its_own_arrivals(fly: Fly) -> None:
    alerts = fly(TOHOKU).alerts[:3]
    believed = [alert.believed_arrival_ns for alert in alerts]
    assert believed == [alert.true_arrival_ns for alert in alerts]
    east_to_west = [at_ns or 0 for at_ns in believed]
    assert east_to_west == sorted(east_to_west, reverse=True)
    assert all(at_ns % NS_PER_MS == 0 for at_ns in east_to_west)
    assert all(8 * NS_PER_MIN < at_ns < 9 * NS_PER_MIN for at_ns in east_to_west)


def test_truth_arrives_in_each_prefecture_and_ends_in_the_ocean(fly: Fly) -> None:
    truth = [
        (event.name, event.prefecture)
        for event in fly(TOHOKU).events
        if event.kind is EventKind.TRUTH
    ]
    assert truth == [
        ("launch", None),
        ("arrival", "niigata"),
        ("arrival", "yamagata"),
        ("arrival", "miyagi"),
        ("passed", None),
    ]


def test_sensing_waits_for_the_slower_of_space_and_radar(fly: Fly) -> None:
    stages = {event.name: event for event in fly(TOHOKU).events if event.kind is EventKind.STAGE}
    assert stages["sensing"].at_ns == max(stages["satellite"].at_ns, stages["radar"].at_ns)
    slow = fly(TOHOKU, {"relay": {"law": "constant", "value": "5min"}})
    late = {event.name: event for event in slow.events if event.kind is EventKind.STAGE}
    assert late["sensing"].at_ns == late["satellite"].at_ns > late["radar"].at_ns
    assert late["sensing"].at_ns - stages["sensing"].at_ns > 4 * NS_PER_MIN - 30 * NS_PER_S


def test_sensing_may_wait_for_space(fly: Fly) -> None:
    timeline = fly(TOHOKU, {"relay": {"law": "constant", "value": "9min"}})
    events = {event.name: event for event in timeline.events}
    assert events["sensing"].at_ns == events["satellite"].at_ns > events["radar"].at_ns
    assert events["sensing"].cause == events["satellite"].number


def test_listed_facts_go_first(fly: Fly) -> None:
    belief = {
        "event": "take-shelter",
        "prefectures": ["tokyo"],
        "arrival": "9min",
        "outcome": "fell-in-sea",
    }
    truth = {"outcome": "passed", "at": "20min", "arrival": "9min"}
    timeline = fly(TOHOKU, belief=belief, truth=truth)
    assert [event for event, _ in told(timeline)] == ["take-shelter", "fell-in-sea", "correction"]
    first = timeline.alerts[0]
    assert first.prefecture == "tokyo"
    assert (first.believed_arrival_ns, first.true_arrival_ns) == (9 * NS_PER_MIN,) * 2
    assert event_names(timeline, EventKind.TRUTH) == ["launch", "arrival", "passed"]


def test_listed_prefectures_alone_leave_the_rest_to_the_flight(fly: Fly) -> None:
    timeline = fly(TOHOKU, {"policy": None}, belief={"prefectures": ["niigata", "tokyo"]})
    assert told(timeline) == [("launch", ("niigata", "tokyo")), ("passage", ("niigata", "tokyo"))]
    niigata, tokyo = timeline.alerts[:2]
    assert niigata.believed_arrival_ns is not None
    assert tokyo.believed_arrival_ns is None


def test_neighbours_are_warned_of_when_it_is_nearest(fly: Fly) -> None:
    timeline = fly(TOHOKU, {"policy": "prefectures-and-neighbours"})
    warned = [alert for alert in timeline.alerts if alert.event == "launch"]
    assert {"nagano", "iwate"} < {alert.prefecture for alert in warned}
    assert all(alert.believed_arrival_ns for alert in warned)
    truly = {alert.prefecture for alert in warned if alert.true_arrival_ns}
    assert truly == set(THREE)


def test_nobody_under_the_track_is_a_result(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "azimuth_deg": 60, "range_km": 600, "apogee_km": 400})
    assert timeline.alerts == ()
    assert timeline.prefectures == ()
    assert event_names(timeline, EventKind.MARK) == ["not-warned"]
    assert event_names(timeline, EventKind.TRUTH) == ["launch", "fell-in-sea"]
    assert Timeline.from_jsonl(timeline.to_jsonl()) == timeline


def test_near_certainty_waits_for_the_end_of_the_powered_phase(fly: Fly) -> None:
    near = fly(TOHOKU, {"certainty": "near"})
    assert [stage.name for stage in near.alerts[0].stages] == [
        "sensing",
        "tracking",
        "assessment",
        "decision",
        "issue",
    ]
    # Two minutes of work and one of issue after 336.1 s; see docs/model/world.md for the law.
    assert first_s(near) == pytest.approx(
        2 * 310 * 2000 / (2000**2 + 3100**2) ** 0.5 + 180, abs=0.01
    )
    lost = fly({**TOHOKU, "lost": "4min"}, {"certainty": "near"})
    assert first_s(lost) == 240 + 180
    quick = fly({**TOHOKU, "apogee_km": 300}, {"certainty": "near"})
    assert "tracking" not in [stage.name for stage in quick.alerts[0].stages]


def test_an_announced_launch_finds_the_chain_watching(fly: Fly) -> None:
    watch = {
        "announced": {
            "assessment": {"law": "constant", "value": "15s"},
            "decision": {"law": "constant", "value": "10s"},
        },
        "certainty": "near",
    } | SECOND_LOOK
    flight = {**TOHOKU, "lost": "2min"}
    surprised, expected = fly(flight, watch), fly(flight, watch, announced=True)
    names = [stage.name for stage in expected.alerts[0].stages]
    assert names == ["sensing", "assessment", "decision", "issue"]
    stages = event_names(expected, EventKind.STAGE)
    assert "radar" not in stages
    spans = [stage.ended_ns - stage.started_ns for stage in expected.alerts[0].stages[1:]]
    assert spans == [15 * NS_PER_S, 10 * NS_PER_S, NS_PER_MIN]
    assert first_s(surprised) > first_s(expected) + 360
    # Without a watch an announcement changes nothing.
    assert fly(flight, announced=True).digest == fly(flight).digest


def test_watching_may_wait_for_the_radar(fly: Fly) -> None:
    watch = {"announced": {"waits_for": "both", "relay": {"law": "constant", "value": "5s"}}}
    timeline = fly(TOHOKU, watch, announced=True)
    stages = {event.name: event.at_ns for event in timeline.events}
    assert stages["sensing"] == stages["radar"] > stages["satellite"]


def test_early_warning_alone_shows_no_direction(fly: Fly) -> None:
    blind = {**TOHOKU, "missed_by": ["ominato", "sado", "shimokoshiki", "yozadake"]}
    timeline = fly(blind)
    assert timeline.alerts == ()
    mark = next(event for event in timeline.events if event.kind is EventKind.MARK)
    assert "does not show where" in mark.note
    watch: dict[str, Any] = {"announced": {}}
    assert told(fly(blind, watch, announced=True))[0] == ("launch", THREE)


def test_radar_alone_is_enough_and_no_sensor_is_not(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "missed_by": ["satellite"]})
    assert told(timeline)[0] == ("launch", THREE)
    assert "satellite" not in event_names(timeline, EventKind.STAGE)
    watch: dict[str, Any] = {"announced": {}}
    watched = fly({**TOHOKU, "missed_by": ["satellite"]}, watch, announced=True)
    assert first_s(watched) == first_s(timeline)
    gone = fly({**TOHOKU, "breaks_up": "20s"})
    assert gone.alerts == ()
    assert "Neither" in next(e for e in gone.events if e.kind is EventKind.MARK).note


def test_a_radar_that_misses_it_leaves_it_to_the_next(fly: Fly) -> None:
    def tracked_ns(*missed: str) -> int:
        timeline = fly({**TOHOKU, "missed_by": list(missed)})
        return next(event.at_ns for event in timeline.events if event.name == "radar")

    assert tracked_ns() < tracked_ns("shimokoshiki") < tracked_ns("shimokoshiki", "sado")


def test_a_launch_between_islands_passes_over_their_prefecture(fly: Fly) -> None:
    timeline = fly(OKINAWA, announced=True)
    assert told(timeline) == [("launch", ("okinawa",)), ("passage", ("okinawa",))]


def test_what_is_computed_is_marked_as_assumed_and_names_its_sources(build: Build) -> None:
    flight = {**TOHOKU, "azimuth_deg": {"value": 90, "sources": ["S"]}}
    flight["predicted"] = {"range_km": {"value": 5600, "sources": ["T"]}}
    sources = [{"id": name, "title": "X", "address": "x", "grade": "A"} for name in ("S", "T")]
    scenario = build({"flight": flight}, chain=RULES, sources=sources)
    timeline = simulate(scenario, seed=1)
    predicted = next(e for e in timeline.events if e.name == "predicted-passage")
    assert predicted.assumption
    assert predicted.sources == ("S", "T")
    assert predicted.about_ns == timeline.alerts[3].stated_ns


def test_a_flight_is_worked_out_once(build: Build) -> None:
    scenario = build({"flight": TOHOKU}, chain=RULES)
    found = flight_geometry(scenario, scenario.launches[0])
    assert found is not None
    assert found is flight_geometry(scenario, scenario.launches[0])
    assert flight_geometry(build({}), build({}).launches[0]) is None
    assert outlook(build({}), build({}).launches[0]) is None
