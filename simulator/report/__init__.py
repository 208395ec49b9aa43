"""The report room: a run's files, and what people read of them.

Rule of the room: everything comes from a run directory (manifest, timeline, summary, deliveries);
nothing is measured or judged here, and no client or broker is seen. Tables (polars) and pictures
are imported only when a report is made, never by importing this package.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.report.writing import Report


def regenerate(path: Path) -> "Report":
    """Make ``report.html`` of a run directory again, complete or not.

    Args:
        path: the run directory.

    Returns:
        The report, to be printed in other forms too.

    Raises:
        OutputError: if the path is no run directory, or a file of it cannot be used.
    """
    from simulator.report.writing import regenerate as made  # noqa: PLC0415  # keeps --help fast

    return made(path)
