"""Launches with a flight: whom it warns, when, and what is said when it does not come."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.model import Timeline, simulate
from simulator.model.outlook import flight_geometry, outlook
from simulator.model.timeline import EventKind
from simulator.scenario import Scenario
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S

Build = Callable[..., Scenario]

RULES = {
    "policy": "prefectures",
    "relay": {"law": "constant", "value": "30s"},
    "forming": {"law": "constant", "value": "20s"},
    "cancellation": {"law": "constant", "value": "15min"},
}
SECOND_LOOK = {"second_look": {"law": "constant", "value": "6min"}}
TOHOKU = {"site": "sunan", "azimuth_deg": 90, "range_km": 5500, "apogee_km": 2000}
THREE = ("miyagi", "yamagata", "niigata")
# Comes down in the sea off Niigata, whose coast is some 1,190 km from the launch.
SHORT = {"site": "sunan", "azimuth_deg": 90, "range_km": 1160, "apogee_km": 900}
OKINAWA = {
    "site": "sohae",
    "kind": "space-launch",
    "azimuth_deg": 173.5,
    "range_km": 2700,
    "apogee_km": 500,
}


@pytest.fixture
def fly(build: Build) -> Callable[..., Timeline]:
    """Plays one launch with a flight under rules of whole minutes."""

    def play(
        flight: dict[str, Any], chain: dict[str, Any] | None = None, **launch: Any
    ) -> Timeline:
        return simulate(build({"flight": flight} | launch, chain=RULES | (chain or {})), seed=1)

    return play


Fly = Callable[..., Timeline]


def _told(timeline: Timeline) -> list[tuple[str, tuple[str, ...]]]:
    """What was said, in order, and to whom."""
    said: dict[str, list[str]] = {}
    for alert in timeline.alerts:
        said.setdefault(str(alert.event), []).append(alert.prefecture)
    return [(event, tuple(slugs)) for event, slugs in said.items()]


def _names(timeline: Timeline, kind: EventKind) -> list[str]:
    return [event.name for event in timeline.events if event.kind is kind]


def _first_s(timeline: Timeline) -> float:
    return timeline.alerts[0].at_ns / NS_PER_S


def test_the_area_follows_from_the_predicted_track(fly: Fly) -> None:
    timeline = fly(TOHOKU)
    assert _told(timeline) == [("launch", THREE), ("passage", THREE)]


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
    assert [event for event, _ in _told(timeline)] == ["take-shelter", "fell-in-sea", "correction"]
    first = timeline.alerts[0]
    assert first.prefecture == "tokyo"
    assert (first.believed_arrival_ns, first.true_arrival_ns) == (9 * NS_PER_MIN,) * 2
    assert _names(timeline, EventKind.TRUTH) == ["launch", "arrival", "passed"]


def test_listed_prefectures_alone_leave_the_rest_to_the_flight(fly: Fly) -> None:
    timeline = fly(TOHOKU, {"policy": None}, belief={"prefectures": ["niigata", "tokyo"]})
    assert _told(timeline) == [("launch", ("niigata", "tokyo")), ("passage", ("niigata", "tokyo"))]
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
    assert _names(timeline, EventKind.MARK) == ["not-warned"]
    assert _names(timeline, EventKind.TRUTH) == ["launch", "fell-in-sea"]
    assert Timeline.from_jsonl(timeline.to_jsonl()) == timeline


def test_a_flight_that_falls_short_is_said_to_have_passed_and_corrected(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "falls_short_km": 750})
    assert [event for event, _ in _told(timeline)] == ["launch", "passage", "correction"]
    assert _names(timeline, EventKind.TRUTH) == ["launch", "fell-in-sea"]
    assert all(alert.true_arrival_ns is None for alert in timeline.alerts)
    passage = timeline.alerts[3]
    assert passage.stated_ns is not None
    assert 9 * NS_PER_MIN < passage.stated_ns < 10 * NS_PER_MIN


def test_a_chain_that_notices_the_loss_says_that_nothing_comes(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "falls_short_km": 750}, {"on_loss": "notices"})
    assert _told(timeline) == [("launch", THREE), ("not-coming", THREE)]
    stages = [stage.name for stage in timeline.alerts[-1].stages]
    assert stages == ["cancellation", "issue"]


def test_what_breaks_up_vanishes_unless_it_has_passed(fly: Fly) -> None:
    early = fly({**TOHOKU, "breaks_up": "6min"})
    assert _names(early, EventKind.TRUTH) == ["launch", "vanished"]
    assert [event for event, _ in _told(early)] == ["launch", "passage", "correction"]
    late = fly({**TOHOKU, "breaks_up": "15min"})
    assert _names(late, EventKind.TRUTH)[-1] == "passed"
    assert [event for event, _ in _told(late)] == ["launch", "passage"]


def test_a_lost_track_forces_a_second_look(fly: Fly) -> None:
    flight = {**TOHOKU, "lost": "3min"}
    calm, forced = fly(flight), fly(flight, SECOND_LOOK)
    assert _first_s(forced) - _first_s(calm) == pytest.approx(360)
    assert "second-look" in [stage.name for stage in forced.alerts[0].stages]
    assert _first_s(fly(TOHOKU, SECOND_LOOK)) == _first_s(calm)


def test_a_track_lost_while_the_text_is_written_forces_it_too(fly: Fly) -> None:
    decided = {event.name: event.at_ns for event in fly(TOHOKU).events}["decision"]
    flight = {**TOHOKU, "lost": f"{decided // NS_PER_S - 5}s"}
    names = [stage.name for stage in fly(flight, SECOND_LOOK).alerts[0].stages]
    assert names == ["sensing", "assessment", "decision", "second-look", "issue"]
    later = {**TOHOKU, "lost": f"{decided // NS_PER_S + 5}s"}
    assert "second-look" not in [s.name for s in fly(later, SECOND_LOOK).alerts[0].stages]


def test_what_is_lost_but_passes_is_said_to_have_passed_or_corrected(fly: Fly) -> None:
    flight = {**TOHOKU, "lost": "6min"}
    assert [event for event, _ in _told(fly(flight))] == ["launch", "passage"]
    noticed = fly(flight, {"on_loss": "notices"})
    assert [event for event, _ in _told(noticed)] == ["launch", "not-coming", "correction"]


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
    assert _first_s(near) == pytest.approx(
        2 * 310 * 2000 / (2000**2 + 3100**2) ** 0.5 + 180, abs=0.01
    )
    lost = fly({**TOHOKU, "lost": "4min"}, {"certainty": "near"})
    assert _first_s(lost) == 240 + 180
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
    stages = _names(expected, EventKind.STAGE)
    assert "radar" not in stages
    spans = [stage.ended_ns - stage.started_ns for stage in expected.alerts[0].stages[1:]]
    assert spans == [15 * NS_PER_S, 10 * NS_PER_S, NS_PER_MIN]
    assert _first_s(surprised) > _first_s(expected) + 360
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
    assert _told(fly(blind, watch, announced=True))[0] == ("launch", THREE)


def test_radar_alone_is_enough_and_no_sensor_is_not(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "missed_by": ["satellite"]})
    assert _told(timeline)[0] == ("launch", THREE)
    assert "satellite" not in _names(timeline, EventKind.STAGE)
    watch: dict[str, Any] = {"announced": {}}
    watched = fly({**TOHOKU, "missed_by": ["satellite"]}, watch, announced=True)
    assert _first_s(watched) == _first_s(timeline)
    gone = fly({**TOHOKU, "breaks_up": "20s"})
    assert gone.alerts == ()
    assert "Neither" in next(e for e in gone.events if e.kind is EventKind.MARK).note


def test_a_radar_that_misses_it_leaves_it_to_the_next(fly: Fly) -> None:
    def tracked_ns(*missed: str) -> int:
        timeline = fly({**TOHOKU, "missed_by": list(missed)})
        return next(event.at_ns for event in timeline.events if event.name == "radar")

    assert tracked_ns() < tracked_ns("shimokoshiki") < tracked_ns("shimokoshiki", "sado")


def test_an_impact_nearby_is_a_call_to_take_shelter(fly: Fly) -> None:
    timeline = fly(SHORT)
    assert [event for event, _ in _told(timeline)] == ["take-shelter", "fell-in-sea"]
    assert all(alert.true_arrival_ns is None for alert in timeline.alerts)
    belief = [event.name for event in timeline.events if event.kind is EventKind.BELIEF]
    assert belief == ["predicted-impact", "believed-fell-in-sea"]


def test_an_impact_on_land_keeps_people_in_shelter_until_it_is_over(fly: Fly) -> None:
    timeline = fly({**SHORT, "range_km": 1205})
    said = [event for event, _ in _told(timeline)]
    assert said == ["take-shelter", "fell-on-land", "all-clear"]
    assert _names(timeline, EventKind.TRUTH)[-1] == "fell-on-land"
    hit = {a.prefecture for a in timeline.alerts if a.true_arrival_ns is not None}
    assert hit == {"niigata"}


def test_what_falls_short_on_land_arrives_there(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "falls_short_km": 1205})
    truth = [e for e in timeline.events if e.kind is EventKind.TRUTH]
    assert truth[-1].name == "fell-on-land"
    assert truth[-1].at_ns - truth[-2].at_ns < NS_PER_MIN
    assert [event for event, _ in _told(timeline)] == [
        "launch",
        "passage",
        "correction",
        "all-clear",
    ]


def test_a_false_track_warns_where_nothing_comes(fly: Fly) -> None:
    # Down in the Sea of Japan, taken for one that comes down off Niigata.
    flight = {**SHORT, "range_km": 800, "lost": "3min", "predicted": {"range_km": 1160}}
    timeline = fly(flight)
    assert [event for event, _ in _told(timeline)] == ["take-shelter", "correction"]
    assert _names(timeline, EventKind.TRUTH) == ["launch", "fell-in-sea"]
    noticed = fly(flight, {"on_loss": "notices"})
    assert [event for event, _ in _told(noticed)] == ["take-shelter", "not-falling"]


def test_a_wrong_prediction_of_a_flight_that_is_followed_is_seen_through(fly: Fly) -> None:
    flight = {**SHORT, "range_km": 800, "predicted": {"range_km": 1160}}
    assert [event for event, _ in _told(fly(flight))] == ["take-shelter", "not-falling"]
    over = {**SHORT, "range_km": 800, "predicted": {"range_km": 5500, "apogee_km": 2000}}
    assert [event for event, _ in _told(fly(over))] == ["launch", "not-coming"]


def test_a_belief_in_nothing_is_a_false_alarm(build: Build) -> None:
    belief = {"prefectures": ["miyagi"], "arrival": "9min", "outcome": "passage"}
    truth = {"outcome": "false-alarm", "at": "0s"}
    timeline = simulate(build({"belief": belief, "truth": truth}, chain=RULES), seed=1)
    assert [event for event, _ in _told(timeline)] == ["launch", "passage", "correction"]
    assert timeline.alerts[-1].reason == "In truth nothing was launched."


def test_a_false_alarm_has_no_flight(fly: Fly) -> None:
    with pytest.raises(ValidationError, match="of a false alarm nothing flew"):
        fly(TOHOKU, truth={"outcome": "false-alarm", "at": "0s"})


def test_a_launch_between_islands_passes_over_their_prefecture(fly: Fly) -> None:
    timeline = fly(OKINAWA, announced=True)
    assert _told(timeline) == [("launch", ("okinawa",)), ("passage", ("okinawa",))]


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


def test_a_wrongly_warned_area_is_told_when_the_fault_is_found(fly: Fly) -> None:
    timeline = fly(TOHOKU, faults={"wrong_area": ["tokyo", "niigata"]})
    assert _told(timeline) == [
        ("launch", (*THREE, "tokyo")),
        ("passage", THREE),
        ("correction", ("tokyo",)),
    ]
    correction = timeline.alerts[-1]
    assert correction.reason == "This area was warned by a fault of the system."
    assert correction.at_ns - timeline.alerts[0].at_ns == 50 * NS_PER_MIN
    # A fault that hits those who are warned anyway is none.
    assert fly(TOHOKU, faults={"wrong_area": ["niigata"]}).digest == fly(TOHOKU).digest


def test_a_mistake_goes_out_at_once(build: Build) -> None:
    launch = {
        "belief": {"prefectures": ["miyagi"], "event": "take-shelter"},
        "truth": {"outcome": "false-alarm", "at": "0s"},
        "faults": {"by_mistake": True},
    }
    timeline = simulate(build(launch), seed=1)
    told = [(a.at_ns // NS_PER_MIN, str(a.event)) for a in timeline.alerts]
    assert told == [(1, "take-shelter"), (52 - 1, "correction")]
    assert [stage.name for stage in timeline.alerts[0].stages] == ["issue"]
    assert _names(timeline, EventKind.TRUTH) == ["mistake", "false-alarm"]


def test_a_listed_flight_that_vanishes_early_forces_a_second_look_too(build: Build) -> None:
    belief = {"prefectures": ["miyagi"], "arrival": "9min", "outcome": "passage"}

    def first_min(at: str, **chain: Any) -> int:
        truth = {"outcome": "vanished", "at": at}
        timeline = simulate(build({"belief": belief, "truth": truth}, chain=chain), seed=1)
        return timeline.alerts[0].at_ns // NS_PER_MIN

    assert first_min("2min", **SECOND_LOOK) == first_min("2min") + 6
    assert first_min("8min", **SECOND_LOOK) == first_min("8min")
