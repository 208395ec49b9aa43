"""The store: run directories in one folder, and the service's own records beside them.

Rule of the module: nothing in a directory is trusted. A name is checked before it becomes a path, a
link is never followed, a file that is not whole, or not ours, makes a listing say so and never
fail. Whatever reads or writes here may block, and is called from threads.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import ValidationError

from simulator.clock import Clock
from simulator.errors import ConfigurationError, OutputError
from simulator.report.manifest import MANIFEST_NAME, MANIFEST_SCHEMA, unwritable, write_atomically
from simulator.service.plain_files import is_folder, is_plain, read_plain
from simulator.service.records import RunInfo, RunRecord, ScenarioName, State, outcome_of
from simulator.units import NS_PER_S

FILES: Final[Mapping[str, str]] = {
    "report.html": "text/html; charset=utf-8",
    "summary.json": "application/json",
    "manifest.json": "application/json",
    "timeline.jsonl": "application/jsonl",
    "deliveries.parquet": "application/vnd.apache.parquet",
    "latency.hlog": "text/plain; charset=utf-8",
    "baseline.json": "application/json",
}
_SUMMARY: Final = "summary.json"
_OWN: Final = ".service"
_GONE: Final = "gone"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_LARGEST_MANIFEST: Final = 16 * 1024 * 1024
_LARGEST_SUMMARY: Final = 64 * 1024 * 1024
_LARGEST_RECORD: Final = 4 * 1024 * 1024
_LARGEST_SNAPSHOT: Final = 256 * 1024 * 1024
_FRESH_NS: Final = 60 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a run directory says of itself.

    Attributes:
        state: complete, incomplete or unreadable; ``running`` if its manifest says so.
        changed_ns: when something in it last changed, Unix ns.
    """

    run: str
    state: State
    changed_ns: int
    reason: str = ""
    scenario: ScenarioName | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    speed: float | None = None
    seed: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    command: tuple[str, ...] = ()


