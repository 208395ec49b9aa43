from datetime import datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simulator.delivery.pacer import (
    composition_times,
    schedule,
)
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, Timeline
from simulator.units import NS_PER_H

PREFECTURES = ("miyagi", "yamagata", "niigata")
EVENTS = (AlertEvent.TAKE_SHELTER, AlertEvent.PASSAGE)
SPEEDS = st.fractions(min_value=Fraction(1, 1_000), max_value=1_000_000, max_denominator=10_000)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    times = sorted(draw(st.lists(st.integers(0, NS_PER_H), min_size=1, max_size=20)))
    alerts = [
        PlannedAlert(
            number=number,
            event_number=number,
            at_ns=at_ns,
            launch="one",
            prefecture=draw(st.sampled_from(PREFECTURES)),
            event=draw(st.sampled_from(EVENTS)),
            msg_type=MsgType.ALERT,
            sequence=1,
            references=tuple(sorted(draw(st.sets(st.integers(0, number - 1))))) if number else (),
            in_force=True,
            cause=0,
        )
        for number, at_ns in enumerate(times)
    ]
    return Timeline(
        scenario="drill",
        title="Drill",
        epoch=datetime.fromisoformat("2022-11-03T07:39:00+09:00"),
        seed=1,
        replication=0,
        version="test",
        events=(),
        alerts=tuple(alerts),
    )


@given(timelines(), SPEEDS, st.integers(1, 4), st.integers(0, 10**10), st.integers(0, 10**15))
def test_every_intended_time_is_the_exact_one_rounded_down(
    timeline: Timeline, speed: Fraction, repeat: int, gap_ns: int, start_ns: int
) -> None:
    scheduled = schedule(
        timeline,
        run="r",
        root="alertsim",
        qos=1,
        speed=speed,
        repeat=repeat,
        gap_ns=gap_ns,
        start_ns=start_ns,
    )
    first_ns = timeline.alerts[0].at_ns
    span_ns = timeline.alerts[-1].at_ns - first_ns
    period_ns = Fraction(span_ns) / speed // 1 + gap_ns

    for each in scheduled:
        base_ns = start_ns + each.repetition * period_ns
        exact = base_ns + Fraction(each.planned.at_ns - first_ns) / speed
        assert 0 <= exact - each.intended_ns < 1


@given(timelines(), SPEEDS, st.integers(1, 4), st.integers(0, 10**10))
def test_order_numbers_sequences_references_and_bursts_are_consistent(
    timeline: Timeline, speed: Fraction, repeat: int, gap_ns: int
) -> None:
    scheduled = schedule(
        timeline, run="r", root="alertsim", qos=1, speed=speed, repeat=repeat, gap_ns=gap_ns
    )
    intended = [each.intended_ns for each in scheduled]

    assert len(scheduled) == repeat * len(timeline.alerts)
    assert intended == sorted(intended)
    assert [each.number for each in scheduled] == list(range(len(scheduled)))
    assert len({each.identifier for each in scheduled}) == len(scheduled)
    for prefecture in PREFECTURES:
        own = [each.sequence for each in scheduled if each.planned.prefecture == prefecture]
        assert own == list(range(1, len(own) + 1))
    for each in scheduled:
        targets = [scheduled[number] for number in each.references]
        assert tuple(target.planned.number for target in targets) == each.planned.references
        assert all(target.repetition == each.repetition for target in targets)
        assert all(target.number < each.number for target in targets)
    for one in scheduled:
        for other in scheduled:
            same = (one.repetition, one.planned.event, one.intended_ns) == (
                other.repetition,
                other.planned.event,
                other.intended_ns,
            )
            assert (one.burst == other.burst) == same


@given(
    st.lists(st.integers(0, 10**10), max_size=50).map(sorted),
    st.integers(0, 10**9),
    st.integers(0, 10**8),
)
def test_one_composer_that_keeps_to_the_times_is_never_late(
    due: list[int], lookahead_ns: int, cost_ns: int
) -> None:
    begins = composition_times(due, lookahead_ns=lookahead_ns, cost_ns=cost_ns)
    ready_ns = min(begins, default=0)

    for due_ns, begin_ns in zip(due, begins, strict=True):
        ready_ns = max(ready_ns, begin_ns) + cost_ns
        assert ready_ns <= due_ns - lookahead_ns + cost_ns
        assert begin_ns <= due_ns - lookahead_ns
