import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from simulator.alerts.compose import encode
from simulator.alerts.schema import payload_json_schema
from simulator.model.timeline import AlertEvent

Make = Callable[..., Any]
REFERENCES = [("20261122t142400-k3f9-miyagi-1", "2026-11-22T14:24:00+09:00")] * 2


@pytest.fixture(scope="module", name="validator")
def _validator() -> Draft202012Validator:
    schema = payload_json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("event", list(AlertEvent))
@pytest.mark.parametrize("references", [[], REFERENCES])
def test_every_message_validates(
    request: pytest.FixtureRequest,
    validator: Draft202012Validator,
    event: AlertEvent,
    references: list[tuple[str, str]],
) -> None:
    message, plan = map(request.getfixturevalue, ("message", "plan"))
    planned = plan(event=event, stated_ns=0, reason="Why.", historical_channel="em-net")
    validator.validate(json.loads(encode(message(planned, references=references), "json")))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.status", "Actual"),
        ("data.sender", "someone@example.org"),
        ("data.scope", "Public"),
        ("data.note", "Drill"),
        ("data.sent", "2026-11-22T14:24:00Z"),
        ("data.references", "a"),
        ("data.msgType", "Ack"),
        ("data.info.0.headline", "ミサイル発射"),
        ("data.info.1.description", "Missile"),
        ("data.info.1.language", "de"),
        ("data.info.0.eventCode", []),
        ("data.info", []),
        ("data.simulation.version", "2.0"),
        ("data.simulation.composed_ns", 5),
        ("data.simulation.stages.0.ended_ns", "1.5"),
        ("data.simulation.sequence", 2**53),
        ("data.simulation.event", "earthquake"),
        ("id", ""),
        ("time", "yesterday"),
        ("source", "https://example.org"),
    ],
)
def test_schema_bites(
    message: Make, validator: Draft202012Validator, path: str, value: Any
) -> None:
    event = json.loads(encode(message(), "json"))
    place = event
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    place[last] = value
    assert not validator.is_valid(event)


def test_every_required_name_is_missed(message: Make, validator: Draft202012Validator) -> None:
    event = json.loads(encode(message(), "json"))
    for place in (event, event["data"], event["data"]["simulation"]):
        for name in list(place):
            value = place.pop(name)
            optional = name in {"launch", "believed_arrival_ns"}
            assert validator.is_valid(event) == optional, name
            place[name] = value


def test_schema_describes_exactly_what_is_written(message: Make, plan: Make) -> None:
    planned = plan(stated_ns=0, reason="Why.", historical_channel="em-net")
    event = json.loads(encode(message(planned, references=REFERENCES), "json"))
    schema = payload_json_schema()

    def compare(value: Any, part: dict[str, Any], where: str) -> None:
        if isinstance(value, dict):
            assert list(part["properties"]) != []
            assert set(value) == set(part["properties"]), where
            for name, entry in value.items():
                compare(entry, part["properties"][name], f"{where}.{name}")
        elif isinstance(value, list):
            parts = part.get("prefixItems") or [part["items"]] * len(value)
            for entry, inner in zip(value, parts, strict=True):
                compare(entry, inner, where)

    compare(event, schema, "event")
