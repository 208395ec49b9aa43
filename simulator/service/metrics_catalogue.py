"""Which metrics the service shows: one record for each, for the code, its checks and the docs.

Rule of the module: no label without a closed list of values, so that nothing a scenario, a client
or a browser says can add a time series. Names, units and the words for outcomes are those that
``alertsim report --format openmetrics`` uses for a single run.

Conventions: https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

from simulator.measure.outcomes import Outcome
from simulator.measure.running import SEGMENTS
from simulator.model.timeline import AlertEvent
from simulator.world.geography import prefectures

Kind = Literal["counter", "gauge", "histogram", "info"]

RUN_OUTCOMES: Final = ("pass", "fail", "inconclusive", "aborted", "error")
OUTCOMES: Final = tuple(outcome.word for outcome in Outcome)
RECEIPT_KINDS: Final = ("first", "duplicate", "unexpected")
SKIP_REASONS: Final = ("still-playing", "missed", "refused")
QOS: Final = ("0", "1", "2")
FREE: Final = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of the service.

    Attributes:
        name: as scraped; without ``_total`` for a counter, which the format adds.
        kind: of Prometheus.
        help: what it counts, one sentence.
        labels: closed list of values by label; an empty list stands for a fact of this process
            that has one value only (its version).
        unit: base unit, ``seconds`` or ``bytes``; empty for counts.
    """

    name: str
    kind: Kind
    help: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    unit: str = ""

    @property
    def shown(self) -> str:
        """The name of its samples, without the suffixes of a histogram."""
        return (
            f"{self.name}_{'total' if self.kind == 'counter' else 'info'}"
            if (self.kind in {"counter", "info"})
            else self.name
        )


@cache
def metrics() -> tuple[Metric, ...]:
    """All metrics of alertsim, in the order in which they are shown."""
    places = tuple(place.slug for place in prefectures())
    events = tuple(event.value for event in AlertEvent)
    return (
        Metric(name="alertsim_build", kind="info", help="Which alertsim this is; exercises only.",
               labels={"version": FREE, "python": FREE, "exercise": ("true",)}),
        Metric(name="alertsim_delivery_latency_seconds", kind="histogram", unit="seconds",
               help="First copies by segment, wall time: send, transit and handling add up; "
               "delivery is received minus intended.",
               labels={"segment": SEGMENTS, "prefecture": places, "qos": QOS, "event": events}),
        Metric(name="alertsim_publish_delay_seconds", kind="histogram", unit="seconds",
               help="How much later than intended the publisher wrote an alert, wall time."),
        Metric(name="alertsim_deliveries", kind="counter",
               help="Expected deliveries of runs that ended, by outcome; they sum to expected.",
               labels={"outcome": OUTCOMES}),
        Metric(name="alertsim_expected_deliveries", kind="counter",
               help="Alert times receiver whose filter matches, of runs that ended."),
        Metric(name="alertsim_receipts", kind="counter",
               help="Copies received so far, by what they were; while a run plays, too.",
               labels={"kind": RECEIPT_KINDS}),
        Metric(name="alertsim_alerts_sent", kind="counter",
               help="Alerts written by publishers; every one an exercise.",
               labels={"prefecture": places, "event": events}),
        Metric(name="alertsim_reconnects", kind="counter",
               help="Connections that subscribers had to open again."),
        Metric(name="alertsim_runs", kind="counter", help="Runs that ended, by outcome.",
               labels={"outcome": RUN_OUTCOMES}),
        Metric(name="alertsim_runs_active", kind="gauge", help="Runs that play now."),
        Metric(name="alertsim_runs_queued", kind="gauge", help="Runs that wait for a free place."),
        Metric(name="alertsim_clients_online", kind="gauge",
               help="Foreign test clients that are online by their status, over runs that play."),
        Metric(name="alertsim_pages_connected", kind="gauge",
               help="Live pages and scripts that listen to server-sent events."),
        Metric(name="alertsim_feed_dropped", kind="counter",
               help="Live events that a slow page was not sent; the run never waits."),
        Metric(name="alertsim_run_events_dropped", kind="counter",
               help="Live events that a run dropped because the service read too slowly."),
        Metric(name="alertsim_events_refused", kind="counter",
               help="Parts of live events that name no known prefecture, event or QoS, or are "
               "malformed; counted here and nowhere else."),
        Metric(name="alertsim_schedules", kind="gauge", help="Schedules in force."),
        Metric(name="alertsim_schedule_skips", kind="counter",
               help="Times at which a schedule did not start a run, by why.",
               labels={"reason": SKIP_REASONS}),
        Metric(name="alertsim_store_runs", kind="gauge", help="Runs kept in the store."),
        Metric(name="alertsim_store_bytes", kind="gauge", unit="bytes",
               help="Size of what is kept in the store."),
        Metric(name="alertsim_store_free_bytes", kind="gauge", unit="bytes",
               help="Free space of the disk that the store is on."),
        Metric(name="alertsim_store_removed", kind="counter",
               help="Runs and experiments that retention removed."),
    )  # fmt: skip


def catalogue() -> tuple[dict[str, Any], ...]:
    """The metrics as plain data, for ``docs/generate.py`` and other tools.

    Returns:
        For each ``name`` (as scraped, with ``_total``), ``type``, ``labels`` (values by label, an
        empty list where there is one value that depends on the installation), ``unit``, ``help``.
    """
    return tuple(
        {
            "name": metric.shown,
            "type": metric.kind,
            "labels": {label: list(values) for label, values in metric.labels.items()},
            "unit": metric.unit,
            "help": metric.help,
        }
        for metric in metrics()
    )
