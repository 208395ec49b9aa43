"""Order: gaps and reordering in what one subscriber received on one topic.

Rule of the module: a stream is a holder and a topic. A message is *reordered* if a later one of its
stream had arrived before it (RFC 4737 section 3); a *gap* is a message that was sent and owed and
never seen although a later one of its stream was. MQTT promises order per topic and client only
(MQTT 5 section 4.6), so nothing is claimed across topics, nor of shared subscriptions, whose
members share no order.
"""

from dataclasses import dataclass

import numpy as np

from simulator.measure.columns import Int64s
from simulator.measure.settling import Evidence, sent_at_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Counts over all streams of a run.

    Attributes:
        streams: streams with at least one receipt.
        reordered: first copies that arrived after a later one.
        gaps: missing messages with a later one received.
        gap_streams: streams with at least one gap.
    """

    streams: int
    reordered: int
    gaps: int
    gap_streams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """The pairs behind the counts.

    Attributes:
        order: the counts.
        reordered: pairs that arrived after a later one.
        missing: pairs not seen, with a later one received.
    """

    order: Order
    reordered: Int64s
    missing: Int64s


def order_of(evidence: Evidence) -> Order:
    """Count gaps and reordering."""
    return disorder_of(evidence).order


def disorder_of(evidence: Evidence) -> Disorder:
    """Find gaps and reordering; pairs of one stream stand one after the other in sequence."""
    expectation = evidence.expectation
    table = expectation.pairs
    if not len(table):
        nothing = np.zeros(0, np.int64)
        none = Order(streams=0, reordered=0, gaps=0, gap_streams=0)
        return Disorder(order=none, reordered=nothing, missing=nothing)
    alert = table["alert"]
    stream = np.cumsum(expectation.ordinal[alert] == 0) - 1
    arrival = table["arrival"]
    seen = arrival >= 0
    # Walking each stream from its end, the smallest arrival so far tells whether a later message
    # had come: streams are kept apart by an offset that falls from the last stream to the first.
    never = int(arrival.max()) + 1
    ordered = np.where(seen, arrival, never) + stream * (never + 1)
    latest_first = np.minimum.accumulate(ordered[::-1])[::-1]
    after = np.full(len(ordered), never, np.int64)
    same = stream[1:] == stream[:-1]
    after[:-1][same] = (latest_first[1:] - stream[1:] * (never + 1))[same]
    missing = ~seen & table["owed"] & sent_at_all(evidence)[alert] & (after < never)
    reordered = np.flatnonzero(seen & (after < arrival) & (table["holder"] >= 0))
    gaps = np.flatnonzero(missing)
    order = Order(
        streams=len(np.unique(stream[seen])),
        reordered=len(reordered),
        gaps=len(gaps),
        gap_streams=len(np.unique(stream[gaps])),
    )
    return Disorder(order=order, reordered=reordered, missing=gaps)
