"""What a report is made from, read from a run directory once.

Rule of the module: reading only. A run that was killed has no summary: its report is made from the
manifest, the timeline and the deliveries written so far, and says so.
"""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from simulator.errors import OutputError
from simulator.measure.summary import SUMMARY_SCHEMA, Curve, LatencyRow, Summary
from simulator.model.timeline import Timeline
from simulator.report.manifest import Manifest, check_schema
from simulator.report.run_directory import SUMMARY_NAME, RunDirectory
from simulator.report.so_far import latency_so_far

KILLED = "it is still running, or was killed before it could say why it ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What is known of the deliveries of a run that never closed its account.

    Attributes:
        rows: rows in the parts written so far.
        outcomes: rows by outcome.
        latency: segments of what had arrived.
        curves: their percentile curves.
    """

    rows: int
    outcomes: dict[str, int] = field(default_factory=dict)
    latency: tuple[LatencyRow, ...] = ()
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSource:
    """A run, as its report sees it.

    Attributes:
        path: the run directory.
        manifest: what was run.
        timeline: the plan.
        summary: what came of it; None if the run was killed before it was written.
        partial: the deliveries written so far, where there is no summary.
    """

    path: Path
    manifest: Manifest
    timeline: Timeline
    summary: Summary | None
    partial: Partial | None = None

    @property
    def incomplete(self) -> str:
        """Why the run is incomplete, one sentence; empty if it is complete."""
        if self.summary is not None and self.summary.completeness.state == "incomplete":
            return self.summary.completeness.reason or self.manifest.reason or KILLED
        if self.summary is None or self.manifest.state != "complete":
            return self.manifest.reason or KILLED
        return ""


def read_source(path: Path) -> ReportSource:
    """Read a run directory, complete or not.

    Raises:
        OutputError: naming the file that is missing, truncated, altered or of an unknown schema.
    """
    directory = RunDirectory.open(path)
    summary = read_summary(directory)
    return ReportSource(
        path=directory.path,
        manifest=directory.manifest(),
        timeline=directory.timeline(),
        summary=summary,
        partial=_partial(directory) if summary is None else None,
    )


def read_summary(directory: RunDirectory) -> Summary | None:
    """Read and check ``summary.json``; None if the run ended before it was written.

    Raises:
        OutputError: if it is truncated, altered or of an unknown schema.
    """
    data = directory.summary_data()
    if data is None:
        return None
    path = directory.path / SUMMARY_NAME
    check_schema(path, data, SUMMARY_SCHEMA)
    try:
        return Summary.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise OutputError(
            f"not a summary of alertsim: {first['msg']}",
            where=str(path),
            field=".".join(str(part) for part in first["loc"]),
            remedy="restore the file from where the run was copied from, or run again",
        ) from error


def _partial(directory: RunDirectory) -> Partial:
    table = directory.scan_deliveries()
    counts: dict[str, int] = {}
    if "outcome" in table.collect_schema().names():
        grouped = table.group_by("outcome").len().sort("outcome").collect()
        counts = {str(name): int(count) for name, count in grouped.iter_rows()}
    latency, curves = latency_so_far(table)
    return Partial(rows=sum(counts.values()), outcomes=counts, latency=latency, curves=curves)
