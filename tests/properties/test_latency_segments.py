"""Segments add up exactly; figures of a sample lie inside it; grids and curves keep order."""

from fractions import Fraction
from math import ceil

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.measure.ledger import Ledger
from simulator.measure.plan import PlannedSubscriber, ScheduledAlert, SubscriberKind
from simulator.measure.receipts import ReceiptBatch
from simulator.measure.sampling import Resampler, nearest_rank
from simulator.measure.segments import Segment, segments_of
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert

stamps = st.integers(0, 2**62)
values = st.lists(st.integers(-(2**50), 2**50), min_size=1, max_size=200)
percents = st.fractions(Fraction(1, 100), Fraction(9999, 100), max_denominator=1000)


def one_delivery(intended: int, sent: int, received: int, handled: int) -> dict[Segment, int]:
    planned = PlannedAlert(
        number=0,
        event_number=0,
        at_ns=0,
        launch=None,
        prefecture="miyagi",
        event=AlertEvent.TEST,
        msg_type=MsgType.ALERT,
        sequence=1,
        in_force=False,
        cause=0,
    )
    alert = ScheduledAlert(
        number=0,
        planned=planned,
        repetition=0,
        sequence=1,
        identifier="a",
        references=(),
        topic="t",
        state_topic="s",
        qos=1,
        burst=0,
        intended_ns=intended,
    )
    subscriber = PlannedSubscriber(
        number=0, client="c", kind=SubscriberKind.SWARM, prefecture="", filters=(("t", 1),)
    )
    ledger = Ledger([alert], [subscriber])
    ledger.sent(0, sent, sent)
    ledger.receipts(ReceiptBatch.from_rows([(0, 0, received, 0, handled, 0)]))
    segments = segments_of(ledger.close(2**62).evidence, np.array([0]))
    return {
        segment: int(part.values_ns[0])
        for segment, part in segments.parts.items()
        if part.present[0]
    }


@given(stamps, stamps, stamps, stamps)
def test_three_segments_add_up_to_the_end_to_end_figure(
    intended: int, sent: int, received: int, handled: int
) -> None:
    parts = one_delivery(intended, sent, received, handled)
    send, transit, handling = (parts[s] for s in (Segment.SEND, Segment.TRANSIT, Segment.HANDLING))

    assert send + transit + handling == parts[Segment.END_TO_END] == handled - intended
    assert send + transit == parts[Segment.DELIVERY] == received - intended


@given(values, percents)
def test_a_quantile_is_a_sample_with_its_share_at_or_below_it(
    sample: list[int], percent: Fraction
) -> None:
    ordered = np.sort(np.array(sample, np.int64))
    found = nearest_rank(ordered, percent)
    needed = ceil(len(sample) * percent / 100)

    assert found in sample
    assert sum(value <= found for value in sample) >= needed
    assert sum(value < found for value in sample) < needed


@given(values, values, percents)
def test_a_quantile_of_the_whole_lies_between_those_of_its_parts(
    first: list[int], second: list[int], percent: Fraction
) -> None:
    whole, *parts = (
        nearest_rank(np.sort(np.array(sample, np.int64)), percent)
        for sample in (first + second, first, second)
    )

    assert min(parts) <= whole <= max(parts)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-(2**40), 2**40), min_size=10, max_size=40), st.integers(0, 5))
def test_intervals_lie_within_the_sample_up_to_the_grid(sample: list[int], seed: int) -> None:
    data = np.array(sample, np.int64)
    found = Resampler(seed).intervals(data, np.arange(len(data)), [Fraction(50), Fraction(90)])

    assert found is not None
    for low, high in found.quantiles:
        assert low <= high
        assert min(sample) - abs(min(sample)) / 128 <= low
        assert high <= max(sample) + abs(max(sample)) / 128
    assert min(sample) - 1 <= found.mean[0] <= found.mean[1] <= max(sample) + 1
