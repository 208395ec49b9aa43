"""Retention as a part of the service: what is in its store, marks over HTTP, a look now and then.

Rule of the module: wiring only. It looks at the start, after each run and experiment, and every ten
minutes. A run that another process seems to write is busy for a day after its last change.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import structlog
from fastapi import APIRouter

from simulator.service.metrics import Metrics
from simulator.service.problems import ProblemError, documented
from simulator.service.records import RunInfo
from simulator.service.retention import Marks, Retention, RetentionInfo, Sizes
from simulator.service.retention_rule import Bounds, Removal, Stored
from simulator.service.retention_rule import State as StoredState
from simulator.service.routes_runs import RunName
from simulator.service.service import Service
from simulator.units import NS_PER_S

_EVERY_S: Final = 600.0
_SETTLE_S: Final = 1.0
_WRITTEN_NS: Final = 24 * 3600 * NS_PER_S
_BUSY: Final = frozenset({"queued", "starting", "running", "stopping", "writing"})


class Experiments(Protocol):
    """What retention needs of whoever keeps experiments."""

    def stored(self, kept: frozenset[str], size: Callable[[Path], int]) -> list[Stored]:
        """All of them, with their sizes. Blocks."""
        ...

    async def delete(self, name: str) -> None:
        """Remove one.

        Raises:
            ProblemError: if it is busy or not there.
        """
        ...


class RetentionPart:
    """Retention of one service.

    Args:
        service: whose store it is.
        metrics: are told of sizes and removals.
        experiments: in the same store; None if there are none.

    Attributes:
        retention: the keeper of the bounds.
    """

    def __init__(
        self, service: Service, metrics: Metrics, experiments: Experiments | None = None
    ) -> None:
        self._service = service
        self._metrics = metrics
        self._experiments = experiments
        self._sizes = Sizes()
        self._marks = Marks(service.store.path / ".service" / "keep")
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        options = service.options
        self.retention = Retention(
            bounds=Bounds(most=options.keep_runs, most_bytes=options.keep_bytes),
            clock=service.clock,
            things=self._things,
            remove=self._remove,
            free_bytes=service.store.free_bytes,
            told=self._told,
        )
        gauges = metrics.gauges
        gauges["alertsim_store_runs"] = lambda: self.retention.counted[0]
        gauges["alertsim_store_bytes"] = lambda: self.retention.counted[1]
        gauges["alertsim_store_free_bytes"] = service.store.free_bytes
        service.runs.listen(self._heard)
        service.retention = self.retention.info

    def _heard(self, _run: str, event: dict[str, Any]) -> None:
        if event.get("type") == "end":
            self.look_soon()

    def look_soon(self) -> None:
        """Something ended: look at the store in a moment."""
        self._wanted.set()

    def _told(self, _removal: Removal) -> None:
        self._metrics.removed += 1

    async def _things(self) -> list[Stored]:
        infos = await self._service.runs.everything()
        kept = self._marks.names()
        return await asyncio.to_thread(self._measured, infos, kept)

    def _measured(self, infos: list[RunInfo], kept: frozenset[str]) -> list[Stored]:
        """Everything with its size. Blocks."""
        path = self._service.store.path
        folders = [path / info.run for info in infos]
        found = [self._stored(info, kept, path / info.run) for info in infos]
        self._sizes.forget(folders)
        if self._experiments is not None:
            found += self._experiments.stored(kept, lambda folder: Sizes().of(folder, ()))
        return found

    def _stored(self, info: RunInfo, kept: frozenset[str], folder: Path) -> Stored:
        at = info.ended or info.started or info.created
        marks = [folder / name for name in ("manifest.json", "deliveries", "report.html")]
        return Stored(
            kind="run",
            name=info.run,
            state=self._state(info),
            ended_ns=_unix_ns(at),
            size_bytes=self._sizes.of(folder, marks),
            kept=info.run in kept,
        )

    def _state(self, info: RunInfo) -> StoredState:
        if info.state in _BUSY:
            return "busy"
        if info.state == "unreadable":
            return "unknown"
        if info.state == "incomplete":
            written = self._service.store.kept_of(info.run)
            if written is not None and written.state == "running":
                # Perhaps another process waits for the next alert: a day says it does not.
                since_ns = self._service.clock.wall_ns() - written.changed_ns
                ours = self._service.runs.playing(info.run) is not None or info.exit_code
                return "incomplete" if ours or since_ns > _WRITTEN_NS else "busy"
            return "incomplete"
        return "complete"  # whole, or failed before anything was measured

    async def _remove(self, stored: Stored) -> None:
        if stored.name in self._marks.names():  # since everything was measured
            raise ProblemError(
                409, "kept", "it is marked to be kept", field="id", value=stored.name
            )
        if stored.kind == "run":
            await self._service.runs.delete(stored.name)
        elif self._experiments is not None:
            await self._experiments.delete(stored.name)

    def routers(self) -> Sequence[APIRouter]:
        """``/api/v1/retention`` and marks on runs."""
        routes = APIRouter(tags=["service"])

        @routes.get("/api/v1/retention", summary="What the store holds and what goes")
        async def about() -> RetentionInfo:
            """As it was when it was last looked at: at the start, after a run, every 10 minutes."""
            return self.retention.info()

        @routes.put(
            "/api/v1/runs/{run}/keep",
            status_code=204,
            summary="Keep a run",
            responses=documented(404, 507),
        )
        async def keep(run: RunName) -> None:
            """Never remove it to make room; it can still be deleted."""
            await self._service.runs.info(run)
            await asyncio.to_thread(self._marks.put, run)
            self.look_soon()

        @routes.delete(
            "/api/v1/runs/{run}/keep",
            status_code=204,
            summary="Keep a run no longer",
            responses=documented(404),
        )
        async def let(run: RunName) -> None:
            """It may go when the store is too large."""
            await self._service.runs.info(run)
            await asyncio.to_thread(self._marks.drop, run)
            self.look_soon()

        return [routes]

    async def start(self) -> None:
        """Look, and again now and then."""
        self._task = asyncio.create_task(self._keep_looking(), name="retention")

    async def _keep_looking(self) -> None:
        while True:
            self._wanted.clear()
            try:
                await self.retention.look()
            except Exception as error:  # noqa: BLE001  # the next look may find it well again
                structlog.get_logger().error("the store cannot be looked at", reason=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._wanted.wait()
            await asyncio.sleep(_SETTLE_S)  # its directory is being finished, others may end too

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def kill(self) -> None:
        """Nothing plays here."""


def _unix_ns(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * NS_PER_S)
