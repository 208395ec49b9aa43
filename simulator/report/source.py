"""What a report is made from, read from a run directory once.

Rule of the module: reading only. A run that was killed has no summary: its report is made from the
manifest, the timeline and the deliveries written so far, and says so. What the summary already says
needs neither the table of deliveries nor the comparison kept beside it: where one of these is
damaged the report is made without it, and says so too.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.errors import OutputError
from simulator.experiment.comparison import COMPARISON_SCHEMA, ComparisonSummary
from simulator.measure.summary import SUMMARY_SCHEMA, Curve, LatencyRow, Summary
from simulator.model.timeline import Timeline
from simulator.report.manifest import Manifest, checked, load_json
from simulator.report.run_directory import BASELINE_NAME, SUMMARY_NAME, RunDirectory
from simulator.report.so_far import latency_so_far

if TYPE_CHECKING:
    from simulator.report.heat import LatencyHeat

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
        heat: live deliveries by time and latency, None if there are none or they cannot be read.
        baseline: how it compares with a baseline run (side 0; this run is side 1), if one was
            asked for.
        notices: what the report had to be made without, sentences.
    """

    path: Path
    manifest: Manifest
    timeline: Timeline
    summary: Summary | None
    partial: Partial | None = None
    heat: "LatencyHeat | None" = None
    baseline: ComparisonSummary | None = None
    notices: tuple[str, ...] = ()

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
    manifest, timeline = directory.manifest(), directory.timeline()
    partial = _partial(directory) if summary is None else None
    notices: list[str] = []
    return ReportSource(
        path=directory.path,
        manifest=manifest,
        timeline=timeline,
        summary=summary,
        partial=partial,
        heat=_heat(directory, summary, notices),
        baseline=_baseline(directory, notices),
        notices=tuple(notices),
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
    remedy = "restore the file from where the run was copied from, or run again"
    return checked(path, data, Summary, SUMMARY_SCHEMA, called="summary", remedy=remedy)


def read_baseline(directory: RunDirectory) -> ComparisonSummary | None:
    """Read the comparison with a baseline that is kept in a run directory; None if there is none.

    Raises:
        OutputError: if it is truncated, altered or of an unknown schema.
    """
    path = directory.path / BASELINE_NAME
    if not path.exists():
        return None
    remedy = "make it again: alertsim report RUNDIR --baseline RUNDIR2"
    return checked(
        path,
        load_json(path),
        ComparisonSummary,
        COMPARISON_SCHEMA,
        called="comparison",
        remedy=remedy,
    )


def _heat(
    directory: RunDirectory, summary: Summary | None, notices: list[str]
) -> "LatencyHeat | None":
    """The heat map; a table that is gone or damaged costs the picture, not the report."""
    import polars as pl  # noqa: PLC0415  (0.4 s, only where a report is made)

    from simulator.report.heat import latency_heat  # noqa: PLC0415

    try:
        table = directory.scan_deliveries()
        heat = latency_heat(table)
    except OutputError as error:
        notices.append(f"The table of deliveries could not be used: {_first_line(error)}.")
        return None
    except pl.exceptions.PolarsError as error:
        notices.append(f"The table of deliveries is damaged: {_first_line(error)}.")
        return None
    owed = summary.ledger.total if summary is not None else None
    if heat is None and owed is not None and owed.delivered + owed.late:
        notices.append("The table of deliveries is missing, or holds none of what was delivered.")
    return heat


def _baseline(directory: RunDirectory, notices: list[str]) -> ComparisonSummary | None:
    try:
        return read_baseline(directory)
    except OutputError as error:
        notices.append(f"The comparison with a baseline could not be used: {_first_line(error)}.")
        return None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def _partial(directory: RunDirectory) -> Partial:
    table = directory.scan_deliveries()
    counts: dict[str, int] = {}
    if "outcome" in table.collect_schema().names():
        grouped = table.group_by("outcome").len().sort("outcome").collect()
        counts = {str(name): int(count) for name, count in grouped.iter_rows()}
    latency, curves = latency_so_far(table)
    return Partial(rows=sum(counts.values()), outcomes=counts, latency=latency, curves=curves)
