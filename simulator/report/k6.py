"""The run as a k6-like end-of-test summary, for tools that read those.

Rule of the module: the shape that k6 hands to ``handleSummary``: trends in milliseconds, counters
and rates; thresholds with ``ok``. What k6 always fills in and this run has no right to (a quantile
of too few samples) is left out. A threshold that could not be judged is not ok, and says so beside
it.

Format: https://grafana.com/docs/k6/latest/results-output/end-of-test/custom-summary/
"""

import hashlib
import json
from typing import Any, Final

from simulator.measure.summary import LatencyRow, Summary, ThresholdResult
from simulator.report import latency_tables
from simulator.report.source import ReportSource
from simulator.units import NS_PER_MS, NS_PER_S

_COUNTED: Final = (
    *("expected", "delivered", "late", "queued", "expired", "missed_offline"),
    *("undetermined", "lost", "not_sent", "receipts", "duplicates", "unexpected"),
)


def k6_summary(source: ReportSource) -> str:
    """The document as JSON; without a summary it has no metrics."""
    summary = source.summary
    duration_ms = summary.run.duration_ns / NS_PER_MS if summary else 0.0
    document = {
        "root_group": {
            "name": "",
            "path": "",
            "id": hashlib.md5(b"", usedforsecurity=False).hexdigest(),
            "groups": [],
            "checks": [],
        },
        "options": {
            "summaryTrendStats": ["min", "avg", "med", "p(90)", "p(99)", "p(99.9)", "max"],
            "summaryTimeUnit": "ms",
            "noColor": True,
        },
        "state": {
            "testRunDurationMs": duration_ms,
            "isStdOutTTY": False,
            "isStdErrTTY": False,
        },
        "metrics": _metrics(summary) if summary else {},
        "setup_data": {
            "exercise": True,
            "run": source.manifest.run,
            "scenario": source.timeline.scenario,
            "seed": source.manifest.seed,
            "incomplete": source.incomplete,
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _metrics(summary: Summary) -> dict[str, Any]:
    metrics: dict[str, Any] = {}
    for row in summary.latency:
        if latency_tables.is_whole(row):
            metrics[_trend_name(row)] = _trend(row)
    total, seconds = summary.ledger.total, summary.run.duration_ns / NS_PER_S
    counted = {name: getattr(total, name) for name in _COUNTED}
    for name, count in (counted | {"qos_lowered": summary.ledger.qos_lowered}).items():
        metrics[name] = {
            "type": "counter",
            "contains": "default",
            "values": {"count": count, "rate": count / seconds if seconds else 0.0},
        }
    received = total.delivered + total.late + total.queued
    metrics["received"] = {
        "type": "rate",
        "contains": "default",
        "values": {
            "rate": received / total.expected if total.expected else 0.0,
            "passes": received,
            "fails": total.expected - received,
        },
    }
    for result in summary.thresholds:
        metric = metrics.setdefault(_tagged(result.metric, result.tags), _gauge(result))
        judged = {"ok": result.verdict == "pass", "verdict": result.verdict}
        metric.setdefault("thresholds", {})[result.expression] = judged
    return metrics


def _trend_name(row: LatencyRow) -> str:
    """As the threshold catalogue names it: ``delivery_latency{population:live}``."""
    return _tagged(f"{row.segment.replace('-', '_')}_latency", {"population": row.population})


def _tagged(metric: str, tags: dict[str, str]) -> str:
    """A metric narrowed by tags, as k6 writes a sub-metric."""
    inside = ",".join(f"{key}:{value}" for key, value in tags.items())
    return f"{metric}{{{inside}}}" if inside else metric


def _trend(row: LatencyRow) -> dict[str, Any]:
    values: dict[str, float] = {"count": row.n}
    for name, value_ns in (("min", row.min_ns), ("avg", row.mean_ns), ("max", row.max_ns)):
        if value_ns is not None:
            values[name] = value_ns / NS_PER_MS
    for quantile in row.quantiles:
        if quantile.value_ns is not None:
            percent = f"p({quantile.percent:g})"
            name = "med" if percent == "p(50)" else percent
            values[name] = quantile.value_ns / NS_PER_MS
    return {"type": "trend", "contains": "time", "values": values}


def _gauge(result: ThresholdResult) -> dict[str, Any]:
    """A metric that only a threshold asked for; k6 would show its last value."""
    known = result.value if result.value is not None else result.high
    scale = NS_PER_MS if result.unit == "ns" else 1
    values = {} if known is None else {"value": known / scale}
    contains = "time" if result.unit == "ns" else "default"
    return {"type": "gauge", "contains": contains, "values": values}
