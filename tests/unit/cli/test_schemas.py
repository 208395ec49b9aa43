"""``alertsim schema``: every schema is one, has a version, and fits what it describes."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import validator_for
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.cli.schemas import SCHEMA_KINDS, SchemaKind, schema_of
from tests.unit.report.made_run import make_run

SCHEMAS = [kind for kind in SCHEMA_KINDS if kind != "asyncapi"]


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_each_is_printed_as_json(kind: SchemaKind) -> None:
    done = CliRunner().invoke(app, ["schema", kind])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == json.loads(json.dumps(schema_of(kind)))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_each_is_a_schema_of_its_dialect_with_a_version(kind: SchemaKind) -> None:
    schema = schema_of(kind)
    validator_for(schema, default=None).check_schema(schema)
    assert schema["$id"].startswith("https://alertsim.invalid/schemas/")
    assert schema["$id"].endswith("-1.0.json")
    assert schema["title"].startswith("alertsim ")


def test_contract_is_the_document_of_the_reference() -> None:
    assert schema_of("asyncapi")["asyncapi"] == "3.0.0"


def test_a_run_directory_keeps_to_them(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    for kind in ("manifest", "summary"):
        document = json.loads((run / f"{kind}.json").read_bytes())
        validator = Draft202012Validator(schema_of(kind))
        validator.validate(document)
        del document["run"]
        with pytest.raises(ValidationError):
            validator.validate(document)


def test_a_later_version_may_add_to_a_manifest(tmp_path: Path) -> None:
    document = json.loads((make_run(tmp_path) / "manifest.json").read_bytes())
    Draft202012Validator(schema_of("manifest")).validate({**document, "more": 1})


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "phase", "n": 0, "at_unix_ns": "1", "name": "drain", "detail": ""},
        {"type": "phase", "n": 1, "at_unix_ns": 1, "name": "drain", "detail": ""},
        {"type": "phase", "n": 1, "at_unix_ns": "1", "name": "drain"},
        {"type": "stage", "n": 1, "at_unix_ns": "1", "name": "drain", "detail": ""},
    ],
)
def test_a_line_that_is_no_live_event_is_refused(wrong: dict[str, Any]) -> None:
    right = {"type": "phase", "n": 1, "at_unix_ns": "1", "name": "drain", "detail": ""}
    validator = Draft202012Validator(schema_of("live-events"))
    validator.validate(right)
    assert not validator.is_valid(wrong)
