"""Experiments: ordered, queued, played as processes, stopped, continued, listed, deleted.

Rule of the module: as for runs, with two differences. An experiment has no broker and measures
nothing, so it plays at low priority, one at a time; and one that was stopped goes on from its
finished replications when it is continued. The record beside its directory says how far it came.
"""

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from simulator.clock import Clock
from simulator.errors import AlertsimError
from simulator.run.provenance import new_run_id
from simulator.service.experiments_model import (
    ExperimentInfo,
    ExperimentOrder,
    ExperimentRecord,
    State,
    arguments,
    check_order,
)
from simulator.service.experiments_said import (
    DEFECT,
    STOPPED,
    WHOLE,
    ending,
    heard_of,
    progress_in,
)
from simulator.service.experiments_store import ExperimentStore
from simulator.service.feed import Feed
from simulator.service.frames import Frame, frame
from simulator.service.problems import ProblemError
from simulator.service.process import CommandProcess
from simulator.units import wall_datetime

MOST_WAITING: Final = 20
_LOOK_S: Final = 0.5
_GRACE_S: Final = 20.0
_NICE: Final = 10
_ENDED_WITH_SERVICE: Final = "the service ended while it played; what was finished is kept"


@dataclass(slots=True, kw_only=True)
class _Live:
    """An experiment that waits or plays, and who looks on."""

    record: ExperimentRecord
    process: CommandProcess | None = None
    stopping: bool = False
    ending: asyncio.Task[int] | None = None
    number: int = 0
    feed: Feed = field(init=False)
    snapshot: Callable[[], Frame]

    def __post_init__(self) -> None:
        self.feed = Feed(self.snapshot)


