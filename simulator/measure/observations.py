"""Observations: what was measured for a threshold, as a value and the interval it lies in.

Rule of the module: a metric of the catalogue and its tags select samples or pairs; the aggregate is
taken three times, over the values and over both ends of each value's interval (every aggregate is
monotone in its samples). A row's interval holds all of its stamp and clock error: the true arrival
lies between ``received_ns - uncertainty_ns`` and ``received_ns``. A client without a comparable
clock still bounds its delivery latency: it lies between 0 and the round trip. That is enough to
judge by and no figure: where such a row is among the samples there is an interval and no value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np

from simulator.measure.account import Account, Tally
from simulator.measure.columns import Bools, Int64s
from simulator.measure.lead_time import Kind, first_warnings
from simulator.measure.measured import Measured, Samples
from simulator.measure.order import Order
from simulator.measure.outcomes import Population
from simulator.measure.plan import SubscriberKind
from simulator.measure.receipts import NO_TIME
from simulator.measure.sampling import nearest_rank
from simulator.measure.segments import Segment
from simulator.thresholds import Observation, Threshold
from simulator.thresholds.catalogue import Unit

_POPULATIONS: Final = {"live": Population.LIVE, "queued": Population.QUEUED}
_LEADS: Final[Mapping[str, Kind]] = {"predicted_lead_time": "predicted", "lead_time": "true"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What thresholds are observed on.

    Attributes:
        measured: the samples.
        order: gaps and reordering.
        precision_ns: precision of the sources behind lead times, ±scenario ns.
    """

    measured: Measured
    order: Order
    precision_ns: int

    @property
    def account(self) -> Account:
        """The account behind the samples."""
        return self.measured.account


def observe(threshold: Threshold, scene: Scene) -> Observation:
    """Measure what a threshold speaks about."""
    tags = dict(threshold.tags)
    if threshold.definition.unit is Unit.COUNT:
        return _count(threshold, scene, tags)
    if threshold.metric in _LEADS:
        return _lead(threshold, scene, tags)
    if threshold.metric == "send_lateness":
        return _aggregate(threshold, _lateness(scene.account, tags), 0)
    measured = scene.measured
    prefecture, event = tags.get("prefecture"), tags.get("event")
    qos, group = int(tags["qos"]) if "qos" in tags else None, tags.get("group")
    if threshold.metric == "alert_age":
        ages = measured.ages(prefecture=prefecture, event=event, qos=qos, group=group)
        return _aggregate(threshold, ages, 0)
    segment = Segment(tags.get("segment", Segment.DELIVERY.value))
    rows = measured.fresh()
    if "population" in tags:
        rows = measured.of_population(_POPULATIONS[tags["population"]])
    rows = measured.narrowed(rows, prefecture=prefecture, event=event, qos=qos, group=group)
    if segment is Segment.DELIVERY:
        return _delivery(threshold, measured, rows)
    return _aggregate(threshold, measured.samples(segment, rows), 0)


def lateness_ns(account: Account) -> Int64s:
    """Sent minus intended of every alert sent, wall ns."""
    late: Int64s = _lateness(account, {}).values_ns
    return late


def _lateness(account: Account, tags: Mapping[str, str]) -> Samples:
    """One sample for each alert sent: no receiver is involved, and no stamp error."""
    sent = account.evidence.sent_ns
    rows = sent != NO_TIME
    for alert in account.alerts:
        planned = alert.planned
        rows[alert.number] &= tags.get("prefecture", planned.prefecture) == planned.prefecture
        rows[alert.number] &= tags.get("event", planned.event.value) == planned.event.value
    values = (sent - account.evidence.expectation.intended_ns)[rows]
    return Samples(values_ns=values, low_ns=values, high_ns=values, alert=np.flatnonzero(rows))


def _lead(threshold: Threshold, scene: Scene, tags: Mapping[str, str]) -> Observation:
    warned = [
        one
        for one in first_warnings(scene.measured, _LEADS[threshold.metric])
        if tags.get("prefecture", one.alert.planned.prefecture) == one.alert.planned.prefecture
    ]
    if not warned:
        return Observation.missing("nobody was to be warned there")
    parts: list[tuple[Int64s, Int64s, Int64s]] = []
    alerts: list[Int64s] = []
    for one in warned:
        term, latencies = one.model_term_ns, one.latencies
        if term is not None:
            parts.append(
                (term - latencies.values_ns, term - latencies.high_ns, term - latencies.low_ns)
            )
            alerts.append(latencies.alert)
    if not parts:
        return Observation.missing("not applicable: there was no arrival to count to")
    values, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    samples = Samples(values_ns=values, low_ns=low, high_ns=high, alert=np.concatenate(alerts))
    return _aggregate(threshold, samples, scene.precision_ns)


