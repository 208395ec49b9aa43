"""What a subscriber makes of what it hears, and how it is shown."""

import json
from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from simulator.alerts.compose import ExerciseContext, compose, encode
from simulator.delivery import hearing as hearing_module
from simulator.delivery.hearing import Arrival, HeardKind, Hearing
from simulator.delivery.hearing_text import format_human, format_json
from simulator.delivery.link import LinkChange, LinkState
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert

HERE = "boot/1"
TAKE_SHELTER = "alertsim/v1/alerts/miyagi/take-shelter"
UNIX_NS = 1_700_000_000_123_456_789  # 22:13:20 UTC
CONTEXT = ExerciseContext(
    run="drill",
    scenario="drill",
    title="Drill",
    seed=1,
    epoch="2022-11-03T07:39:00+09:00",
    clock_domain=HERE,
    start_unix_ns=UNIX_NS,
)


def payload(
    sequence: int = 1,
    prefecture: str = "miyagi",
    payload_format: str = "json",
    clock: str = HERE,
    run: str = "drill",
) -> bytes:
    planned = PlannedAlert(
        number=0,
        event_number=0,
        at_ns=0,
        launch="one",
        prefecture=prefecture,
        event=AlertEvent.TAKE_SHELTER,
        msg_type=MsgType.ALERT,
        sequence=sequence,
        in_force=True,
        cause=0,
    )
    message = compose(
        planned=planned,
        identifier=f"{run}-{prefecture}-{sequence}",
        sequence=sequence,
        repetition=0,
        references=[],
        intended_ns=1_000_000,
        composed_ns=1_000_001,
        context=replace(CONTEXT, clock_domain=clock, run=run),
    )
    return encode(message, payload_format)


def arrival(
    body: bytes, topic: str = TAKE_SHELTER, *, retain: bool = False, dup: bool = False
) -> Arrival:
    return Arrival(
        topic=topic,
        payload=body,
        qos=1,
        retain=retain,
        dup=dup,
        received_ns=13_300_000,
        received_unix_ns=UNIX_NS,
    )


@pytest.fixture
def hearing() -> Hearing:
    return Hearing(root="alertsim", domain=HERE)


@pytest.mark.parametrize("payload_format", ["json", "cap-xml"])
def test_an_alert_is_decoded_in_either_format(hearing: Hearing, payload_format: str) -> None:
    heard = hearing.take(arrival(payload(payload_format=payload_format)))

    assert heard.kind is HeardKind.ALERT
    assert heard.message is not None
    assert heard.message.identifier == "drill-miyagi-1"
    assert heard.age_ns == 12_300_000
    assert not heard.repeats


def test_on_another_clock_there_is_no_age(hearing: Hearing) -> None:
    assert hearing.take(arrival(payload(clock="elsewhere"))).age_ns is None


def test_what_is_skipped_is_missed_and_what_comes_after_is_overtaken(hearing: Hearing) -> None:
    heard = [hearing.take(arrival(payload(sequence))) for sequence in (3, 4, 7, 6, 8)]

    assert [one.missed for one in heard] == [(), (), (5, 6), (), ()]
    assert [one.overtaken for one in heard] == [False, False, False, True, False]


def test_sequences_are_counted_by_run_and_prefecture(hearing: Hearing) -> None:
    other = "alertsim/v1/alerts/niigata/take-shelter"
    heard = [
        hearing.take(arrival(payload(1))),
        hearing.take(arrival(payload(5, prefecture="niigata"), other)),
        hearing.take(arrival(payload(9, run="next"))),
        hearing.take(arrival(payload(2))),
    ]

    assert [one.missed for one in heard] == [()] * 4


def test_a_second_copy_is_a_duplicate_and_moves_no_sequence(hearing: Hearing) -> None:
    first, second = (hearing.take(arrival(payload(2), dup=dup)) for dup in (False, True))
    third = hearing.take(arrival(payload(3)))

    assert [one.duplicate for one in (first, second, third)] == [False, True, False]
    assert (second.missed, second.overtaken, third.missed) == ((), False, ())


def test_states_are_apart_from_alerts(hearing: Hearing) -> None:
    state = "alertsim/v1/state/miyagi"
    kept = hearing.take(arrival(payload(1), state, retain=True))
    live = hearing.take(arrival(payload(4), state))
    alert = hearing.take(arrival(payload(4)))
    cleared = hearing.take(arrival(b"", state))

    assert [one.kind for one in (kept, live, alert, cleared)] == [
        HeardKind.STATE,
        HeardKind.STATE,
        HeardKind.ALERT,
        HeardKind.CLEARED,
    ]
    assert (kept.repeats, live.repeats) == (False, True)
    assert (kept.age_ns, alert.duplicate, alert.missed) == (12_300_000, False, ())


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        (TAKE_SHELTER, b"", "JSON|Expecting|char 0"),
        (TAKE_SHELTER, b"\xff\xfe", "utf-8"),
        (TAKE_SHELTER, b"9" * 100_000, "at most 8192"),
        (TAKE_SHELTER, payload().replace(b"Exercise", b"Actual"), "Actual"),
        ("alertsim/v1/alerts/niigata/take-shelter", payload(), "belongs to miyagi"),
        ("alertsim/v1/alerts/miyagi/launch", payload(), "belongs to miyagi/take-shelter"),
        ("alertsim/v1/state/niigata", payload(), "belongs to miyagi"),
        ("alertsim/v1/status/x", payload(), "neither"),
        ("elsewhere", payload(), "neither"),
    ],
)
def test_what_is_not_ours_is_malformed_with_its_reason(
    hearing: Hearing, topic: str, body: bytes, reason: str
) -> None:
    heard = hearing.take(arrival(body, topic))

    assert heard.kind is HeardKind.MALFORMED
    assert heard.message is None
    assert any(part in heard.reason for part in reason.split("|"))
    assert len(heard.reason) <= 200


