"""Attempts to put an unmarked message on the wire: each must end in a refusal."""

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from enum import Enum
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from simulator.alerts.alert import AlertMessage
from simulator.alerts.compose import FORMATS, encode
from simulator.alerts.parts import ExerciseStatus, Reference, Simulation, Wording
from simulator.alerts.rebuild import message_from
from simulator.alerts.recognise import decode
from simulator.model.timeline import MsgType, StagePassed

Make = Callable[..., Any]
NS = "{urn:oasis:names:tc:emergency:cap:1.2}"


class Impostor(str):
    """Text that answers every check with what it wants to hear."""

    __slots__ = ()

    def startswith(self, *_: Any) -> bool:
        return True

    def __len__(self) -> int:
        return 3


class FakeStatus(Enum):
    EXERCISE = "Actual"


def fields_of(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def numbered(rows: list[tuple[str, Any]]) -> list[str]:
    return [f"{field}-{number}" for number, (field, _) in enumerate(rows)]


def refused(made: AlertMessage) -> None:
    """Nothing of it may become bytes, in either format."""
    for form in FORMATS:
        with pytest.raises(ValueError, match=r"."):
            encode(made, form)


def forced(record: Any, **changes: Any) -> Any:
    """Go around the constructor, as only a determined caller would."""
    twin = copy.copy(record)
    for name, value in changes.items():
        object.__setattr__(twin, name, value)
    return twin


NOT_A_STATUS = ["Actual", "Exercise", Impostor("Actual"), FakeStatus.EXERCISE, None, b"Actual", 0]


@pytest.mark.parametrize(
    "status", NOT_A_STATUS, ids=lambda value: f"{type(value).__name__}-{value}"
)
def test_status_is_an_enumeration_member_or_refused(message: Make, status: Any) -> None:
    good = message()
    with pytest.raises(ValueError, match="Exercise or Test"):
        dataclasses.replace(good, status=status)
    with pytest.raises(ValueError, match="Exercise or Test"):
        AlertMessage(**{**fields_of(good), "status": status})
    refused(forced(good, status=status))


def test_no_third_status_can_be_named() -> None:
    assert [status.value for status in ExerciseStatus] == ["Exercise", "Test"]
    with pytest.raises(ValueError, match="Actual"):
        ExerciseStatus("Actual")
    with pytest.raises(TypeError):
        Enum("Wider", {"ACTUAL": "Actual"}, type=ExerciseStatus)


@pytest.mark.parametrize("form", FORMATS)
def test_altered_enumeration_member_still_says_exercise(
    message: Make, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    made = message()
    monkeypatch.setattr(ExerciseStatus.EXERCISE, "_value_", "Actual")
    assert b"Actual" not in encode(made, form)
    assert b"Exercise" in encode(made, form)


def test_forged_enumeration_member_is_refused(message: Make) -> None:
    member = object.__new__(ExerciseStatus)
    member._value_ = "Actual"
    refused(forced(message(), status=member))


def test_subclass_is_refused(message: Make) -> None:
    class Loud(AlertMessage):  # type: ignore[misc]
        def __post_init__(self) -> None:
            """Check nothing."""

        @property
        def status(self) -> str:  # type: ignore[override]
            return "Actual"

    made = object.__new__(Loud)
    for name, value in fields_of(message()).items():
        if name != "status":
            object.__setattr__(made, name, value)
    refused(made)
    refused(Impostor("Actual"))  # type: ignore[arg-type]


def test_pickle_and_copy_cannot_carry_another_status(message: Make) -> None:
    good = message()
    assert pickle.loads(pickle.dumps(good)) == good  # noqa: S301 - our own bytes
    bad = forced(good, status="Actual")
    refused(pickle.loads(pickle.dumps(bad)))  # noqa: S301
    refused(copy.deepcopy(bad))


@pytest.mark.parametrize(
    "text",
    [
        "ミサイル発射。",
        "Missile launch.",
        " 【訓練】空白",
        "\u200b【訓練】",
        "【訓練】\nEXERCISE",
        "【訓練】\u202eEXERCISE",
        "【訓練】EXERCISE\x00",
        "【訓練】EXERCISE: this is not a drill",
        "【訓練】EXERCISE: this is NOT AN  EXERCISE",
        "【訓練】EXERCISE これは訓練ではありません",
        "【訓練】EXERCISE \ud800",
        "",
        Impostor("Actual"),
        None,
        7,
    ],
)
@pytest.mark.parametrize("field", ["event", "headline", "description", "instruction"])
@pytest.mark.parametrize("language", ["japanese", "english"])
def test_text_without_its_mark_is_refused(
    message: Make, language: str, field: str, text: Any
) -> None:
    good = message()
    wording = getattr(good, language)
    if text is None and field == "instruction":
        text = b"EXERCISE"
    bad = dataclasses.replace(wording, **{field: text})
    with pytest.raises(ValueError, match=field):
        dataclasses.replace(good, **{language: bad})
    refused(forced(good, **{language: bad}))
    refused(forced(good, **{language: forced(wording, **{field: text})}))


def test_mark_of_the_other_language_does_not_count(message: Make) -> None:
    good = message()
    with pytest.raises(ValueError, match="must begin with"):
        dataclasses.replace(good, japanese=good.english, english=good.japanese)


@pytest.mark.parametrize("note", ["", "3 November 2022", "【訓練】", "EXERCISE", "訓練EXERCISE"])
def test_note_without_both_marks_is_refused(message: Make, note: str) -> None:
    refused(forced(message(), note=note))


ODD: list[tuple[str, Any]] = [
    ("identifier", "20261122t142400-k3f9-niigata-1"),
    ("identifier", Impostor("20261122t142400-k3f9-miyagi-1")),
    ("time", "yesterday"),
    ("sent", "2026-11-22T14:24:00Z"),
    ("sent", "2026-11-22T14:24:00.5+09:00"),
    ("sent", Impostor("2026-11-22T14:24:00+09:00")),
    ("onset", "later"),
    ("expires", None),
    ("msg_type", "Alert"),
    ("msg_type", None),
    ("references", [Reference(identifier="a", sent="2026-11-22T14:24:00+09:00")]),
    ("references", (Reference(identifier="a b", sent="2026-11-22T14:24:00+09:00"),)),
    ("references", (Reference(identifier="a", sent="2026-11-22T14:24:00+09:00 x,y,z"),)),
    ("references", ("exercise@alertsim.invalid,a,b",)),
    ("references", (Reference(identifier="a", sent="2026-11-22T14:24:00+09:00"),) * 7),
    ("categories", ()),
    ("categories", ("Actual",)),
    ("categories", "Geo"),
    ("response", "Evacuate"),
    ("urgency", "Soon"),
    ("severity", "Bad"),
    ("certainty", "Sure"),
    ("certainty", Impostor("Likely")),
    ("event_codes", ()),
    ("event_codes", (("status", "Actual", "x"),)),
    ("event_codes", (["OET", "1"],)),
    ("geocodes", (("JIS X 0401", 4),)),
    ("japanese", None),
    ("english", "EXERCISE"),
    ("simulation", {"status": "Actual"}),
]


@pytest.mark.parametrize(("field", "value"), ODD, ids=numbered(ODD))
def test_message_with_an_odd_part_is_refused(message: Make, field: str, value: Any) -> None:
    good = message()
    with pytest.raises(ValueError, match=r"."):
        dataclasses.replace(good, **{field: value})
    refused(forced(good, **{field: value}))


class Loud(int):
    def __str__(self) -> str:
        return '1","status":"Actual'


STAGE = StagePassed(name="sensing", started_ns=0, ended_ns=1)
ODD_BLOCK: list[tuple[str, Any]] = [
    ("run", 'x","status":"Actual'),
    ("scenario", "Tohoku 2022"),
    ("epoch", "x\ny"),
    ("seed", Loud(1)),
    ("seed", True),
    ("seed", 10**20),
    ("seed", 10**5000),
    ("replication", Loud(1)),
    ("replication", -1),
    ("replication", True),
    ("sequence", 2),
    ("sequence", "1"),
    ("prefecture", "niigata"),
    ("event", "launch"),
    ("event", MsgType.ALERT),
    ("launch", ""),
    ("cause", 2**53),
    ("at_ns", 1.0),
    ("intended_ns", None),
    ("clock", "c" * 97),
    ("speed", 0.0),
    ("speed", float("nan")),
    ("speed", float("inf")),
    ("speed", 1),
    ("believed_arrival_ns", "1"),
    ("stated_ns", Loud(1)),
    ("historical_channel", "em\tnet"),
    ("reason", "This is no drill"),
    ("stages", [STAGE]),
    ("stages", ("sensing",)),
    ("stages", (STAGE,) * 11),
    ("stages", (StagePassed(name="", started_ns=0, ended_ns=1),)),
    ("stages", (StagePassed(name="s", started_ns=Loud(0), ended_ns=1),)),
    ("stages", (StagePassed(name="s", started_ns=0, ended_ns=1, assumption=1),)),  # type: ignore[arg-type]
    ("stages_omitted", -1),
]


@pytest.mark.parametrize(("field", "value"), ODD_BLOCK, ids=numbered(ODD_BLOCK))
def test_simulation_block_with_an_odd_part_is_refused(
    message: Make, field: str, value: Any
) -> None:
    good = message()
    bad = dataclasses.replace(good.simulation, **{field: value})
    with pytest.raises(ValueError, match=r"."):
        dataclasses.replace(good, simulation=bad)
    refused(forced(good, simulation=bad))


def test_lookalikes_of_the_parts_are_refused(message: Make) -> None:
    good = message()

    class Twin:
        def __init__(self, record: Any) -> None:
            self.__dict__.update(fields_of(record))

    class Heir(Wording):  # type: ignore[misc]
        pass

    for name in ("japanese", "english", "simulation"):
        refused(forced(good, **{name: Twin(getattr(good, name))}))
    refused(forced(good, japanese=Heir(**fields_of(good.japanese))))
    assert type(good.simulation) is Simulation


@pytest.mark.parametrize("status", ["Actual", "System", "Draft", "exercise", None, 1, ["Exercise"]])
def test_our_own_json_with_another_status_is_refused(message: Make, status: Any) -> None:
    event = json.loads(encode(message(), "json"))
    event["data"]["status"] = status
    with pytest.raises(ValueError, match=r"."):
        decode(json.dumps(event).encode())
    time, data = event["time"], event["data"]
    with pytest.raises(ValueError, match=r"."):
        message_from(time, data, data.pop("simulation"))


def test_our_own_xml_with_another_status_is_refused(message: Make) -> None:
    payload = encode(message(), "cap-xml")
    with pytest.raises(ValueError, match="Actual"):
        decode(payload.replace(b"<status>Exercise", b"<status>Actual"))


@pytest.mark.parametrize("hostile", ['"status":"Actual"', "<status>Actual</status>", "]]>", "\\"])
def test_status_cannot_be_smuggled_in_through_a_text(
    message: Make, plan: Make, context: Make, hostile: str
) -> None:
    made = message(
        plan(
            launch=hostile,
            historical_channel=hostile,
            reason=hostile,
            stages=(StagePassed(name=hostile, started_ns=0, ended_ns=1),),
        ),
        context(title=hostile, clock_domain=hostile),
    )
    event = json.loads(encode(made, "json"), object_pairs_hook=lambda pairs: pairs)
    data = dict(event)["data"]
    assert [value for name, value in data if name == "status"] == ["Exercise"]
    root = ET.fromstring(encode(made, "cap-xml"))  # noqa: S314 - our own bytes
    assert [element.text for element in root.iter(f"{NS}status")] == ["Exercise"]
    assert decode(encode(made, "json")) == decode(encode(made, "cap-xml")) == made
