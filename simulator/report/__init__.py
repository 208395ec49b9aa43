"""The report room: a run's files, and what people read of them.

Rule of the room: everything comes from a run directory (manifest, timeline, summary, deliveries);
nothing is measured or judged here, and no client or broker is seen. Tables (polars) and pictures
are imported only when a report is made, never by importing this package.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.experiment.comparison import ComparisonSummary
    from simulator.report.language import Language
    from simulator.report.writing import Report


def regenerate(
    path: Path,
    out: Path | None = None,
    baseline: "ComparisonSummary | None" = None,
    language: "Language" = "en",
) -> "Report":
    """Make ``report.html`` of a run directory again, complete or not.

    Args:
        path: the run directory.
        out: another file for the page: nothing is then written into the directory.
        baseline: a comparison to show instead of the one that is kept in the directory.
        language: in which the page opens.

    Returns:
        The report, to be printed in other forms too.

    Raises:
        OutputError: if the path is no run directory, or a file of it cannot be used.
    """
    from simulator.report.writing import regenerate as made  # noqa: PLC0415  # keeps --help fast

    return made(path, out, baseline, language)
