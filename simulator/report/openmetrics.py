"""The run as OpenMetrics text, for Prometheus (textfile collector, Pushgateway) and its relatives.

Rule of the module: figures of the summary under stable names, seconds and counts as that world
expects them; a figure that is unknown has no sample, never a zero. Only the histogram of delivery
latencies is counted anew, from the table of deliveries, because buckets add up over runs and
quantiles do not.

Format: https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from simulator.measure.summary import Counts, LatencyRow, LeadTimeRow, Summary, ThresholdResult
from simulator.report import latency_tables, tables
from simulator.report.run_directory import RunDirectory
from simulator.report.source import ReportSource
from simulator.units import NS_PER_S

if TYPE_CHECKING:
    import polars as pl

BOUNDS_S: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
_TERMS: Final = (
    *("delivered", "late", "queued", "expired", "missed_offline"),
    *("undetermined", "lost", "not_sent"),
)
_VERDICTS: Final = ("pass", "fail", "inconclusive", "not-judged")

Labels = Mapping[str, str]


def openmetrics_text(source: ReportSource) -> str:
    """All families and the end mark; without a summary only what is known of a killed run."""
    lines = list(_family("alertsim_run", "info", "Which run this was."))
    manifest = source.manifest
    lines.append(
        _sample(
            "alertsim_run_info",
            {
                "run": manifest.run,
                "scenario": source.timeline.scenario,
                "seed": str(manifest.seed),
                "version": manifest.versions.get("alertsim", ""),
                "timeline_digest": source.timeline.digest,
                "exercise": "true",
            },
            1,
        )
    )
    lines += _family("alertsim_run_complete", "gauge", "1 if the run reached its end.")
    lines.append(_sample("alertsim_run_complete", {}, int(not source.incomplete)))
    if source.summary is not None:
        for part in (_verdict, _ledger, _latency, _lead, _instrument):
            lines += part(source.summary)
        lines += _histogram(RunDirectory(source.path).scan_deliveries())
    return "\n".join([*lines, "# EOF"])


def _verdict(summary: Summary) -> Iterator[str]:
    yield from _family("alertsim_exit_code", "gauge", "Exit code of the run.")
    yield _sample("alertsim_exit_code", {}, summary.verdict.exit_code)
    yield from _family("alertsim_threshold", "stateset", "Verdict on each threshold.")
    for result in summary.thresholds:
        for state in _VERDICTS:
            labels = {"threshold": _threshold(result), "alertsim_threshold": state}
            yield _sample("alertsim_threshold", labels, int(result.verdict == state))


def _threshold(result: ThresholdResult) -> str:
    return f"{tables.threshold_metric(result)}: {result.expression}"


def _ledger(summary: Summary) -> Iterator[str]:
    ledger = summary.ledger
    parts = [({"prefecture": part.name}, part.counts) for part in ledger.by_prefecture]
    yield from _family(
        "alertsim_expected_deliveries", "counter", "Alert times receiver whose filter matches."
    )
    for labels, counts in parts:
        yield _sample("alertsim_expected_deliveries_total", labels, counts.expected)
    yield from _family(
        "alertsim_deliveries", "counter", "Expected deliveries by outcome; they sum to expected."
    )
    for labels, counts in parts:
        for term in _TERMS:
            outcome = {"outcome": term.replace("_", "-")}
            yield _sample("alertsim_deliveries_total", labels | outcome, getattr(counts, term))
    yield from _family("alertsim_receipts", "counter", "Copies received, by what they were.")
    for kind, count in _receipts(ledger.total).items():
        yield _sample("alertsim_receipts_total", {"kind": kind}, count)
    yield from _family("alertsim_qos_lowered", "counter", "First copies below the QoS owed.")
    yield _sample("alertsim_qos_lowered_total", {}, ledger.qos_lowered)
    yield from _family("alertsim_client_deliveries", "counter", "Outcomes of foreign clients.")
    for client in summary.foreign_clients:
        for term in _TERMS:
            labels = {"client": client.client, "outcome": term.replace("_", "-")}
            yield _sample("alertsim_client_deliveries_total", labels, getattr(client.counts, term))


def _receipts(total: Counts) -> dict[str, int]:
    return {
        "first": total.delivered + total.late + total.queued,
        "duplicate": total.duplicates,
        "unexpected": total.unexpected,
    }


def _latency(summary: Summary) -> Iterator[str]:
    name = "alertsim_latency_seconds"
    yield from _family(name, "summary", "Measured segments, wall time.", unit="seconds")
    for row in summary.latency:
        if not latency_tables.is_whole(row):
            continue
        labels = {"population": row.population, "segment": row.segment}
        for quantile in row.quantiles:
            if quantile.value_ns is not None:
                which = labels | {"quantile": f"{quantile.percent / 100:.5g}"}
                yield _sample(name, which, quantile.value_ns / NS_PER_S)
        yield _sample(f"{name}_count", labels, row.n)
        if row.mean_ns is not None and not row.negatives:
            yield _sample(f"{name}_sum", labels, row.mean_ns * row.n / NS_PER_S)
    name = "alertsim_latency_max_seconds"
    yield from _family(name, "gauge", "Largest of each segment, wall time.", unit="seconds")
    yield from _extremes(name, summary.latency)


def _extremes(name: str, rows: Iterable[LatencyRow]) -> Iterator[str]:
    for row in rows:
        if latency_tables.is_whole(row) and row.max_ns is not None:
            labels = {"population": row.population, "segment": row.segment}
            yield _sample(name, labels, row.max_ns / NS_PER_S)


def _lead(summary: Summary) -> Iterator[str]:
    name = "alertsim_lead_time_seconds"
    yield from _family(
        name, "gauge", "Middle lead time, scenario time; negative: it came after.", unit="seconds"
    )
    for row in _unique(summary.lead_times):
        if row.lead_median_ns is not None:
            labels = {"kind": row.kind, "prefecture": row.prefecture, "launch": row.launch or ""}
            yield _sample(name, labels, row.lead_median_ns / NS_PER_S)


def _unique(rows: Iterable[LeadTimeRow]) -> Iterable[LeadTimeRow]:
    return {(row.kind, row.prefecture, row.launch): row for row in rows}.values()


def _instrument(summary: Summary) -> Iterator[str]:
    instrument = summary.instrument
    yield from _family(
        "alertsim_instrument_bottleneck", "gauge", "1 if the instrument set the pace."
    )
    yield _sample("alertsim_instrument_bottleneck", {}, int(instrument.bottleneck))
    name = "alertsim_process_cpu_ratio"
    yield from _family(name, "gauge", "CPU time over wall time while measuring.", unit="ratio")
    for process in instrument.processes:
        yield _sample(name, {"process": process.name}, process.cpu_share)
    name = "alertsim_process_loop_lag_seconds"
    yield from _family(name, "gauge", "Longest turn of its loop, wall time.", unit="seconds")
    for process in instrument.processes:
        yield _sample(name, {"process": process.name}, process.loop_lag_max_ns / NS_PER_S)


def _histogram(table: "pl.LazyFrame") -> Iterator[str]:
    import polars as pl  # noqa: PLC0415  # it takes 0.4 s to import

    value = pl.col("delivery_ns")
    counted = (
        table.filter(value.is_not_null() & pl.col("population").is_in(["live", "queued"]))
        .group_by("population")
        .agg(
            *((value <= round(bound * NS_PER_S)).sum().alias(f"{bound:g}") for bound in BOUNDS_S),
            value.len().alias("+Inf"),
            value.sum().alias("sum"),
            value.min().alias("min"),
        )
        .sort("population")
        .collect(engine="streaming")
    )
    name = "alertsim_delivery_latency_seconds"
    yield from _family(name, "histogram", "Received minus intended, wall time.", unit="seconds")
    for row in counted.iter_rows(named=True):
        labels = {"population": row["population"]}
        for bound in BOUNDS_S:
            yield _sample(f"{name}_bucket", labels | {"le": f"{bound!r}"}, row[f"{bound:g}"])
        yield _sample(f"{name}_bucket", labels | {"le": "+Inf"}, row["+Inf"])
        yield _sample(f"{name}_count", labels, row["+Inf"])
        if row["min"] >= 0:  # the sum of a histogram with negative values is no counter
            yield _sample(f"{name}_sum", labels, row["sum"] / NS_PER_S)


def _family(name: str, kind: str, text: str, unit: str = "") -> Iterator[str]:
    yield f"# TYPE {name} {kind}"
    if unit:
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {text}"


def _sample(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value!r}" if inside else f"{name} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
