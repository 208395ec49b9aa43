from pathlib import Path

import pytest

from simulator.errors import ScenarioError
from simulator.scenario import load_scenario
from simulator.scenario.document import parse_document
from simulator.scenario.merging import merge, read_resolved

HEAD = """\
schema: "1.0"
id: x
title: X
epoch: "2026-01-15T10:00:00+09:00"
"""
CHECK = "tests: [{id: a, at: 10s, prefectures: [miyagi]}]\n"


def _merged(base: str, over: str) -> object:
    return merge(parse_document(base, "base"), parse_document(over, "over")).plain()


@pytest.mark.parametrize(
    ("base", "over", "result"),
    [
        ("a: 1\nb: 2", "b: 3\nc: 4", {"a": 1, "b": 3, "c": 4}),
        ("a: {b: 1, c: 2}", "a: {c: 3}", {"a": {"b": 1, "c": 3}}),
        ("a: {b: 1}", "a: null", {}),
        ("a: 1", "b: null", {"a": 1}),
        ("a: [1, 2]", "a: [3]", {"a": [3]}),
        ("a: 1", "a: {b: 2}", {"a": {"b": 2}}),
        (
            "a: [{id: x, v: 1, w: 2}, {id: y}]",
            "a: [{id: z}, {id: x, v: 3}]",
            {"a": [{"id": "x", "v": 3, "w": 2}, {"id": "y"}, {"id": "z"}]},
        ),
        ("a: [{id: x}]", "a: [{v: 1}]", {"a": [{"v": 1}]}),
        ("a: [{id: x}]", "a: [{id: 3}]", {"a": [{"id": 3}]}),
        ("a: [{id: x}]", "a: []", {"a": [{"id": "x"}]}),
        (
            "a: {law: constant, value: 3s}",
            "a: {value: 4s}",
            {"a": {"law": "constant", "value": "4s"}},
        ),
        (
            "a: {law: constant, value: 3s, note: n}",
            "a: {law: uniform, low: 1s, high: 2s}",
            {"a": {"law": "uniform", "low": "1s", "high": "2s"}},
        ),
        ("c: {teams: 1, issue: 2}", "c: {profile: p}", {"c": {"profile": "p"}}),
    ],
)
def test_trees_merge_field_by_field(base: str, over: str, result: object) -> None:
    assert _merged(base, over) == result


def test_merged_values_keep_their_own_files_and_lines() -> None:
    merged = merge(parse_document("a: 1\nb: 2", "base"), parse_document("\nb: 3", "over"))
    assert merged.find(("a",)).where == "base:1"
    assert merged.find(("b",)).where == "over:2"


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_variant_of_a_shipped_scenario(tmp_path: Path) -> None:
    path = _file(tmp_path, "v.yaml", "extends: drill-minimal\nid: v\n")
    variant, base = load_scenario(path), load_scenario("drill-minimal")
    assert variant == base.model_copy(update={"id": "v"})
    assert variant.extends is None


def test_a_variant_of_a_variant_by_relative_path(tmp_path: Path) -> None:
    _file(tmp_path, "base.yaml", HEAD + CHECK)
    _file(tmp_path, "middle.yaml", "extends: base.yaml\nid: middle\ntitle: M\n")
    path = _file(tmp_path, "deep/top.yaml", "extends: ../middle.yaml\nid: top\n")
    loaded = load_scenario(path)
    assert (loaded.id, loaded.title, loaded.tests[0].id) == ("top", "M", "a")


def test_extends_null_extends_nothing(tmp_path: Path) -> None:
    assert load_scenario(_file(tmp_path, "x.yaml", HEAD + "extends: null\n" + CHECK)).id == "x"


