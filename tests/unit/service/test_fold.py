"""Live events folded: what a late page is told, bounded by the plan."""

import json
from typing import Any

import pytest

from simulator.service.fold import Fold, FoldError


def line(kind: str, number: int, **fields: Any) -> bytes:
    return json.dumps({"type": kind, "n": number, **fields}).encode()


def group(prefecture: str, n: int) -> dict[str, Any]:
    return {
        "prefecture": prefecture,
        "event": "launch",
        "qos": 1,
        "segments": {"delivery": {"n": n}},
    }


def test_the_snapshot_before_anything_says_so() -> None:
    assert json.loads(Fold().snapshot()) == {
        "type": "snapshot",
        "n": 0,
        "dropped": 0,
        **dict.fromkeys(("plan", "begun", "broker", "directory", "end", "progress")),
        "phases": [],
        "sent": [],
    }


def test_the_snapshot_holds_what_was_said() -> None:
    fold = Fold()
    fold.add(line("plan", 1, run="a"))
    fold.add(line("phase", 2, name="connect", detail=""))
    fold.add(line("sent", 3, alert=0, repetition=0))
    fold.add(line("end", 4, exit_code=0))

    whole = json.loads(fold.snapshot())

    assert whole["n"] == 4
    assert whole["plan"] == {"type": "plan", "n": 1, "run": "a"}
    assert [each["name"] for each in whole["phases"]] == ["connect"]
    assert whole["sent"][0]["alert"] == 0
    assert whole["end"]["exit_code"] == 0
    assert fold.last("plan") == whole["plan"]
    assert fold.last("begun") is None


def test_progress_keeps_groups_that_did_not_change() -> None:
    fold = Fold()
    fold.add(line("progress", 1, delivered=1, groups=[group("miyagi", 1), group("niigata", 1)]))
    fold.add(line("progress", 2, delivered=2, groups=[group("miyagi", 2)]))

    whole = json.loads(fold.snapshot())["progress"]

    assert whole["delivered"] == 2
    counted = {each["prefecture"]: each["segments"]["delivery"]["n"] for each in whole["groups"]}
    assert counted == {"miyagi": 2, "niigata": 1}
    assert fold.last("progress") is not None


def test_its_size_is_bounded_by_the_plan() -> None:
    fold = Fold()
    for number in range(1, 5001, 2):
        fold.add(line("sent", number, alert=number % 3, repetition=number))
        fold.add(line("phase", number + 1, name="x", detail=""))

    whole = json.loads(fold.snapshot())

    assert len(whole["sent"]) == 3
    assert {each["repetition"] for each in whole["sent"]} == {4995, 4997, 4999}
    assert len(whole["phases"]) == 64


def test_what_the_run_dropped_adds_up() -> None:
    fold = Fold()
    fold.add(line("phase", 1, name="x", dropped=3))
    fold.add(line("phase", 2, name="x", dropped=4))
    assert json.loads(fold.snapshot())["dropped"] == 7


def test_a_snapshot_is_made_once_for_each_state() -> None:
    fold = Fold()
    fold.add(line("phase", 1, name="x"))
    first = fold.snapshot()
    assert fold.snapshot() is first
    fold.add(line("phase", 2, name="y"))
    assert fold.snapshot() is not first


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"3", b'{"n":1}', b'{"type":3,"n":1}', b'{"type":"x"}', b"\xff"]
)
def test_what_is_no_event_is_refused_and_changes_nothing(text: bytes) -> None:
    fold = Fold()
    with pytest.raises(FoldError):
        fold.add(text)
    assert fold.number == 0


@pytest.mark.parametrize("event", [{"type": "sent"}, {"type": "progress", "groups": [{}]}])
def test_an_event_without_its_fields_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(FoldError, match="of this kind"):
        Fold().add(json.dumps(event | {"n": 1}).encode())
