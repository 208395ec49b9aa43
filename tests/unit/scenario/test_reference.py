import json
from pathlib import Path

import jsonschema
import pytest

from simulator.resources import scenario_names, scenario_path
from simulator.scenario import (
    load_scenario,
    scenario_json_schema,
    scenario_reference_markdown,
    scenario_schema_text,
)
from simulator.scenario.document import parse_document, read_document
from simulator.scenario.reference import SCHEMA_FILE

CHECK = 'schema: "1.0"\nid: x\ntitle: X\nepoch: "2026-01-15T10:00:00+09:00"\n'


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = scenario_json_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def test_the_shipped_schema_is_up_to_date() -> None:
    shipped = scenario_path(scenario_names()[0]).parent / SCHEMA_FILE
    assert shipped.read_text(encoding="utf-8") == scenario_schema_text()
    assert json.loads(scenario_schema_text()) == scenario_json_schema()


@pytest.mark.parametrize("name", scenario_names())
def test_shipped_scenarios_meet_the_schema(
    validator: jsonschema.Draft7Validator, name: str
) -> None:
    document = read_document(scenario_path(name)).plain()
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("name", scenario_names())
def test_resolved_scenarios_meet_the_schema(
    validator: jsonschema.Draft7Validator, name: str
) -> None:
    resolved = load_scenario(name).resolved()
    assert [error.message for error in validator.iter_errors(resolved)] == []


@pytest.mark.parametrize(
    "text",
    [
        CHECK + "colour: red\n",
        CHECK + "tests: [{id: a, at: 10s}]\n",
        CHECK + "tests: [{id: a, at: 10s, prefectures: [miyagi], every: 10}]\n",
        CHECK + "chain: {issue: {law: uniform, low: 1s}}\n",
        "id: x\n",
        "extends: drill-minimal\n",
        "extends: drill-minimal\nid: x\ncolour: red\n",
        "extends: drill-minimal\nid: x\ntests: [{at: 10s}]\n",
        "extends: drill-minimal\nid: x\nchain: {issue: {law: uniform, low: 1s}}\n",
    ],
)
def test_the_schema_refuses(validator: jsonschema.Draft7Validator, text: str) -> None:
    assert not validator.is_valid(parse_document(text, "x").plain())


@pytest.mark.parametrize(
    "text",
    [
        "extends: drill-minimal\nid: x\n",
        "extends: drill-minimal\nid: x\ntests: [{id: siren-check, at: 10s}]\nthresholds: null\n",
        "extends: tohoku-2022-11-03\nid: x\nlaunches: [{id: icbm, truth: {outcome: passed}}]\n",
        CHECK + "tests: [{id: a, at: 10s, prefectures: all}]\nchain: {teams: 2}\n",
    ],
)
def test_a_variant_may_leave_out_what_its_base_has(
    validator: jsonschema.Draft7Validator, text: str
) -> None:
    assert [e.message for e in validator.iter_errors(parse_document(text, "x").plain())] == []


def test_the_reference_page_has_every_field_with_its_meaning_and_example() -> None:
    page = scenario_reference_markdown()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert len(rows) > 90
    assert all(len(row) == 4 and all(row) and row[3] != "``" for row in cells)
    assert "| `floor` | No duration is shorter, scenario time. | `0s` |" in page
    assert '| `schema` | Version of this format, quoted. | required | `"1.0"` |' in page


def test_the_examples_of_the_reference_page_are_valid(tmp_path: Path) -> None:
    """Each law's example column, put together, is a law."""
    laws: dict[str, dict[str, str]] = {}
    current = ""
    for line in scenario_reference_markdown().splitlines():
        if line.startswith("## "):
            current = line.removeprefix("## Law: ") if line.startswith("## Law: ") else ""
        elif current and line.startswith("| `"):
            name, _, _, example = (cell.strip(" `") for cell in line.split("|")[1:-1])
            laws.setdefault(current, {})[name] = example
    assert len(laws) == 7
    stages = ("satellite", "radar", "assessment", "decision", "issue", "discovery", "correction")
    lines = []
    for stage, fields in zip(stages, laws.values(), strict=True):
        # Sources are defined elsewhere, and an example's range need not fit its value.
        kept = {k: v for k, v in fields.items() if k not in {"sources", "range", "note"}}
        lines.append(f"  {stage}: {{{', '.join(f'{k}: {v}' for k, v in kept.items())}}}")
    path = tmp_path / "x.yaml"
    text = CHECK + "fictional: true\ntests: [{id: a, at: 10s, prefectures: [miyagi]}]\nchain:\n"
    path.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    loaded = load_scenario(path)
    assert loaded.chain.correction is not None
    assert loaded.chain.correction.law == "empirical"
