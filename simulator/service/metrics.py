"""``/metrics``: the totals of the service in the words of Prometheus.

Rule of the module: what is scraped is read from the fold and from a few gauges at that instant; a
scrape changes nothing, and scrapers together take a tenth of a processor at most. What is written
is a copy, in a thread, so that neither live events nor pages wait for it. A registry of its own, so
that two services in one process, and tests, do not share figures.
"""

import asyncio
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import generate_latest as plain_text
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_text
from prometheus_client.registry import Collector

from simulator.clock import Clock
from simulator.measure.running import BUCKETS_NS
from simulator.service.metrics_catalogue import Metric, metrics
from simulator.service.metrics_fold import Histogram, Totals
from simulator.units import NS_PER_S

PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_REST: Final = 10
_BOUNDS: Final = (*(repr(bound / NS_PER_S) for bound in BUCKETS_NS), "+Inf")

Labelled = Mapping[tuple[str, ...], float]


@dataclass(slots=True, kw_only=True)
class Metrics:
    """Everything that is counted for ``/metrics``.

    Attributes:
        version: of alertsim.
        totals: of the runs.
        gauges: where a figure that others keep comes from, by metric name; one that is not given
            or answers None has no sample.
        feed_dropped: events that slow pages were not sent.
        skips: by reason, of the schedules.
        removed: by retention.
    """

    version: str
    totals: Totals = field(default_factory=Totals)
    gauges: dict[str, Callable[[], float | None]] = field(default_factory=dict)
    feed_dropped: int = 0
    skips: dict[str, int] = field(default_factory=dict)
    removed: int = 0

    def registry(self) -> CollectorRegistry:
        """A registry of these and of this process's own memory, CPU time and open files."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Alertsim(self))
        ProcessCollector(registry=registry)
        return registry

    def copy(self) -> "Metrics":
        """All of it as it is at this instant; gauges are read."""
        read = {name: gauge() for name, gauge in self.gauges.items()}
        return replace(
            self,
            totals=self.totals.copy(),
            gauges={name: lambda value=value: value for name, value in read.items()},  # type: ignore[misc]
            skips=dict(self.skips),
        )

    def labelled(self) -> dict[str, Labelled]:
        """Values by metric name and label values, histograms left out."""
        totals = self.totals
        found: dict[str, Labelled] = {
            "alertsim_deliveries": _keyed(metrics_of("alertsim_deliveries"), totals.deliveries),
            "alertsim_expected_deliveries": {(): totals.expected},
            "alertsim_receipts": _keyed(metrics_of("alertsim_receipts"), totals.receipts),
            "alertsim_alerts_sent": {(*at,): float(count) for at, count in totals.sent.items()},
            "alertsim_reconnects": {(): totals.reconnects},
            "alertsim_runs": _keyed(metrics_of("alertsim_runs"), totals.runs),
            "alertsim_runs_active": {(): totals.active},
            "alertsim_clients_online": {(): totals.online},
            "alertsim_feed_dropped": {(): self.feed_dropped},
            "alertsim_run_events_dropped": {(): totals.dropped},
            "alertsim_events_refused": {(): totals.refused},
            "alertsim_schedule_skips": _keyed(metrics_of("alertsim_schedule_skips"), self.skips),
            "alertsim_store_removed": {(): self.removed},
        }
        for name, read in self.gauges.items():
            value = read()
            if value is not None:
                found[name] = {(): value}
        return found


def metrics_of(name: str) -> Metric:
    """The metric of this name.

    Raises:
        KeyError: if the catalogue has none.
    """
    for metric in metrics():
        if metric.name == name:
            return metric
    raise KeyError(name)


def _keyed(metric: Metric, counts: Mapping[str, int]) -> Labelled:
    """Counts by the values of the metric's one label, zero where nothing was counted yet."""
    (values,) = metric.labels.values()
    return {(value,): counts.get(value, 0) for value in values}


class _Alertsim(Collector):
    """Reads the figures when they are scraped."""

    def __init__(self, source: Metrics) -> None:
        self._source = source

    def collect(self) -> Iterator[Family]:
        """Every family of the catalogue that has a sample, in its order."""
        labelled = self._source.labelled()
        for metric in metrics():
            match metric.kind:
                case "info":
                    facts = {"version": self._source.version, "exercise": "true"}
                    yield InfoMetricFamily(
                        metric.name, metric.help, facts | {"python": platform.python_version()}
                    )
                case "histogram":
                    yield self._histogram(metric)
                case _ if metric.name in labelled:
                    yield _values(metric, labelled[metric.name])
                case _:
                    pass  # nobody knows it

    def _histogram(self, metric: Metric) -> Family:
        totals = self._source.totals
        family = HistogramMetricFamily(
            metric.name, metric.help, labels=list(metric.labels), unit=metric.unit
        )
        series: Mapping[Any, Histogram] = (
            totals.latency if metric.labels else {(): totals.publish_delay}
        )
        for labels, histogram in sorted(series.items()):
            below, buckets = 0, []
            for bound, count in zip(_BOUNDS, histogram.cells, strict=True):
                below += count
                buckets.append((bound, float(below)))
            total_s = None if histogram.signed else histogram.sum_ns / NS_PER_S
            family.add_metric(labels, buckets, total_s)
        return family


def _values(metric: Metric, values: Labelled) -> Family:
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=list(metric.labels), unit=metric.unit)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def format_for(accept: str) -> str:
    """Content type of a scrape.

    Args:
        accept: the request's Accept header; OpenMetrics if it names it, else the plain format,
            which every Prometheus understands.
    """
    wanted = (part.split(";") for part in accept.lower().split(","))
    for name, *parameters in wanted:
        refused = any(each.replace(" ", "") in {"q=0", "q=0.0"} for each in parameters)
        if name.strip() == "application/openmetrics-text" and not refused:
            return OPENMETRICS
    return PLAIN


class Exposition:
    """Writes metrics, at most a tenth of the time however often it is asked.

    A text is handed out again for ten times as long as writing it took, unless something ended:
    fifty series take a few milliseconds, all prefectures at once some hundred.

    Args:
        metrics: what is written.
        clock: where time comes from.
    """

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._written: dict[str, tuple[int, bytes]] = {}
        self._one = asyncio.Lock()
        self._age = 0

    async def text(self, kind: str) -> bytes:
        """The text in this format; who asks while it is being written waits for that one."""
        async with self._one:
            began_ns, age = self._clock.monotonic_ns(), self._age
            until_ns, text = self._written.get(kind, (began_ns, b""))
            if began_ns >= until_ns:
                copy = self._metrics.copy()
                text, until_ns = await asyncio.to_thread(self._timed, kind, copy)
                if age == self._age:  # else something ended while it was written
                    self._written[kind] = (until_ns, text)
            return text

    def _timed(self, kind: str, metrics: Metrics) -> tuple[bytes, int]:
        """The text and until when it rests, ns; the wait for a free thread is no work."""
        began_ns = self._clock.monotonic_ns()
        text = _made(kind, metrics)
        return text, began_ns + _REST * (self._clock.monotonic_ns() - began_ns)

    def forget(self) -> None:
        """Write anew when next asked."""
        self._age += 1
        self._written.clear()


def _made(kind: str, metrics: Metrics) -> bytes:
    registry = metrics.registry()
    if kind == OPENMETRICS:
        return openmetrics_text(registry)  # type: ignore[no-any-return, no-untyped-call]
    return plain_text(registry)
