"""The ledger while the run goes on: what was expected, what was sent, what was seen.

Rule of the module: everything that is reported is kept or counted, nothing is judged before
``close``, and a batch of receipts costs a handful of array operations, not a loop.

What enters the second equation, ``receipts = (delivered + late + queued) + duplicates +
unexpected``, is every copy on an *alert* topic. Copies on *state* topics (and empty retained
payloads, which are a cleared state and never malformed) are counted beside the ledger in
``StateTally``: nobody is owed a state, so neither equation may move by one. Retained copies of a
known alert are kept with their age, for the population ``retained``. A foreign client names the
message and not the topic it came on: what it reports counts as the alert if its filters ask for the
alert, a second report of the same message as an overlap if they ask for the state too, and as a
state if they ask for that alone.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.errors import InternalError
from simulator.measure.account import CHUNK, Account, Counted
from simulator.measure.columns import Bools, Int64s
from simulator.measure.expectation import NOWHERE, Expectation
from simulator.measure.outcomes import Cause, Duplicate, Outcome, Unexpected
from simulator.measure.plan import PlannedSubscriber, ScheduledAlert
from simulator.measure.receipts import NO_TIME, ConnectionChange, ConnectionEvent, ReceiptBatch
from simulator.measure.receipts import ReceiptFlag as Flag
from simulator.measure.rows import Columns, delivery_columns, stray_columns
from simulator.measure.running import Running, RunningDeliveries
from simulator.measure.settling import Codes, Evidence, populations, settle_seen, settle_unseen
from simulator.measure.tallies import StateTally, UnexpectedTally
from simulator.units import NS_PER_S

LATE_AFTER_NS: Final = 10 * NS_PER_S

_SUBSCRIBER, _ALERT, _RECEIVED, _UNCERTAINTY, _HANDLED, _FLAGS = range(6)
_BESIDE: Final = int(Flag.STATE | Flag.CLEARED)
_BROKEN: Final = int(Flag.MALFORMED | Flag.FOREIGN)


class Ledger:
    """Expected deliveries against receipts.

    Args:
        schedule: every alert of the run, numbered from 0.
        subscribers: those planned from the start, numbered from 0.
        late_after_ns: a first copy later than this after its intended time is late, wall ns.
        expiry_ns: MQTT message expiry that the publisher sets, wall ns; None: messages never
            expire.
    """

    def __init__(
        self,
        schedule: Sequence[ScheduledAlert],
        subscribers: Sequence[PlannedSubscriber],
        *,
        late_after_ns: int = LATE_AFTER_NS,
        expiry_ns: int | None = None,
    ) -> None:
        self._expectation = Expectation(schedule)
        for subscriber in subscribers:
            self._expectation.add(subscriber)
        alerts = len(self._expectation.alerts)
        self._late_after_ns = late_after_ns
        self._expiry_ns = expiry_ns
        self._composed_ns = np.full(alerts, NO_TIME, np.int64)
        self._sent_ns = np.full(alerts, NO_TIME, np.int64)
        self._acknowledged_ns = np.full(alerts, NO_TIME, np.int64)
        self._drain_ended_ns: int | None = None
        self._events: dict[int, list[ConnectionEvent]] = {}
        self._away: set[int] = set()
        self._arrivals = 0
        self._receipts = 0
        self._duplicates = np.zeros(len(Duplicate), np.int64)
        self._flagged = 0
        self._unexpected = UnexpectedTally()
        self._state = StateTally(self._expectation)
        self._fresh: list[Int64s] = []
        self._seen = 0
        self._forgone = np.zeros(0, np.int64)
        self._running: RunningDeliveries | None = None

    # --- what the run reports -----------------------------------------------------------------

    def add_subscriber(self, subscriber: PlannedSubscriber) -> None:
        """Expect deliveries to one more subscriber: a foreign client that registered."""
        self._expectation.add(subscriber)

    def sent(self, alert: int, composed_ns: int, sent_ns: int) -> None:
        """An alert was composed, then written to the publisher's socket (monotonic ns)."""
        self._composed_ns[alert] = composed_ns
        self._sent_ns[alert] = sent_ns

    def acknowledged(self, alert: int, at_ns: int) -> None:
        """The broker acknowledged an alert to the publisher. Not a delivery."""
        self._acknowledged_ns[alert] = at_ns

    def connection(self, event: ConnectionEvent) -> None:
        """A subscriber's connection changed; in the order in which it was observed."""
        if not 0 <= event.subscriber < len(self._expectation.subscribers):
            raise InternalError(f"a connection of an unknown subscriber {event.subscriber}")
        self._events.setdefault(event.subscriber, []).append(event)
        if event.change in {ConnectionChange.CLOSED, ConnectionChange.OFFLINE}:
            self._away.add(event.subscriber)
        else:
            self._away.discard(event.subscriber)

    def drain_ended(self, at_ns: int) -> None:
        """The drain is over: a first copy received after this instant is late."""
        self._drain_ended_ns = at_ns

    def receipts(self, batch: ReceiptBatch) -> None:
        """Take in a batch of receipts, in order of arrival."""
        rows = batch.rows
        flags = rows[:, _FLAGS]
        beside = (flags & _BESIDE) != 0
        if beside.any():
            self._state.add(rows[beside])
            rows = rows[~beside]
        if not len(rows):
            return
        first_arrival = self._arrivals
        self._arrivals += len(rows)
        known = self._known(rows)
        home = np.full(len(rows), NOWHERE, np.int64)
        pending = np.flatnonzero(known)
        subscriber = rows[:, _SUBSCRIBER]
        topic = np.zeros(len(rows), np.int64)
        topic[pending] = self._expectation.topic_of[rows[pending, _ALERT]]
        for layer in self._expectation.layers:
            base = layer[subscriber[pending], topic[pending]]
            has = base != NOWHERE
            index = pending[has]
            pairs = base[has] + self._expectation.ordinal[rows[index, _ALERT]]
            home[index] = np.where(home[index] == NOWHERE, pairs, home[index])
            first = self._claim(pairs, index + first_arrival)
            self._record(pairs[first], rows[index[first]])
            taken = np.zeros(len(rows), np.bool_)
            taken[index[first]] = True
            pending = pending[~taken[pending]]
            if not len(pending):
                break
        again = pending[home[pending] != NOWHERE]
        if len(again):
            self._further(home[again], rows[again, _FLAGS])
        astray = home == NOWHERE
        if astray.any():
            astray[astray] = ~self._state.take_unmarked(rows[astray], known[astray])
            self._unexpected.add(rows[astray], self._reasons(rows[astray], known[astray]))
        self._receipts += int(np.count_nonzero(astray | (home != NOWHERE)))

    # --- how far the run is -------------------------------------------------------------------

    def running(self) -> Running:
        """Where the deliveries stand; before the first call nothing is kept for it."""
        if self._running is None:
            self._running = RunningDeliveries(self._expectation, self._late_after_ns)
            arrived = self._expectation.pairs["arrival"] >= 0
            self._running.add(np.flatnonzero(arrived))
        return self._running.look(
            self._sent_ns,
            population_of=self._population_of,
            duplicates=int(self._duplicates.sum()),
            unexpected=self._unexpected.total,
        )

    def _population_of(self, pairs: Int64s) -> Codes:
        evidence = self._evidence(None)
        return populations(evidence, pairs, settle_seen(evidence, pairs)[0])

    @property
    def alerts(self) -> tuple[ScheduledAlert, ...]:
        """The schedule."""
        return self._expectation.alerts

    @property
    def owed(self) -> int:
        """First copies expected in the whole run."""
        return int(np.count_nonzero(self._expectation.pairs["owed"]))

    @property
    def seen(self) -> int:
        """First copies received so far."""
        return self._seen

    @property
    def sent_alerts(self) -> int:
        """Alerts written so far."""
        return int(np.count_nonzero(self._sent_ns != NO_TIME))

    def received_alerts(self) -> frozenset[int]:
        """Alerts of which somebody who was expected to has received a copy so far."""
        pairs = self._expectation.pairs
        return frozenset(np.unique(pairs["alert"][pairs["arrival"] >= 0]).tolist())

    def waiting(self) -> int:
        """Deliveries still outstanding: sent, owed, not seen, and the subscriber is not away."""
        pairs = self._expectation.pairs
        if not len(pairs):
            return 0
        open_ = pairs["owed"] & (pairs["arrival"] < 0) & (self._sent_ns != NO_TIME)[pairs["alert"]]
        if self._away:
            open_ &= ~np.isin(pairs["holder"], np.array(sorted(self._away)))
        open_[self._forgone] = False
        return int(np.count_nonzero(open_))

    def forgo(self, now_ns: int) -> None:
        """Wait no more for what cannot come: sent while nobody was there and nothing is kept.

        Args:
            now_ns: monotonic ns; what is in doubt now stays outstanding.
        """
        pairs = self._expectation.pairs
        unseen = pairs["owed"] & (pairs["arrival"] < 0)
        index = np.flatnonzero(unseen & (self._sent_ns != NO_TIME)[pairs["alert"]])
        outcome, cause = settle_unseen(self._evidence(now_ns), index)
        gone = np.isin(outcome, (Outcome.MISSED_OFFLINE, Outcome.EXPIRED))
        gone |= cause == Cause.SESSION_DISCARDED
        self._forgone = index[gone]

    def drain_rows(self, chunk: int = CHUNK) -> Iterator[Columns]:
        """First copies and unexpected copies since the last call, as chunks for part files.

        Outcomes are those known so far; the account's are final. Nothing is yielded if there is
        nothing new.
        """
        fresh = np.concatenate([np.zeros(0, np.int64), *self._fresh])
        self._fresh.clear()
        strays = self._unexpected.fresh()
        evidence = self._evidence(None)
        for start in range(0, len(fresh), chunk):
            pairs = fresh[start : start + chunk]
            yield delivery_columns(evidence, pairs, *settle_seen(evidence, pairs))
        for start in range(0, len(strays.rows), chunk):
            yield stray_columns(evidence, strays.part(start, start + chunk))

    def close(self, closed_ns: int) -> Account:
        """Account for every pair.

        Args:
            closed_ns: when the run ended, monotonic ns.

        Raises:
            UnbalancedLedgerError: if one of the two equations does not hold.
        """
        counted = Counted(
            receipts=self._receipts,
            duplicates=self._duplicates,
            flagged=self._flagged,
            unexpected=self._unexpected,
            state=self._state,
        )
        account = Account(self._evidence(closed_ns), counted)
        account.assert_balanced()
        return account

    # --- inside -------------------------------------------------------------------------------

    def _evidence(self, closed_ns: int | None) -> Evidence:
        return Evidence(
            expectation=self._expectation,
            composed_ns=self._composed_ns,
            sent_ns=self._sent_ns,
            acknowledged_ns=self._acknowledged_ns,
            events=self._events,
            late_after_ns=self._late_after_ns,
            expiry_ns=self._expiry_ns,
            drain_ended_ns=self._drain_ended_ns,
            closed_ns=closed_ns,
        )

    def _known(self, rows: Int64s) -> Bools:
        """Well formed, of an alert and a subscriber of this run."""
        subscriber, alert = rows[:, _SUBSCRIBER], rows[:, _ALERT]
        known: Bools = (
            ((rows[:, _FLAGS] & _BROKEN) == 0)
            & (alert >= 0)
            & (alert < len(self._expectation.alerts))
            & (subscriber >= 0)
            & (subscriber < len(self._expectation.subscribers))
        )
        return known

    def _claim(self, pairs: Int64s, arrivals: Int64s) -> Bools:
        """Write the arrival of first copies; of equal pairs in one batch the first row wins."""
        arrival = self._expectation.pairs["arrival"]
        fresh = np.flatnonzero(arrival[pairs] < 0)
        arrival[pairs[fresh[::-1]]] = arrivals[fresh[::-1]]
        first: Bools = arrival[pairs] == arrivals
        return first

    def _record(self, pairs: Int64s, rows: Int64s) -> None:
        table = self._expectation.pairs
        table["received_ns"][pairs] = rows[:, _RECEIVED]
        table["uncertainty_ns"][pairs] = rows[:, _UNCERTAINTY]
        table["handled_ns"][pairs] = rows[:, _HANDLED]
        table["flags"][pairs] = rows[:, _FLAGS]
        table["member"][pairs] = rows[:, _SUBSCRIBER]
        table["copies"][pairs] = 1
        self._seen += len(pairs)
        if len(pairs):
            self._fresh.append(pairs)
        if self._running is not None:
            self._running.add(pairs)

    def _further(self, pairs: Int64s, flags: Int64s) -> None:
        """Count copies of what had been received, each with its cause."""
        table = self._expectation.pairs
        order = np.argsort(pairs, kind="stable")
        ordered = pairs[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=NOWHERE))
        runs = np.diff(starts, append=len(ordered))
        rank = np.arange(len(ordered)) - np.repeat(starts, runs)
        nth = table["copies"][ordered].astype(np.int64) + rank + 1
        table["copies"][ordered[starts]] += runs.astype(np.uint32)
        again = flags[order]
        cause = np.full(len(ordered), Duplicate.BROKER, np.int64)
        cause[(again & int(Flag.SESSION)) != 0] = Duplicate.REDELIVERY
        cause[nth <= table["paths"][ordered]] = Duplicate.OVERLAP
        flagged = (again & int(Flag.DUP)) != 0
        cause[flagged] = Duplicate.REDELIVERY
        self._flagged += int(np.count_nonzero(flagged))
        self._duplicates += np.bincount(cause, minlength=len(Duplicate))

    def _reasons(self, rows: Int64s, known: Bools) -> npt.NDArray[np.int8]:
        reasons = np.full(len(rows), Unexpected.FOREIGN, np.int8)
        reasons[(rows[:, _FLAGS] & int(Flag.MALFORMED)) != 0] = Unexpected.MALFORMED
        reasons[known] = Unexpected.WRONG_AREA
        return reasons
