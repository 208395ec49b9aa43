"""What a single field cannot know."""

from typing import Any

import pytest
from pydantic import ValidationError

from simulator.scenario import Scenario, load_scenario, scenario_names
from simulator.scenario.checks import MESSAGES_MAX, figures

STAGES = (
    "satellite",
    "radar",
    "assessment",
    "decision",
    "issue",
    "reassessment",
    "confirmation",
    "discovery",
    "correction",
    "all_clear",
)
CHAIN: dict[str, Any] = {"teams": 1} | {
    stage: {"law": "constant", "value": "1min"} for stage in STAGES
}
BELIEF = {"prefectures": ["miyagi"], "arrival": "9min", "outcome": "passage"}


def _document(**fields: Any) -> dict[str, Any]:
    return {
        "schema": "1.0",
        "id": "x",
        "title": "X",
        "epoch": "2026-01-15T10:00:00+09:00",
        "fictional": True,
        "chain": CHAIN,
        **fields,
    }


def _launch(**fields: Any) -> dict[str, Any]:
    return {"id": "a", "at": "0s", "belief": BELIEF, **fields}


def _problem(document: dict[str, Any]) -> tuple[tuple[object, ...], str, str]:
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(document)
    assert caught.value.error_count() == 1
    context = caught.value.errors()[0]["ctx"]
    return context["path"], context["message"], context["remedy"]


def test_a_consistent_scenario_is_accepted() -> None:
    scenario = Scenario.model_validate(_document(launches=[_launch()]))
    assert scenario.launches[0].belief is not None


def test_a_false_alarm_with_a_flight_is_refused_where_it_says_so() -> None:
    flight = {"site": "sunan", "azimuth_deg": 90, "range_km": 5500, "apogee_km": 2000}
    truth = {"outcome": "false-alarm", "at": "0s"}
    path, message, remedy = _problem(_document(launches=[_launch(truth=truth, flight=flight)]))
    assert path == ("launches", 0, "truth", "outcome")
    assert message == "of a false alarm nothing flew"
    assert "leave flight out" in remedy


def test_marks_alone_are_no_scenario() -> None:
    path, message, _ = _problem(_document(marks=[{"id": "m", "at": "1s", "text": "m"}]))
    assert (path, message) == ((), "nothing happens in this scenario")


@pytest.mark.parametrize(
    ("group", "entry"),
    [
        ("sources", {"id": "a", "title": "T", "address": "A", "grade": "A"}),
        ("launches", _launch()),
        ("tests", {"id": "a", "at": "1s", "prefectures": ["miyagi"]}),
        ("marks", {"id": "a", "at": "1s", "text": "m"}),
    ],
)
def test_ids_are_unique_within_their_list(group: str, entry: dict[str, Any]) -> None:
    document = _document(launches=[_launch()]) | {group: [entry, entry]}
    assert _problem(document)[:2] == ((group, 1, "id"), "two entries have the same id")


def test_a_source_must_be_listed() -> None:
    chain = CHAIN | {"issue": {"law": "constant", "value": "1s", "sources": ["b", "c"]}}
    sources = [{"id": "b", "title": "T", "address": "A", "grade": "A"}]
    path, message, remedy = _problem(_document(launches=[_launch()], chain=chain, sources=sources))
    assert path == ("chain", "issue", "sources", 1)
    assert message == "there is no source c"
    assert "title, address and grade" in remedy


