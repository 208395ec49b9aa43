"""Experiments on disk: ``experiments/ID/`` with the order and how it went, ``result/`` inside.

Rule of the module: as the store of runs. A name is checked before it becomes a path, a link is
never followed, what cannot be read is named in the log and left alone.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from simulator.errors import OutputError
from simulator.report.manifest import unwritable, write_atomically
from simulator.service.experiments_model import ID_PATTERN, ExperimentRecord
from simulator.service.plain_files import is_folder, is_plain, read_plain
from simulator.service.retention_rule import State as StoredState
from simulator.service.retention_rule import Stored
from simulator.units import NS_PER_S

FOLDER: Final = "experiments"
RECORD_NAME: Final = "order.json"
FILES: Final[Mapping[str, str]] = {
    "report.html": "text/html; charset=utf-8",
    "summary.json": "application/json",
    "report.md": "text/markdown; charset=utf-8",
    "experiment.json": "application/json",
    "replications.parquet": "application/vnd.apache.parquet",
    "municipalities.csv": "text/csv; charset=utf-8",
}
_RESULT: Final = "result"
_GONE: Final = ".gone-"
_ID: Final = re.compile(ID_PATTERN)
_LARGEST_RECORD: Final = 4 * 1024 * 1024


class ExperimentStore:
    """The experiments below a store.

    Args:
        store: folder of the service.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store.absolute() / FOLDER

    def result(self, name: str) -> Path:
        """Where the command keeps what it plays."""
        return self._folder / name / _RESULT

    def save(self, record: ExperimentRecord) -> None:
        """Keep a record.

        Raises:
            OutputError: if the disk does not take it.
        """
        folder = self._folder / record.id
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        try:
            write_atomically(folder / RECORD_NAME, record.model_dump_json(indent=1).encode())
        except OutputError:
            with contextlib.suppress(OSError):
                folder.rmdir()  # one that was only just made is empty
            raise

    def is_known(self, name: str) -> bool:
        """Whether there is anything of this name, whatever it is."""
        return os.path.lexists(self._folder / name)

    def records(self) -> list[ExperimentRecord]:
        """Every record that can be read; halves of removals that were cut short go for good."""
        found: list[ExperimentRecord] = []
        for folder in sorted(self._folder.iterdir()) if is_folder(self._folder) else ():
            if folder.name.startswith(_GONE):
                shutil.rmtree(folder, ignore_errors=True)
            elif _ID.fullmatch(folder.name) and is_folder(folder):
                record = _read(folder)
                if record is not None:
                    found.append(record)
        return found

    def file(self, name: str, file: str) -> Path | None:
        """A file of an experiment that may be handed out; None if there is none."""
        if _ID.fullmatch(name) is None or file not in FILES:
            return None
        result = self.result(name)
        folders = (self._folder, result.parent, result)
        return result / file if all(map(is_folder, folders)) and is_plain(result / file) else None

    def files(self, name: str) -> tuple[str, ...]:
        """Names of the files that may be handed out."""
        return tuple(file for file in FILES if self.file(name, file) is not None)

    def delete(self, name: str) -> None:
        """Remove one: out of sight at once, so that no half of it stays.

        Raises:
            OSError: if something of it cannot be removed.
        """
        folder = self._folder / name
        gone = self._folder / f"{_GONE}{name}"
        shutil.rmtree(gone, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):  # somebody else removed it
            shutil.rmtree(folder.replace(gone))

    def stored(self, kept: frozenset[str], size: Callable[[Path], int]) -> list[Stored]:
        """All of them as retention sees them. Blocks."""
        return [
            Stored(
                kind="experiment",
                name=record.id,
                state=_state(record),
                ended_ns=int((record.ended or record.created).timestamp() * NS_PER_S),
                size_bytes=size(self._folder / record.id),
                kept=record.id in kept,
            )
            for record in self.records()
        ]


def _state(record: ExperimentRecord) -> StoredState:
    if record.state != "ended":
        return "busy"
    return "complete" if record.exit_code in {0, 98, 99} else "incomplete"


def _read(folder: Path) -> ExperimentRecord | None:
    path = folder / RECORD_NAME
    try:
        record = ExperimentRecord.model_validate_json(read_plain(path, _LARGEST_RECORD))
    except (OSError, ValidationError) as error:
        structlog.get_logger().warning(
            "experiment left out", experiment=folder.name, reason=type(error).__name__
        )
        return None
    return record if record.id == folder.name else None
