"""The run directory: everything a run leaves behind, whole at every instant.

Rule of the module: a file appears under its name only when it is whole (written beside, then
renamed), so a killed run leaves a readable directory that says it is incomplete. Opening one never
writes. The table library is imported by the functions that need it, not by this module.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.errors import OutputError
from simulator.model.timeline import Timeline
from simulator.report.manifest import (
    MANIFEST_NAME,
    Manifest,
    dump_manifest,
    load_json,
    load_manifest,
    unwritable,
    write_atomically,
)

if TYPE_CHECKING:
    import polars as pl

TIMELINE_NAME = "timeline.jsonl"
PARTS_NAME = "deliveries"
FINAL_NAME = ".deliveries"
DELIVERIES_NAME = "deliveries.parquet"
HISTOGRAM_NAME = "latency.hlog"
SUMMARY_NAME = "summary.json"
REPORT_NAME = "report.html"
BASELINE_NAME = "baseline.json"


class RunDirectory:
    """A run directory on disk, being written or being read.

    Use :meth:`create` or :meth:`open`, not the constructor.

    Attributes:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._next_part = 0

    @classmethod
    def create(cls, parent: Path, name: str) -> "RunDirectory":
        """Make a new, empty run directory.

        Args:
            parent: where runs are kept; made if it is not there.
            name: name of the new directory, the run id.

        Raises:
            OutputError: if the parent is a file, is read-only or full, or the directory already
                holds a run or anything else. Nothing is left behind then.
        """
        path = parent / name
        if parent.exists() and not parent.is_dir():
            raise OutputError(
                "not a directory", where=str(parent), remedy="choose another directory with --out"
            )
        if (parent / MANIFEST_NAME).exists():
            raise OutputError(
                "is itself a run directory: a run inside a run would hide",
                where=str(parent),
                remedy="give the directory that holds runs, for example --out runs",
            )
        if path.exists():
            cls._refuse_used(path)
        made = not path.exists()
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / PARTS_NAME).mkdir(exist_ok=True)
        except OSError as error:
            if made:
                shutil.rmtree(path, ignore_errors=True)
            raise unwritable(path, error) from error
        return cls(path)

    @staticmethod
    def _refuse_used(path: Path) -> None:
        if not path.is_dir():
            raise OutputError(
                "a file stands where the run directory is to be",
                where=str(path),
                remedy="choose another directory with --out",
            )
        if (path / MANIFEST_NAME).exists():
            raise OutputError(
                "already holds a run",
                where=str(path),
                remedy="choose another directory with --out, or remove this run first",
            )
        if any(path.iterdir()):
            raise OutputError(
                "not empty", where=str(path), remedy="choose an empty or new directory with --out"
            )

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Open a run that was written before, complete or not; its manifest is read at once.

        Raises:
            OutputError: if the path is not a run directory, or its manifest cannot be used.
        """
        if not path.exists():
            raise OutputError(
                "no such directory", where=str(path), remedy="give the path that the run printed"
            )
        if not path.is_dir() or not (path / MANIFEST_NAME).is_file():
            raise OutputError(
                f"not a run directory: it holds no {MANIFEST_NAME}",
                where=str(path),
                remedy="give the path that the run printed, for example runs/20221103t074000-3f9a",
            )
        directory = cls(path)
        directory.manifest()
        return directory

    # --- manifest, timeline, summary ---------------------------------------------------------

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace ``manifest.json`` by a whole new one."""
        write_atomically(self.path / MANIFEST_NAME, dump_manifest(manifest))

    def manifest(self) -> Manifest:
        """Read ``manifest.json``."""
        return load_manifest(self.path / MANIFEST_NAME)

    def write_timeline(self, timeline: Timeline) -> None:
        """Write ``timeline.jsonl``."""
        text = "".join(f"{line}\n" for line in timeline.to_jsonl())
        write_atomically(self.path / TIMELINE_NAME, text.encode())

    def timeline(self) -> Timeline:
        """Read ``timeline.jsonl`` and check it against its digest.

        Raises:
            OutputError: if it is not there, truncated, altered or of an unknown schema.
        """
        path = self.path / TIMELINE_NAME
        try:
            return Timeline.from_jsonl(path.read_text(encoding="utf-8").splitlines())
        except OSError as error:
            raise OutputError(f"cannot be read: {error.strerror}", where=str(path)) from error
        except ValueError as error:
            raise OutputError(
                f"not a whole timeline: {error}",
                where=str(path),
                remedy="restore the file from where the run was copied from, or run again",
            ) from error

    def write_summary(self, data: bytes) -> None:
        """Write ``summary.json`` from the bytes of the summary's own dump."""
        write_atomically(self.path / SUMMARY_NAME, data)

    def summary_data(self) -> dict[str, Any] | None:
        """Read ``summary.json`` as plain data; None if the run ended before it was written."""
        path = self.path / SUMMARY_NAME
        return load_json(path) if path.exists() else None

    # --- deliveries --------------------------------------------------------------------------

    def write_part(self, columns: Mapping[str, Any]) -> Path | None:
        """Put rows that are final into the next ``deliveries/part-NNNNN.parquet``.

        Args:
            columns: columns of equal length, NumPy arrays or lists; see
                :data:`simulator.report.deliveries.SCHEMA`. No rows, no part.

        Raises:
            OutputError: if the part cannot be written, for example on a full disk.
        """
        from simulator.report import deliveries  # noqa: PLC0415  (polars takes 0.4 s to import)

        frame = deliveries.frame(columns)
        if frame.is_empty():
            return None
        path = self.path / PARTS_NAME / f"part-{self._next_part:05d}.parquet"
        write_atomically(path, deliveries.encode(frame))
        self._next_part += 1
        return path

    def finish_deliveries(self) -> Path:
        """Stream all parts into ``deliveries.parquet`` and remove them: the clean end.

        Raises:
            OutputError: if a part cannot be read or the table cannot be written; the parts stay.
        """
        from simulator.report import deliveries  # noqa: PLC0415

        target = self.path / DELIVERIES_NAME
        deliveries.concatenate(self.parts(), target)
        shutil.rmtree(self.path / PARTS_NAME, ignore_errors=True)
        return target

    def replace_deliveries(self, chunks: Iterable[Mapping[str, Any]]) -> Path:
        """Write ``deliveries.parquet`` from final rows, and remove the provisional parts.

        At no instant do both stand side by side: a kill leaves either the parts or the table.

        Args:
            chunks: columns of the final rows, chunk by chunk.

        Raises:
            OutputError: if the table cannot be written; the parts stay.
        """
        final = RunDirectory(self.path / FINAL_NAME)
        try:
            (final.path / PARTS_NAME).mkdir(parents=True, exist_ok=True)
            for columns in chunks:
                final.write_part(columns)
            whole = final.finish_deliveries()
            target = whole.replace(self.path / DELIVERIES_NAME)
        except OSError as error:
            raise unwritable(self.path / DELIVERIES_NAME, error) from error
        finally:
            shutil.rmtree(final.path, ignore_errors=True)
        shutil.rmtree(self.path / PARTS_NAME, ignore_errors=True)
        return target

    def parts(self) -> list[Path]:
        """Whole parts, in the order in which they were written."""
        return sorted((self.path / PARTS_NAME).glob("part-*.parquet"))

    def scan_deliveries(self) -> "pl.LazyFrame":
        """The deliveries as a lazy table, from the final file or from the parts of a killed run.

        Raises:
            OutputError: naming the file that is truncated or is not a table of deliveries.
        """
        from simulator.report import deliveries  # noqa: PLC0415

        whole = self.path / DELIVERIES_NAME
        return deliveries.scan([whole] if whole.exists() else self.parts())
