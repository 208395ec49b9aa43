import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator.alerts.compose import encode
from simulator.alerts.recognise import decode
from simulator.model.timeline import AlertEvent

Make = Callable[..., Any]
REQUIRED = {"specversion", "id", "source", "type"}
OPTIONAL = {"datacontenttype", "dataschema", "subject", "time"}


def event_of(made: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(encode(made, "json"))
    return event


@pytest.mark.parametrize("event", list(AlertEvent))
def test_envelope_conforms_to_cloudevents(message: Make, plan: Make, event: AlertEvent) -> None:
    # CloudEvents 1.0.2, sections 3.1 and 3.3, and the JSON event format, section 3.
    found = event_of(message(plan(event=event)))
    attributes = set(found) - {"data"}
    assert attributes >= REQUIRED
    assert attributes <= REQUIRED | OPTIONAL  # no extension at all
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in attributes)
    assert all(isinstance(found[name], str) and found[name] for name in attributes)
    assert found["specversion"] == "1.0"
    assert urlsplit(found["source"]).scheme == urlsplit(found["dataschema"]).scheme == "https"
    assert urlsplit(found["source"]).hostname == "alertsim.invalid"
    assert found["datacontenttype"] == "application/json"
    assert datetime.fromisoformat(found["time"]).utcoffset() is not None
    assert found["subject"] == f"miyagi/{event.value}"
    assert isinstance(found["data"], dict)


def test_id_is_the_cap_identifier(message: Make) -> None:
    found = event_of(message())
    assert found["id"] == found["data"]["identifier"] == "20261122t142400-k3f9-miyagi-1"
    assert found["source"] == "https://alertsim.invalid/runs/20261122t142400-k3f9"


def test_cap_stands_directly_in_data_and_ours_in_simulation(message: Make) -> None:
    data = event_of(message())["data"]
    # CAP 1.2 section 3.2.1, names as there.
    assert set(data) - {"simulation"} == {
        "identifier",
        "sender",
        "sent",
        "status",
        "msgType",
        "scope",
        "restriction",
        "note",
        "info",
    }
    assert data["sender"].rsplit("@")[1].endswith(".invalid")
    assert (data["scope"], bool(data["restriction"])) == ("Restricted", True)
    assert [info["language"] for info in data["info"]] == ["ja-JP", "en-US"]


def every_number(value: Any) -> list[int | float]:
    if isinstance(value, dict):
        return [number for entry in value.values() for number in every_number(entry)]
    if isinstance(value, list):
        return [number for entry in value for number in every_number(entry)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def nanoseconds(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {name: found for entry in value for name, found in nanoseconds(entry).items()}
    if not isinstance(value, dict):
        return {}
    found = {name: entry for name, entry in value.items() if name.endswith("_ns")}
    for entry in value.values():
        found |= nanoseconds(entry)
    return found


def test_integers_survive_javascript(message: Make, context: Make) -> None:
    big = 2**63 - 1
    found = event_of(message(context=context(seed=big), composed_ns=big))
    assert found["data"]["simulation"]["composed_ns"] == str(big)
    assert found["data"]["simulation"]["seed"] == str(big)
    assert all(abs(number) < 2**53 for number in every_number(found))
    stamps = nanoseconds(found)
    assert set(stamps) >= {"at_ns", "intended_ns", "composed_ns", "started_ns", "ended_ns"}
    assert all(isinstance(value, str) and int(value) >= 0 for value in stamps.values())


def test_bytes_are_plain_utf_8_without_blanks(message: Make) -> None:
    payload = encode(message(), "json")
    assert "【訓練】".encode() in payload
    assert payload.startswith(b'{"specversion":"1.0","id":"')
    assert b"\n" not in payload


def test_whole_numbers_from_javascript_are_read(message: Make) -> None:
    made = message()
    payload = encode(made, "json")
    assert b'"speed":600.0' in payload
    assert decode(payload.replace(b'"speed":600.0', b'"speed":600')) == made


def changed(event: dict[str, Any], path: str, value: Any) -> bytes:
    place: Any = event
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", "20261122t142400-k3f9-miyagi-2"),
        ("type", "com.example.alert"),
        ("source", "https://example.org/"),
        ("subject", "miyagi/passage"),
        ("traceparent", "00-1"),
        ("time", None),
        ("data", None),
        ("data", []),
        ("data.sender", "someone@example.org"),
        ("data.scope", "Public"),
        ("data.restriction", ...),
        ("data.note", ...),
        ("data.msgType", "Ack"),
        ("data.references", "a,b"),
        ("data.references", "someone@example.org,a,2026-11-22T14:24:00+09:00"),
        ("data.addresses", "everybody"),
        ("data.info", []),
        ("data.info.0.headline", "ミサイル発射"),
        ("data.info.1.description", "This is not a drill."),
        ("data.info.1.urgency", "Past"),
        ("data.info.1.language", "en-GB"),
        ("data.info.0.area", []),
        ("data.info.0.web", "https://example.org/"),
        ("data.info.0.eventCode", {"valueName": "OET:v1.2"}),
        ("data.simulation", ...),
        ("data.simulation.version", "2.0"),
        ("data.simulation.at_ns", 660_000_000_000),
        ("data.simulation.at_ns", "0660000000000"),
        ("data.simulation.at_ns", "٦٦٠"),
        ("data.simulation.believed_arrival_ns", "soon"),
        ("data.simulation.replication", True),
        ("data.simulation.speed", True),
        ("data.simulation.speed", "600"),
        ("data.simulation.event", "earthquake"),
        ("data.simulation.stages", None),
        ("data.simulation.stages", ["sensing"]),
        ("data.simulation.extra", 1),
    ],
)
def test_altered_event_is_refused(message: Make, path: str, value: Any) -> None:
    payload = changed(event_of(message()), path, value)
    with pytest.raises(ValueError, match=r"."):
        decode(payload)


def test_altered_event_test_would_accept_the_unaltered_one(message: Make) -> None:
    made = message()
    assert decode(changed(event_of(made), "data.scope", "Restricted")) == made


@pytest.mark.parametrize(
    "payload",
    [
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b"[" * 8000,
        b'{"a":' * 1500,
        b'{"data":{"simulation":1},"time":1}',
        b'{"data":{"simulation":{}},"time":NaN}',
    ],
)
def test_foreign_json_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(payload)


def test_repeated_name_is_refused(message: Make) -> None:
    payload = encode(message(), "json")
    twice = payload.replace(b'"status":"Exercise"', b'"status":"Actual","status":"Exercise"')
    with pytest.raises(ValueError, match="repeated"):
        decode(twice)
