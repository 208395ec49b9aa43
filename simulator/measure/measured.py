"""Measured: the samples behind every figure, selected from the account.

Rule of the module: one pass over the pairs with a first copy; every table, curve and threshold
selects from the same columns, so that they cannot disagree.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.measure.account import Account
from simulator.measure.columns import Bools, Int64s
from simulator.measure.outcomes import Population
from simulator.measure.receipts import NO_TIME
from simulator.measure.receipts import ReceiptFlag as Flag
from simulator.measure.segments import Segment, segments_of
from simulator.measure.tallies import received_qos


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Measured values, one for each delivery.

    Attributes:
        values_ns: wall ns, may be negative.
        low_ns: each value after its stamp uncertainty, lower end.
        high_ns: upper end.
        alert: alert number behind each.
    """

    values_ns: Int64s
    low_ns: Int64s
    high_ns: Int64s
    alert: Int64s

    def __len__(self) -> int:
        return len(self.values_ns)

    def part(self, rows: Bools) -> "Samples":
        """Some of them."""
        return Samples(
            values_ns=self.values_ns[rows],
            low_ns=self.low_ns[rows],
            high_ns=self.high_ns[rows],
            alert=self.alert[rows],
        )

    def joined(self, more: "Samples") -> "Samples":
        """These and others."""
        return Samples(
            values_ns=np.concatenate([self.values_ns, more.values_ns]),
            low_ns=np.concatenate([self.low_ns, more.low_ns]),
            high_ns=np.concatenate([self.high_ns, more.high_ns]),
            alert=np.concatenate([self.alert, more.alert]),
        )

    @property
    def uncertainty_max_ns(self) -> int:
        """Largest stamp uncertainty among them."""
        return int((self.high_ns - self.low_ns).max(initial=0))


class Measured:
    """The segments of everything received, ready to be selected from.

    Args:
        account: the closed account.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.pairs = np.flatnonzero(account.seen)
        self.segments = segments_of(account.evidence, self.pairs)
        self.population: npt.NDArray[np.int8] = account.population[self.pairs]
        self.qos: npt.NDArray[np.int8] = account.evidence.expectation.pairs["qos"][self.pairs]
        alerts = account.alerts
        self.burst_of = np.array([alert.burst for alert in alerts], np.int64)
        self._prefecture = np.array([alert.planned.prefecture for alert in alerts])
        self._event = np.array([alert.planned.event.value for alert in alerts])

    def fresh(self) -> Bools:
        """Selects live and queued deliveries: those whose figure is a latency, not an age."""
        rows: Bools = self.population != Population.RETAINED
        return rows

    def of_population(self, population: Population) -> Bools:
        """Selects one population."""
        rows: Bools = self.population == population
        return rows

    def narrowed(
        self,
        rows: Bools,
        *,
        prefecture: str | None = None,
        event: str | None = None,
        qos: int | None = None,
        group: str | None = None,
    ) -> Bools:
        """Narrow a selection by the alert's prefecture and event, effective QoS, and group."""
        alert = self.segments.alert
        if prefecture is not None:
            rows = rows & (self._prefecture == prefecture)[alert]
        if event is not None:
            rows = rows & (self._event == event)[alert]
        if qos is not None:
            rows = rows & (self.qos == qos)
        if group is not None:
            rows = rows & self.account.of_group(group)[self.pairs]
        return rows

    def samples(self, segment: Segment, rows: Bools) -> Samples:
        """The values of a segment, where it is known.

        The true arrival lies up to the uncertainty *before* the receive stamp, so a transit or
        delivery may be shorter by it and a handling longer. What does not use the receive stamp
        has no such uncertainty.
        """
        part = self.segments.parts[segment]
        rows = rows & part.present
        values = part.values_ns[rows]
        uncertainty = self.segments.uncertainty_ns[rows]
        low = high = values
        if segment in {Segment.TRANSIT, Segment.DELIVERY, Segment.ROUND_TRIP}:
            low = values - uncertainty
        elif segment is Segment.HANDLING:
            high = values + uncertainty
        return Samples(values_ns=values, low_ns=low, high_ns=high, alert=self.segments.alert[rows])

    def bounded(self, rows: Bools) -> Samples:
        """Deliveries known only up to their round trip: each lies between 0 and the round trip.

        They have no figure of their own: the values are the upper ends, for judging alone.
        """
        trips = self.samples(Segment.ROUND_TRIP, rows)
        ends = trips.values_ns
        return Samples(values_ns=ends, low_ns=np.minimum(ends, 0), high_ns=ends, alert=trips.alert)

    def ages(
        self,
        *,
        prefecture: str | None = None,
        event: str | None = None,
        qos: int | None = None,
        group: str | None = None,
    ) -> Samples:
        """Ages of retained copies: of states, and of alerts that came with the retain flag."""
        rows = self.narrowed(
            self.of_population(Population.RETAINED),
            prefecture=prefecture,
            event=event,
            qos=qos,
            group=group,
        )
        flagged = self.samples(Segment.DELIVERY, rows)
        states = self.account.counted.state.retained_rows()
        alert, received, flags = states[:, 1], states[:, 2], states[:, 5]
        kept = (received != NO_TIME) & ((flags & int(Flag.ROUND_TRIP)) == 0)
        if prefecture is not None:
            kept &= self._prefecture[alert] == prefecture
        if event is not None:
            kept &= self._event[alert] == event
        if qos is not None:
            kept &= received_qos(flags) == qos
        if group is not None:
            subscribers = self.account.evidence.expectation.subscribers
            kept &= np.array([subscribers[n].group == group for n in states[:, 0]], np.bool_)
        age = (received - self.account.evidence.expectation.intended_ns[alert])[kept]
        return flagged.joined(
            Samples(values_ns=age, low_ns=age - states[kept, 3], high_ns=age, alert=alert[kept])
        )
