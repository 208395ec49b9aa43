"""What ``alertsim simulate`` prints: the plan in order, one line an instant."""

from dataclasses import replace

from simulator.model.timeline import EventKind, TimelineEvent
from simulator.report.timeline_text import timeline_text
from tests.unit.report.made_run import Wanted, timeline_of


def test_the_founding_case_in_order() -> None:
    timeline = timeline_of(Wanted())
    lines = timeline_text(timeline).splitlines()
    assert lines[0] == "3 November 2022, as it is on record (2022-11-03, UTC+09:00)"
    times = [line.split()[0] for line in lines[3:-2]]
    assert times == sorted(times)
    where = "Miyagi, Yamagata and Niigata"
    told = [" ".join(line.split()) for line in lines]
    assert f"07:50:00 alert launch (Alert) {where}" in told
    assert f"08:00:00 alert passage (Update) {where}" in told
    assert f"09:24:00 alert correction (Cancel, em-net) {where}" in told
    assert "07:49:30 stage decision, after 3 min 30 s assumption" in told
    assert lines[-2] == "9 messages to 3 prefectures; scenario tohoku-2022-11-03, seed 7"
    assert lines[-1] == f"digest {timeline.digest}"


def test_an_empty_timeline_still_has_a_digest() -> None:
    empty = replace(timeline_of(Wanted()), events=(), alerts=())
    assert timeline_text(empty).splitlines()[0].startswith("0 messages to 0 prefectures")


def test_where_nobody_is_warned_it_says_why() -> None:
    made = timeline_of(Wanted())
    why = "No prefecture lies under the predicted track."
    mark = TimelineEvent(number=0, at_ns=0, kind=EventKind.MARK, name="not-warned", note=why)
    text = timeline_text(replace(made, events=(mark,), alerts=()))
    assert "mark  not warned: no prefecture lies under the predicted track" in text
    bare = timeline_text(replace(made, events=(replace(mark, note=""),), alerts=()))
    assert "not warned:" not in bare
