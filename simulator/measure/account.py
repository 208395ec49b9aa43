"""The account: every expected pair with its one outcome, and the two equations.

Rule of the module: built once from evidence, then only read. Numbers in it are recounted from the
pairs themselves, and the running tallies of receipts must agree with them, or the account refuses.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simulator.errors import UnbalancedLedgerError
from simulator.measure.belief import FinalStates, final_states
from simulator.measure.columns import Bools, Int64s
from simulator.measure.outcomes import (
    RECEIVED,
    UNOWED,
    Cause,
    Duplicate,
    Outcome,
    Population,
    Unexpected,
)
from simulator.measure.plan import ScheduledAlert, SubscriberKind
from simulator.measure.receipts import NO_TIME
from simulator.measure.rows import Columns, delivery_columns, stray_columns
from simulator.measure.settling import Codes, Evidence, populations, settle_seen, settle_unseen
from simulator.measure.tallies import StateTally, UnexpectedTally, received_qos

CHUNK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The terms of both equations, of the whole run or of a part of it."""

    expected: int = 0
    delivered: int = 0
    late: int = 0
    queued: int = 0
    expired: int = 0
    missed_offline: int = 0
    undetermined: int = 0
    lost: int = 0
    not_sent: int = 0
    receipts: int = 0
    duplicates: int = 0
    unexpected: int = 0

    @property
    def received(self) -> int:
        """First copies, in time or not."""
        return self.delivered + self.late + self.queued

    @property
    def balanced(self) -> bool:
        """Both equations of DESIGN section 5 hold."""
        unseen = self.expired + self.missed_offline + self.undetermined + self.lost + self.not_sent
        return (
            self.expected == self.received + unseen
            and self.receipts == self.received + self.duplicates + self.unexpected
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted while receipts came in.

    Attributes:
        receipts: copies on alert topics.
        duplicates: by Duplicate code.
        flagged: duplicates with the DUP flag set.
        unexpected: copies that should not have come.
        state: copies on state topics.
    """

    receipts: int
    duplicates: Int64s
    flagged: int
    unexpected: UnexpectedTally
    state: StateTally


class Account:
    """Every expected pair with its outcome.

    Attributes:
        evidence: what it was built from.
        counted: what was counted while receipts came in.
        outcome: Outcome code by pair; UNOWED where nothing was owed and nothing seen.
        cause: Cause code by pair.
        population: Population code by pair, -1 where nothing was seen.
        seen: pairs with a first copy.
        expected: pairs that are in the first equation.
        early: pairs received by clients that registered only after the alert was intended; they
            are expected after all, because the receipt proves the subscription.
    """

    def __init__(self, evidence: Evidence, counted: Counted) -> None:
        self.evidence = evidence
        self.counted = counted
        table = evidence.expectation.pairs
        self.seen: Bools = table["arrival"] >= 0
        owed: Bools = table["owed"]
        self.expected: Bools = owed | self.seen
        self.early: Bools = self.seen & ~owed
        self.outcome: Codes = np.full(len(table), UNOWED, np.int8)
        self.cause: Codes = np.full(len(table), Cause.NONE, np.int8)
        self.population: Codes = np.full(len(table), -1, np.int8)
        here = np.flatnonzero(self.seen)
        self.outcome[here], self.cause[here] = settle_seen(evidence, here)
        self.population[here] = populations(evidence, here, self.outcome[here])
        missing = np.flatnonzero(owed & ~self.seen)
        self.outcome[missing], self.cause[missing] = settle_unseen(evidence, missing)
        self._kinds = np.array(
            [
                *(_place(subscriber.kind) for subscriber in evidence.expectation.subscribers),
                *(
                    _place(evidence.expectation.subscribers[group.members[0]].kind)
                    for group in reversed(evidence.expectation.groups)
                ),
            ],
            np.int64,
        )

    # --- counts -------------------------------------------------------------------------------

    def total(self) -> Tally:
        """The whole run, with the receipts as they were counted on arrival."""
        tally = self._tally(self.expected, self.counted.unexpected.total)
        return replace(tally, receipts=self.counted.receipts)

    def assert_balanced(self) -> None:
        """Both equations, for the whole and against the running counters.

        Raises:
            UnbalancedLedgerError: with the terms, if one does not hold.
        """
        total = self.total()
        if not total.balanced or int(self.counted.duplicates.sum()) != total.duplicates:
            raise UnbalancedLedgerError(
                f"the ledger does not balance: {total}, duplicates by cause "
                f"{self.counted.duplicates.tolist()}"
            )

    def where(self, rows: Bools) -> Tally:
        """Counts of a part of the pairs; unexpected copies belong to no pair."""
        return self._tally(self.expected & rows, 0)

    def by_prefecture(self) -> dict[str, Tally]:
        """By prefecture of the alert."""
        return self._by_alert(lambda alert: alert.planned.prefecture)

    def by_event(self) -> dict[str, Tally]:
        """By event of the alert."""
        return self._by_alert(lambda alert: alert.planned.event.value)

    def by_population(self) -> dict[str, Tally]:
        """By population of what was received; what was not seen belongs to none."""
        return {
            population.word: self.where(self.population == population)
            for population in Population
            if np.any(self.population == population)
        }

    def by_kind(self) -> dict[str, Tally]:
        """By subscriber kind; a shared subscription counts as its first member's."""
        strays: dict[str, int] = {}
        subscribers = self.evidence.expectation.subscribers
        for number, count in self.counted.unexpected.by_subscriber.items():
            if 0 <= number < len(subscribers):
                kind = subscribers[number].kind.value
                strays[kind] = strays.get(kind, 0) + count
        kinds = self.kind_codes()
        return {
            kind.value: self._tally(self.expected & (kinds == code), strays.get(kind.value, 0))
            for code, kind in enumerate(SubscriberKind)
            if np.any(self._kinds == code)
        }

    def by_qos(self) -> dict[str, Tally]:
        """By effective QoS."""
        qos = self.evidence.expectation.pairs["qos"]
        strays = self.counted.unexpected.by_qos
        present = sorted({*np.unique(qos[self.expected]).tolist(), *strays})
        return {
            str(level): self._tally(self.expected & (qos == level), strays.get(level, 0))
            for level in present
        }

    def of_subscriber(self, number: int) -> Tally:
        """One subscriber's own pairs."""
        holder = self.evidence.expectation.pairs["holder"]
        strays = self.counted.unexpected.by_subscriber.get(number, 0)
        return self._tally(self.expected & (holder == number), strays)

    def of_subscribers(self, numbers: Sequence[int]) -> Bools:
        """Selects the pairs of some subscribers; a shared subscription is its first member's."""
        expectation = self.evidence.expectation
        wanted = set(numbers)
        shared = [
            -1 - place
            for place, group in enumerate(expectation.groups)
            if group.members[0] in wanted
        ]
        return np.isin(expectation.pairs["holder"], np.array([*numbers, *shared], np.int64))

    def of_group(self, name: str) -> Bools:
        """Selects the pairs of one of the scenario's groups of subscribers."""
        subscribers = self.evidence.expectation.subscribers
        return self.of_subscribers([each.number for each in subscribers if each.group == name])

    def tally_of(self, numbers: Sequence[int]) -> Tally:
        """Counts of some subscribers, with the unexpected copies that they received."""
        strays = sum(self.counted.unexpected.by_subscriber.get(number, 0) for number in numbers)
        return self._tally(self.expected & self.of_subscribers(numbers), strays)

    def causes_of(self, outcome: Outcome) -> dict[str, int]:
        """How often each cause stands beside an outcome."""
        causes = self.cause[self.outcome == outcome]
        counts = np.bincount(causes, minlength=len(Cause))
        return {cause.word: int(counts[cause]) for cause in Cause if counts[cause] and cause.word}

    def duplicate_causes(self) -> dict[str, int]:
        """Duplicates by cause."""
        return {cause.word: int(self.counted.duplicates[cause]) for cause in Duplicate}

    def unexpected_causes(self) -> dict[str, int]:
        """Unexpected copies by cause."""
        reasons = self.counted.unexpected.by_reason
        return {cause.word: int(reasons[cause]) for cause in Unexpected}

    def final_states(self) -> FinalStates:
        """What each subscriber was left believing."""
        return final_states(self.evidence, self.counted.state.informed())

    def lowered(self) -> Bools:
        """Selects the first copies that came below the effective QoS that was owed.

        A broker that granted a QoS owes it to every message published with it (MQTT 3.1.1 and 5,
        section 4.3). Nothing is claimed where several filters match, each of which may bring a copy
        at its own QoS (MQTT 5, section 3.3.4), nor of foreign clients, which do not report it.
        """
        table = self.evidence.expectation.pairs
        told = self.seen & (table["paths"] == 1)
        told &= self.kind_codes() != _place(SubscriberKind.FOREIGN)
        lower: Bools = told & (received_qos(table["flags"]) < table["qos"])
        return lower

    # --- columns over pairs -------------------------------------------------------------------

    @property
    def alerts(self) -> tuple[ScheduledAlert, ...]:
        """Every alert of the schedule."""
        return self.evidence.expectation.alerts

    def kind_codes(self) -> Int64s:
        """Position of the subscriber kind in SubscriberKind, by pair."""
        holder: npt.NDArray[np.int32] = self.evidence.expectation.pairs["holder"]
        return self._kinds[holder]  # a group's -1, -2 … picks from the end

    def untimed(self) -> int:
        """Deliveries without a usable time."""
        here = np.flatnonzero(self.seen)
        return int(np.count_nonzero(self.evidence.first_seen_ns(here) == NO_TIME))

    def rows(self, chunk: int = CHUNK) -> Iterator[Columns]:
        """Every row of the deliveries table, in bounded chunks: expected pairs, then unexpected."""
        expected = np.flatnonzero(self.expected)
        for start in range(0, len(expected), chunk):
            pairs = expected[start : start + chunk]
            yield delivery_columns(self.evidence, pairs, self.outcome[pairs], self.cause[pairs])
        strays = self.counted.unexpected.strays()
        for start in range(0, len(strays.rows), chunk):
            yield stray_columns(self.evidence, strays.part(start, start + chunk))

    # --- inside -------------------------------------------------------------------------------

    def _tally(self, rows: Bools, unexpected: int) -> Tally:
        counts = np.bincount(self.outcome[rows], minlength=len(Outcome))
        terms = {outcome.name.lower(): int(counts[outcome]) for outcome in Outcome}
        received = sum(int(counts[outcome]) for outcome in RECEIVED)
        copies = int(self.evidence.expectation.pairs["copies"][rows].sum())
        return Tally(
            expected=int(np.count_nonzero(rows)),
            **terms,
            receipts=copies + unexpected,
            duplicates=copies - received,
            unexpected=unexpected,
        )

    def _by_alert(self, name_of: Callable[[ScheduledAlert], str]) -> dict[str, Tally]:
        names = [name_of(alert) for alert in self.alerts]
        codes = {name: code for code, name in enumerate(dict.fromkeys(names))}
        of_alert = np.array([codes[name] for name in names], np.int64)
        of_pair = of_alert[self.evidence.expectation.pairs["alert"]]
        strays = dict.fromkeys(codes, 0)
        for alert, count in self.counted.unexpected.by_alert.items():
            strays[names[alert]] += count
        return {
            name: self._tally(self.expected & (of_pair == code), strays[name])
            for name, code in codes.items()
        }


def _place(kind: SubscriberKind) -> int:
    return list(SubscriberKind).index(kind)
