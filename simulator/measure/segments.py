"""Segments: the measured parts of a delivery, which add up exactly.

    intended ──send──▶ sent ──transit──▶ received ──handling──▶ handled
    delivery = send + transit        end-to-end = send + transit + handling

Rule of the module: differences of integer stamps and nothing else. A negative value is a finding
about clocks or stamps and is kept as it is; a value that cannot be known is absent, never zero.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from simulator.measure.columns import Bools, Int64s
from simulator.measure.receipts import NO_TIME
from simulator.measure.receipts import ReceiptFlag as Flag
from simulator.measure.settling import Evidence


class Segment(StrEnum):
    """A measured part of a delivery; all in wall nanoseconds."""

    SEND = "send"  # sent - intended: the publisher was late
    TRANSIT = "transit"  # received - sent: the network and the broker
    HANDLING = "handling"  # handled - received: the subscriber
    DELIVERY = "delivery"  # received - intended
    END_TO_END = "end-to-end"  # handled - intended
    ROUND_TRIP = "round-trip"  # back at our end - intended, without a comparable clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """One segment of several deliveries, and where it is known."""

    values_ns: Int64s
    present: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """The segments of several pairs with a first copy.

    Attributes:
        pairs: pair numbers.
        alert: alert number of each.
        uncertainty_ns: the true arrival lies up to this much before the stamp, and not before the
            alert was sent, whatever its receiver knew about that.
        parts: every segment.
    """

    pairs: Int64s
    alert: Int64s
    uncertainty_ns: Int64s
    parts: dict[Segment, Values]


def segments_of(evidence: Evidence, pairs: Int64s) -> Segments:
    """Measure pairs that have a first copy."""
    table = evidence.expectation.pairs
    alert = table["alert"][pairs].astype(np.int64)
    intended = evidence.expectation.intended_ns[alert]
    sent = evidence.sent_ns[alert]
    received, handled = table["received_ns"][pairs], table["handled_ns"][pairs]
    there_and_back = (table["flags"][pairs] & int(Flag.ROUND_TRIP)) != 0
    was_sent = sent != NO_TIME
    was_received = (received != NO_TIME) & ~there_and_back
    was_handled = (handled != NO_TIME) & ~there_and_back
    return Segments(
        pairs=pairs,
        alert=alert,
        uncertainty_ns=_after_sending(
            table["uncertainty_ns"][pairs], received - sent, was_sent & was_received
        ),
        parts={
            Segment.SEND: Values(values_ns=sent - intended, present=was_sent),
            Segment.TRANSIT: Values(values_ns=received - sent, present=was_sent & was_received),
            Segment.HANDLING: Values(
                values_ns=handled - received, present=was_received & was_handled
            ),
            Segment.DELIVERY: Values(values_ns=received - intended, present=was_received),
            Segment.END_TO_END: Values(values_ns=handled - intended, present=was_handled),
            Segment.ROUND_TRIP: Values(
                values_ns=received - intended, present=there_and_back & (received != NO_TIME)
            ),
        },
    )


def _after_sending(uncertainty_ns: Int64s, transit_ns: Int64s, present: Bools) -> Int64s:
    """An arrival before the sending is impossible; a negative transit is a finding and stays."""
    cut = present & (transit_ns >= 0)
    return np.where(cut, np.minimum(uncertainty_ns, transit_ns), uncertainty_ns)
