import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from simulator.alerts.alert import MAX_PAYLOAD_BYTES
from simulator.alerts.compose import FORMATS, encode
from simulator.alerts.recognise import decode, identify
from simulator.model.timeline import AlertEvent

Make = Callable[..., Any]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("event", list(AlertEvent))
@pytest.mark.parametrize("status", ["Exercise", "Test"])
def test_our_messages_are_recognised(
    request: pytest.FixtureRequest, form: str, event: AlertEvent, status: str
) -> None:
    message, plan, context = map(request.getfixturevalue, ("message", "plan", "context"))
    made = message(plan(event=event), context(status=status))
    payload = encode(made, form)
    assert identify(payload) == made.identifier
    assert decode(payload) == made


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"<",
        b"<alert/>",
        b"\x00\xff",
        b"[" * 8000,
        b"9" * 5000,
        b'{"specversion":"1.0","type":"invalid.alertsim.alert.v1","id":"x","data":[]}',
        b'{"specversion":"1.0","type":"invalid.alertsim.alert.v1","id":[],"data":7}',
        b'{"specversion":"1.0","type":"com.example","id":"x","data":{}}',
        b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>',
        b"<!DOCTYPE a><a/>",
    ],
)
def test_foreign_payload_is_none(payload: bytes) -> None:
    assert identify(payload) is None


@pytest.mark.parametrize(
    ("form", "old", "new"),
    [
        ("json", b'"status":"Exercise"', b'"status":"Actual"'),
        ("json", b'"status":"Exercise"', b'"status":["Exercise"]'),
        ("json", b'"status":"Exercise"', b'"status":"Actual","status":"Exercise"'),
        ("json", b'"status":"Exercise",', b""),
        ("json", "【訓練】EXERCISE".encode(), b"Drill"),
        ("json", b"alertsim.invalid", b"alerts.example"),
        ("json", b'"specversion":"1.0"', b'"specversion":"0.3"'),
        ("json", b'"identifier":"2', b'"identifier":"3'),
        ("cap-xml", b"<status>Exercise", b"<status>Actual"),
        ("cap-xml", b"<status>", b"<status>Exercise</status><status>"),
        ("cap-xml", b"<status>Exercise</status>", b""),
        ("cap-xml", "<note>【訓練】".encode(), b"<note>"),
        ("cap-xml", b"alertsim.invalid", b"alerts.example"),
        ("cap-xml", b"<identifier>20261122t142400-k3f9-miyagi-1", b"<identifier>"),
        ("cap-xml", b"<status>", b"<!-- --><status>"),
    ],
)
def test_message_without_its_marks_is_not_ours(
    message: Make, form: str, old: bytes, new: bytes
) -> None:
    payload = encode(message(), form)
    assert old in payload
    assert identify(payload.replace(old, new)) is None


def test_identifier_that_is_not_text_is_not_ours(message: Make) -> None:
    event = json.loads(encode(message(), "json"))
    event["id"] = event["data"]["identifier"] = 7
    assert identify(json.dumps(event).encode()) is None


def test_size_is_bounded_before_anything_is_read(message: Make) -> None:
    payload = encode(message(), "json")
    blanks = b" " * (MAX_PAYLOAD_BYTES - len(payload))
    assert identify(payload + blanks) is not None
    assert identify(payload + blanks + b" ") is None
    with pytest.raises(ValueError, match="at most 8192"):
        decode(payload + blanks + b" ")


def test_a_changed_byte_is_another_message_or_none(message: Make) -> None:
    payload = encode(message(), "json")
    position = payload.index(b"miyagi-1") + len("miyagi-")
    assert identify(payload[:position] + b"2" + payload[position + 1 :]) is None


def test_workers_load_nothing_heavy() -> None:
    code = (
        "import sys, simulator.alerts.recognise, simulator.alerts.compose, simulator.alerts.topics;"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.replace("'", '"')))
    assert loaded.isdisjoint({"pydantic", "numpy", "simpy", "asyncio", "lxml", "ruamel", "polars"})
    assert "simulator" in loaded
