"""The directory of an experiment: finished chunks while it runs, one table when it is done.

Rule of the module: a file appears under its name only when it is whole. A directory that holds the
same experiment is continued, one that holds another is refused. The table library is imported by
the functions that need it.

    experiment.json         what is played, and how far it came
    replications/           finished chunks, until the end
    replications.parquet    one row per replication
    summary.json, report.html, municipalities.csv
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from simulator.errors import OutputError
from simulator.experiment.figures import Value
from simulator.experiment.plan import Chunk, Plan
from simulator.experiment.replications import Columns
from simulator.report.manifest import check_schema, load_json, unwritable, write_atomically

if TYPE_CHECKING:
    import polars as pl

EXPERIMENT_SCHEMA: Final = "1.0"
EXPERIMENT_NAME: Final = "experiment.json"
PARTS_NAME: Final = "replications"
TABLE_NAME: Final = "replications.parquet"
SUMMARY_NAME: Final = "summary.json"
REPORT_NAME: Final = "report.html"


@dataclass(slots=True)
class ExperimentDirectory:
    """An experiment on disk. Use :meth:`open`.

    Attributes:
        path: the directory.
        plan: what is played.
        facts: what ``experiment.json`` says beside the plan: command, versions.
        played: replications of each point in the table of an earlier run, 0 if there is none.
    """

    path: Path
    plan: Plan
    facts: Mapping[str, Any]
    played: int = 0

    @classmethod
    def open(cls, path: Path, plan: Plan, facts: Mapping[str, Any]) -> Self:
        """Begin an experiment in a new or empty directory, or continue the same one.

        Args:
            path: the directory.
            plan: what is to be played.
            facts: command and versions, kept beside it; ``version`` must stay the same.

        Raises:
            OutputError: if the directory holds something else, another experiment, or cannot be
                written to.
        """
        played = 0
        if (path / EXPERIMENT_NAME).exists():
            plan, played = _continued(path, plan, facts)
        elif path.exists() and not _is_empty(path):
            raise OutputError(
                "holds something else than an experiment",
                where=str(path),
                remedy="choose an empty or new directory with --out",
            )
        try:
            (path / PARTS_NAME).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error
        directory = cls(path, plan, facts, played)
        directory._say("running", played)
        return directory

    def finished(self) -> frozenset[int]:
        """Numbers of the chunks that are already there."""
        from simulator.report import experiment_rows  # noqa: PLC0415  (polars takes 0.4 s)

        found = set()
        for part in (self.path / PARTS_NAME).glob("part-*.parquet"):
            number = int(part.stem.removeprefix("part-"))
            if number < self.plan.chunks and (
                experiment_rows.rows_in(part) == self.plan.chunk(number).rows
            ):
                found.add(number)
        if self.played:
            found |= {chunk.number for chunk in self.plan.all_chunks() if self._in_table(chunk)}
        return frozenset(found)

    def keep(self, columns: Columns) -> None:
        """Write a chunk.

        Raises:
            OutputError: if it cannot be written; what is there is kept.
        """
        from simulator.report import experiment_rows  # noqa: PLC0415

        with _goes_on():
            part = self._part(columns.chunk.number)
            write_atomically(part, experiment_rows.encode(columns.columns))

    def column(self, chunk: Chunk, name: str) -> Sequence[Value]:
        """One column of a chunk that is there."""
        from simulator.report import experiment_rows  # noqa: PLC0415

        values = experiment_rows.read_column(
            self.path / TABLE_NAME if self._in_table(chunk) else self._part(chunk.number),
            name,
            (chunk.first_point, chunk.points),
            (chunk.first_replication, chunk.replications),
        )
        return [None] * chunk.rows if values is None else values

    def table(self, replications: int) -> "pl.DataFrame":
        """The rows of the first so many replications of each point."""
        from simulator.report import experiment_rows  # noqa: PLC0415

        parts = sorted((self.path / PARTS_NAME).glob("part-*.parquet"))
        if self.played:
            parts = [self.path / TABLE_NAME, *parts]
        table = experiment_rows.join(parts, replications)
        plain = [name for name in table.columns if not name.startswith("vary:")]
        return experiment_rows.with_settings(table.select(plain), self.plan.design)

    def finish(self, table: "pl.DataFrame", replications: int) -> None:
        """Write the table, then let go of the chunks it is made of."""
        from simulator.report import experiment_rows  # noqa: PLC0415

        with _goes_on():
            experiment_rows.write(table, self.path / TABLE_NAME)
        self._say("complete", replications)
        shutil.rmtree(self.path / PARTS_NAME, ignore_errors=True)

    def interrupt(self, replications: int) -> None:
        """Note that the experiment ended early; its chunks stay."""
        self._say("interrupted", self.played or replications)

    def write(self, name: str, text: str) -> Path:
        """Write a whole file beside the table."""
        with _goes_on():
            write_atomically(self.path / name, text.encode())
        return self.path / name

    def _part(self, number: int) -> Path:
        return self.path / PARTS_NAME / f"part-{number:06d}.parquet"

    def _in_table(self, chunk: Chunk) -> bool:
        return chunk.first_replication + chunk.replications <= self.played

    def _say(self, state: str, replications: int) -> None:
        document = {
            "schema_version": EXPERIMENT_SCHEMA,
            "state": state,
            "replications": replications,
            "replications_asked": self.plan.replications,
            "digest": self.plan.digest,
            **self.facts,
            "scenario_name": self.plan.base.name,
            **self.plan.identity(),
        }
        text = json.dumps(document, ensure_ascii=False, indent=2, default=str)
        with _goes_on():
            write_atomically(self.path / EXPERIMENT_NAME, f"{text}\n".encode())


@contextmanager
def _goes_on() -> Iterator[None]:
    """Say of what cannot be written that nothing finished is lost."""
    try:
        yield
    except OutputError as error:
        raise OutputError(
            error.message,
            where=error.where,
            remedy=f"{error.remedy}; once it can be written, the same command goes on from what "
            "is kept",
        ) from error


def _is_empty(path: Path) -> bool:
    """Whether nothing is there, or no more than an experiment that had no room to begin."""
    if not path.is_dir():
        return False
    return all(
        entry.name == PARTS_NAME and entry.is_dir() and not any(entry.iterdir())
        for entry in path.iterdir()
    )


def _continued(path: Path, plan: Plan, facts: Mapping[str, Any]) -> tuple[Plan, int]:
    """The plan with the chunks of the directory's own, and the replications of its table."""
    where = path / EXPERIMENT_NAME
    known = load_json(where)
    check_schema(where, known, EXPERIMENT_SCHEMA)
    same = replace(
        plan,
        chunk_points=int(known["chunk_points"]),
        chunk_replications=int(known["chunk_replications"]),
    )
    differs = [
        name
        for name, mine, theirs in (
            ("scenario", same.identity()["scenario"], known.get("scenario")),
            ("settings", same.identity()["set"], known.get("set")),
            ("design", _plain(same.identity()["design"]), known.get("design")),
            ("seed", same.seed, known.get("seed")),
            ("people", _plain(same.identity()["people"]), known.get("people")),
            ("version of alertsim", facts.get("version"), known.get("version")),
        )
        if mine != theirs
    ]
    if differs:
        raise OutputError(
            f"holds another experiment, with another {' and another '.join(differs)}",
            where=str(path),
            remedy="choose another directory with --out, or repeat the command in experiment.json",
        )
    played = int(known["replications"]) if (path / TABLE_NAME).exists() else 0
    if plan.replications < played and known.get("state") == "complete":
        raise OutputError(
            f"already holds {played:,} replications, more than are asked for",
            where=str(path),
            field="--replications",
            value=str(plan.replications),
            remedy=f"ask for {played} or more, or choose another directory with --out",
        )
    return same, played


def _plain(value: object) -> Any:  # noqa: ANN401
    """As it reads back from JSON."""
    return json.loads(json.dumps(value, default=str))
