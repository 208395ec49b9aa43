from typing import Any

import numpy as np
import pytest

from simulator.measure.receipts import ReceiptFlag
from simulator.measure.segments import Segment, segments_of


def measure(kit: Any, *, sent: bool = True, flags: int = 0, **row: Any) -> dict[str, int | None]:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    if sent:
        kit.send(ledger, 0, late_ns=700)
    ledger.receipts(kit.batch(kit.row(0, 0, flags=flags, **row)))
    segments = segments_of(kit.close(ledger).evidence, np.array([0]))
    return {
        segment.value: int(part.values_ns[0]) if part.present[0] else None
        for segment, part in segments.parts.items()
    }


def test_three_segments_add_up(kit: Any) -> None:
    measured = measure(kit, received_ns=5_000, handled_ns=6_234)

    assert measured == {
        "send": 700,
        "transit": 4_300,
        "handling": 1_234,
        "delivery": 5_000,
        "end-to-end": 6_234,
        "round-trip": None,
    }


def test_negatives_are_kept_as_they_are(kit: Any) -> None:
    measured = measure(kit, received_ns=500, handled_ns=400)

    assert (measured["transit"], measured["handling"]) == (-200, -100)


def test_without_the_publishers_stamp_only_its_segments_are_missing(kit: Any) -> None:
    measured = measure(kit, sent=False, received_ns=5_000, handled_ns=6_000)

    assert (measured["send"], measured["transit"]) == (None, None)
    assert (measured["handling"], measured["delivery"], measured["end-to-end"]) == (
        1_000,
        5_000,
        6_000,
    )


def test_a_round_trip_is_no_one_way_figure(kit: Any) -> None:
    measured = measure(kit, received_ns=5_000, flags=int(kit.Flag.ROUND_TRIP))

    assert {name for name, value in measured.items() if value is not None} == {
        Segment.SEND.value,
        Segment.ROUND_TRIP.value,
    }
    assert measured["round-trip"] == 5_000


def test_without_a_receive_stamp_nothing_is_invented(kit: Any) -> None:
    measured = measure(kit, received_ns=None, handled_ns=6_000)

    assert (measured["delivery"], measured["handling"]) == (None, None)
    assert measured["end-to-end"] == 6_000


@pytest.mark.parametrize(
    ("stated", "sent", "flags", "left"),
    [
        (300, True, 0, 300),
        (60_000_000, True, 0, 4_300),  # an arrival before the sending is impossible
        (60_000_000, False, 0, 60_000_000),
        (60_000_000, True, int(ReceiptFlag.ROUND_TRIP), 60_000_000),
    ],
)
def test_an_uncertainty_does_not_reach_back_before_the_sending(
    kit: Any, *, stated: int, sent: bool, flags: int, left: int
) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    if sent:
        kit.send(ledger, 0, late_ns=700)
    row = kit.row(0, 0, received_ns=5_000, uncertainty_ns=stated, flags=flags)
    ledger.receipts(kit.batch(row))
    segments = segments_of(kit.close(ledger).evidence, np.array([0]))

    assert segments.uncertainty_ns.tolist() == [left]


def test_the_uncertainty_of_a_negative_transit_is_kept(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    kit.send(ledger, 0, late_ns=700)
    ledger.receipts(kit.batch(kit.row(0, 0, received_ns=500, uncertainty_ns=300)))

    assert segments_of(kit.close(ledger).evidence, np.array([0])).uncertainty_ns.tolist() == [300]
