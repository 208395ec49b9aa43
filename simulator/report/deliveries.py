"""The table of deliveries: one flat row per expected or unexpected delivery, as Parquet.

Rule of the module: the only one that touches Parquet. It imports polars, so it is itself imported
only by functions that read or write the table. Rows stream through it: memory does not grow with
the number of parts.
"""

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import polars as pl

from simulator.errors import OutputError
from simulator.measure.row_columns import COLUMNS
from simulator.report.hlog import TaggedLatencies
from simulator.report.manifest import unwritable

ROW_GROUP: Final = 65_536

SCHEMA: Final = {
    column.name: pl.String() if column.unit == "text" else pl.Int64() for column in COLUMNS
}


def frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    """A table from columns of equal length.

    Args:
        columns: the columns of :data:`SCHEMA`, each a NumPy array, or a list with ``None`` where a
            figure is missing; further columns take the type they have.
    """
    return pl.DataFrame(
        {name: pl.Series(name, values, dtype=SCHEMA.get(name)) for name, values in columns.items()}
    )


def empty() -> pl.LazyFrame:
    """The table of a run without deliveries."""
    return pl.LazyFrame(schema=SCHEMA)


def encode(table: pl.DataFrame) -> bytes:
    """The bytes of one Parquet file."""
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def scan(paths: Sequence[Path]) -> pl.LazyFrame:
    """A lazy table over whole files, in order.

    Raises:
        OutputError: naming the first file that is not whole.
    """
    for path in paths:
        check(path)
    if not paths:
        return empty()
    return pl.concat([pl.scan_parquet(path) for path in paths], how="diagonal_relaxed")


def latencies(table: pl.LazyFrame, population: str) -> TaggedLatencies:
    """Delivery latencies of one population, for the histogram log.

    Args:
        table: deliveries.
        population: ``live``, ``retained`` or ``queued``.
    """
    known = table.filter(
        (pl.col("population") == population) & pl.col("delivery_ns").is_not_null()
    ).select("intended_ns", "delivery_ns")
    chosen = known.collect(engine="streaming")
    return TaggedLatencies(
        tag=population,
        intended_ns=chosen["intended_ns"].to_numpy(),
        latency_ns=chosen["delivery_ns"].to_numpy(),
    )


def check(path: Path) -> None:
    """Read a file's footer, which a truncated file does not have.

    Raises:
        OutputError: if it is missing, truncated or not Parquet.
    """
    try:
        pl.read_parquet_schema(path)
    except OSError as error:
        raise OutputError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except pl.exceptions.PolarsError as error:
        raise OutputError(
            f"not a whole Parquet file: {error}",
            where=str(path),
            remedy="restore the file from where the run was copied from, or run again",
        ) from error


def concatenate(parts: Sequence[Path], target: Path) -> None:
    """Stream parts into one file, which appears under its name only when it is whole.

    Raises:
        OutputError: if a part is not whole or the target cannot be written.
    """
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        scan(parts).sink_parquet(temporary, row_group_size=ROW_GROUP, maintain_order=True)
        temporary.replace(target)
    except OSError as error:
        _remove(temporary)
        raise unwritable(target, error) from error
    except pl.exceptions.PolarsError as error:
        _remove(temporary)
        raise OutputError(
            f"cannot be written: {error}",
            where=str(target),
            remedy="free some space; the parts it is made of are kept",
        ) from error


def _remove(temporary: Path) -> None:
    with suppress(OSError):  # nothing can be removed from a file system that became read-only
        temporary.unlink(missing_ok=True)
