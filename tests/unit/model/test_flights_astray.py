"""Flights that do not come as believed, and alerts of no flight: what is said, and when."""

from typing import Any

import pytest
from pydantic import ValidationError

from simulator.model import simulate
from simulator.model.timeline import EventKind
from simulator.units import NS_PER_MIN, NS_PER_S
from tests.unit.model.flying import (
    RULES,
    SECOND_LOOK,
    SHORT,
    THREE,
    TOHOKU,
    Build,
    Fly,
    event_names,
    first_s,
    told,
)


def test_a_flight_that_falls_short_is_said_to_have_passed_and_corrected(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "falls_short_km": 750})
    assert [event for event, _ in told(timeline)] == ["launch", "passage", "correction"]
    assert event_names(timeline, EventKind.TRUTH) == ["launch", "fell-in-sea"]
    assert all(alert.true_arrival_ns is None for alert in timeline.alerts)
    passage = timeline.alerts[3]
    assert passage.stated_ns is not None
    assert 9 * NS_PER_MIN < passage.stated_ns < 10 * NS_PER_MIN


def test_a_chain_that_notices_the_loss_says_that_nothing_comes(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "falls_short_km": 750}, {"on_loss": "notices"})
    assert told(timeline) == [("launch", THREE), ("not-coming", THREE)]
    stages = [stage.name for stage in timeline.alerts[-1].stages]
    assert stages == ["cancellation", "issue"]


def test_what_breaks_up_vanishes_unless_it_has_passed(fly: Fly) -> None:
    early = fly({**TOHOKU, "breaks_up": "6min"})
    assert event_names(early, EventKind.TRUTH) == ["launch", "vanished"]
    assert [event for event, _ in told(early)] == ["launch", "passage", "correction"]
    late = fly({**TOHOKU, "breaks_up": "15min"})
    assert event_names(late, EventKind.TRUTH)[-1] == "passed"
    assert [event for event, _ in told(late)] == ["launch", "passage"]


def test_a_lost_track_forces_a_second_look(fly: Fly) -> None:
    flight = {**TOHOKU, "lost": "3min"}
    calm, forced = fly(flight), fly(flight, SECOND_LOOK)
    assert first_s(forced) - first_s(calm) == pytest.approx(360)
    assert "second-look" in [stage.name for stage in forced.alerts[0].stages]
    assert first_s(fly(TOHOKU, SECOND_LOOK)) == first_s(calm)


def test_a_track_lost_while_the_text_is_written_forces_it_too(fly: Fly) -> None:
    decided = {event.name: event.at_ns for event in fly(TOHOKU).events}["decision"]
    flight = {**TOHOKU, "lost": f"{decided // NS_PER_S - 5}s"}
    names = [stage.name for stage in fly(flight, SECOND_LOOK).alerts[0].stages]
    assert names == ["sensing", "assessment", "decision", "second-look", "issue"]
    later = {**TOHOKU, "lost": f"{decided // NS_PER_S + 5}s"}
    assert "second-look" not in [s.name for s in fly(later, SECOND_LOOK).alerts[0].stages]


def test_what_is_lost_but_passes_is_said_to_have_passed_or_corrected(fly: Fly) -> None:
    flight = {**TOHOKU, "lost": "6min"}
    assert [event for event, _ in told(fly(flight))] == ["launch", "passage"]
    noticed = fly(flight, {"on_loss": "notices"})
    assert [event for event, _ in told(noticed)] == ["launch", "not-coming", "correction"]


def test_an_impact_nearby_is_a_call_to_take_shelter(fly: Fly) -> None:
    timeline = fly(SHORT)
    assert [event for event, _ in told(timeline)] == ["take-shelter", "fell-in-sea"]
    assert all(alert.true_arrival_ns is None for alert in timeline.alerts)
    belief = [event.name for event in timeline.events if event.kind is EventKind.BELIEF]
    assert belief == ["predicted-impact", "believed-fell-in-sea"]


