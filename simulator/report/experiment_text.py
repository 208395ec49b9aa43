"""The plain terminal report of an experiment.

Rule of the module: pure strings, as :mod:`simulator.report.text`.
"""

from pathlib import Path
from typing import Final

from simulator.experiment.summary import ExperimentSummary
from simulator.report import experiment_tables as tables
from simulator.report import words
from simulator.report.experiment_findings import findings
from simulator.report.experiment_words import half
from simulator.report.layout import printable, table_text, wrapped
from simulator.report.text import BANNER

_MOST_FIGURES: Final = 6
_MOST_VARIANTS: Final = 25


def experiment_text(summary: ExperimentSummary, path: Path | None) -> str:
    """The report as lines of text, ready to print.

    Args:
        summary: what came of the experiment.
        path: where it is kept, or None.
    """
    told = findings(summary)
    parts = [_heading(summary), _state(summary)]
    parts.append("\n".join(wrapped("What it comes to", told)) if told else "")
    parts += _tables(summary)
    if path is not None:
        parts.append(f"Kept      {path}")
        if (path / "report.html").exists():
            parts[-1] += f"\nReport    {path / 'report.html'}"
    return words.plain_minus("\n\n".join(part for part in parts if part))


def _heading(summary: ExperimentSummary) -> str:
    return (
        f"{BANNER}  {printable(summary.title)}\n"
        f"scenario {printable(summary.scenario)}, seed {summary.seed}, "
        f"{words.plural(summary.replications, 'replication')}"
        + (
            f" of {words.plural(summary.points_played, 'point')}"
            if summary.points_played > 1
            else ""
        )
        + f"\nrows {summary.rows_digest[:16]} (the same whoever played them)"
    )


def _state(summary: ExperimentSummary) -> str:
    if summary.state == "stopped":
        return (
            f"Stopped at {summary.replications:,} of {summary.replications_asked:,} replications: "
            f"{summary.stop} is reached."
        )
    if summary.state == "interrupted":
        return (
            f"INCOMPLETE: {summary.replications:,} of {summary.replications_asked:,} replications "
            "were played. The same command with the same --out goes on from there."
        )
    if summary.stop_reached is False:
        return _not_reached(summary)
    return ""


def _not_reached(summary: ExperimentSummary) -> str:
    """What became of a rule that did not stop it."""
    metric = summary.stop.partition("=")[0].strip()
    figures = summary.points[0].figures if summary.points else ()
    one = next(
        (one for one in figures if metric in {one.column, one.column.rpartition("_")[0]}), None
    )
    width = "" if one is None else half(one.column, one.student)
    played = words.plural(summary.replications, "replication")
    return f"{summary.stop}: not reached: {width or 'no interval'} after {played}."


def _tables(summary: ExperimentSummary) -> list[str]:
    if not summary.points:
        return []
    columns = tables.compared(summary)[:_MOST_FIGURES]
    if summary.shares:
        return [table_text(tables.shares(summary, column)) for column in columns]
    if summary.swings:
        return [table_text(tables.tornado(summary, column)) for column in columns]
    if summary.points_played > 1:
        return [table_text(tables.variants(summary, column, _MOST_VARIANTS)) for column in columns]
    return [table_text(tables.figures(summary.points[0], everything=False))]