class Store:
    """Run directories and records.

    Args:
        path: the folder; made when opened.
        clock: where time comes from.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._own = path / _OWN
        self._lock: int | None = None
        self._read: dict[str, tuple[tuple[int, ...], Kept]] = {}

    def open(self) -> None:
        """Make the folder and take it for this service alone.

        Raises:
            OutputError: if it cannot be used.
            ConfigurationError: if another service uses it.
        """
        if (self.path / MANIFEST_NAME).exists():
            raise OutputError(
                "is itself a run directory: a run inside a run would hide",
                where=str(self.path),
                remedy="give the directory that holds runs, for example --out runs",
            )
        try:
            for folder in ("runs", "scenarios", "snapshots"):
                (self._own / folder).mkdir(parents=True, exist_ok=True)
                self._check_own(self._own, self._own / folder)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._own / "lock", flags, 0o600)
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise ConfigurationError(
                "another alertsim serve uses this directory",
                field="--out",
                value=str(self.path),
                remedy="give each service a directory of its own, or end the other one",
            ) from None
        self._lock = descriptor
        shutil.rmtree(self._own / _GONE, ignore_errors=True)

    @staticmethod
    def _check_own(*folders: Path) -> None:
        for folder in folders:
            if not is_folder(folder):
                raise OutputError(
                    "is a link: what the service keeps stands in its own directory",
                    where=str(folder),
                    remedy="remove the link, or put a directory in its place",
                )

    def close(self) -> None:
        """Let another service have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def own(self, *parts: str) -> Path:
        """A place among the service's own files, made if need be; for schedules and the like."""
        path = self._own.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def free_bytes(self) -> int:
        """Bytes that are free on the disk that holds it; 0 if it is gone."""
        try:
            return shutil.disk_usage(self.path).free
        except OSError:
            return 0

    # --- records -----------------------------------------------------------------------------

    def save(self, record: RunRecord) -> None:
        """Keep a record.

        Raises:
            OutputError: if the disk does not take it.
        """
        write_atomically(
            self._own / "runs" / f"{record.run}.json", record.model_dump_json(indent=1).encode()
        )

    def is_known(self, run: str) -> bool:
        """Whether there is a record or a directory of this run."""
        return (self._own / "runs" / f"{run}.json").exists() or (self.path / run).exists()

    def records(self) -> list[RunRecord]:
        """Every record that can be read, by run; others are named in the log."""
        found = []
        for path in sorted((self._own / "runs").glob("*.json")):
            try:
                record = RunRecord.model_validate_json(read_plain(path, _LARGEST_RECORD))
            except (OSError, ValidationError) as error:
                kind = type(error).__name__
                structlog.get_logger().warning("record left out", record=path.name, reason=kind)
                continue
            if record.run == path.stem and _NAME.fullmatch(record.run):
                found.append(record)
        return found

    def keep_scenario(self, run: str, text: str) -> Path:
        """Keep a scenario that came over HTTP, for the run that plays it.

        Raises:
            OutputError: if the disk does not take it.
        """
        path = self._own / "scenarios" / f"{run}.yaml"
        write_atomically(path, text.encode())
        return path

    def keep_snapshot(self, run: str, document: bytes) -> None:
        """Keep what pages were told of a run in all.

        Raises:
            OutputError: if the disk does not take it.
        """
        write_atomically(self._own / "snapshots" / f"{run}.json", document)

    def snapshot(self, run: str) -> tuple[int, bytes] | None:
        """Number of its last event and what was kept of it; None if nothing whole was."""
        try:
            kept = read_plain(self._own / "snapshots" / f"{run}.json", _LARGEST_SNAPSHOT)
            found = json.loads(kept)
        except (OSError, ValueError, RecursionError):
            return None
        number = found.get("n") if isinstance(found, dict) else None
        # More than one line would be more than one thing that a page is told.
        return (number, kept) if isinstance(number, int) and len(kept.splitlines()) == 1 else None

    # --- run directories ---------------------------------------------------------------------

    def directory(self, run: str) -> Path | None:
        """The directory of a run; None if there is none, or the name is not one of a run."""
        if _NAME.fullmatch(run) is None:
            return None
        path = self.path / run
        return path if is_folder(path) and os.path.lexists(path / MANIFEST_NAME) else None

    def file(self, run: str, name: str) -> Path | None:
        """A file of a run that may be handed out; None if there is none."""
        folder = self.directory(run)
        if folder is None or name not in FILES:
            return None
        path = folder / name
        return path if is_plain(path) else None

    def files(self, run: str) -> tuple[str, ...]:
        """Names of the files that may be handed out."""
        return tuple(name for name in FILES if self.file(run, name) is not None)

    def delete(self, run: str) -> None:
        """Remove a run's directory and everything kept of it.

        Raises:
            OSError: if something of it cannot be removed.
        """
        folder = self.directory(run)
        if folder is not None:
            # Out of sight at once: a removal that is cut short leaves no half of a run.
            gone = self.own(_GONE, run)
            shutil.rmtree(gone, ignore_errors=True)
            shutil.rmtree(folder.replace(gone))
        # Its record last: as long as that stands, the rest can be asked to go again.
        for name in (f"scenarios/{run}.yaml", f"snapshots/{run}.json", f"runs/{run}.json"):
            (self._own / name).unlink(missing_ok=True)
        self._read.pop(run, None)

    def kept(self) -> dict[str, Kept]:
        """What every run directory says of itself, by run; what is wrong is said, not raised."""
        found: dict[str, Kept] = {}
        with contextlib.suppress(OSError), os.scandir(self.path) as entries:
            for entry in entries:
                if _NAME.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    kept = self.kept_of(entry.name)
                    if kept is not None:
                        found[entry.name] = kept
        for run in self._read.keys() - found.keys():
            self._read.pop(run, None)
        return found

    def kept_of(self, run: str) -> Kept | None:
        """What one run directory says of itself; None if there is none."""
        folder = self.directory(run)
        if folder is None:
            return None
        path = folder / MANIFEST_NAME
        try:
            state = path.lstat()
        except OSError:
            return None
        mark = (state.st_mtime_ns, state.st_size, *_mark(folder / _SUMMARY))
        known = self._read.get(run)
        if known is None or known[0] != mark:
            found = _read(run, path, state.st_size, state.st_mtime_ns)
            known = (mark, _doubted(found, folder / _SUMMARY))
            self._read[run] = known
        return known[1]

    def is_being_written(self, kept: Kept) -> bool:
        """Whether another process seems to write it: it says so and changed a moment ago."""
        if kept.state != "running":
            return False
        newest = kept.changed_ns
        for name in ("", "deliveries"):
            with contextlib.suppress(OSError):
                newest = max(newest, (self.path / kept.run / name).lstat().st_mtime_ns)
        return abs(self._clock.wall_ns() - newest) < _FRESH_NS


