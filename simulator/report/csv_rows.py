"""The table of deliveries as CSV (RFC 4180), for spreadsheets and line-oriented tools.

Rule of the module: rows stream from Parquet to text, a chunk at a time; a missing figure is an
empty field, and the columns are those of ``deliveries.parquet`` in their order.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.report.deliveries import ROW_GROUP
from simulator.report.run_directory import RunDirectory

if TYPE_CHECKING:
    import polars as pl


def csv_pieces(directory: RunDirectory) -> Iterator[str]:
    """The header, then the rows, in pieces that end without a newline.

    Raises:
        OutputError: naming the file that is truncated or is not a table of deliveries.
    """
    table = directory.scan_deliveries()
    yield _text(table.head(0).collect(), header=True)
    start = 0
    while True:
        rows = table.slice(start, ROW_GROUP).collect()
        if rows.is_empty():
            return
        yield _text(rows, header=False)
        start += rows.height


def _text(rows: "pl.DataFrame", *, header: bool) -> str:
    return rows.write_csv(include_header=header, line_terminator="\n").removesuffix("\n")
