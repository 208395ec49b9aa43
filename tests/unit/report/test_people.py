"""People warned: the reach model's own figures, summed, said to be modelled, None without them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from simulator.experiment.people import People, PeopleOrder
from simulator.model import simulate
from simulator.randomness import Streams
from simulator.report import people_tables, words
from simulator.report.language import catalogue
from simulator.report.people import PeopleWarned, app_of, warned_people
from simulator.report.sentences import answers
from simulator.report.source import ReportSource, read_source
from simulator.scenario import load_scenario
from simulator.units import NS_PER_MIN, NS_PER_S
from tests.unit.report.made_run import Wanted, make_run

SourceOf = Callable[[str], ReportSource]
EPOCH = datetime.fromisoformat("2022-11-03T07:39:00+09:00")


@pytest.fixture(scope="module")
def people(source_of: SourceOf) -> PeopleWarned:
    found = warned_people(source_of("complete"))
    assert found is not None
    return found


def test_the_figures_are_those_of_an_experiment_with_the_same_seed(people: PeopleWarned) -> None:
    scenario = load_scenario("tohoku-2022-11-03")
    figures = People(PeopleOrder()).figures(scenario, simulate(scenario, 7), Streams(7))
    assert people.alerted == pytest.approx(figures["alerted_people"])
    assert people.warned == pytest.approx(figures["warned_people"])
    assert people.before_predicted == figures["warned_before_predicted_people"] == 0
    assert people.before_arrival is None
    assert sum(people.first.values()) == pytest.approx(people.warned)
    assert people.by_then[0] == 0
    assert list(people.by_then) == sorted(people.by_then)


def test_half_of_those_warned_have_been_after_the_alert(people: PeopleWarned) -> None:
    issue_ns = 11 * NS_PER_MIN
    assert issue_ns < people_tables.half_ns(people) < issue_ns + NS_PER_MIN
    for place in people.places:
        assert place.half_ns is not None
        assert issue_ns < place.half_ns < issue_ns + NS_PER_MIN


def test_people_in_time_are_counted_by_the_true_arrival_where_there_is_one(
    people: PeopleWarned,
) -> None:
    first, *rest = people.places
    hit = replace(first, arrival_ns=700 * NS_PER_S, before_arrival=first.alerted / 2)
    told = replace(people, places=(hit, *rest))
    assert people_tables.headline(people) == "None of 5.57 million people in time"
    assert people_tables.headline(told) == ("1.15 million of 2.3 million people in time (50.00 %)")
    assert (
        "; of 2.3 million who live where something truly arrived, 1.15 million (50.00 %) had been "
        "warned when it did" in people_tables.sentence(told, EPOCH)
    )
    nowhere = tuple(replace(place, before_predicted=None) for place in people.places)
    said = people_tables.headline(replace(people, places=nowhere))
    assert said == (
        "No arrival to be in time for; 4.34 million of 5.57 million people warned (77.94 %)"
    )
    japanese = catalogue("ja")
    assert japanese.say(said).startswith("到達の予測なし。557 万人のうち 434 万人")
    assert not japanese.unknown


def test_people_of_places_without_a_prediction_are_not_counted_against_one(
    people: PeopleWarned,
) -> None:
    first, *rest = people.places
    early = replace(first, before_predicted=first.alerted / 2)
    others = [replace(place, predicted_ns=None, before_predicted=None) for place in rest]
    told = replace(people, places=(early, *others))
    assert told.expected == first.alerted
    assert people_tables.headline(told) == "1.15 million of 2.3 million people in time (50.00 %)"
    assert (
        "; of 2.3 million who live where an arrival was predicted, 1.15 million (50.00 %) had been "
        "warned before it" in people_tables.sentence(told, EPOCH)
    )
    none = replace(people, places=(replace(early, before_predicted=0.0), *others))
    unwarned = replace(told, places=tuple(replace(one, warned=0.0) for one in told.places))
    nobody = replace(none, places=tuple(replace(one, warned=0.0) for one in none.places))
    japanese = catalogue("ja")
    for one in (told, none, unwarned, nobody):
        japanese.say(people_tables.sentence(one, EPOCH))
    assert not japanese.unknown


def test_the_tables_add_up_and_say_that_nobody_was_warned(people: PeopleWarned) -> None:
    places = people_tables.places(people, EPOCH)
    assert [row[0] for row in places.rows] == ["Miyagi", "Yamagata", "Niigata", "all"]
    assert places.rows[-1][1:3] == (words.people(people.alerted), words.people(people.warned))
    assert places.notes[0].endswith("No real person was warned.")
    single = people_tables.places(replace(people, places=people.places[:1]), EPOCH)
    assert [row[0] for row in single.rows] == ["Miyagi"]
    channels = people_tables.channels(people)
    assert channels.rows[0][0] == "cell broadcast"
    assert "measured in this run" in channels.notes[1]
    without = people_tables.channels(replace(people, app_measured=None))
    assert len(without.notes) == 1


def test_the_app_takes_the_delays_and_losses_that_were_measured(source_of: SourceOf) -> None:
    whole, trouble = source_of("complete").summary, source_of("trouble").summary
    assert whole is not None
    assert trouble is not None
    fast, lossy = app_of(whole), app_of(trouble)
    assert fast is not None
    assert lossy is not None
    assert fast.delivered == 1
    assert 0.98 < lossy.delivered < 1
    assert app_of(None) is None
    assert app_of(whole.model_copy(update={"curves": ()})) is None


def test_no_people_without_a_whole_scenario_or_a_warning(
    source_of: SourceOf, tmp_path: Path
) -> None:
    source = source_of("complete")
    bare = source.manifest.model_copy(update={"scenario": {"id": "x"}})
    assert warned_people(replace(source, manifest=bare)) is None
    silent = replace(source.timeline, alerts=())
    assert warned_people(replace(source, timeline=silent)) is None
    drill = read_source(make_run(tmp_path, Wanted(scenario="drill-minimal", subscribers=20)))
    found = warned_people(drill)
    assert found is None or found.alerted > 0


def test_the_answer_without_people_goes_by_the_prefectures(source_of: SourceOf) -> None:
    of = source_of("complete").summary
    assert of is not None
    row = next(row for row in of.lead_times if row.applicable)
    early = row.model_copy(update={"lead_median_ns": NS_PER_S})
    late = row.model_copy(update={"prefecture": "niigata", "lead_median_ns": -NS_PER_S})
    again = early.model_copy(update={"launch": "second", "lead_median_ns": -2 * NS_PER_S})

    def headline(*rows: object) -> str:
        return answers(of.model_copy(update={"lead_times": rows}))[1].headline

    assert headline(early) == "In time: Miyagi"
    assert headline(early, late) == "In time: Miyagi; too late: Niigata"
    assert headline(early, again) == "None of 1 prefecture in time"
    assert headline() == "No arrival to be in time for"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0.2, "0"), (12.4, "12"), (999, "999"), (305_547, "306,000"), (5_574_541, "5.57 million")],
)
def test_people_are_written_to_three_figures(count: float, text: str) -> None:
    assert words.people(count) == text