def test_an_error_in_the_base_is_reported_there(tmp_path: Path) -> None:
    base = _file(tmp_path, "base.yaml", HEAD + CHECK + "colour: red\n")
    path = _file(tmp_path, "v.yaml", "extends: base.yaml\nid: v\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert caught.value.where == f"{base}:6"


def _refused(path: Path) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        read_resolved(path)
    return caught.value


def test_a_scenario_that_extends_itself_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.yaml", "id: a\nextends: ./a.yaml\n")
    error = _refused(path)
    assert "circle" in error.message
    assert (error.where, error.field, error.value) == (f"{path}:2", "extends", "./a.yaml")
    assert error.remedy == "a.yaml → a.yaml"


def test_a_longer_circle_is_refused(tmp_path: Path) -> None:
    first = _file(tmp_path, "a.yaml", "extends: b.yaml\nid: a\n")
    _file(tmp_path, "b.yaml", "extends: c.yaml\nid: b\n")
    _file(tmp_path, "c.yaml", "extends: ../" + tmp_path.name + "/a.yaml\n")
    error = _refused(first)
    assert error.remedy == "a.yaml → b.yaml → c.yaml → a.yaml"
    assert error.where == f"{tmp_path / 'c.yaml'}:1"


def test_a_chain_of_variants_has_an_end(tmp_path: Path) -> None:
    for number in range(20):
        _file(tmp_path, f"v{number}.yaml", f"extends: v{number + 1}.yaml\nid: v\n")
    _file(tmp_path, "v20.yaml", HEAD + CHECK)
    assert "circle" in _refused(tmp_path / "v0.yaml").message
    assert read_resolved(tmp_path / "v5.yaml").find(("title",)).raw == "X"


@pytest.mark.parametrize("text", ["[a, b]", "3", "{a: b}"])
def test_extends_names_one_scenario(tmp_path: Path, text: str) -> None:
    error = _refused(_file(tmp_path, "a.yaml", f"extends: {text}\n"))
    assert "one scenario" in error.message
    assert error.field == "extends"


def test_an_unknown_base_is_refused_where_it_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.yaml", "id: a\nextends: drill-maximal\n")
    error = _refused(path)
    assert (error.where, error.field) == (f"{path}:2", "extends")
    assert "did you mean drill-minimal?" in error.remedy


def test_a_missing_base_file_is_refused_where_it_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.yaml", "extends: ./nothing.yaml\n")
    error = _refused(path)
    assert (error.where, error.value) == (f"{path}:1", "./nothing.yaml")
    assert str(tmp_path) in error.remedy


def test_one_id_twice_in_one_file_is_refused_although_ids_merge(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "a.yaml",
        "extends: drill-minimal\ntests:\n  - {id: b, at: 1s}\n  - {id: b, at: 2s}\n",
    )
    error = _refused(path)
    assert (error.where, error.field, error.value) == (f"{path}:4", "tests.1.id", "b")
    assert f"{path}:3" in error.remedy


def test_a_profile_gives_the_stages_and_their_sources(tmp_path: Path) -> None:
    text = HEAD + CHECK + "chain:\n  profile: j-alert-2022\n  teams: {count: 3, sources: [own]}\n"
    text += "sources: [{id: own, title: T, address: A, grade: C}]\n"
    loaded = load_scenario(_file(tmp_path, "a.yaml", text))
    assert loaded.chain.profile == "j-alert-2022"
    assert loaded.chain.teams is not None
    assert loaded.chain.teams.count == 3
    assert loaded.chain.confirmation is not None
    assert loaded.chain.confirmation.law == "triangular"
    assert {"own", "FDMA-R4-topic"} <= {source.id for source in loaded.sources}


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.yaml", HEAD + CHECK + "chain: {profile: j-alert-222}\n")
    error = _refused(path)
    assert (error.where, error.field) == (f"{path}:6", "chain.profile")
    assert error.remedy == "did you mean j-alert-2022?"


def test_a_variant_without_an_id_of_its_own_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.yaml", "extends: drill-minimal\n")
    error = _refused(path)
    assert (error.where, error.field) == (f"{path}:1", "id")
    assert "of its own" in error.message