def test_memory_is_bounded(hearing: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing_module, "_REMEMBERED", 2)
    for sequence in (1, 2, 3):
        hearing.take(arrival(payload(sequence)))
    for run in ("a", "b", "c"):
        hearing.take(arrival(payload(run=run)))

    assert len(hearing._seen) == 2
    assert list(hearing._latest) == [("b", "miyagi"), ("c", "miyagi")]


# --- lines -------------------------------------------------------------------------------------


def lines_of(hearing: Hearing, *arrivals: Arrival) -> list[str]:
    return [format_human(hearing.take(one)) for one in arrivals]


def test_the_line_of_an_alert_says_twice_that_it_is_an_exercise(hearing: Hearing) -> None:
    (line,) = lines_of(hearing, arrival(payload()))

    assert line.startswith("22:13:20.123  miyagi     take-shelter #1  12.3 ms  【訓練】")
    assert " / EXERCISE" in line
    assert not line.endswith("]")


def test_the_time_of_day_is_in_the_zone_asked_for(hearing: Hearing) -> None:
    heard = hearing.take(arrival(payload()))

    assert format_human(heard, timezone(timedelta(hours=9))).startswith("07:13:20.123")
    assert format_human(heard, UTC) == format_human(heard)


def test_what_is_odd_stands_in_brackets(hearing: Hearing) -> None:
    state = "alertsim/v1/state/miyagi"
    lines = lines_of(
        hearing,
        arrival(payload(1)),
        arrival(payload(1), dup=True),
        arrival(payload(9)),
        arrival(payload(3)),
        arrival(payload(11, clock="elsewhere")),
        arrival(payload(11), state, retain=True),
        arrival(payload(11), state),
        arrival(b"", state),
    )

    assert lines[1].endswith("[duplicate, DUP]")
    assert lines[2].endswith("[missed #2, #3, #4, #5, #6 and 2 more]")
    assert lines[3].endswith("[overtaken by a later one]")
    assert "#11  (sender on another clock)  【訓練】" in lines[4]
    assert lines[4].endswith("[missed #10]")
    assert "12.3 ms old" in lines[5]
    assert lines[5].endswith("[state in force]")
    assert lines[6].endswith("[state]")
    assert lines[7].endswith("miyagi     cleared: nothing is in force")


def test_strangers_cannot_write_to_the_terminal(hearing: Hearing) -> None:
    hostile = "alertsim/v1/alerts/\x1b[2J/x"
    (line,) = lines_of(hearing, arrival(b'"\xe3\x80\x90 \x1b[31m', hostile))

    assert line.isprintable()
    assert line.isascii()
    assert "\\x1b[2J" in line


def test_json_of_an_alert(hearing: Hearing) -> None:
    found = json.loads(format_json(hearing.take(arrival(payload(2)))))

    assert found["record"] == "alert"
    assert found["received"] == "2023-11-14T22:13:20.123456+00:00"
    assert found["status"] == "Exercise"
    assert found["id"] == "drill-miyagi-2"
    assert (found["intended_ns"], found["age_ns"]) == ("1000000", "12300000")
    assert found["headline"]["ja"].startswith("【訓練】")
    assert found["headline"]["en"].startswith("EXERCISE")
    assert (found["sequence"], found["missed"], found["duplicate"]) == (2, [], False)
    assert "\n" not in format_json(hearing.take(arrival(payload(3))))


def test_json_of_everything_else(hearing: Hearing) -> None:
    cleared = json.loads(format_json(hearing.take(arrival(b"", "alertsim/v1/state/miyagi"))))
    odd = json.loads(format_json(hearing.take(arrival(b"\xff", "elsewhere"))))
    far = json.loads(format_json(hearing.take(arrival(payload(clock="elsewhere")))))

    assert (cleared["record"], cleared["prefecture"]) == ("cleared", "miyagi")
    assert "id" not in cleared
    assert (odd["record"], odd["prefecture"], odd["bytes"]) == ("malformed", None, 1)
    assert odd["reason"]
    assert far["age_ns"] is None


def test_lines_of_the_connection() -> None:
    up = LinkChange(state=LinkState.LISTENING, at_unix_ns=UNIX_NS, detail="a/+")
    down = LinkChange(
        state=LinkState.LOST, at_unix_ns=UNIX_NS, detail="it ended", retry_in_ns=500_000_000
    )

    assert format_human(up) == "22:13:20.123  listening: a/+"
    assert format_human(down) == "22:13:20.123  it ended; trying again in 500 ms"
    assert json.loads(format_json(down)) == {
        "record": "link",
        "schema": "1.0",
        "state": "lost",
        "at": "2023-11-14T22:13:20.123456+00:00",
        "detail": "it ended",
        "retry_in_ns": "500000000",
    }
