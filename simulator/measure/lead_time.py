"""Lead time: how long before the arrival a subscriber was warned.

    lead time = arrival - (planned issue + measured latency)

Rule of the module: the arrival and the issue are scenario time, the latency is wall time; one real
second counts as one scenario second at any speed, and both terms are shown apart. The *model term*
is arrival minus planned issue, the *measured term* is the delivery latency. ``predicted`` counts to
the arrival that was believed at issue, ``true`` to what really arrived, and is not applicable where
nothing did. Founding case: issued 07:50 for an arrival believed at 07:48, so about -120 s, ± 60 s
because the sources give whole minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from simulator.measure.columns import Int64s
from simulator.measure.measured import Measured, Samples
from simulator.measure.plan import ScheduledAlert
from simulator.measure.sampling import MEDIAN, nearest_rank
from simulator.measure.segments import Segment
from simulator.measure.summary import LeadTimeRow
from simulator.model.timeline import AlertEvent

Kind = Literal["predicted", "true"]

WARNINGS: Final = frozenset({AlertEvent.LAUNCH, AlertEvent.TAKE_SHELTER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """The first warning of one launch to one prefecture, and how it travelled.

    Attributes:
        kind: predicted or true.
        alert: the alert, of the first playing.
        arrival_ns: scenario ns, None where there is no arrival to count to.
        latencies: measured delivery latencies of all playings.
    """

    kind: Kind
    alert: ScheduledAlert
    arrival_ns: int | None
    latencies: Samples

    @property
    def model_term_ns(self) -> int | None:
        """Arrival minus planned issue, scenario ns."""
        return None if self.arrival_ns is None else self.arrival_ns - self.alert.planned.at_ns

    def leads_ns(self) -> Int64s:
        """Lead time of each delivery, scenario ns; empty without an arrival."""
        term = self.model_term_ns
        return np.zeros(0, np.int64) if term is None else term - self.latencies.values_ns


def first_warnings(measured: Measured, kind: Kind) -> Iterator[Warned]:
    """The first warning of every (launch, prefecture), in order of issue."""
    alerts = measured.account.alerts
    first: dict[tuple[str | None, str], ScheduledAlert] = {}
    playings: dict[int, list[int]] = {}
    for alert in alerts:
        playings.setdefault(alert.planned.number, []).append(alert.number)
        if alert.planned.event in WARNINGS:
            first.setdefault((alert.planned.launch, alert.planned.prefecture), alert)
    everything = measured.samples(Segment.DELIVERY, measured.fresh())
    for alert in first.values():
        rows = np.isin(everything.alert, playings[alert.planned.number])
        planned = alert.planned
        yield Warned(
            kind=kind,
            alert=alert,
            arrival_ns=(
                planned.believed_arrival_ns if kind == "predicted" else planned.true_arrival_ns
            ),
            latencies=everything.part(rows),
        )


def lead_time_rows(measured: Measured, precision_ns: int) -> tuple[LeadTimeRow, ...]:
    """Predicted lead times of every prefecture, then true ones.

    Args:
        measured: the samples.
        precision_ns: precision of the sources behind issue and arrival, scenario ±ns.
    """
    kinds: tuple[Kind, ...] = ("predicted", "true")
    return tuple(
        _row(measured, warned, precision_ns)
        for kind in kinds
        for warned in first_warnings(measured, kind)
    )


def _row(measured: Measured, warned: Warned, precision_ns: int) -> LeadTimeRow:
    planned = warned.alert.planned
    latency = np.sort(warned.latencies.values_ns)
    lead = np.sort(warned.leads_ns())
    reason = ""
    if warned.arrival_ns is None:
        reason = (
            "no arrival was predicted at issue" if warned.kind == "predicted" else "nothing arrived"
        )
    elif not len(latency):
        reason = "no delivery was measured"
    alert = warned.latencies.alert
    return LeadTimeRow(
        kind=warned.kind,
        prefecture=planned.prefecture,
        launch=planned.launch,
        event=planned.event.value,
        applicable=warned.arrival_ns is not None,
        reason=reason,
        issue_ns=planned.at_ns,
        arrival_ns=warned.arrival_ns,
        model_term_ns=warned.model_term_ns,
        precision_ns=precision_ns,
        n=len(latency),
        alerts=len(np.unique(alert)),
        bursts=len(np.unique(measured.burst_of[alert])),
        latency_min_ns=_first(latency),
        latency_median_ns=_middle(latency),
        latency_max_ns=_last(latency),
        lead_min_ns=_first(lead),
        lead_median_ns=_middle(lead),
        lead_max_ns=_last(lead),
    )


def _first(ordered: Int64s) -> int | None:
    return int(ordered[0]) if len(ordered) else None


def _last(ordered: Int64s) -> int | None:
    return int(ordered[-1]) if len(ordered) else None


def _middle(ordered: Int64s) -> int | None:
    return nearest_rank(ordered, MEDIAN) if len(ordered) else None
