"""Retention: looks at the store, lets go of what is too much, and says so.

Rule of the module: the rule decides, this measures and removes. Sizes are taken in threads and
remembered; whatever cannot be measured or removed is logged and left alone. Nothing outside the
store is touched and no link is followed.
"""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from pydantic import BaseModel, ConfigDict, Field

from simulator.clock import Clock
from simulator.errors import AlertsimError
from simulator.service.problems import ProblemError
from simulator.service.retention_rule import Bounds, Kind, Removal, Stored, removals
from simulator.units import wall_datetime

_SHOWN: Final = 10


class Removed(BaseModel):
    """Something that retention removed."""

    model_config = ConfigDict(frozen=True)

    kind: Kind = Field(description="run or experiment.")
    name: str = Field(description="Its id.")
    size_bytes: int = Field(description="What it took.")
    why: str = Field(description="Which bound it was beyond.")
    at: datetime = Field(description="When it was removed.")


class RetentionInfo(BaseModel):
    """What the store holds, and what goes when it is too much."""

    model_config = ConfigDict(frozen=True)

    runs: int = Field(description="Runs in the store.")
    experiments: int = Field(description="Experiments in the store.")
    size_bytes: int = Field(description="What they take together.")
    most: int = Field(description="Runs that are kept, and experiments as many again.")
    most_bytes: int = Field(description="What they may take together.")
    free_bytes: int = Field(description="Free space of the disk.")
    kept: list[str] = Field(description="Ids of those that are marked to be kept.")
    removed: int = Field(description="How many were removed since the service started.")
    last_removed: list[Removed] = Field(description="The latest of these, newest first.")
    beyond: str = Field(
        description="Why the store is larger than it may be, one sentence; empty if it is not."
    )


Remove = Callable[[Stored], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Retention:
    """Keeps a store within its bounds.

    Attributes:
        bounds: how much is kept.
        clock: for when something was removed.
        things: everything in the store, sizes included.
        remove: removes one thing.
        free_bytes: of the disk.
        told: called with each removal, for the metrics.
    """

    bounds: Bounds
    clock: Clock
    things: Callable[[], Awaitable[list[Stored]]]
    remove: Remove
    free_bytes: Callable[[], int]
    told: Callable[[Removal], None] = lambda _removal: None
    _seen: list[Stored] = field(default_factory=list)
    _removed: int = 0
    _last: deque[Removed] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> None:
        """Measure, let go of what is too much, measure again."""
        async with self._busy:
            self._seen = await self.things()
            went = [await self._let_go(each) for each in removals(self._seen, self.bounds)]
            if any(went):
                self._seen = await self.things()

    async def _let_go(self, removal: Removal) -> bool:
        stored = removal.stored
        log = structlog.get_logger()
        try:
            await self.remove(stored)
        except (AlertsimError, ProblemError, OSError) as error:
            reason = error.problem.detail if isinstance(error, ProblemError) else str(error)
            log.warning("cannot be removed", kind=stored.kind, name=stored.name, reason=reason)
            return False
        self._removed += 1
        at = wall_datetime(self.clock.wall_ns())
        removed = Removed(
            kind=stored.kind, name=stored.name, size_bytes=stored.size_bytes, why=removal.why, at=at
        )
        self._last.appendleft(removed)
        self.told(removal)
        log.warning(
            "removed",
            kind=stored.kind,
            name=stored.name,
            bytes=stored.size_bytes,
            why=removal.why,
        )
        return True

    @property
    def counted(self) -> tuple[int, int]:
        """Runs in the store, and bytes of everything, when it was last looked at."""
        return self._count("run"), sum(each.size_bytes for each in self._seen)

    def _count(self, kind: Kind) -> int:
        return sum(each.kind == kind for each in self._seen)

    def info(self) -> RetentionInfo:
        """As it was when it was last looked at."""
        size_bytes = sum(each.size_bytes for each in self._seen)
        counts = {"run": self._count("run"), "experiment": self._count("experiment")}
        beyond = ""
        if size_bytes > self.bounds.most_bytes or max(counts.values()) > self.bounds.most:
            beyond = "what is left plays, is marked to be kept, or is not readable"
        return RetentionInfo(
            runs=counts["run"],
            experiments=counts["experiment"],
            size_bytes=size_bytes,
            most=self.bounds.most,
            most_bytes=self.bounds.most_bytes,
            free_bytes=self.free_bytes(),
            kept=sorted(each.name for each in self._seen if each.kept),
            removed=self._removed,
            last_removed=list(self._last),
            beyond=beyond,
        )


class Marks:
    """Which things are to be kept: one empty file for each.

    Args:
        folder: of the marks; made when the first is set.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> frozenset[str]:
        """Those that are marked.

        Raises:
            OSError: if they cannot be read; then nothing may be removed.
        """
        try:
            return frozenset(path.name for path in self._folder.iterdir())
        except FileNotFoundError:
            return frozenset()

    def put(self, name: str) -> None:
        """Mark one.

        Raises:
            OSError: if the disk does not take it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).touch()

    def drop(self, name: str) -> None:
        """Unmark one; nothing happens if it is not marked."""
        (self._folder / name).unlink(missing_ok=True)


class Sizes:
    """Sizes of directories, remembered as long as nothing was written into them."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, ...], int]] = {}

    def of(self, folder: Path, marks: Iterable[Path]) -> int:
        """Bytes of every file below a folder; links are not followed. Blocks.

        Args:
            folder: the folder; 0 if there is none.
            marks: what changes whenever anything in it does.
        """
        mark = tuple(_changed_ns(path) for path in (folder, *marks))
        known = self._known.get(folder)
        if known is None or known[0] != mark:
            known = (mark, _size(folder))
            self._known[folder] = known
        return known[1]

    def forget(self, folders: Iterable[Path]) -> None:
        """Remember only these from now on."""
        wanted = set(folders)
        self._known = {path: known for path, known in self._known.items() if path in wanted}


def _changed_ns(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def _size(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):  # links to directories are not followed
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118  # many files
            except OSError:
                continue  # it went meanwhile
    return total