def _delivery(threshold: Threshold, measured: Measured, rows: Bools) -> Observation:
    """One-way figures and, where there is only a round trip, the interval that it leaves."""
    one_way, bounded = measured.samples(Segment.DELIVERY, rows), measured.bounded(rows)
    if not len(bounded) or threshold.aggregate == "count":
        return _aggregate(threshold, one_way, 0)
    observation = _aggregate(threshold, one_way.joined(bounded), 0)
    return replace(
        observation,
        value=None,
        reason=f"{len(bounded)} of {observation.samples} deliveries are known only up to their "
        "round trip",
    )


def _aggregate(threshold: Threshold, samples: Samples, error_ns: int) -> Observation:
    if threshold.aggregate == "count":
        return Observation.exact(len(samples), len(samples))
    if not len(samples):
        return Observation.missing("nothing was measured")
    return Observation(
        value=_summed_up(threshold, samples.values_ns),
        low=_summed_up(threshold, samples.low_ns) - error_ns,
        high=_summed_up(threshold, samples.high_ns) + error_ns,
        samples=len(samples),
    )


def _summed_up(threshold: Threshold, values: Int64s) -> int:
    if threshold.percent is not None:
        return nearest_rank(np.sort(values), threshold.percent)
    match threshold.aggregate:
        case "min":
            return int(values.min())
        case "max":
            return int(values.max())
        case _:
            return round(float(np.mean(values)))


def _count(threshold: Threshold, scene: Scene, tags: Mapping[str, str]) -> Observation:
    count, base = _counted(threshold.metric, scene, tags)
    if threshold.aggregate == "count":
        return Observation.exact(count, base)
    if not base:
        return Observation.missing("a share of nothing: nothing was expected or received")
    return Observation.exact(Fraction(count, base), base)


def _counted(metric: str, scene: Scene, tags: Mapping[str, str]) -> tuple[int, int]:
    """A count of the ledger, and what it is a share of."""
    account = scene.account
    total = account.total()
    match metric:
        case "duplicates":
            return _caused(account.duplicate_causes(), tags), total.receipts
        case "unexpected":
            return _caused(account.unexpected_causes(), tags), total.receipts
        case "receipts":
            return total.receipts, total.receipts
        case "qos_lowered":
            rows = _pairs(account, tags)
            lowered = int(np.count_nonzero(account.lowered() & rows))
            return lowered, account.where(rows).received
        case "reordered" | "gaps" | "stale":
            return _out_of_order(metric, scene, total)
        case _:
            part = account.where(_pairs(account, tags)) if tags else total
            return _term(part, metric), part.expected


def _out_of_order(metric: str, scene: Scene, total: Tally) -> tuple[int, int]:
    if metric == "stale":
        states = scene.account.final_states()
        return states.stale, states.followed
    if metric == "gaps":
        return scene.order.gaps, total.expected
    return scene.order.reordered, total.received


def _caused(causes: Mapping[str, int], tags: Mapping[str, str]) -> int:
    return causes[tags["cause"]] if "cause" in tags else sum(causes.values())


def _term(tally: Tally, metric: str) -> int:
    term: int = getattr(tally, metric)
    return term


def _pairs(account: Account, tags: Mapping[str, str]) -> Bools:
    """Pairs by prefecture and event of the alert, effective QoS, kind and group of subscriber."""
    table = account.evidence.expectation.pairs
    alert = table["alert"]
    rows = np.ones(len(table), np.bool_)
    if "prefecture" in tags:
        places = np.array([a.planned.prefecture == tags["prefecture"] for a in account.alerts])
        rows &= places[alert]
    if "event" in tags:
        events = np.array([a.planned.event.value == tags["event"] for a in account.alerts])
        rows &= events[alert]
    if "qos" in tags:
        rows &= table["qos"] == int(tags["qos"])
    if "kind" in tags:
        rows &= account.kind_codes() == list(SubscriberKind).index(SubscriberKind(tags["kind"]))
    if "group" in tags:
        rows &= account.of_group(tags["group"])
    return rows
