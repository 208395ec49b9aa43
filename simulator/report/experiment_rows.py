"""The table of an experiment: one flat row per replication, as Parquet.

Rule of the module: the only one that touches the Parquet of experiments. It imports polars, so it
is itself imported only by functions that read or write the table. The same rows give the same
bytes, whoever played them and in whatever pieces.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from simulator.errors import OutputError
from simulator.experiment.axes import Kind
from simulator.experiment.designs import Design
from simulator.experiment.figures import column_order, is_whole
from simulator.report.manifest import write_atomically

ROW_GROUP: Final = 65_536
_VARIED: Final = "vary:"


def encode(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """The bytes of one part."""
    buffer = io.BytesIO()
    _frame(columns).write_parquet(buffer)
    return buffer.getvalue()


def rows_in(path: Path) -> int:
    """How many rows a part has; 0 if it is not whole."""
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.PolarsError):
        return 0


def read_column(
    path: Path, name: str, points: tuple[int, int], replications: tuple[int, int]
) -> list[Any] | None:
    """One column of a rectangle of rows, by point, then replication; None if it is not there.

    Args:
        path: a part.
        name: the column.
        points: first point and how many.
        replications: first replication and how many.
    """
    table = pl.scan_parquet(path)
    if name not in table.collect_schema():
        return None
    first, count = points
    start, many = replications
    chosen = table.filter(
        pl.col("point").is_between(first, first + count - 1),
        pl.col("replication").is_between(start, start + many - 1),
    )
    return list(chosen.sort("point", "replication").select(name).collect().to_series())


def join(parts: Sequence[Path], replications: int) -> pl.DataFrame:
    """All parts as one table, in the order of points and replications, each row once.

    Args:
        parts: files.
        replications: how many of each point count; later ones are left out.

    Raises:
        OutputError: if a part cannot be read.
    """
    try:
        tables = [pl.scan_parquet(part) for part in parts]
        whole = (
            pl.concat(tables, how="diagonal_relaxed")
            .filter(pl.col("replication") < replications)
            .unique(subset=["point", "replication"], keep="any")
            .sort("point", "replication")
            .collect()
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OutputError(
            f"a part of the experiment cannot be read: {error}",
            where=str(parts[0].parent),
            remedy="remove the file that is named; its replications are played again",
        ) from error
    used = [name for name in whole.columns if whole[name].null_count() < whole.height]
    return whole.select(column_order(used))


def of_point(parts: Sequence[Path], point: int, replications: int) -> pl.DataFrame:
    """The first replications of one point, in order.

    Args:
        parts: files.
        point: number of the point.
        replications: how many count; later ones are left out.

    Raises:
        OutputError: if a file cannot be read.
    """
    try:
        tables = [pl.scan_parquet(part) for part in parts]
        return (
            pl.concat(tables, how="diagonal_relaxed")
            .filter(pl.col("point") == point, pl.col("replication") < replications)
            .sort("replication")
            .collect()
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OutputError(
            f"the table of replications cannot be read: {error}",
            where=str(parts[0]),
            remedy="restore the directory from where it was copied from, or play it again",
        ) from error


def with_settings(table: pl.DataFrame, design: Design) -> pl.DataFrame:
    """The table with a column for each varied field, behind the numbers."""
    if not design.axes:
        return table
    numbers = table["point"].unique().sort().to_list()
    points = [design.point(number) for number in numbers]
    columns: dict[str, pl.Series] = {"point": pl.Series(numbers, dtype=pl.Int64())}
    for axis in design.axes:
        found = [
            next((s.value for s in point.settings if s.path == axis.path), None) for point in points
        ]
        text = axis.kind in {Kind.WORD, Kind.DURATION}
        dtype = pl.String() if text else pl.Float64()
        columns[f"{_VARIED}{axis.path}"] = pl.Series(found, dtype=dtype, strict=False)
    joined = table.join(pl.DataFrame(columns), on="point", how="left", maintain_order="left")
    varied = [name for name in columns if name != "point"]
    first = ["point", "replication", *varied]
    return joined.select(*first, pl.exclude(*first))


def write(table: pl.DataFrame, path: Path) -> None:
    """Write a whole table under its name, or leave what is there.

    Raises:
        OutputError: if it cannot be written; the parts it is made of are kept.
    """
    buffer = io.BytesIO()
    table.write_parquet(buffer, row_group_size=ROW_GROUP)
    write_atomically(path, buffer.getvalue())


def _frame(columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            name: pl.Series(
                name, values, dtype=pl.Int64() if is_whole(name) else pl.Float64(), strict=False
            )
            for name, values in columns.items()
        }
    )
