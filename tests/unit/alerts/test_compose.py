import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator.alerts.alert import MAX_PAYLOAD_BYTES, AlertMessage
from simulator.alerts.compose import FORMATS, ExerciseContext, encode, sent_for
from simulator.errors import InputError, InternalError
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, StagePassed
from simulator.world.geography import prefectures

S = 1_000_000_000
Make = Callable[..., Any]

# DESIGN section 4: event, responseType, ends the alert, catalogue code.
TABLE = [
    ("launch", "Shelter", False, "128"),
    ("take-shelter", "Shelter", False, "132"),
    ("passage", "AllClear", True, "129"),
    ("fell-in-sea", "AllClear", True, "130"),
    ("not-coming", "AllClear", True, "131"),
    ("not-falling", "AllClear", True, "135"),
    ("intercepted", "Shelter", False, "133"),
    ("fell-on-land", "Shelter", False, "134"),
    ("correction", "Shelter", False, None),
    ("correction", "AllClear", True, None),
    ("all-clear", "AllClear", True, None),
    ("test", "None", True, "136"),
]


def cap(message: AlertMessage) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(encode(message, "json"))["data"]
    return data


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
@pytest.mark.parametrize("msg_type", list(MsgType))
def test_event_says_what_the_public_table_promises(
    message: Make, plan: Make, row: tuple[str, str, bool, str | None], msg_type: MsgType
) -> None:
    event, response, ends, code = row
    planned = plan(event=AlertEvent(event), in_force=not ends, msg_type=msg_type)
    data = cap(message(planned))
    assert data["msgType"] == msg_type.value
    assert data["simulation"]["event"] == event
    for info in data["info"]:
        assert info["responseType"] == [response]
        codes = {pair["valueName"]: pair["value"] for pair in info["eventCode"]}
        assert codes == {"OET:v1.2": "OET-129"} | ({"ALERTSIM:JALERT": code} if code else {})
        assert info["urgency"] == {"Shelter": "Immediate", "AllClear": "Past"}.get(
            response, "Unknown"
        )


def test_table_covers_every_event() -> None:
    assert {row[0] for row in TABLE} == {event.value for event in AlertEvent}


def test_wall_clock_is_the_default_and_the_message_is_valid_today(message: Make) -> None:
    data = cap(message(intended_ns=5 * S + 90 * S))
    assert data["sent"] == "2026-11-22T14:25:30+09:00"
    for info in data["info"]:
        assert info["effective"] == data["sent"]
        assert info["expires"] == "2026-11-22T15:25:30+09:00"
        # 07:48 was believed at 07:50: two minutes before, at any speed.
        assert info["onset"] == "2026-11-22T14:23:30+09:00"


def test_scenario_clock_gives_the_original_date(message: Make, context: Make) -> None:
    data = cap(message(context=context(cap_clock="scenario")))
    assert data["sent"] == "2022-11-03T07:50:00+09:00"
    assert data["info"][0]["onset"] == "2022-11-03T07:48:00+09:00"
    assert data["info"][0]["expires"] == "2022-11-03T08:50:00+09:00"


def test_event_time_stays_on_the_wall_on_either_clock(message: Make, context: Make) -> None:
    for clock in ("wall", "scenario"):
        made = message(context=context(cap_clock=clock), intended_ns=5 * S + 1_500_000)
        assert json.loads(encode(made, "json"))["time"] == "2026-11-22T05:24:00.001500Z"


def test_onset_is_given_only_while_something_is_expected(message: Make, plan: Make) -> None:
    assert message(plan(believed_arrival_ns=None)).onset is None
    assert message(plan(event=AlertEvent.PASSAGE, in_force=False)).onset is None


def test_negative_scenario_time_keeps_its_sign(message: Make, plan: Make, context: Make) -> None:
    early = message(plan(at_ns=-60 * S), context(cap_clock="scenario"))
    assert early.sent == "2022-11-03T07:38:00+09:00"
    assert cap(early)["simulation"]["at_ns"] == "-60000000000"


@pytest.mark.parametrize("clock", ["wall", "scenario"])
def test_sent_of_an_earlier_message_follows_from_the_schedule(
    message: Make, plan: Make, context: Make, clock: str
) -> None:
    shared: ExerciseContext = context(cap_clock=clock)
    first: PlannedAlert = plan()
    earlier = message(first, shared, intended_ns=7 * S)
    reference = (earlier.identifier, sent_for(shared, first, 7 * S))
    later = message(
        plan(at_ns=1260 * S, event=AlertEvent.PASSAGE, msg_type=MsgType.UPDATE, in_force=False),
        shared,
        sequence=2,
        identifier=f"{shared.run}-miyagi-2",
        references=[reference],
        intended_ns=8 * S,
    )
    assert cap(later)["references"] == (
        f"exercise@alertsim.invalid,{earlier.identifier},{cap(earlier)['sent']}"
    )


def test_only_the_last_references_are_kept(message: Make) -> None:
    many = [(f"run-miyagi-{n}", "2026-11-22T14:24:00+09:00") for n in range(9)]
    kept = [entry.split(",")[1] for entry in cap(message(references=many))["references"].split()]
    assert kept == [f"run-miyagi-{n}" for n in range(3, 9)]


def test_stated_time_is_quoted_in_the_scenario_zone(message: Make, plan: Make) -> None:
    made = message(plan(event=AlertEvent.PASSAGE, in_force=False, stated_ns=540 * S))
    assert "7時48分頃" in made.japanese.description
    assert cap(made)["simulation"]["stated_ns"] == "540000000000"


