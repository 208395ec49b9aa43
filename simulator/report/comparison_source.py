"""The sides of a comparison, read from directories of experiments that were played before.

Rule of the module: reading only. An interrupted experiment counts with the replications that every
point has; one that is being played, or was killed, is refused, because nobody knows how far it is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulator.errors import OutputError
from simulator.experiment.comparison import SideSummary
from simulator.experiment.contrast import Side
from simulator.experiment.estimates import Floats
from simulator.report.experiment_directory import (
    EXPERIMENT_NAME,
    EXPERIMENT_SCHEMA,
    PARTS_NAME,
    TABLE_NAME,
)
from simulator.report.manifest import check_schema, load_json

if TYPE_CHECKING:
    import polars as pl

_VARIED: Final = "vary:"
_DAMAGED: Final = "restore the directory from where it was copied from, or play it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A side and what is said about it.

    Attributes:
        side: its rows.
        summary: its name, scenario, seed.
    """

    side: Side
    summary: SideSummary


class PointRows:
    """The rows of one variant.

    Args:
        table: its rows, by replication.
    """

    def __init__(self, table: "pl.DataFrame") -> None:
        self._table = table
        self.columns = [
            name
            for name in table.columns
            if not name.startswith(_VARIED) and table[name].null_count() < table.height
        ]

    def column(self, name: str) -> Floats:
        """One figure; NaN where it did not happen."""
        found: Floats = self._table[name].to_numpy().astype(np.float64)
        return found


def read_side(path: Path, number: int, point: int = 0) -> Known:
    """Read a variant of an experiment that was played before.

    Args:
        path: its directory.
        number: of the side.
        point: of the variant, 0 for the scenario as it is.

    Raises:
        OutputError: naming what is missing or damaged.
    """
    where = path / EXPERIMENT_NAME
    known = load_json(where)
    check_schema(where, known, EXPERIMENT_SCHEMA)
    try:
        document = known["scenario"]
        facts: dict[str, Any] = {
            "scenario": str(document["id"]),
            "title": str(document["title"]),
            "epoch": str(document["epoch"]),
            "seed": int(known["seed"]),
            "version": str(known["version"]),
            "state": str(known["state"]),
        }
        replications = int(known["replications"])
        points = int(known["design"]["size"]) + 1
        settings = {str(one["path"]): _value(one) for one in known["set"]}
    except (KeyError, TypeError, ValueError) as error:
        raise OutputError(
            f"not the description of an experiment: {error!r}", where=str(where), remedy=_DAMAGED
        ) from error
    _refuse_unfinished(path, facts["state"], replications)
    if not 0 <= point < points:
        raise OutputError(
            f"the experiment has points 0 to {points - 1}",
            where=str(path),
            value=str(point),
            remedy="write DIRECTORY#POINT with one of these, or the directory alone for point 0",
        )
    table = _rows(path, point, replications)
    settings |= {
        name.removeprefix(_VARIED): str(table[name][0])
        for name in table.columns
        if name.startswith(_VARIED) and table[name][0] is not None
    }
    name = f"{path}#{point}" if point else str(path)
    return Known(
        side=Side(
            name=name, seed=facts["seed"], replications=replications, rows=PointRows(table)
        ),
        summary=SideSummary(
            number=number, name=name, source="experiment", settings=settings, n=replications,
            **facts,
        ),
    )  # fmt: skip


def _refuse_unfinished(path: Path, state: str, replications: int) -> None:
    if state == "running" and not (path / TABLE_NAME).exists():
        raise OutputError(
            "this experiment is still being played, or was killed",
            where=str(path),
            remedy=f"wait for it, or repeat the command in {EXPERIMENT_NAME}: it goes on from "
            "where it stopped",
        )
    if not replications:
        raise OutputError(
            "no replication of this experiment was finished",
            where=str(path),
            remedy=f"repeat the command in {EXPERIMENT_NAME}: it goes on from where it stopped",
        )


def _rows(path: Path, point: int, replications: int) -> "pl.DataFrame":
    """The first so many replications of a point, all of them."""
    from simulator.report import experiment_rows  # noqa: PLC0415  (polars takes 0.4 s)

    parts = sorted((path / PARTS_NAME).glob("part-*.parquet"))
    if (path / TABLE_NAME).exists():
        parts = [path / TABLE_NAME]
    if not parts:
        raise OutputError(
            "its table of replications is missing",
            where=str(path / TABLE_NAME),
            remedy=_DAMAGED,
        )
    table = experiment_rows.of_point(parts, point, replications)
    if table["replication"].to_list() != list(range(replications)):
        raise OutputError(
            f"{table.height:,} replications of point {point} are there, and {replications:,} "
            "should be",
            where=str(path),
            remedy=_DAMAGED,
        )
    return table


def _value(setting: Any) -> str:  # noqa: ANN401  (from JSON)
    return f"{setting['value']:g}x" if setting["factor"] else str(setting["value"])
