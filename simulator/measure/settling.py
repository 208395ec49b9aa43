"""Settling: from what is known about a pair to its outcome, by the definitions of DESIGN section 5.

Rule of the module: evidence and pair numbers come in, codes go out, nothing is changed. Every pair
gets exactly one outcome; where two definitions fit, the more specific one wins: queued before
late, late before delivered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from simulator.measure.columns import Bools, Int64s
from simulator.measure.expectation import Expectation
from simulator.measure.outcomes import Cause, Outcome, Population
from simulator.measure.plan import Session
from simulator.measure.presence import Presence, Terms, judge_unseen
from simulator.measure.receipts import NO_TIME, ConnectionChange, ConnectionEvent
from simulator.measure.receipts import ReceiptFlag as Flag

Codes = npt.NDArray[np.int8]

# Of several members of a shared subscription, the one that was owed most decides.
_RANK = (
    Outcome.LOST,
    Outcome.UNDETERMINED,
    Outcome.EXPIRED,
    Outcome.MISSED_OFFLINE,
)


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Everything that was reported, as the ledger keeps it.

    Attributes:
        expectation: pairs with the first copy of each.
        composed_ns: by alert, monotonic ns, NO_TIME if not composed.
        sent_ns: by alert, monotonic ns, NO_TIME if not sent.
        acknowledged_ns: by alert, monotonic ns, NO_TIME if not acknowledged.
        events: connection changes by subscriber, in the order observed.
        late_after_ns: wall ns.
        expiry_ns: MQTT message expiry, wall ns, or None.
        drain_ended_ns: monotonic ns, or None while draining or if it never ended.
        closed_ns: when the account was closed, monotonic ns, or None while the run goes on.
    """

    expectation: Expectation
    composed_ns: Int64s
    sent_ns: Int64s
    acknowledged_ns: Int64s
    events: Mapping[int, Sequence[ConnectionEvent]]
    late_after_ns: int
    expiry_ns: int | None
    drain_ended_ns: int | None = None
    closed_ns: int | None = None
    _presences: dict[int, Presence] = field(default_factory=dict)

    def presence(self, subscriber: int) -> Presence:
        """The subscriber's connection as steps."""
        known = self._presences.get(subscriber)
        if known is None:
            events = self.events.get(subscriber, ())
            known = self._presences[subscriber] = Presence.of(events, self.late_after_ns)
        return known

    def first_seen_ns(self, pairs: Int64s) -> Int64s:
        """When the first copy of each pair came: at the socket, else when handled, else NO_TIME."""
        table = self.expectation.pairs
        received: Int64s = table["received_ns"][pairs]
        return np.where(received == NO_TIME, table["handled_ns"][pairs], received)


def settle_seen(evidence: Evidence, pairs: Int64s) -> tuple[Codes, Codes]:
    """Outcome and cause of pairs with a first copy."""
    table = evidence.expectation.pairs
    seen_ns = evidence.first_seen_ns(pairs)
    timed = seen_ns != NO_TIME
    latency_ns = seen_ns - evidence.expectation.intended_ns[table["alert"][pairs]]
    outcome = np.full(len(pairs), Outcome.DELIVERED, np.int8)
    cause = np.full(len(pairs), Cause.NONE, np.int8)
    outcome[timed & (latency_ns > evidence.late_after_ns)] = Outcome.LATE
    if evidence.drain_ended_ns is not None:
        after = timed & (seen_ns > evidence.drain_ended_ns)
        outcome[after] = Outcome.LATE
        cause[after] = Cause.AFTER_DRAIN
    queued = _queued(evidence, pairs)
    outcome[queued] = Outcome.QUEUED
    cause[queued] = Cause.NONE
    return outcome, cause


def populations(evidence: Evidence, pairs: Int64s, outcome: Codes) -> Codes:
    """Population of pairs with a first copy: a retain flag makes a figure an age."""
    flags = evidence.expectation.pairs["flags"][pairs]
    population = np.full(len(pairs), Population.LIVE, np.int8)
    population[(flags & int(Flag.RETAIN)) != 0] = Population.RETAINED
    population[outcome == Outcome.QUEUED] = Population.QUEUED
    return population