class Experiments:
    """The experiments of one service.

    Args:
        store: where they are kept.
        clock: where time comes from.
        run_folder: directory of a run; None if there is none.
        changed: told of one that is new, changed or gone, with what is shown of it.
    """

    def __init__(
        self,
        store: ExperimentStore,
        clock: Clock,
        run_folder: Callable[[str], Path | None],
        changed: Callable[[str, ExperimentInfo | None], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._run_folder = run_folder
        self._changed = changed
        self._records: dict[str, ExperimentRecord] = {}
        self._live: dict[str, _Live] = {}
        self._queue: deque[str] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    # --- life --------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier service left."""
        for record in await asyncio.to_thread(self._store.records):
            self._records[record.id] = record
            if record.state == "queued":
                self._enqueue(record)
            elif record.state == "started":
                self._keep(record, state="ended", exit_code=STOPPED, reason=_ENDED_WITH_SERVICE)
        self._worker = asyncio.create_task(self._work(), name="experiments")

    async def stop(self) -> None:
        """End what plays, in order; what waits stays in the queue for the next service."""
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
        for live in self._live.values():
            live.feed.close()

    # --- what is asked for -------------------------------------------------------------------

    def order(self, order: ExperimentOrder) -> ExperimentInfo:
        """Play an experiment, or let it wait for its turn.

        Raises:
            InputError: if it names a scenario that is not shipped.
            ProblemError: if something that it compares is not there, or too many wait.
        """
        check_order(order)
        self._check_room()
        wall_ns = self._clock.wall_ns()
        name = new_run_id(wall_ns)
        arguments(order, Path(), self._place)
        record = ExperimentRecord(id=name, order=order, created=wall_datetime(wall_ns))
        self._store.save(record)
        self._records[name] = record
        self._enqueue(record)
        return self._tell(name)

    def resume(self, name: str) -> ExperimentInfo:
        """Go on with one that was stopped or that failed, from what is finished.

        Raises:
            ProblemError: if there is none, or it waits, plays or is complete.
        """
        info = self.info(name)
        if info.state not in {"incomplete", "failed"}:
            raise ProblemError(
                409, "not-stopped", f"the experiment is {info.state}", field="id", value=name
            )
        self._check_room()
        record = self._keep(
            self._records[name], state="queued", exit_code=None, reason="", remedy="", ended=None
        )
        self._enqueue(record)
        return self._tell(name)

    def _check_room(self) -> None:
        if len(self._queue) >= MOST_WAITING:
            raise ProblemError(
                503,
                "queue-full",
                f"{len(self._queue)} experiments wait already, and that is all that may wait",
                remedy="try again when one has ended, or stop one",
                headers={"retry-after": "60"},
            )

    def stop_one(self, name: str) -> ExperimentInfo:
        """Ask one to end in order; one that waits leaves the queue.

        Raises:
            ProblemError: if there is none, or it has ended.
        """
        info = self.info(name)
        live = self._live.get(name)
        if live is None:
            raise ProblemError(409, "ended", "the experiment has ended", field="id", value=name)
        if info.state == "queued":
            self._queue.remove(name)
            self._end(live, STOPPED, "stopped before it began", "")
            return self.info(name)
        live.stopping = True
        self._insist(live)
        return self._tell(name)

    def _insist(self, live: _Live) -> None:
        """End its process in order, and by force if it does not hear: what is finished is kept."""
        if live.process is not None and live.ending is None:
            live.ending = asyncio.create_task(live.process.stop(_GRACE_S), name="stop experiment")

    async def delete(self, name: str) -> None:
        """Remove one and everything kept of it.

        Raises:
            ProblemError: if there is none, or it waits or plays.
        """
        info = self.info(name)
        if name in self._live:
            raise ProblemError(
                409, "busy", f"the experiment is {info.state}", field="id", value=name,
                remedy="stop it first, or wait for its end",
            )  # fmt: skip
        await asyncio.to_thread(self._store.delete, name)
        self._records.pop(name, None)
        self._changed(name, None)

    # --- what is shown -----------------------------------------------------------------------

    def listed(self) -> list[ExperimentInfo]:
        """All of them, the newest first."""
        return [self.info(name) for name in sorted(self._records, reverse=True)]

    def info(self, name: str) -> ExperimentInfo:
        """One of them.

        Raises:
            ProblemError: if there is none.
        """
        record = self._records.get(name)
        if record is None:
            raise ProblemError(
                404, "no-such-experiment", "there is no such experiment", field="id", value=name,
                remedy="see /api/v1/experiments",
            )  # fmt: skip
        live = self._live.get(name)
        return ExperimentInfo(
            state=_state(record, stopping=live is not None and live.stopping),
            files=self._store.files(name),
            **record.model_dump(exclude={"schema_version", "state"}),
        )

    def feed(self, name: str) -> Feed | None:
        """Of one that waits or plays."""
        live = self._live.get(name)
        return None if live is None else live.feed

    def feeds(self) -> list[Feed]:
        """Of all that wait or play."""
        return [live.feed for live in self._live.values()]

    # --- playing -----------------------------------------------------------------------------

    def _enqueue(self, record: ExperimentRecord) -> None:
        name = record.id

        def snapshot() -> Frame:
            return self._frame("snapshot", name)

        self._live[name] = _Live(record=record, snapshot=snapshot)
        self._queue.append(name)
        self._wanted.set()

    def _frame(self, kind: str, name: str) -> Frame:
        shown = {"type": kind, "experiment": self.info(name).model_dump(mode="json")}
        text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
        live = self._live.get(name)
        return frame(kind, text.encode(), 0 if live is None else live.number)

    def _tell(self, name: str, kind: str = "state") -> ExperimentInfo:
        live = self._live.get(name)
        if live is not None:
            live.number += 1
            live.feed.publish(self._frame(kind, name))
        info = self.info(name)
        if kind != "progress":
            self._changed(name, info)
        return info

    async def _work(self) -> None:
        while True:
            self._wanted.clear()
            while self._queue:
                live = self._live[self._queue.popleft()]
                try:
                    await self._play(live)
                except Exception as error:  # noqa: BLE001  # the next one is played all the same
                    structlog.get_logger().error(
                        "experiment failed", experiment=live.record.id, reason=str(error)
                    )
                    self._end(live, DEFECT, f"internal error: {type(error).__name__}", "")
            await self._wanted.wait()

    async def _play(self, live: _Live) -> None:
        name, log = live.record.id, structlog.get_logger()
        try:
            said = arguments(live.record.order, self._store.result(name), self._place)
        except ProblemError as error:
            self._end(live, 104, error.problem.detail, error.problem.remedy)
            return
        process = CommandProcess(said)
        started = wall_datetime(self._clock.wall_ns())
        live.record = self._keep(live.record, state="started", started=started)
        try:
            await process.start()
            live.process = process
            log.info("experiment starts", experiment=name, pid=process.pid)
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PGRP, process.pid or 0, _NICE)
            if live.stopping:
                self._insist(live)
            self._tell(name)
            watching = asyncio.create_task(self._watch(live, process))
            try:
                heard = await heard_of(process)
                code = await process.wait()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            self._progress(live, process)
            if live.stopping and code not in WHOLE:
                code = STOPPED  # asked before it could listen, it dies of the signal
            self._end(live, *ending(code, heard, process.said()))
            log.info("experiment ends", experiment=name, exit_code=code)
        except asyncio.CancelledError:
            await process.stop(_GRACE_S)
            self._end(live, STOPPED, _ENDED_WITH_SERVICE, "continue it")
            raise
        except OSError as error:
            self._end(live, DEFECT, f"its process cannot be started: {error}", "")
        finally:
            await process.finish(_GRACE_S)

    async def _watch(self, live: _Live, process: CommandProcess) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self._progress(live, process)

    def _progress(self, live: _Live, process: CommandProcess) -> None:
        found = progress_in(process.said())
        if found is None or found == (live.record.done, live.record.total):
            return
        live.record = live.record.model_copy(update={"done": found[0], "total": found[1]})
        self._records[live.record.id] = live.record
        self._tell(live.record.id, "progress")

    def _end(self, live: _Live, code: int, reason: str, remedy: str) -> None:
        ended = wall_datetime(self._clock.wall_ns())
        self._keep(
            live.record, state="ended", ended=ended, exit_code=code, reason=reason, remedy=remedy
        )
        self._tell(live.record.id, "end")
        live.feed.close()
        self._live.pop(live.record.id, None)

    def _keep(self, record: ExperimentRecord, **changed: object) -> ExperimentRecord:
        """Change what is kept; a disk that takes nothing is logged, the experiment goes on."""
        record = record.model_copy(update=changed)
        self._records[record.id] = record
        try:
            self._store.save(record)
        except (AlertsimError, OSError) as error:
            structlog.get_logger().error("not kept", experiment=record.id, reason=str(error))
        return record

    def _place(self, kind: str, name: str) -> Path:
        found: Path | None = None
        if kind == "run":
            found = self._run_folder(name)
        elif name in self._records:
            found = self._store.result(name)
        if found is None:
            raise ProblemError(
                404, f"no-such-{kind}", f"there is no such {kind}", field=f"{kind}s", value=name
            )
        return found


def _state(record: ExperimentRecord, *, stopping: bool) -> State:
    if record.state == "queued":
        return "queued"
    if record.state == "started":
        return "stopping" if stopping else "running"
    if record.exit_code in WHOLE:
        return "complete"
    return "incomplete" if record.exit_code == STOPPED else "failed"