def test_a_figure_of_history_names_its_source_or_range() -> None:
    real = _document(launches=[{"id": "a", "at": "0s"}], chain={}, fictional=False)
    path, message, _ = _problem(real)
    assert path == ("launches", 0, "at")
    assert "where it comes from" in message
    real["launches"] = [{"id": "a", "at": {"time": "0s", "assumption": True}}]
    assert _problem(real)[1] == "an assumption needs a range"
    real["launches"][0]["at"]["range"] = ["-1min", "1min"]
    assert Scenario.model_validate(real).launches[0].at.assumption


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (
            {"chain": CHAIN | {"issue": {"law": "constant", "value": "1s", "range": ["2s", "3s"]}}},
            ("chain", "issue", "range"),
        ),
        (
            {
                "chain": CHAIN
                | {
                    "issue": {
                        "law": "recorded",
                        "starts": "1min",
                        "ends": "3min",
                        "range": ["1s", "3s"],
                    }
                }
            },
            ("chain", "issue", "range"),
        ),
        (
            {"chain": CHAIN | {"teams": {"count": 3, "range": [1, 2]}}},
            ("chain", "teams", "range"),
        ),
        (
            {"launches": [_launch(at={"time": "0s", "range": ["10:01", "10:02"]})]},
            ("launches", 0, "at", "range"),
        ),
    ],
)
def test_a_figure_lies_within_its_own_range(
    fields: dict[str, Any], path: tuple[object, ...]
) -> None:
    document = _document(launches=[_launch()]) | fields
    found, message, _ = _problem(document)
    assert found == path
    assert "outside its own range" in message


def test_a_drawn_figure_needs_no_value_within_its_range() -> None:
    law = {"law": "uniform", "low": "1s", "high": "9s", "range": ["2s", "3s"]}
    Scenario.model_validate(_document(launches=[_launch()], chain=CHAIN | {"issue": law}))


def test_a_stage_that_ends_before_it_starts_is_refused() -> None:
    law = {"law": "recorded", "starts": "10:05", "ends": "4min"}
    path, message, _ = _problem(_document(launches=[_launch()], chain=CHAIN | {"discovery": law}))
    assert path == ("chain", "discovery", "ends")
    assert message == "the stage ends before it starts"


def test_moments_lie_within_a_year_of_the_epoch() -> None:
    path, message, _ = _problem(_document(launches=[_launch(at="2020-01-01T00:00:00Z")]))
    assert path == ("launches", 0, "at", "time")
    assert "366 days" in message


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"truth": {"outcome": "vanished", "at": "1min"}}, ("truth", "at")),
        (
            {"truth": {"outcome": "passed", "at": "9min", "arrival": "1min"}},
            ("truth", "arrival"),
        ),
        ({"belief": BELIEF | {"arrival": "1min"}}, ("belief", "arrival")),
        (
            {"belief": BELIEF | {"escalation": {"prefectures": ["akita"], "arrival": "1min"}}},
            ("belief", "escalation", "arrival"),
        ),
    ],
)
def test_nothing_lies_before_the_launch(fields: dict[str, Any], path: tuple[object, ...]) -> None:
    found, message, remedy = _problem(_document(launches=[_launch(at="5min", **fields)]))
    assert found == ("launches", 0, *path)
    assert message == "this lies before the launch"
    assert "5min" in remedy


@pytest.mark.parametrize("outcome", ["vanished", "fell-in-sea", "false-alarm"])
def test_what_does_not_arrive_has_no_arrival(outcome: str) -> None:
    truth = {"outcome": outcome, "at": "6min", "arrival": "7min"}
    path, message, _ = _problem(_document(launches=[_launch(truth=truth)]))
    assert path == ("launches", 0, "truth", "arrival")
    assert outcome in message


def test_a_believed_passage_needs_its_time() -> None:
    belief = {"prefectures": ["miyagi"], "outcome": "passage"}
    path, message, _ = _problem(_document(launches=[_launch(belief=belief)]))
    assert path == ("launches", 0, "belief", "outcome")
    assert "needs its time" in message