def settle_unseen(evidence: Evidence, pairs: Int64s) -> tuple[Codes, Codes]:
    """Outcome and cause of pairs without a receipt, once the account is closed."""
    expectation = evidence.expectation
    table = expectation.pairs
    alert = table["alert"][pairs]
    outcome = np.full(len(pairs), Outcome.NOT_SENT, np.int8)
    cause = np.full(len(pairs), Cause.NONE, np.int8)
    went = sent_at_all(evidence)[alert]
    sent_ns = sent_or_intended(evidence)[alert]
    holder = table["holder"][pairs]
    qos = table["qos"][pairs]
    order = np.flatnonzero(went)
    order = order[np.argsort(holder[order], kind="stable")]
    starts = np.flatnonzero(np.diff(holder[order], prepend=np.iinfo(np.int32).min))
    for rows in np.split(order, starts[1:]) if len(order) else ():
        outcome[rows], cause[rows] = _of_holder(
            evidence, int(holder[rows[0]]), sent_ns[rows], qos[rows]
        )
    passed_over = _passed_over(evidence, pairs, sent_ns, np.flatnonzero(cause == Cause.LEAVING))
    outcome[passed_over], cause[passed_over] = Outcome.LOST, Cause.NO_RECEIPT
    if evidence.drain_ended_ns is None and evidence.closed_ns is not None:
        hasty = (outcome == Outcome.LOST) & (sent_ns > evidence.closed_ns - evidence.late_after_ns)
        cause[hasty] = Cause.CUT_SHORT
    return outcome, cause


def _passed_over(evidence: Evidence, pairs: Int64s, sent_ns: Int64s, rows: Int64s) -> list[int]:
    """Rows of which a later message of the same topic came before their subscriber left.

    Messages of a topic keep their order (MQTT 3.1.1 and 5, section 4.6), so these had their time.
    """
    expectation = evidence.expectation
    table = expectation.pairs
    found: list[int] = []
    for row in rows.tolist():
        pair, holder = int(pairs[row]), int(table["holder"][pairs[row]])
        if holder < 0:
            continue
        alert = int(table["alert"][pair])
        behind = len(expectation.topic_alerts[expectation.topic_of[alert]])
        behind -= int(expectation.ordinal[alert]) + 1
        later = np.arange(pair + 1, pair + 1 + behind)
        later = later[table["arrival"][later] >= 0]
        presence = evidence.presence(holder)
        step = int(np.searchsorted(presence.at_ns, sent_ns[row], side="right"))
        if np.any(evidence.first_seen_ns(later) <= presence.at_ns[step]):
            found.append(row)
    return found


def sent_at_all(evidence: Evidence) -> Bools:
    """By alert: reported as sent, or received by somebody, which proves it."""
    table = evidence.expectation.pairs
    went: Bools = evidence.sent_ns != NO_TIME
    went[table["alert"][table["arrival"] >= 0]] = True
    return went


def sent_or_intended(evidence: Evidence) -> Int64s:
    """By alert: when it was sent, or, where the report is missing, when it should have been."""
    unknown = evidence.sent_ns == NO_TIME
    return np.where(unknown, evidence.expectation.intended_ns, evidence.sent_ns)


def _queued(evidence: Evidence, pairs: Int64s) -> Bools:
    """First copies that came on a connection which had resumed a session after the sending."""
    queued = np.zeros(len(pairs), np.bool_)
    resumed = [
        number
        for number, events in evidence.events.items()
        if any(e.session_present and e.change is ConnectionChange.CONNECTED for e in events)
    ]
    if not resumed:
        return queued
    table = evidence.expectation.pairs
    member = table["member"][pairs]
    sent_ns = sent_or_intended(evidence)[table["alert"][pairs]]
    handled = table["handled_ns"][pairs]
    handled = np.where(handled == NO_TIME, table["received_ns"][pairs], handled)
    candidates = np.flatnonzero(np.isin(member, resumed))
    order = candidates[np.argsort(member[candidates], kind="stable")]
    starts = np.flatnonzero(np.diff(member[order], prepend=-1))
    for rows in np.split(order, starts[1:]) if len(order) else ():
        since = evidence.presence(int(member[rows[0]])).resumed_ns(handled[rows])
        queued[rows] = (since != NO_TIME) & (sent_ns[rows] < since)
    return queued


def _of_holder(evidence: Evidence, holder: int, sent_ns: Int64s, qos: Codes) -> tuple[Codes, Codes]:
    expectation = evidence.expectation
    verdicts: list[tuple[Codes, Codes]] = []
    for member in expectation.members(holder):
        terms = Terms(
            persistent=expectation.subscribers[member].session is Session.PERSISTENT,
            expiry_ns=evidence.expiry_ns,
            closed_ns=evidence.closed_ns or 0,
        )
        verdicts.append(judge_unseen(evidence.presence(member), sent_ns, qos, terms))
    outcome, cause = verdicts[0]
    ranks = np.zeros(len(Outcome), np.int8)
    ranks[list(_RANK)] = np.arange(len(_RANK))
    for other, why in verdicts[1:]:
        owed_more = ranks[other] < ranks[outcome]
        outcome = np.where(owed_more, other, outcome)
        cause = np.where(owed_more, why, cause)
    return outcome, cause
