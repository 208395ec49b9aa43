"""What is counted beside the pairs: copies nobody should have had, and copies of states.

Rule of the module: every copy is counted, a bounded number of them is kept to look at, and what the
bound left out is a number in the report.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.measure.columns import Bools, Int64s
from simulator.measure.expectation import Expectation
from simulator.measure.outcomes import Unexpected
from simulator.measure.plan import SubscriberKind, filter_matches
from simulator.measure.receipts import WIDTH
from simulator.measure.receipts import ReceiptFlag as Flag

KEPT_ROWS: Final = 100_000

_SUBSCRIBER, _ALERT, _FLAGS = 0, 1, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """Unexpected copies: receipt rows (see measure.receipts) and the reason of each."""

    rows: Int64s
    reasons: npt.NDArray[np.int8]

    def part(self, start: int, end: int) -> "Strays":
        """A slice of them."""
        return Strays(rows=self.rows[start:end], reasons=self.reasons[start:end])

    def at(self, places: Int64s) -> "Strays":
        """Some of them."""
        return Strays(rows=self.rows[places], reasons=self.reasons[places])


class _Kept:
    """Receipt rows up to a bound, with those since the last look."""

    def __init__(self, bound: int, width: int) -> None:
        self._bound = bound
        self._parts: list[Int64s] = [np.zeros((0, width), np.int64)]
        self._length = 0
        self._looked = 0
        self.left_out = 0

    def add(self, rows: Int64s) -> None:
        room = self._bound - self._length
        self.left_out += max(0, len(rows) - room)
        kept = rows[:room].copy()
        self._parts.append(kept)
        self._length += len(kept)

    def all(self) -> Int64s:
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    def fresh(self) -> Int64s:
        rows = self.all()[self._looked :]
        self._looked = self._length
        return rows


class UnexpectedTally:
    """Copies on alert topics that should not have come.

    Args:
        bound: rows kept.
    """

    def __init__(self, bound: int = KEPT_ROWS) -> None:
        self.by_reason = np.zeros(len(Unexpected), np.int64)
        self.by_subscriber: Counter[int] = Counter()
        self.by_alert: Counter[int] = Counter()
        self.by_qos: Counter[int] = Counter()
        self._kept = _Kept(bound, WIDTH + 1)

    @property
    def total(self) -> int:
        """All of them."""
        return int(self.by_reason.sum())

    @property
    def left_out(self) -> int:
        """Rows counted but not kept."""
        return self._kept.left_out

    def add(self, rows: Int64s, reasons: npt.NDArray[np.int8]) -> None:
        """Count receipt rows, each with its Unexpected code."""
        self.by_reason += np.bincount(reasons, minlength=len(Unexpected))
        self.by_subscriber.update(rows[:, _SUBSCRIBER].tolist())
        self.by_alert.update(rows[reasons == Unexpected.WRONG_AREA, _ALERT].tolist())
        self.by_qos.update(received_qos(rows[:, _FLAGS]).tolist())
        self._kept.add(np.column_stack([rows, reasons.astype(np.int64)]))

    def strays(self) -> Strays:
        """Every row kept."""
        return _split(self._kept.all())

    def fresh(self) -> Strays:
        """Rows kept since the last call."""
        return _split(self._kept.fresh())


def received_qos(flags: Int64s) -> Int64s:
    """QoS at which each copy was delivered, from its flags."""
    return np.where(flags & int(Flag.QOS_2), 2, np.where(flags & int(Flag.QOS_1), 1, 0))


def _split(kept: Int64s) -> Strays:
    return Strays(rows=kept[:, :WIDTH], reasons=kept[:, WIDTH].astype(np.int8))


class StateTally:
    """Copies on state topics, and cleared states: beside the ledger's equations.

    Args:
        expectation: for the filters of subscribers and the state topics of alerts.
        bound: retained copies kept.
    """

    def __init__(self, expectation: Expectation, bound: int = KEPT_ROWS) -> None:
        self.retained = 0
        self.live = 0
        self.cleared = 0
        self.wrong_area = 0
        self.foreign = 0
        self.malformed = 0
        self._expectation = expectation
        topics = {alert.state_topic: None for alert in expectation.alerts}
        places = {topic: index for index, topic in enumerate(topics)}
        self._topics = tuple(topics)
        self._topic_of = np.array([places[a.state_topic] for a in expectation.alerts], np.int64)
        self._wanted: dict[tuple[int, int], bool] = {}
        self._newest: dict[int, int] = {}
        self._kept = _Kept(bound, WIDTH)

    @property
    def left_out(self) -> int:
        """Retained copies counted but not kept."""
        return self._kept.left_out

    def add(self, rows: Int64s) -> None:
        """Count receipt rows with the STATE or the CLEARED flag."""
        flags = rows[:, _FLAGS]
        cleared = (flags & int(Flag.CLEARED)) != 0
        malformed = ~cleared & ((flags & int(Flag.MALFORMED)) != 0)
        number, alert = rows[:, _SUBSCRIBER], rows[:, _ALERT]
        known = (number >= 0) & (number < len(self._expectation.subscribers))
        known &= (alert >= 0) & (alert < len(self._topic_of))
        foreign = ~cleared & ~malformed & (((flags & int(Flag.FOREIGN)) != 0) | ~known)
        ours = ~(cleared | malformed | foreign)
        ours[ours] = self._asked_for(rows[ours])
        retained = ours & ((flags & int(Flag.RETAIN)) != 0)
        counts = [int(np.count_nonzero(part)) for part in (cleared, malformed, foreign, ours)]
        self.cleared += counts[0]
        self.malformed += counts[1]
        self.foreign += counts[2]
        self.wrong_area += len(rows) - sum(counts)
        self.retained += int(np.count_nonzero(retained))
        self.live += counts[3] - int(np.count_nonzero(retained))
        if retained.any():
            self._kept.add(rows[retained])
        self._inform(number[ours], alert[ours])

    def take_unmarked(self, rows: Int64s, known: Bools) -> Bools:
        """Take what foreign clients report and asked for as a state only, and say which rows.

        Args:
            rows: receipt rows that are no alert their subscriber asked for.
            known: whether subscriber and alert of each are known.
        """
        foreign = np.array(
            [s.kind is SubscriberKind.FOREIGN for s in self._expectation.subscribers], np.bool_
        )
        taken = known.copy()
        taken[known] = foreign[rows[known, _SUBSCRIBER]]
        taken[taken] = self._asked_for(rows[taken])
        if taken.any():
            self.add(rows[taken])
        return taken

    def retained_rows(self) -> Int64s:
        """Receipt rows of retained copies of known alerts, as far as kept."""
        return self._kept.all()

    def informed(self) -> dict[tuple[int, str], int]:
        """The newest alert, by number, whose state came, by subscriber and prefecture."""
        places = [""] * len(self._topics)
        for topic, alert in zip(self._topic_of.tolist(), self._expectation.alerts, strict=True):
            places[topic] = alert.planned.prefecture
        return {
            (key // len(places), places[key % len(places)]): number
            for key, number in self._newest.items()
        }

    def _inform(self, number: Int64s, alert: Int64s) -> None:
        keys = number * len(self._topics) + self._topic_of[alert]
        for key, newest in zip(keys.tolist(), alert.tolist(), strict=True):
            if newest > self._newest.get(key, -1):
                self._newest[key] = newest

    def _asked_for(self, rows: Int64s) -> Bools:
        if not len(rows):
            return np.zeros(0, np.bool_)
        topics = self._topic_of[rows[:, _ALERT]]
        keys = rows[:, _SUBSCRIBER] * len(self._topics) + topics
        distinct, inverse = np.unique(keys, return_inverse=True)
        wanted = [self._wants(*divmod(int(key), len(self._topics))) for key in distinct]
        return np.array(wanted, np.bool_)[inverse]

    def _wants(self, subscriber: int, topic: int) -> bool:
        known = self._wanted.get((subscriber, topic))
        if known is None:
            filters = self._expectation.subscribers[subscriber].filters
            known = any(filter_matches(text, self._topics[topic]) for text, _ in filters)
            self._wanted[subscriber, topic] = known
        return known
