import os
from pathlib import Path

import pytest

from simulator.errors import ExitCode, ScenarioError
from simulator.scenario.document import (
    DEPTH_LIMIT,
    SIZE_LIMIT_BYTES,
    VALUES_LIMIT,
    Node,
    parse_document,
    read_document,
)


def _refused(text: str) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        parse_document(text, "x.yaml")
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 12", 12),
        ("a: -3", -3),
        ("a: 0", 0),
        ("a: 0o17", 15),
        ("a: 0x1F", 31),
        ("a: 1.5", 1.5),
        ("a: .5e2", 50.0),
        ("a: 1e3", 1000.0),
        ("a: true", True),
        ("a: False", False),
        ("a: null", None),
        ("a: ~", None),
        ("a:", None),
        ("a: no", "no"),
        ("a: on", "on"),
        ("a: 10min", "10min"),
        ("a: 2022-11-03", "2022-11-03"),
        ("a: '04'", "04"),
        ('a: "17:50"', "17:50"),
        ("a: '.nan'", ".nan"),
        ("a: |\n  two\n  lines\n", "two\nlines\n"),
        ("a: 2022-11-03T07:39:00+09:00", "2022-11-03T07:39:00+09:00"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    document = parse_document(text, "x.yaml").plain()
    assert document == {"a": value}
    assert isinstance(document, dict)
    assert type(document["a"]) is type(value)


def test_every_value_keeps_its_line() -> None:
    root = parse_document("a: 1\nb:\n  - x\n  - c: 2\n", "x.yaml")
    assert root.find(("a",)).where == "x.yaml:1"
    assert root.find(("b",)).where == "x.yaml:2"
    assert root.find(("b", 0)).where == "x.yaml:3"
    assert root.find(("b", 1, "c")).where == "x.yaml:4"
    assert root.find(("b", 1, "c")).raw == "2"


def test_steps_that_the_document_does_not_have_are_skipped() -> None:
    root = parse_document("a:\n  b: 1\n", "x.yaml")
    assert root.find(("a", "lognormal", "b")).raw == "1"
    assert root.find(("a", 3, "b")).raw == "1"
    lists = parse_document("a: [1]\n", "x.yaml")
    assert lists.find(("a", 5)).where == "x.yaml:1"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_document(path).plain() == {"a": 1}


@pytest.mark.parametrize("text", ["17:50", "07:39", "7:39", "1:30:00", "04", "-012", "08"])
def test_what_yaml_readers_disagree_on_is_refused_with_the_quoted_form(text: str) -> None:
    error = _refused(f"b: 1\na: {{c: {text}}}")
    assert (error.where, error.field, error.value) == ("x.yaml:2", "a.c", text)
    assert error.remedy == f'quote it: "{text}"'


@pytest.mark.parametrize(
    "text", [".nan", ".NaN", "nan", ".inf", "-.Inf", "+inf", "1e999", "9" * 50, "0x" + "f" * 50]
)
def test_numbers_that_cannot_be_used_are_refused(text: str) -> None:
    error = _refused(f"a: {text}")
    assert (error.where, error.field) == ("x.yaml:1", "a")
    assert "number" in error.message


@pytest.mark.parametrize(
    ("text", "value", "line"),
    [
        ("a: &x 1\nb: *x", "&x", 1),
        ("a: &x [1]", "&x", 1),
        ("a: &x {b: 1}", "&x", 1),
        ("a: *x", "*x", 1),
        ("b: 1\n? *x\n: 2", "*x", 2),
        ("&k a: 1", "&k", 1),
    ],
)
def test_anchors_and_aliases_are_refused(text: str, value: str, line: int) -> None:
    error = _refused(text)
    assert "anchors and aliases" in error.message
    assert (error.where, error.value) == (f"x.yaml:{line}", value)
    assert "extends" in error.remedy


def test_an_anchors_bomb_is_refused_at_its_first_anchor() -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    error = _refused("\n".join(layers))
    assert (error.where, error.field) == ("x.yaml:1", "a0")


@pytest.mark.parametrize("text", ["a: !!int 3", "a: !python/object:os.system x", "!x {a: 1}"])
def test_tags_are_refused(text: str) -> None:
    error = _refused(text)
    assert "tags" in error.message
    assert error.where == "x.yaml:1"


def test_a_field_that_stands_twice_is_refused() -> None:
    error = _refused("a:\n  b: 1\n  c: 2\n  b: 3\n")
    assert (error.where, error.field) == ("x.yaml:4", "a.b")
    assert "x.yaml:2" in error.remedy


@pytest.mark.parametrize("text", ["? [a]\n: 1", "? {a: 1}\n: 1"])
def test_a_field_name_is_a_word(text: str) -> None:
    assert "a field name is a word" in _refused(text).message


@pytest.mark.parametrize("key", ["status", "Status", "STATUS"])
@pytest.mark.parametrize("value", ["Actual", "actual", "'ACTUAL'"])
def test_an_actual_status_is_refused_at_any_depth(key: str, value: str) -> None:
    for text in (f"{key}: {value}", f"a:\n  - b:\n      {key}: {value}"):
        error = _refused(text)
        assert error.message == "alertsim only sends exercises"
        assert error.field.endswith(key)
        assert "Exercise" in error.remedy


def test_deep_nesting_is_refused() -> None:
    assert parse_document("a: " + "[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, "x.yaml").where
    error = _refused("a: " + "[" * (DEPTH_LIMIT + 1) + "]" * (DEPTH_LIMIT + 1))
    assert "deep" in error.message


def test_deep_nesting_is_refused_before_the_end_is_read() -> None:
    assert "deep" in _refused("[" * 100_000).message


def test_too_many_values_are_refused() -> None:
    error = _refused("a: [" + "1," * VALUES_LIMIT + "]")
    assert f"more than {VALUES_LIMIT} values" in error.message


@pytest.mark.parametrize("text", ["just words", "- a\n- b", "3"])
def test_a_file_is_a_mapping(text: str) -> None:
    assert "not a mapping" in _refused(text).message


def test_a_file_of_comments_holds_no_data() -> None:
    assert "only comments" in _refused("# nothing\n").message


def test_a_second_document_is_refused() -> None:
    error = _refused("a: 1\n---\nb: 2\n")
    assert ("more than one document" in error.message, error.where) == (True, "x.yaml:2")


@pytest.mark.parametrize(
    ("text", "line"), [("a: 1\nb: c: d\n", 2), ("a: [1\nb: 2\n", 2), ("a: 'x\n", 2), ("\ta: 1", 1)]
)
def test_what_is_not_yaml_names_the_line(text: str, line: int) -> None:
    error = _refused(text)
    assert "not YAML" in error.message
    assert error.where == f"x.yaml:{line}"


def test_control_characters_are_not_text() -> None:
    error = _refused("a: \x00")
    assert "not text" in error.message
    assert error.where == "x.yaml"


def _refused_file(path: Path) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        read_document(path)
    assert caught.value.where.startswith(str(path))
    return caught.value


def test_a_binary_file_is_refused_with_the_line_of_its_first_bad_byte(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    error = _refused_file(path)
    assert (error.where, error.value) == (f"{path}:2", "byte 0xe9")
    assert error.remedy == "save it as UTF-8"


@pytest.mark.parametrize("text", ["", " \n\n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    assert "empty" in _refused_file(path).message


def test_a_100_mb_file_is_refused_without_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.yaml"
    path.touch()
    os.truncate(path, 100 * 1024 * 1024)

    def never(*_arguments: object, **_options: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Path, "open", never)
    assert "larger than 1024 KiB" in _refused_file(path).message


def test_a_file_that_is_larger_than_it_says_is_refused() -> None:
    # A device or a pipe has no size to look at beforehand.
    assert "larger than" in _refused_file(Path("/dev/zero")).message


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\n#" + "x" * (SIZE_LIMIT_BYTES - 6), encoding="utf-8")
    assert path.stat().st_size == SIZE_LIMIT_BYTES
    assert read_document(path).plain() == {"a": 1}


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "directory" in _refused_file(tmp_path).message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    error = _refused_file(tmp_path / "nothing.yaml")
    assert "No such file" in error.message
    assert error.remedy


def test_a_node_gives_back_plain_values() -> None:
    leaf = Node(value=1, where="x:1")
    assert Node(value={"a": Node(value=[leaf], where="x:1")}, where="x:1").plain() == {"a": [1]}


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ('title: "\\ud800"\n', 1, r"\ud800"),
        ('a: 1\n"\\udfff": 2\n', 2, r"\udfff"),
        ('title: "\\ud83d\\ude80"\n', 1, r"\ud83d\ude80"),
    ],
)
def test_half_a_character_is_refused_where_it_stands(text: str, line: int, shown: str) -> None:
    with pytest.raises(ScenarioError, match="half a character") as caught:
        parse_document(text, "file")
    assert caught.value.where == f"file:{line}"
    assert caught.value.value == f"'{shown}'"
    str(caught.value).encode()


def test_a_character_beyond_the_first_plane_is_a_text() -> None:
    assert parse_document('title: "\\U0001F680"', "file").plain() == {"title": "\U0001f680"}