@pytest.mark.parametrize(
    ("missing", "launch"),
    [
        ("teams", _launch()),
        ("assessment", _launch()),
        ("decision", _launch()),
        ("issue", _launch()),
        ("confirmation", _launch()),
        ("discovery", _launch(truth={"outcome": "vanished", "at": "6min"})),
        ("correction", _launch(truth={"outcome": "vanished", "at": "6min"})),
        ("all_clear", _launch(belief={"prefectures": ["miyagi"]})),
        ("all_clear", _launch(belief=BELIEF | {"outcome": "fell-on-land"})),
        ("all_clear", _launch(truth={"outcome": "fell-on-land", "at": "6min"})),
        ("reassessment", _launch(belief=BELIEF | {"escalation": {"prefectures": ["akita"]}})),
    ],
)
def test_a_launch_needs_the_stages_it_goes_through(missing: str, launch: dict[str, Any]) -> None:
    chain = {stage: law for stage, law in CHAIN.items() if stage != missing}
    path, message, remedy = _problem(_document(launches=[launch], chain=chain))
    assert path == ("chain", missing)
    assert f"the stage {missing}" in message
    assert "j-alert-2022" in remedy


def test_one_sensor_is_enough_and_none_is_not() -> None:
    blind = {k: v for k, v in CHAIN.items() if k not in {"satellite", "radar"}}
    assert _problem(_document(launches=[_launch()], chain=blind))[0] == ("chain", "satellite")
    for sensor in ("satellite", "radar"):
        Scenario.model_validate(
            _document(launches=[_launch()], chain=blind | {sensor: CHAIN[sensor]})
        )


def test_a_launch_that_nobody_sees_needs_no_chain() -> None:
    launch = {"id": "a", "at": "0s", "truth": {"outcome": "fell-in-sea", "at": "3min"}}
    Scenario.model_validate(_document(launches=[launch], chain={}))


def test_repeated_tests_need_an_interval() -> None:
    drill = {"id": "a", "at": "1s", "prefectures": ["miyagi"], "count": 2}
    assert _problem(_document(tests=[drill]))[0] == ("tests", 0, "every")
    Scenario.model_validate(_document(tests=[drill | {"every": "1s"}]))


def test_the_number_of_messages_is_bounded() -> None:
    drill = {"id": "a", "at": "1s", "prefectures": "all", "count": 100_000, "every": "1s"}
    path, message, _ = _problem(_document(tests=[drill]))
    assert path == ("tests",)
    assert str(MESSAGES_MAX) in message


def test_thresholds_are_read_with_their_grammar() -> None:
    given = {"lost": ["count==0"], "delivery_latency{population=live}": ["p(99)<1s"]}
    scenario = Scenario.model_validate(_document(launches=[_launch()], thresholds=given))
    assert scenario.thresholds["lost"] == ("count==0",)
    wrong = {"lost": ["count==0"], "p99": ["max<1s"]}
    assert _problem(_document(launches=[_launch()], thresholds=wrong))[0] == ("thresholds", "p99")
    wrong = {"lost": ["count==0", "count==x"]}
    path, message, remedy = _problem(_document(launches=[_launch()], thresholds=wrong))
    assert path == ("thresholds", "lost")
    assert "(got x)" in message
    assert "without a unit" in remedy


@pytest.mark.parametrize("name", scenario_names())
def test_a_resolved_scenario_reads_back_as_the_same(name: str) -> None:
    scenario = load_scenario(name)
    assert Scenario.model_validate(scenario.resolved()) == scenario


def test_every_figure_of_the_founding_case_is_sourced_or_assumed_with_a_range() -> None:
    scenario = load_scenario("tohoku-2022-11-03")
    found = dict(figures(scenario))
    assert len(found) == 18
    assert all(figure.sources or figure.assumption for figure in found.values())
    assumed = {path[-1] for path, figure in found.items() if figure.assumption}
    assert {"satellite", "radar", "assessment", "decision", "issue"} <= assumed
    published = {path for path, figure in found.items() if not figure.assumption}
    assert ("launches", 0, "at") in published
    assert ("launches", 0, "belief", "arrival") in published


def test_every_stage_of_the_modelled_case_is_a_distribution() -> None:
    scenario = load_scenario("tohoku-2022-11-03-modelled")
    laws = [getattr(scenario.chain, stage) for stage in STAGES]
    assert all(law is not None and law.law not in {"constant", "recorded"} for law in laws)
    assert all(law.sources if not law.assumption else law.range is not None for law in laws if law)