def _read(run: str, path: Path, size: int, changed_ns: int) -> Kept:
    def unreadable(reason: str) -> Kept:
        return Kept(run=run, state="unreadable", changed_ns=changed_ns, reason=reason)

    if size > _LARGEST_MANIFEST:
        return unreadable(f"its {MANIFEST_NAME} is larger than any that alertsim writes")
    try:
        data = json.loads(read_plain(path, _LARGEST_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return unreadable(f"its {MANIFEST_NAME} is damaged")
    if not isinstance(data, dict):
        return unreadable(f"its {MANIFEST_NAME} is damaged")
    version = str(data.get("schema_version"))
    if version.partition(".")[0] != MANIFEST_SCHEMA.partition(".")[0]:
        return unreadable(f"it was written by another version of alertsim (schema {version[:20]})")
    try:
        return _kept(run, data, changed_ns)
    except (KeyError, TypeError, ValueError, AttributeError):
        return unreadable(f"its {MANIFEST_NAME} is damaged")


def _mark(path: Path) -> tuple[int, int]:
    try:
        state = path.lstat()
    except OSError:
        return 0, 0
    return state.st_mtime_ns, state.st_size


def _doubted(found: Kept, summary: Path) -> Kept:
    """What ended, and whose figures cannot be read, is not whole whatever its manifest says."""
    if found.state not in {"complete", "incomplete"}:
        return found
    try:
        whole = isinstance(json.loads(read_plain(summary, _LARGEST_SUMMARY)), dict)
    except FileNotFoundError:
        return found
    except (OSError, ValueError, RecursionError):
        whole = False
    if whole:
        return found
    damaged = f"its {_SUMMARY} is damaged: its figures cannot be read"
    reason = f"{found.reason}; {damaged}" if found.reason else damaged
    return replace(found, state="incomplete", reason=reason)


def _kept(run: str, data: Mapping[str, Any], changed_ns: int) -> Kept:
    states: dict[str, State] = {
        "running": "running",
        "complete": "complete",
        "incomplete": "incomplete",
    }
    scenario, settings = data["scenario"], data["settings"]
    code = data.get("exit_code")
    return Kept(
        run=run,
        state=states[data["state"]],
        changed_ns=changed_ns,
        reason=str(data.get("reason", ""))[:2000],
        scenario=ScenarioName(id=scenario.get("id", ""), title=scenario.get("title", "")),
        settings={name: settings.get(name) for name in ("subscribers", "root", "repeat")},
        speed=float(data["speed"]),
        seed=int(data["seed"]),
        started=datetime.fromisoformat(data["started"]),
        ended=None if data.get("ended") is None else datetime.fromisoformat(data["ended"]),
        exit_code=None if code is None else int(code),
        command=tuple(str(part) for part in data.get("command", ())),
    )


def shown(kept: Kept, files: tuple[str, ...], *, writing: bool) -> RunInfo:
    """A run of which there is only a directory."""
    state: State = kept.state
    reason = kept.reason
    if state == "running":
        state = "writing" if writing else "incomplete"
        reason = reason or ("" if writing else "its process was killed")
    return RunInfo(
        run=kept.run,
        state=state,
        outcome=outcome_of(kept.exit_code),
        exit_code=kept.exit_code,
        reason=reason,
        scenario=kept.scenario,
        speed=kept.speed,
        seed=kept.seed,
        subscribers=_whole(kept.settings.get("subscribers")),
        repeat=_whole(kept.settings.get("repeat")),
        root=None if kept.settings.get("root") is None else str(kept.settings["root"]),
        created=kept.started,
        started=kept.started,
        ended=kept.ended,
        files=files,
        command=kept.command,
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
