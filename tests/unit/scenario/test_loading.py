"""Bad scenario files: each refusal names file, line, field, value and remedy."""

from pathlib import Path

import pytest

from simulator.errors import ExitCode, ScenarioError
from simulator.scenario import load_scenario, scenario_names, scenario_summaries

HEAD = """\
schema: "1.0"
id: x
title: X
epoch: "2026-01-15T10:00:00+09:00"
"""
LAUNCH = "fictional: true\nlaunches: [{id: a, at: 1s}]\n"
CHECK = "tests: [{id: a, at: 10s, prefectures: [miyagi]}]\n"


def _refused(path: Path) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    return caught.value


def _write(folder: Path, text: str) -> Path:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# text after the head, line, field, value, words of the message, words of the remedy
BAD = {
    "unknown prefecture": (
        "tests: [{id: a, at: 10s, prefectures: [miyagy]}]",
        (5, "tests.0.prefectures.0", "miyagy", "unknown prefecture", "did you mean miyagi?"),
    ),
    "unknown key": (
        CHECK + "lunches: []",
        (6, "lunches", None, "unknown field", "did you mean launches?"),
    ),
    "unknown key far from any": (
        CHECK + "colour: red",
        (6, "colour", "red", "unknown field", "known here: schema, extends, id,"),
    ),
    "misspelt key that is then missing": (
        "tests: [{id: a, at: 10s, prefecture: [miyagi]}]",
        (5, "tests.0.prefecture", None, "unknown field (and 1 more", "did you mean prefectures?"),
    ),
    "unquoted time of day": (
        "tests: [{id: a, at: 17:50, prefectures: [miyagi]}]",
        (5, "tests.0.at", "17:50", "disagree", 'quote it: "17:50"'),
    ),
    "unquoted prefecture code": (
        "tests:\n  - id: a\n    at: 10s\n    prefectures: [04]",
        (8, "tests.0.prefectures.0", "04", "disagree", 'quote it: "04"'),
    ),
    "prefecture code as a number": (
        "tests: [{id: a, at: 10s, prefectures: [15]}]",
        (5, "tests.0.prefectures.0", "15", "a quoted code", '"04"'),
    ),
    "negative duration": (
        "tests: [{id: a, at: 10s, prefectures: [miyagi], count: 2, every: -5s}]",
        (5, "tests.0.every", "-5s", "negative", "without the minus sign"),
    ),
    "duration without unit": (
        "tests: [{id: a, at: 10s, prefectures: [miyagi], count: 2, every: 5}]",
        (5, "tests.0.every", "5", "needs a unit", "90s"),
    ),
    "duration with an unknown unit": (
        "tests: [{id: a, at: 10s, prefectures: [miyagi], count: 2, every: 5 sec}]",
        (5, "tests.0.every", "5 sec", "not a duration", "ns, us, ms, s, min, h"),
    ),
    "instant without unit": (
        "tests: [{id: a, at: 10, prefectures: [miyagi]}]",
        (5, "tests.0.at", "10", "not a time", '"07:50"'),
    ),
    "not a number": (
        "tests: [{id: a, at: 10s, prefectures: [miyagi], count: .nan}]",
        (5, "tests.0.count", ".nan", "not a number", "finite"),
    ),
    "a word for a number": (
        "tests: [{id: a, at: 10s, prefectures: [miyagi], count: three}]",
        (5, "tests.0.count", "three", "a whole number is expected", "for example 3"),
    ),
    "a number out of bounds": (
        "tests: [{id: a, at: 10s, prefectures: [miyagi], count: 0}]",
        (5, "tests.0.count", "0", "greater than or equal to 1", "for example 3"),
    ),
    "a word for a flag": (
        CHECK + "fictional: yes",
        (6, "fictional", "yes", "true or false is expected", "for example true"),
    ),
    "a list for a text": (
        CHECK + "description: [a]",
        (6, "description", None, "a text is expected", "A small drill."),
    ),
    "a text for a list": (
        CHECK + "marks: none",
        (6, "marks", "none", "a list is expected", ""),
    ),
    "a text for a mapping": (
        CHECK + "chain: none",
        (6, "chain", "none", "a mapping of fields is expected", "{profile: j-alert-2022}"),
    ),
    "a number in place of a launch": (
        CHECK + "launches: [3]",
        (6, "launches.0", "3", "a mapping of fields is expected", ""),
    ),
    "an actual status": (
        CHECK + "status: Actual",
        (6, "status", "Actual", "alertsim only sends exercises", "Exercise or Test"),
    ),
    "another status": (
        CHECK + "status: System",
        (6, "status", "System", "not one of the possible values", "Exercise or Test"),
    ),
    "an unknown threat": (
        "fictional: true\nlaunches: [{id: a, at: 1s, threat: huge}]",
        (6, "launches.0.threat", "huge", "not one of the possible values", "high, medium or low"),
    ),
    "a bad name": (
        "tests: [{id: A B, at: 10s, prefectures: [miyagi]}]",
        (5, "tests.0.id", "A B", "not a name", "digits"),
    ),
    "two launches with one id": (
        "fictional: true\nlaunches:\n  - {id: a, at: 1s}\n  - {id: a, at: 2s}",
        (8, "launches.1.id", "a", "the same id", "x.yaml:7"),
    ),
    "thresholds on an unknown metric": (
        CHECK + "thresholds: {latency: ['max<1s']}",
        (6, "thresholds.latency", None, "unknown metric", "delivery_latency"),
    ),
    "a malformed threshold": (
        CHECK + "thresholds: {lost: ['none']}",
        (6, "thresholds.lost", None, "", ""),
    ),
    "nothing happens": (
        "marks: []",
        (1, "", None, "nothing happens", "add launches, or tests"),
    ),
    "an unknown law": (
        LAUNCH + "chain:\n  issue: {law: normal, mean: 3s}",
        (8, "chain.issue.law", "normal", "not one of the possible values", "lognormal"),
    ),
    "a law without its kind": (
        LAUNCH + "chain:\n  issue: {value: 3s}",
        (8, "chain.issue", None, "does not say which", "law: constant"),
    ),
    "a misspelt field of a law": (
        LAUNCH + "chain:\n  issue: {law: lognormal, medain: 3s, median: 3s, p95: 5s}",
        (8, "chain.issue.medain", "3s", "unknown field", "did you mean median?"),
    ),
    "a field of another law": (
        LAUNCH + "chain:\n  issue: {law: lognormal, median: 3s, p95: 5s, value: 3s}",
        (8, "chain.issue.value", "3s", "a lognormal law has no such field", "law: constant"),
    ),
    "a missing field of a law": (
        LAUNCH + "chain:\n  issue:\n    law: uniform\n    low: 3s",
        (8, "chain.issue.high", None, "this field is missing", "add high: 30s"),
    ),
    "an epoch without offset": (
        CHECK + "marks: [{id: m, at: {time: '2026-01-15T10:00:00'}, text: m}]",
        (6, "marks.0.at.time", "2026-01-15T10:00:00", "not a time", "+09:00"),
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_fields_are_refused_with_place_value_and_remedy(
    tmp_path: Path, case: tuple[str, tuple[int, str, str | None, str, str]]
) -> None:
    text, (line, field, value, message, remedy) = case
    path = _write(tmp_path, HEAD + text + "\n")
    error = _refused(path)
    assert error.where == f"{path}:{line}"
    assert error.field == field
    assert error.value == value
    assert message in error.message
    assert remedy in error.remedy


@pytest.mark.parametrize(
    ("text", "field", "message", "remedy"),
    [
        ("id: x\n", "schema", "this field is missing", 'add schema: "1.0"'),
        ("schema: 1.0\n", "schema", "not a version", 'in quotes: "1.0"'),
        ("schema: '2.0'\n", "schema", "not a version", 'in quotes: "1.0"'),
    ],
)
def test_the_version_of_the_format_is_asked_for(
    tmp_path: Path, text: str, field: str, message: str, remedy: str
) -> None:
    error = _refused(_write(tmp_path, text))
    assert error.field == field
    assert message in error.message
    assert "more problems" in error.message
    assert remedy in error.remedy


def test_the_first_problem_of_the_file_is_shown(tmp_path: Path) -> None:
    error = _refused(_write(tmp_path, HEAD + "fictional: 3\ncolour: red\nstatus: no\n"))
    assert (error.field, error.where.rsplit(":", 1)[1]) == ("fictional", "5")
    assert "(and 2 more problems)" in error.message


def test_shipped_scenarios_load_by_name() -> None:
    for name in scenario_names():
        assert load_scenario(name).id == name


def test_shipped_scenarios_are_summed_up() -> None:
    summaries = {summary.name: summary for summary in scenario_summaries()}
    assert list(summaries) == list(scenario_names())
    assert summaries["tohoku-2022-11-03"].title == "3 November 2022, as it is on record"
    assert "vanished over the Sea of Japan" in summaries["tohoku-2022-11-03"].description


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("tohoku-2022-11-04", "did you mean tohoku-2022-11-03"), ("§", "one of akita-2016-08-03,")],
)
def test_an_unknown_name_suggests_the_nearest(name: str, remedy: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(name)
    assert remedy in caught.value.remedy
    assert "./my-drill.yaml" in caught.value.remedy


def test_a_path_is_read_as_text_or_path_object(tmp_path: Path) -> None:
    path = _write(tmp_path, HEAD + CHECK)
    assert load_scenario(path) == load_scenario(str(path))


def test_a_file_in_this_folder_needs_no_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text(HEAD + CHECK, encoding="utf-8")
    assert load_scenario("mine").id == "x"


def test_a_shipped_name_wins_over_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drill-minimal").write_text(HEAD + CHECK, encoding="utf-8")
    assert load_scenario("drill-minimal").id == "drill-minimal"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    error = _refused(tmp_path / "nothing.yaml")
    assert error.where.endswith("nothing.yaml")


def test_the_ten_line_scenario_has_at_most_ten_lines() -> None:
    from simulator.resources import scenario_path  # noqa: PLC0415

    lines = scenario_path("drill-minimal").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 10
    assert lines[0] == "# yaml-language-server: $schema=scenario.schema.json"


def test_every_shipped_scenario_names_the_editor_schema() -> None:
    from simulator.resources import scenario_path  # noqa: PLC0415

    for name in scenario_names():
        first = scenario_path(name).read_text(encoding="utf-8").splitlines()[0]
        target = first.removeprefix("# yaml-language-server: $schema=")
        assert (scenario_path(name).parent / target).is_file()


def test_a_stage_that_replaces_a_law_without_naming_it_is_told_to_name_it(tmp_path: Path) -> None:
    text = HEAD.replace(HEAD[HEAD.index("epoch") :], "") + "extends: tohoku-2022-11-03-modelled\n"
    error = _refused(_write(tmp_path, text + "chain: {decision: {value: 10s}}\n"))
    assert error.field == "chain.decision.value"
    assert error.message == "a lognormal law has no such field"
    assert error.remedy.startswith("write law: constant with it, and the whole law is replaced")