def test_an_impact_on_land_keeps_people_in_shelter_until_it_is_over(fly: Fly) -> None:
    timeline = fly({**SHORT, "range_km": 1205})
    said = [event for event, _ in told(timeline)]
    assert said == ["take-shelter", "fell-on-land", "all-clear"]
    assert event_names(timeline, EventKind.TRUTH)[-1] == "fell-on-land"
    hit = {a.prefecture for a in timeline.alerts if a.true_arrival_ns is not None}
    assert hit == {"niigata"}


def test_what_falls_short_on_land_arrives_there(fly: Fly) -> None:
    timeline = fly({**TOHOKU, "falls_short_km": 1205})
    truth = [e for e in timeline.events if e.kind is EventKind.TRUTH]
    assert truth[-1].name == "fell-on-land"
    assert truth[-1].at_ns - truth[-2].at_ns < NS_PER_MIN
    assert [event for event, _ in told(timeline)] == [
        "launch",
        "passage",
        "correction",
        "all-clear",
    ]


def test_a_false_track_warns_where_nothing_comes(fly: Fly) -> None:
    # Down in the Sea of Japan, taken for one that comes down off Niigata.
    flight = {**SHORT, "range_km": 800, "lost": "3min", "predicted": {"range_km": 1160}}
    timeline = fly(flight)
    assert [event for event, _ in told(timeline)] == ["take-shelter", "correction"]
    assert event_names(timeline, EventKind.TRUTH) == ["launch", "fell-in-sea"]
    noticed = fly(flight, {"on_loss": "notices"})
    assert [event for event, _ in told(noticed)] == ["take-shelter", "not-falling"]


def test_a_wrong_prediction_of_a_flight_that_is_followed_is_seen_through(fly: Fly) -> None:
    flight = {**SHORT, "range_km": 800, "predicted": {"range_km": 1160}}
    assert [event for event, _ in told(fly(flight))] == ["take-shelter", "not-falling"]
    over = {**SHORT, "range_km": 800, "predicted": {"range_km": 5500, "apogee_km": 2000}}
    assert [event for event, _ in told(fly(over))] == ["launch", "not-coming"]


def test_a_belief_in_nothing_is_a_false_alarm(build: Build) -> None:
    belief = {"prefectures": ["miyagi"], "arrival": "9min", "outcome": "passage"}
    truth = {"outcome": "false-alarm", "at": "0s"}
    timeline = simulate(build({"belief": belief, "truth": truth}, chain=RULES), seed=1)
    assert [event for event, _ in told(timeline)] == ["launch", "passage", "correction"]
    assert timeline.alerts[-1].reason == "In truth nothing was launched."
    assert event_names(timeline, EventKind.TRUTH) == ["false-report", "false-alarm"]


def test_a_false_alarm_has_no_flight(fly: Fly) -> None:
    with pytest.raises(ValidationError, match="of a false alarm nothing flew"):
        fly(TOHOKU, truth={"outcome": "false-alarm", "at": "0s"})


def test_a_wrongly_warned_area_is_told_when_the_fault_is_found(fly: Fly) -> None:
    timeline = fly(TOHOKU, faults={"wrong_area": ["tokyo", "niigata"]})
    assert told(timeline) == [
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
    assert event_names(timeline, EventKind.TRUTH) == ["mistake", "false-alarm"]


def test_a_listed_flight_that_vanishes_early_forces_a_second_look_too(build: Build) -> None:
    belief = {"prefectures": ["miyagi"], "arrival": "9min", "outcome": "passage"}

    def first_min(at: str, **chain: Any) -> int:
        truth = {"outcome": "vanished", "at": at}
        timeline = simulate(build({"belief": belief, "truth": truth}, chain=chain), seed=1)
        return timeline.alerts[0].at_ns // NS_PER_MIN

    assert first_min("2min", **SECOND_LOOK) == first_min("2min") + 6
    assert first_min("8min", **SECOND_LOOK) == first_min("8min")
