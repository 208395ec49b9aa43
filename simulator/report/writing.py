"""From a run directory to its reports: the one door that ``run`` and ``alertsim report`` use.

Rule of the module: reads the run directory, writes only ``report.html`` and ``latency.hlog`` into
it; asking twice gives the same bytes. What can be large (rows) comes in pieces.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from simulator.experiment.comparison import ComparisonSummary
from simulator.measure.summary import NOTICE, SUMMARY_SCHEMA, RunFacts
from simulator.report.hlog import TaggedLatencies, read_latency_log, write_latency_log
from simulator.report.html import page
from simulator.report.junit import junit_report
from simulator.report.k6 import k6_summary
from simulator.report.language import Language
from simulator.report.manifest import write_atomically
from simulator.report.markdown import markdown_report
from simulator.report.openmetrics import openmetrics_text
from simulator.report.run_directory import HISTOGRAM_NAME, REPORT_NAME, RunDirectory
from simulator.report.source import ReportSource, read_source
from simulator.report.text import text_report

Form = Literal["text", "markdown", "junit", "k6", "openmetrics", "csv", "hlog"]
POPULATIONS = ("live", "retained", "queued")
_MAKERS: Final[dict[str, Callable[[ReportSource], str]]] = {
    "text": text_report,
    "markdown": markdown_report,
    "junit": junit_report,
    "k6": k6_summary,
    "openmetrics": openmetrics_text,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report that was made.

    Attributes:
        page: path of the page, ``report.html`` unless another was asked for.
        source: what it was made from.
    """

    page: Path
    source: ReportSource

    def render(self, form: Form = "text") -> str:
        """The report in another form, without a newline at its end."""
        return "\n".join(self.pieces(form))

    def pieces(self, form: Form = "text") -> Iterator[str]:
        """The report in another form, in pieces without a newline at their ends.

        Args:
            form: ``text`` or ``markdown`` for people; ``junit`` for pipelines; ``k6`` and
                ``openmetrics`` for what shows trends; ``csv``, every row; ``hlog``, the histograms
                as they stand in ``latency.hlog``.

        Raises:
            OutputError: if a file that it is made from is missing or damaged.
        """
        if form == "csv":
            from simulator.report.csv_rows import csv_pieces  # noqa: PLC0415  (imports polars)

            yield from csv_pieces(RunDirectory(self.source.path))
        elif form == "hlog":
            yield _histogram_text(self.source)
        else:
            yield _MAKERS[form](self.source).rstrip("\n")

    def summary_document(self) -> dict[str, Any]:
        """The summary as plain data; of a killed run, what is known instead."""
        if self.source.summary is not None:
            whole = self.source.summary.model_copy(update={"baseline": self.source.baseline})
            return whole.model_dump(mode="json")
        partial = self.source.partial
        return {
            "schema_version": SUMMARY_SCHEMA,
            "notice": NOTICE,
            "completeness": {"state": "incomplete", "reason": self.source.incomplete},
            "manifest": self.source.manifest.model_dump(mode="json"),
            "rows": partial.rows if partial else 0,
            "outcomes": partial.outcomes if partial else {},
            "latency": [row.model_dump(mode="json") for row in partial.latency] if partial else [],
        }


def regenerate(
    path: Path,
    out: Path | None = None,
    baseline: ComparisonSummary | None = None,
    language: Language = "en",
) -> Report:
    """Make or remake ``report.html`` of a run directory, complete or not.

    Args:
        path: the run directory.
        out: another file for the page: nothing is then written into the directory.
        baseline: a comparison to show instead of the one that is kept in the directory.
        language: in which the page opens.

    Raises:
        OutputError: if the path is no run directory, a file of it is missing, truncated, altered or
            of an unknown schema, or the page cannot be written.
    """
    source = read_source(path)
    if baseline is not None:
        source = replace(source, baseline=baseline)
    target = source.path / REPORT_NAME if out is None else out
    write_atomically(target, page(source, language).encode())
    return Report(page=target, source=source)


def write_histogram(
    directory: RunDirectory, run: RunFacts, ages: TaggedLatencies | None = None
) -> Path:
    """Write ``latency.hlog`` from the run's deliveries, population by population.

    Args:
        directory: the run directory, its deliveries written.
        run: tells when the run started on both clocks.
        ages: of retained copies, those of states among them, which are no deliveries and stand in
            no table; of the alerts among the deliveries alone if not given.

    Raises:
        OutputError: if the deliveries cannot be read or the log cannot be written.
    """
    from simulator.report import deliveries  # noqa: PLC0415  (polars takes 0.4 s to import)

    target = directory.path / HISTOGRAM_NAME
    table = directory.scan_deliveries()
    write_latency_log(
        target,
        (
            ages
            if ages is not None and population == ages.tag
            else deliveries.latencies(table, population)
            for population in POPULATIONS
        ),
        start_ns=int(run.start_monotonic_ns),
        start_unix_ns=int(run.start_unix_ns),
    )
    return target


def _histogram_text(source: ReportSource) -> str:
    """The histogram log of a run; a run that was killed has left none."""
    path = source.path / HISTOGRAM_NAME
    read_latency_log(path)  # refuses a damaged one
    return path.read_text(encoding="ascii").rstrip("\n")
