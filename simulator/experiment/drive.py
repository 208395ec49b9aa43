"""Driving an experiment: play what is missing, keep what is done, stop when it is enough.

Rule of the module: what is kept, and where the experiment stops, depends on the plan alone. A rule
that stops early is asked at fixed numbers of replications and sees all replications before them, in
order, whoever played them first.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from simulator.experiment.estimates import Floats
from simulator.experiment.executors import Executor
from simulator.experiment.figures import Value, column_order
from simulator.experiment.plan import Chunk, Plan
from simulator.experiment.replications import Columns

STEP: Final = 100


class Store(Protocol):
    """Keeps finished chunks."""

    def finished(self) -> frozenset[int]:
        """Numbers of the chunks that are already there."""
        ...

    def keep(self, columns: Columns) -> None:
        """Keep a chunk for good."""
        ...

    def column(self, chunk: Chunk, name: str) -> Sequence[Value]:
        """One column of a chunk that is there; None for each row if it has no such column."""
        ...


@dataclass(slots=True)
class MemoryStore:
    """Keeps chunks in memory."""

    kept: dict[int, Columns] = field(default_factory=dict)

    def finished(self) -> frozenset[int]:
        """Numbers of the chunks that are already there."""
        return frozenset(self.kept)

    def keep(self, columns: Columns) -> None:
        """Keep a chunk."""
        self.kept[columns.chunk.number] = columns

    def column(self, chunk: Chunk, name: str) -> Sequence[Value]:
        """One column of a chunk that is there."""
        found = self.kept[chunk.number].columns.get(name)
        return [None] * chunk.rows if found is None else found

    def rows(self, plan: Plan, replications: int) -> "MemoryRows":
        """The first so many replications of each point, all of them there."""
        return MemoryRows(plan, self, replications)


class MemoryRows:
    """The rows of a store in memory, by point, then replication.

    Args:
        plan: what was played.
        store: where the chunks are.
        replications: how many of each point count.
    """

    def __init__(self, plan: Plan, store: MemoryStore, replications: int) -> None:
        self._plan = plan
        self._store = store
        self._replications = replications
        self._chunks = [
            chunk for chunk in plan.all_chunks() if chunk.first_replication < replications
        ]
        names = {name for chunk in self._chunks for name in store.kept[chunk.number].columns}
        used = {name for name in names if not np.isnan(self.column(name)).all()}
        self.columns = column_order(used)

    def column(self, name: str) -> Floats:
        """One figure; NaN where it did not happen."""
        table = np.full((self._plan.design.points, self._plan.replications), np.nan)
        for chunk in self._chunks:
            values = np.array(self._store.column(chunk, name), np.float64)
            last = chunk.first_replication + chunk.replications
            table[
                chunk.first_point : chunk.first_point + chunk.points,
                chunk.first_replication : last,
            ] = values.reshape(chunk.points, chunk.replications)
        found: Floats = table[:, : self._replications].ravel()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """Stop when a figure is known well enough.

    Attributes:
        column: which.
        enough: answers from all values so far whether that is enough.
    """

    column: str
    enough: Callable[[Sequence[Value]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """How far an experiment came.

    Attributes:
        replications: of each point, the first so many are all there and count.
        stopped: whether the rule stopped it early.
        interrupted: whether it was asked to end before it was done.
    """

    replications: int
    stopped: bool = False
    interrupted: bool = False


def drive(
    plan: Plan,
    executor: Executor,
    store: Store,
    *,
    stop: StopRule | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Driven:
    """Play an experiment to its end.

    Args:
        plan: what is played.
        executor: who plays it.
        store: what keeps the rows; chunks that it has already are not played again.
        stop: when to stop early; only for a plan of one point.
        progress: told rows done and rows planned, after each chunk.
        interrupted: asked before each chunk; once it says so nothing new is begun, and what is at
            work is finished and kept.

    Returns:
        How far it came. An exception on the way, KeyboardInterrupt included, leaves every finished
        chunk in the store.
    """
    finished = set(store.finished())
    done = sum(plan.chunk(number).rows for number in finished if number < plan.chunks)
    prefix = _Prefix(plan, store, stop)
    reached = prefix.advance(finished)
    progress(done, plan.rows)
    if reached is None:
        for columns in _closing(executor.play(plan, _missing(plan, finished, interrupted))):
            store.keep(columns)
            finished.add(columns.chunk.number)
            done += columns.chunk.rows
            progress(done, plan.rows)
            reached = prefix.advance(finished)
            if reached is not None:
                break
    if reached is not None:
        return Driven(replications=reached, stopped=True)
    complete = complete_replications(plan, finished)
    return Driven(replications=complete, interrupted=complete < plan.replications)


def complete_replications(plan: Plan, finished: AbstractSet[int]) -> int:
    """How many of the first replications are there for every point."""
    across = plan.chunks_across
    down = 0
    while down * across < plan.chunks and all(
        down * across + step in finished for step in range(across)
    ):
        down += 1
    return min(down * plan.chunk_replications, plan.replications)


def _missing(
    plan: Plan, finished: AbstractSet[int], interrupted: Callable[[], bool]
) -> Iterator[Chunk]:
    before = frozenset(finished)
    for chunk in plan.all_chunks():
        if interrupted():
            return
        if chunk.number not in before:
            yield chunk


def _closing(results: Iterator[Columns]) -> Iterator[Columns]:
    try:
        yield from results
    finally:
        close = getattr(results, "close", None)
        if close is not None:
            close()


class _Prefix:
    """The replications that are there without a gap, and whether they are enough."""

    def __init__(self, plan: Plan, store: Store, stop: StopRule | None) -> None:
        self._plan = plan
        self._store = store
        self._stop = stop
        self._next = 0
        self._values: list[Value] = []
        self._asked = 0

    def advance(self, finished: set[int]) -> int | None:
        """The number of replications that is enough, None if it is not reached."""
        if self._stop is None:
            return None
        while self._next < self._plan.chunks and self._next in finished:
            chunk = self._plan.chunk(self._next)
            self._values += self._store.column(chunk, self._stop.column)
            self._next += 1
        for count in range(self._asked + STEP, len(self._values) + 1, STEP):
            self._asked = count
            if self._stop.enough(self._values[:count]):
                return count
        return None
