"""Executors: who plays the chunks.

Rule of the module: an executor takes chunks one by one and hands back their rows in any order. It
sends the plan to each worker once. A worker that dies costs the work it was doing, which is done
again; a chunk that kills its worker again and again is a defect and ends the experiment.
"""

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from multiprocessing.connection import wait as wait_for
from types import TracebackType
from typing import Final, Protocol, Self

from simulator.errors import InternalError
from simulator.experiment.plan import Chunk, Plan
from simulator.experiment.replications import Columns, Player

_AHEAD: Final = 2
_MOST_DEATHS: Final = 3


class Executor(AbstractContextManager["Executor"], Protocol):
    """Plays chunks. Leaving its context ends its workers."""

    def play(self, plan: Plan, chunks: Iterator[Chunk]) -> Iterator[Columns]:
        """Play chunks; hand back their rows as they are done, in any order.

        Closing the iterator early stops the work in order: nothing new is begun.
        """
        ...


class InlineExecutor:
    """This process: no start-up, no copies."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def play(self, plan: Plan, chunks: Iterator[Chunk]) -> Iterator[Columns]:
        """One after the other."""
        player = Player(plan)
        return map(player.play_chunk, chunks)


class ProcessExecutor:
    """Several processes of this host, started afresh so that they share nothing.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Begin nothing new, let the chunks at work end, end the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def play(self, plan: Plan, chunks: Iterator[Chunk]) -> Iterator[Columns]:
        """Keep every worker busy with a chunk and one waiting."""
        again: deque[Chunk] = deque()
        running: dict[Future[Columns], Chunk] = {}
        deaths: Counter[int] = Counter()
        pool = self._begin_pool(plan)
        while True:
            whole = self._fill(pool, running, again, chunks)
            if not running and not again:
                return
            done = wait(running, return_when=FIRST_COMPLETED).done
            for future in done:
                chunk = running.pop(future)
                try:
                    columns = future.result()
                except BrokenProcessPool:
                    running[future] = chunk
                    whole = False
                    break
                yield columns
            if not whole:
                again.extend(running.values())
                deaths.update(chunk.number for chunk in running.values())
                running.clear()
                _refuse_deadly(deaths)
                pool.shutdown(wait=True, cancel_futures=True)
                pool = self._begin_pool(plan)

    def _fill(
        self,
        pool: ProcessPoolExecutor,
        running: dict[Future[Columns], Chunk],
        again: deque[Chunk],
        chunks: Iterator[Chunk],
    ) -> bool:
        """Hand out chunks; False if a worker died meanwhile."""
        while len(running) < self.workers * _AHEAD:
            chunk = again.popleft() if again else next(chunks, None)
            if chunk is None:
                return True
            try:
                running[_submit(pool, chunk)] = chunk
            except BrokenProcessPool:
                again.appendleft(chunk)
                return False
        return True

    def _begin_pool(self, plan: Plan) -> ProcessPoolExecutor:
        self._pool = ProcessPoolExecutor(
            self.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(plan,),
        )
        return self._pool


def _refuse_deadly(deaths: Counter[int]) -> None:
    """Give up on a chunk that was being played each time a worker died."""
    deadly = [str(number) for number, count in deaths.items() if count > _MOST_DEATHS]
    if deadly:
        raise InternalError(
            f"workers died {_MOST_DEATHS + 1} times while playing chunks {', '.join(deadly)}; "
            "finished replications are kept. If the system ran out of memory, use fewer --workers"
        )


def make_executor(workers: int) -> Executor:
    """One worker is this process, several are processes of their own."""
    return InlineExecutor() if workers == 1 else ProcessExecutor(workers)


def available_workers() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _submit(pool: ProcessPoolExecutor, chunk: Chunk) -> "Future[Columns]":
    """Submit with the interrupt signal held back: workers started by it inherit that.

    A Ctrl-C in a terminal reaches the whole process group; the end is the parent's to order.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        return pool.submit(_play, chunk)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


_players: list[Player] = []


def _begin(plan: Plan) -> None:
    """First thing in a worker: take the plan, and end when the parent does."""
    _players[:] = [Player(plan)]
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot end its workers; without this they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _play(chunk: Chunk) -> Columns:
    return _players[0].play_chunk(chunk)