def test_place_is_named_in_both_languages_with_its_code(message: Make, plan: Make) -> None:
    areas = [info["area"] for info in cap(message(plan(prefecture="niigata")))["info"]]
    code = [{"valueName": "JIS X 0401", "value": "15"}]
    assert areas == [
        [{"areaDesc": "新潟県", "geocode": code}],
        [{"areaDesc": "Niigata", "geocode": code}],
    ]


def test_simulation_block_carries_where_the_message_comes_from(message: Make, plan: Make) -> None:
    made = message(
        plan(historical_channel="em-net", reason="Belief differed."), sequence=3, repetition=2
    )
    assert cap(made)["simulation"] == {
        "version": "1.0",
        "run": "20261122t142400-k3f9",
        "scenario": "tohoku-2022-11-03",
        "epoch": "2022-11-03T07:39:00+09:00",
        "seed": "7",
        "replication": 2,
        "prefecture": "miyagi",
        "event": "launch",
        "sequence": 3,
        "cause": 4,
        "at_ns": "660000000000",
        "intended_ns": "5000000000",
        "composed_ns": "5000001234",
        "clock": "3f1c7a52-0000-4000-8000-1c2d3e4f5a6b/4026531834",
        "speed": 600.0,
        "launch": "first",
        "believed_arrival_ns": "540000000000",
        "historical_channel": "em-net",
        "reason": "Belief differed.",
        "stages": [
            {
                "name": "sensing",
                "started_ns": "0",
                "ended_ns": "180000000000",
                "assumption": True,
            },
            {
                "name": "issue",
                "started_ns": "180000000000",
                "ended_ns": "660000000000",
                "assumption": False,
            },
        ],
        "stages_omitted": 0,
    }


def test_truth_never_travels_with_belief(message: Make, plan: Make) -> None:
    told = message(plan(true_arrival_ns=123_456_789))
    assert all(b"123456789" not in encode(told, form) for form in FORMATS)


def test_test_message_has_no_launch_and_unknown_clock_says_so(
    message: Make, plan: Make, context: Make
) -> None:
    made = message(plan(event=AlertEvent.TEST, launch=None), context(clock_domain=""))
    block = cap(made)["simulation"]
    assert "launch" not in block
    assert block["clock"] == "unknown"


def test_status_test_is_the_only_other_status(message: Make, context: Make) -> None:
    assert cap(message(context=context(status="Test")))["status"] == "Test"
    for status in ("Actual", "actual", "System", "Draft", "", "EXERCISE"):
        with pytest.raises(ValueError, match="is not a valid ExerciseStatus"):
            message(context=context(status=status))


def test_note_names_the_exercise(message: Make, context: Make) -> None:
    made = message(context=context(title='Drill <A> & "B"\n\u202e'))
    assert made.note == '【訓練】EXERCISE: Drill <A> & "B" (20261122t142400-k3f9)'


def test_title_that_denies_the_exercise_is_not_repeated(message: Make, context: Make) -> None:
    made = message(context=context(title="This is NOT A DRILL"))
    assert made.note == "【訓練】EXERCISE: tohoku-2022-11-03 (20261122t142400-k3f9)"


def test_reason_that_denies_the_exercise_is_not_repeated(message: Make, plan: Make) -> None:
    made = message(plan(event=AlertEvent.CORRECTION, reason="これは訓練ではありません"))
    assert made.simulation.reason is None
    assert "ではありません" not in made.japanese.description


def test_unknown_words_are_refused(message: Make, plan: Make, context: Make) -> None:
    with pytest.raises(ValueError, match="is not a CAP clock"):
        message(context=context(cap_clock="lunar"))
    with pytest.raises(ValueError, match="is not a payload format: json, cap-xml"):
        encode(message(), "yaml")
    with pytest.raises(InputError, match="unknown prefecture"):
        message(plan(prefecture="atlantis"))
    with pytest.raises(ValueError, match="identifier 'x-miyagi-1' is not"):
        message(identifier="x-miyagi-1")


def test_too_large_a_message_is_our_defect(message: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.alerts.compose.MAX_PAYLOAD_BYTES", 1000)
    with pytest.raises(InternalError, match="exceeds 1000"):
        encode(message(), "json")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("wide", ["&", "報", "\\", "<", "🚨"])
def test_largest_message_of_every_event_fits(
    message: Make, plan: Make, context: Make, form: str, wide: str
) -> None:
    # Everything a user can write at its longest, in the characters that grow most when encoded.
    long = wide * 500
    huge = 10**20 - 1
    longest = max(prefectures(), key=lambda place: len(place.slug)).slug
    run = "r" * 48
    shared = context(
        run=run, scenario="s" * 64, title=long, seed=-huge, clock_domain=long, speed=1 / 3
    )
    stage = StagePassed(name=long, started_ns=-huge, ended_ns=-huge, assumption=False)
    sequence = 10**9
    sizes = []
    for event in AlertEvent:
        for in_force in (True, False):
            planned = plan(
                prefecture=longest,
                event=event,
                launch=long,
                in_force=in_force,
                stages=(stage,) * 30,
                believed_arrival_ns=60 * S,
                stated_ns=(11 * 60 + 59) * 60 * S,
                historical_channel=long,
                reason=long,
                cause=2**53 - 1,
            )
            made = message(
                planned,
                shared,
                sequence=sequence,
                repetition=2**53 - 1,
                references=[(f"{run}-{longest}-{sequence}", "2026-11-22T14:24:00+09:00")] * 20,
                composed_ns=huge,
            )
            assert made.simulation.stages_omitted == 20
            sizes.append(len(encode(made, form)))
    assert max(sizes) <= MAX_PAYLOAD_BYTES, max(sizes)
