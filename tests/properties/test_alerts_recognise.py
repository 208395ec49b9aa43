"""Recognising: total on any bytes, and never fooled by a damaged message."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.alerts.compose import ExerciseContext, compose, encode
from simulator.alerts.recognise import decode, identify
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert

PATIENT = settings(deadline=None)  # a busy machine is no finding
CONTEXT = ExerciseContext(
    run="r1", scenario="drill", title="Drill", seed=1, epoch="2022-11-03T07:39:00+09:00"
)
PLAN = PlannedAlert(
    number=0,
    event_number=0,
    at_ns=0,
    launch="l",
    prefecture="miyagi",
    event=AlertEvent.LAUNCH,
    msg_type=MsgType.ALERT,
    sequence=1,
    in_force=True,
    cause=0,
)
MESSAGE = compose(
    planned=PLAN,
    identifier="r1-miyagi-1",
    sequence=1,
    repetition=0,
    references=(),
    intended_ns=0,
    composed_ns=0,
    context=CONTEXT,
)
PAYLOADS = {form: encode(MESSAGE, form) for form in ("json", "cap-xml")}
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for name, entry in value.items():
            found += places(entry, (*path, name))
    if isinstance(value, list):
        for number, entry in enumerate(value):
            found += places(entry, (*path, number))
    return found


PLACES = places(json.loads(PAYLOADS["json"]))


@PATIENT
@given(payload=st.binary(max_size=9000) | st.text().map(str.encode))
def test_any_bytes_are_foreign_and_never_an_error(payload: bytes) -> None:
    assert identify(payload) is None
    with pytest.raises(ValueError, match=r"."):
        decode(payload)


@pytest.mark.parametrize("form", PAYLOADS)
def test_truncated_at_every_byte_is_foreign(form: str) -> None:
    payload = PAYLOADS[form]
    assert identify(payload) == "r1-miyagi-1"
    for length in range(len(payload)):
        assert identify(payload[:length]) is None, length


@PATIENT
@given(form=st.sampled_from(list(PAYLOADS)), data=st.data())
def test_a_changed_byte_never_changes_what_was_recognised(form: str, data: st.DataObject) -> None:
    payload = bytearray(PAYLOADS[form])
    position = data.draw(st.integers(0, len(payload) - 1))
    payload[position] = data.draw(st.integers(0, 255))
    # The identifier stands there more than once, and its copies must agree.
    assert identify(bytes(payload)) in {None, "r1-miyagi-1"}
    with contextlib.suppress(ValueError):
        assert decode(bytes(payload)).status.value in {"Exercise", "Test"}


@PATIENT
@given(path=st.sampled_from(PLACES), value=VALUES)
def test_any_value_anywhere_is_read_strictly_or_refused(path: tuple[Any, ...], value: Any) -> None:
    event = json.loads(PAYLOADS["json"])
    place = event
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    payload = json.dumps(event).encode("utf-8", "surrogatepass")
    identify(payload)
    try:
        found = decode(payload)
    except ValueError:
        return
    # Accepted: then it says exactly this when it is written again, and is marked.
    assert json.loads(encode(found, "json")) == event
