"""Runs: ordered, queued, played as processes, stopped, listed, deleted.

Rule of the module: one event loop, no locks; what blocks (the disk) happens in threads and before
anything changes here. At most so many play at once, each on a topic root of its own; at most so
many wait. A run that the service did not live to see the end of shows as incomplete.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from simulator.clock import Clock
from simulator.errors import ExitCode, OutputError
from simulator.service.broker import BrokerKeeper
from simulator.service.feed import Feed
from simulator.service.fold import Event
from simulator.service.options import ServiceOptions
from simulator.service.orders import RunOrder
from simulator.service.planning import free_root, planned, process_of
from simulator.service.playing import Heard, Playing
from simulator.service.problems import ProblemError
from simulator.service.process import CommandProcess
from simulator.service.records import RunInfo, RunRecord
from simulator.service.showing import Showing
from simulator.service.store import Store
from simulator.units import wall_datetime

_RECENT: Final = 16  # ended runs whose events stay at hand
_NOT_BEGUN: Final = "stopped before it began"
_CUT_SHORT: Final = "the service ended while it played"


class Runs:
    """The runs of one service.

    Args:
        options: how the service is set up.
        store: where they are kept.
        broker: that they publish to.
        clock: where time comes from.
        changed: called with a run whose state changed, or that is gone.
    """

    def __init__(
        self,
        options: ServiceOptions,
        store: Store,
        broker: BrokerKeeper,
        clock: Clock,
        changed: Callable[[str], None],
    ) -> None:
        self._options = options
        self._store = store
        self._broker = broker
        self._clock = clock
        self._changed = changed
        self._queue: deque[Playing] = deque()
        self._playing: dict[str, Playing] = {}
        self._ended: dict[str, Playing] = {}
        self._records: dict[str, RunRecord] = {}
        self._showing = Showing(store, self._records, self._at_hand, self._queue)
        self._tasks: set[asyncio.Task[None]] = set()
        self._orders: set[asyncio.Task[RunInfo]] = set()
        self._heard: list[Heard] = []
        self._coming = 0  # orders that are taken and not in the queue yet
        self._closing = False
        self._log = structlog.get_logger()

    async def start(self) -> None:
        """Take up what an earlier service left: its queue, and runs that died with it."""
        for record in await asyncio.to_thread(self._store.records):
            self._records[record.run] = record
            if record.state == "queued":
                self._queue.append(Playing(record=record))
            elif record.state == "started":
                await self._save_of(
                    Playing(record=record), state="ended", ended=self._now(), reason=_CUT_SHORT
                )
        self._log.info("runs wait from before", count=len(self._queue))
        self.pump()

    async def stop(self) -> None:
        """End what plays, in order; what waits stays in the queue for the next service."""
        self._closing = True
        for playing in [*self._playing.values()]:
            self._ask(playing)
        while self._tasks or self._orders:
            await asyncio.gather(*self._tasks, *self._orders, return_exceptions=True)

    def kill(self) -> None:
        """End what plays at once, and begin nothing more."""
        self._closing = True
        for playing in self._playing.values():
            if playing.process is not None:
                playing.process.kill()

    def listen(self, heard: Heard) -> None:
        """Call this with every live event of every run; it must return at once."""
        self._heard.append(heard)

    async def order(self, order: RunOrder) -> RunInfo:
        """Start a run, or let it wait for its turn.

        Raises:
            InputError: if it cannot be played as ordered.
            ProblemError: if the service cannot take it now.
        """
        self._check_room()
        self._coming += 1
        accepting = asyncio.create_task(self._order(order), name="order")
        self._orders.add(accepting)
        accepting.add_done_callback(self._orders.discard)
        return await asyncio.shield(accepting)  # whoever is cut short: it is known, or left nothing

    async def _order(self, order: RunOrder) -> RunInfo:
        try:
            tools = (self._options, self._store, self._clock)
            record = await asyncio.to_thread(planned, order, *tools)
            await self._accepted(record)
            playing = Playing(record=record)
            self._queue.append(playing)
        finally:
            self._coming -= 1
        self._log.info("run ordered", run=record.run, scenario=record.scenario)
        self._changed(record.run)
        self.pump()
        return self._showing.now(playing)

    async def _accepted(self, record: RunRecord) -> None:
        """Write it down, then it is known; one that cannot be taken after all leaves nothing."""
        try:
            self._check_open()
            await asyncio.to_thread(self._store.save, record)
        except (OutputError, ProblemError):
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._store.delete, record.run)
            raise
        self._records[record.run] = record

    def _check_open(self) -> None:
        if self._closing:
            raise ProblemError(503, "closing", "the service is about to end")

    def _check_room(self) -> None:
        self._check_open()
        most = self._options.max_runs + self._options.max_waiting
        if len(self._queue) + len(self._playing) + self._coming >= most:
            raise ProblemError(
                503,
                "queue-full",
                f"{len(self._queue)} runs wait already, and that is all that may wait",
                remedy="try again when one has ended, or stop one",
                headers={"retry-after": "30"},
            )

    async def stop_run(self, run: str) -> RunInfo:
        """Ask a run to end in order; one that waits leaves the queue.

        Raises:
            ProblemError: if there is none, or it has ended.
        """
        for playing in self._queue:
            if playing.run == run:
                self._queue.remove(playing)
                # Until it is written down it counts as one that ends: nobody deletes it meanwhile.
                self._playing[run], playing.called, playing.stopping = playing, True, True
                await self._end(playing, ExitCode.ABORTED, _NOT_BEGUN)
                self.pump()
                return await self.info(run)
        playing_now = self._playing.get(run)
        if playing_now is None:
            await self.info(run)
            raise ProblemError(409, "ended", "the run has ended", field="run", value=run)
        self._ask(playing_now)
        self._changed(run)
        return self._showing.now(playing_now)

    def _ask(self, playing: Playing) -> None:
        if playing.stopping:
            return
        playing.stopping = True
        if playing.process is not None:
            task = asyncio.create_task(self._insist(playing.process), name=f"stop-{playing.run}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _insist(self, process: CommandProcess) -> None:
        await process.stop(self._options.stop_s)

    async def delete(self, run: str) -> None:
        """Remove a run and everything kept of it.

        Raises:
            ProblemError: if there is none, or it still waits, plays or is written.
        """
        info = await self.info(run)
        if run in self._playing or info.state in {"queued", "writing"}:
            raise ProblemError(
                409,
                "busy",
                f"the run is {info.state}",
                field="run",
                value=run,
                remedy="stop it first, or wait for its end",
            )
        await asyncio.to_thread(self._store.delete, run)
        self._records.pop(run, None)
        self._ended.pop(run, None)
        self._log.info("run deleted", run=run)
        self._changed(run)

    def playing(self, run: str) -> Playing | None:
        """A run whose events are at hand: it waits, plays, or ended lately."""
        return next((each for each in self._at_hand() if each.run == run), None)

    def _at_hand(self) -> list[Playing]:
        return [*self._queue, *self._playing.values(), *self._ended.values()]

    def counts(self) -> tuple[int, int]:
        """How many play, how many wait."""
        return len(self._playing), len(self._queue)

    def feeds(self) -> list[Feed]:
        """Of the runs whose events are at hand."""
        return [each.feed for each in self._at_hand()]

    async def everything(self) -> list[RunInfo]:
        """Every run, the newest first."""
        return await self._showing.everything()

    async def info(self, run: str) -> RunInfo:
        """One run.

        Raises:
            ProblemError: if there is none.
        """
        return await self._showing.info(run)

    def pump(self) -> None:
        """Start what may start; called whenever that may have changed."""
        while (
            not self._closing
            and not self._broker.down
            and len(self._playing) < self._options.max_runs
            and (playing := self._next()) is not None
        ):
            self._queue.remove(playing)
            self._playing[playing.run], playing.called = playing, True
            playing.record = playing.record.model_copy(
                update={"root": playing.record.root or free_root(self._roots())}
            )
            task = asyncio.create_task(self._play(playing), name=f"run-{playing.run}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next(self) -> Playing | None:
        used = self._roots()
        return next((each for each in self._queue if each.record.root not in used), None)

    def _roots(self) -> set[str]:
        return {each.record.root for each in self._playing.values() if each.record.root}

    async def _play(self, playing: Playing) -> None:
        try:
            code, reason = await self._played(playing)
        except Exception as error:  # noqa: BLE001  # a defect here must not take the service along
            self._log.error("run failed", run=playing.run, reason=str(error))
            code, reason = 107, str(error)
        await self._end(playing, code, reason)
        self.pump()

    async def _played(self, playing: Playing) -> tuple[int, str]:
        """Play it as a process; its exit code and why it ended early."""
        process = process_of(playing.record, self._store, self._broker)
        try:
            await self._save_of(playing, state="started", started=self._now())
            await process.start()
            playing.process = process
            self._log.info("run starts", run=playing.run, pid=process.pid, root=playing.record.root)
            self._changed(playing.run)
            if playing.stopping:  # asked while it was being started
                playing.stopping = False
                self._ask(playing)
            async for line in process.lines():
                self._hear(playing, line)
            if (code := await process.wait()) < 0:
                killed = f"its process was killed (signal {-code})"
                return ExitCode.ABORTED if playing.stopping else ExitCode.INTERNAL, killed
            told = playing.fold.last("end") is not None
            if playing.stopping and (
                code not in {*ExitCode} or (code == ExitCode.ABORTED and not told)
            ):
                # Where it is none of ours, SIGINT came before the program listened for it.
                begun = playing.fold.last("begun") is not None
                return int(ExitCode.ABORTED), "it was stopped" if begun else _NOT_BEGUN
            if not told:
                return code, process.error() or f"its process ended with {code}"
            return code, str((playing.fold.last("end") or {}).get("reason") or "")
        except OSError as error:
            return 107, f"its process cannot be started: {error}"
        finally:
            await process.finish(self._options.stop_s)

    def _hear(self, playing: Playing, line: bytes) -> None:
        event = playing.hear(line)
        if event is None:
            return
        self._tell(playing.run, event)
        if event["type"] in {"begun", "directory"}:
            self._changed(playing.run)

    def _tell(self, run: str, event: Event) -> None:
        for heard in self._heard:
            try:
                heard(run, event)
            except Exception as error:  # noqa: BLE001  # the run and the others must not suffer
                self._log.error("a listener failed", run=run, reason=repr(error))

    async def _end(self, playing: Playing, code: int, reason: str) -> None:
        playing.tell_end(code, reason)
        end = playing.fold.last("end") or {}
        self._tell(playing.run, end)  # perhaps the second time: who counts, counts by run
        if playing.fold.last("plan") is not None:
            whole = playing.fold.snapshot()
            await self._kept(playing.run, self._store.keep_snapshot, playing.run, whole)
        await self._save_of(
            playing,
            state="ended",
            ended=self._now(),
            exit_code=code,
            reason=reason,
            sentence=str(end.get("sentence") or ""),
        )
        self._ended[playing.run] = playing
        while len(self._ended) > _RECENT:
            self._ended.pop(next(iter(self._ended)))
        self._log.info("run ends", run=playing.run, exit_code=code, reason=reason)
        self._playing.pop(playing.run, None)
        playing.feed.close()
        self._changed(playing.run)

    def _now(self) -> object:
        return wall_datetime(self._clock.wall_ns())

    async def _save_of(self, playing: Playing, **changed: object) -> None:
        record = playing.record = playing.record.model_copy(update=changed)
        self._records[record.run] = record
        await self._kept(record.run, self._store.save, record)

    async def _kept(self, run: str, keep: Callable[..., None], *what: object) -> None:
        """Write something down; a disk that is full costs the note, never the run's end."""
        try:
            await asyncio.to_thread(keep, *what)
        except (OutputError, OSError) as error:
            reason = error.message if isinstance(error, OutputError) else str(error)
            self._log.error("not written down", run=run, reason=reason)
