"""How to get the same run again: the command, versions, digest, host, and the files of the run.

Rule of the module: from the manifest first, since even a killed run has one.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from simulator.report import words
from simulator.report.layout import Table
from simulator.report.source import ReportSource
from simulator.units import format_duration

# Settings that are nanoseconds in the manifest (simulator.settings has them as Duration).
_DURATIONS: Final = frozenset(
    {"gap", "late_after", "drain", "hold", "wait_timeout", "expires_after", "keep_alive"}
)
_FILES: Final = {
    "manifest.json": "what was run and how it ended",
    "timeline.jsonl": "the plan: every event and message, with its digest",
    "deliveries.parquet": "one row per expected or unexpected delivery",
    "deliveries": "rows written while it ran",
    "latency.hlog": "latency histograms by population (HdrHistogram log)",
    "summary.json": "everything this report says, in a versioned form",
    "baseline.json": "how the run compares with its baseline, in a versioned form",
}


def command_of(source: ReportSource) -> str:
    """The command line that repeats the run, quoted for a shell."""
    if source.manifest.command:
        return shlex.join(source.manifest.command)
    if source.summary is not None and source.summary.provenance.command:
        return source.summary.provenance.command
    return shlex.join(
        ["alertsim", "run", source.timeline.scenario, "--seed", str(source.manifest.seed)]
    )


def provenance_facts(source: ReportSource) -> tuple[str, dict[str, str]]:
    """The command, and what else is known about where the run came from."""
    manifest = source.manifest
    summary = source.summary
    versions = manifest.versions or (summary.provenance.packages if summary else {})
    host = manifest.host or (summary.provenance.host if summary else {})
    known = {
        "run": manifest.run,
        "state": manifest.state + (f": {manifest.reason}" if manifest.reason else ""),
        "scenario": source.timeline.scenario,
        "seed": str(manifest.seed),
        "speed": f"{manifest.speed:g} scenario seconds per wall second",
        "timeline digest (SHA-256)": source.timeline.digest,
        "started": words.moment(manifest.started),
        "ended": words.moment(manifest.ended or words.DASH),
        "versions": named(versions),
        "host": named(host),
        "settings": named(manifest.settings),
        "broker": named(manifest.broker),
    }
    return command_of(source), known


def named(values: Mapping[str, Any]) -> str:
    """Names and values as one line, durations with their unit, what is not set left out."""
    parts = [(name.replace("_", " "), _value(name, value)) for name, value in values.items()]
    return ", ".join(f"{name} {value}" for name, value in parts if value)


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name in _DURATIONS:
        return format_duration(value)
    if isinstance(value, int) and name.endswith("_bytes"):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return f"({named(value)})" if value else ""
    if isinstance(value, list | tuple):
        return " ".join(_value("", one) for one in value)
    return "" if value is None else str(value)


def files_table(path: Path) -> Table:
    """The files beside the report."""
    rows = [(name, why) for name, why in _FILES.items() if (path / name).exists()]
    return Table(
        caption="Files of the run, beside this report",
        head=("file", "what it holds"),
        rows=tuple(rows),
    )
