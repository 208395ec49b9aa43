"""Experiments: ordered, queued, played as processes, stopped, continued, listed, deleted.

Rule of the module: as for runs, with two differences. An experiment has no broker and measures
nothing, so it plays at low priority, one at a time; and one that was stopped goes on from its
finished replications when it is continued. The record beside its directory says how far it came.
What is so is decided here at once and written down after it, in threads, one record at a time and
always the latest of each; one that is being deleted is neither written nor continued.
"""

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from simulator.clock import Clock
from simulator.errors import AlertsimError
from simulator.run.provenance import new_run_id
from simulator.service.experiments_live import GRACE_S, Live, state_of
from simulator.service.experiments_model import (
    ExperimentInfo,
    ExperimentOrder,
    ExperimentRecord,
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
_NICE: Final = 10
_ENDED_WITH_SERVICE: Final = "the service ended while it played; what was finished is kept"


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
        self._live: dict[str, Live] = {}
        self._claimed: set[str] = set()  # ids that are being ordered or deleted
        self._writing = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()
        self._closing = False
        self._queue: deque[str] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    async def start(self) -> None:
        """Take up what an earlier service left."""
        for record in await asyncio.to_thread(self._store.records):
            self._records[record.id] = record
            if record.state == "queued":
                self._enqueue(record)
            elif record.state == "started":
                self._set(record, state="ended", exit_code=STOPPED, reason=_ENDED_WITH_SERVICE)
                await self._written(record.id)
        self._worker = asyncio.create_task(self._work(), name="experiments")

    async def stop(self) -> None:
        """End what plays, in order; what waits stays in the queue for the next service."""
        self._closing = True
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
        for live in self._live.values():
            live.feed.close()
        await asyncio.gather(*self._writes)

    def kill(self) -> None:
        """End what plays at once, and begin nothing more."""
        self._closing = True
        for live in self._live.values():
            live.kill()

    async def order(self, order: ExperimentOrder) -> ExperimentInfo:
        """Play an experiment, or let it wait for its turn.

        Raises:
            InputError: if it names a scenario that is not shipped.
            ProblemError: if something that it compares is not there, or too many wait.
        """
        check_order(order)
        self._check_room()
        arguments(order, Path(), self._place)
        wall_ns = self._clock.wall_ns()
        while self._is_known(name := new_run_id(wall_ns)):
            pass  # two in one second, by one chance in 65,536
        record = ExperimentRecord(id=name, order=order, created=wall_datetime(wall_ns))
        self._claimed.add(name)
        try:
            await asyncio.to_thread(self._store.save, record)
        finally:
            self._claimed.discard(name)
        self._records[name] = record
        self._enqueue(record)
        return self._tell(name)

    def _is_known(self, name: str) -> bool:
        return name in self._records or name in self._claimed or self._store.is_known(name)

    async def resume(self, name: str) -> ExperimentInfo:
        """Go on with one that was stopped or that failed, from what is finished.

        Raises:
            ProblemError: if there is none, or it waits, plays, is complete or being deleted.
        """
        info = self._unclaimed(name)
        if info.state not in {"incomplete", "failed"}:
            raise _refused(409, "not-stopped", f"the experiment is {info.state}", name)
        self._check_room()
        record = self._set(
            self._records[name], state="queued", exit_code=None, reason="", remedy="", ended=None
        )
        self._enqueue(record)
        told = self._tell(name)
        await self._written(name)
        return told

    def _unclaimed(self, name: str) -> ExperimentInfo:
        info = self.info(name)
        if name in self._claimed:
            raise _refused(409, "busy", "the experiment is being deleted", name)
        return info

    def _check_room(self) -> None:
        if self._closing:
            raise ProblemError(503, "closing", "the service is about to end")
        if len(self._queue) + len(self._claimed - self._records.keys()) >= MOST_WAITING:
            raise ProblemError(
                503,
                "queue-full",
                f"{len(self._queue)} experiments wait already, and that is all that may wait",
                remedy="try again when one has ended, or stop one",
                headers={"retry-after": "60"},
            )

    async def stop_one(self, name: str) -> ExperimentInfo:
        """Ask one to end in order; one that waits leaves the queue.

        Raises:
            ProblemError: if there is none, or it has ended.
        """
        info = self.info(name)
        live = self._live.get(name)
        if live is None:
            raise _refused(409, "ended", "the experiment has ended", name)
        if info.state == "queued":
            self._queue.remove(name)
            await self._end(live, STOPPED, "stopped before it began", "")
            return self.info(name)
        live.stopping = True
        live.insist()
        return self._tell(name)

    async def delete(self, name: str) -> None:
        """Remove one and everything kept of it.

        Raises:
            ProblemError: if there is none, or it waits, plays or is being deleted.
            OSError: if something of it cannot be removed.
        """
        info = self._unclaimed(name)
        if name in self._live:
            remedy = "stop it first, or wait for its end"
            raise _refused(409, "busy", f"the experiment is {info.state}", name, remedy)
        self._claimed.add(name)
        try:
            async with self._writing:  # what is written now would come again
                await asyncio.to_thread(self._store.delete, name)
            self._records.pop(name, None)
        finally:
            self._claimed.discard(name)
        self._changed(name, None)

    async def listed(self) -> list[ExperimentInfo]:
        """All of them, the newest first."""
        seen = [
            (self._records[name], self._is_stopping(name))
            for name in sorted(self._records, reverse=True)
        ]  # threads read a copy: this thread goes on meanwhile
        return await asyncio.to_thread(
            lambda: [self._info_of(record, stopping=stopping) for record, stopping in seen]
        )

    def info(self, name: str) -> ExperimentInfo:
        """One of them.

        Raises:
            ProblemError: if there is none.
        """
        record = self._records.get(name)
        if record is None:
            why = ("no-such-experiment", "there is no such experiment")
            raise _refused(404, *why, name, "see /api/v1/experiments")
        return self._info_of(record, stopping=self._is_stopping(name))

    def _is_stopping(self, name: str) -> bool:
        live = self._live.get(name)
        return live is not None and live.stopping

    def _info_of(self, record: ExperimentRecord, *, stopping: bool) -> ExperimentInfo:
        return ExperimentInfo(
            state=state_of(record, stopping=stopping),
            files=self._store.files(record.id),
            **record.model_dump(exclude={"schema_version", "state"}),
        )

    def feed(self, name: str) -> Feed | None:
        """Of one that waits or plays."""
        live = self._live.get(name)
        return None if live is None else live.feed

    def feeds(self) -> list[Feed]:
        """Of all that wait or play."""
        return [live.feed for live in self._live.values()]

    def _enqueue(self, record: ExperimentRecord) -> None:
        name = record.id

        def snapshot() -> Frame:
            return self._frame("snapshot", name)

        self._live[name] = Live(record=record, snapshot=snapshot)
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
            while self._queue and not self._closing:
                live = self._live[self._queue.popleft()]
                try:
                    await self._play(live)
                except Exception as error:  # noqa: BLE001  # the next one is played all the same
                    structlog.get_logger().error(
                        "experiment failed", experiment=live.record.id, reason=str(error)
                    )
                    await self._end(live, DEFECT, f"internal error: {type(error).__name__}", "")
            await self._wanted.wait()

    async def _play(self, live: Live) -> None:
        name, log = live.record.id, structlog.get_logger()
        try:
            said = arguments(live.record.order, self._store.result(name), self._place)
        except ProblemError as error:
            await self._end(live, 104, error.problem.detail, error.problem.remedy)
            return
        process = CommandProcess(said)
        started = wall_datetime(self._clock.wall_ns())
        live.record = self._set(live.record, state="started", started=started)
        try:
            await self._written(name)
            await process.start()
            live.process = process
            log.info("experiment starts", experiment=name, pid=process.pid)
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PGRP, process.pid or 0, _NICE)
            if live.stopping:
                live.insist()
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
            await self._end(live, *ending(code, heard, process.said()))
            log.info("experiment ends", experiment=name, exit_code=code)
        except asyncio.CancelledError:
            await process.stop(GRACE_S)
            await self._end(live, STOPPED, _ENDED_WITH_SERVICE, "continue it")
            raise
        except OSError as error:
            await self._end(live, DEFECT, f"its process cannot be started: {error}", "")
        finally:
            await process.finish(GRACE_S)

    async def _watch(self, live: Live, process: CommandProcess) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            self._progress(live, process)

    def _progress(self, live: Live, process: CommandProcess) -> None:
        found = progress_in(process.said())
        if found is None or found == (live.record.done, live.record.total):
            return
        live.record = live.record.model_copy(update={"done": found[0], "total": found[1]})
        self._records[live.record.id] = live.record
        self._tell(live.record.id, "progress")

    async def _end(self, live: Live, code: int, reason: str, remedy: str) -> None:
        name = live.record.id
        if self._live.get(name) is not live:
            return  # it has ended, and perhaps waits again
        ended = wall_datetime(self._clock.wall_ns())
        self._set(
            live.record, state="ended", ended=ended, exit_code=code, reason=reason, remedy=remedy
        )
        self._tell(name, "end")
        live.feed.close()
        self._live.pop(name)
        await self._written(name)

    def _set(self, record: ExperimentRecord, **changed: object) -> ExperimentRecord:
        record = self._records[record.id] = record.model_copy(update=changed)
        return record

    async def _written(self, name: str) -> None:
        """Once the latest of it stands on the disk; whoever is cut short, it is written."""
        writing = asyncio.create_task(self._write(name), name=f"write-{name}")
        self._writes.add(writing)
        writing.add_done_callback(self._writes.discard)
        await asyncio.shield(writing)

    async def _write(self, name: str) -> None:
        """A disk that takes nothing is logged, the experiment goes on."""
        async with self._writing:
            record = self._records.get(name)
            if record is None or name in self._claimed:
                return
            try:
                await asyncio.to_thread(self._store.save, record)
            except (AlertsimError, OSError) as error:
                structlog.get_logger().error("not kept", experiment=name, reason=str(error))

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


def _refused(status: int, kind: str, detail: str, name: str, remedy: str = "") -> ProblemError:
    return ProblemError(status, kind, detail, field="id", value=name, remedy=remedy)
