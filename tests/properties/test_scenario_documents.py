"""Whatever a file holds, it becomes a scenario or one clear refusal."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.errors import ScenarioError
from simulator.resources import scenario_path
from simulator.scenario import load_scenario
from simulator.scenario.document import parse_document
from simulator.scenario.loading import validate

FOUNDING = scenario_path("tohoku-2022-11-03").read_text(encoding="utf-8")
SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abz019 .:-T+", max_size=12)
)
NAMES = (
    "schema extends id title epoch chain launches tests marks record thresholds sources at time "
    "law value profile teams prefectures truth belief outcome count every issue range"
)
FIELDS = st.sampled_from(NAMES.split())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


def _flow(value: object) -> str:
    """A value as flow YAML, its texts quoted."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "null" if value is None else str(value).lower()


@given(st.dictionaries(FIELDS, VALUES, max_size=8))
@example({"schema": "1.0", "id": "x", "title": "x", "epoch": "2026-01-01T00:00:00Z"})
def test_a_mapping_of_anything_is_refused_with_a_place(
    fields: dict[str, object],
) -> None:
    fields.pop("extends", None)
    document = parse_document(_flow(fields), "x.yaml")
    assert document.plain() == fields
    with pytest.raises(ScenarioError) as caught:
        validate(document)
    assert caught.value.where == "x.yaml:1"
    assert caught.value.message


@given(st.text(max_size=200))
def test_any_text_becomes_a_mapping_or_a_refusal(text: str) -> None:
    try:
        document = parse_document(text, "x.yaml")
    except ScenarioError as error:
        assert error.where.startswith("x.yaml")  # noqa: PT017  # either outcome is allowed
    else:
        assert isinstance(document.plain(), dict)


@given(st.integers(0, len(FOUNDING.splitlines()) - 1), st.data())
def test_a_founding_case_with_a_line_spoilt_never_ends_in_a_traceback(
    number: int, data: st.DataObject
) -> None:
    lines = FOUNDING.splitlines()
    cut = data.draw(st.integers(0, len(lines[number])))
    lines[number] = lines[number][:cut] + data.draw(st.sampled_from([*"?}'0", "", ": x"]))
    try:
        validate(parse_document("\n".join(lines), "x.yaml"))
    except ScenarioError as error:
        assert error.where.startswith("x.yaml")  # noqa: PT017  # either outcome is allowed


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path: Path = tmp_path_factory.mktemp("scenario") / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(ScenarioError):
        load_scenario(path)
