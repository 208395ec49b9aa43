from collections.abc import Callable, Iterator

import numpy as np
import pytest

from simulator.experiment import designs
from simulator.experiment.axes import parse_axis
from simulator.experiment.drive import (
    STEP,
    MemoryStore,
    StopRule,
    complete_replications,
    drive,
)
from simulator.experiment.executors import InlineExecutor
from simulator.experiment.plan import Chunk, Plan
from simulator.experiment.replications import Columns


class Backwards(InlineExecutor):
    """Plays the last chunk first, as slow and fast workers might."""

    def play(self, plan: Plan, chunks: Iterator[Chunk]) -> Iterator[Columns]:
        yield from super().play(plan, iter(sorted(chunks, key=lambda chunk: -chunk.number)))


class Counting(InlineExecutor):
    """Notes what it was asked to play."""

    def __init__(self) -> None:
        self.played: list[int] = []

    def play(self, plan: Plan, chunks: Iterator[Chunk]) -> Iterator[Columns]:
        for columns in super().play(plan, chunks):
            self.played.append(columns.chunk.number)
            yield columns


def test_everything_is_played_once(plan_of: Callable[..., Plan]) -> None:
    plan, store = plan_of(90), MemoryStore()
    said: list[tuple[int, int]] = []
    driven = drive(
        plan, InlineExecutor(), store, progress=lambda done, total: said.append((done, total))
    )
    assert (driven.replications, driven.stopped, driven.interrupted) == (90, False, False)
    assert store.finished() == frozenset(range(plan.chunks))
    assert said[0] == (0, 90)
    assert said[-1] == (90, 90)


def test_what_is_there_is_not_played_again(plan_of: Callable[..., Plan]) -> None:
    plan, whole = plan_of(90), MemoryStore()
    drive(plan, InlineExecutor(), whole)
    part = MemoryStore({number: whole.kept[number] for number in (0, 3)})
    executor = Counting()
    drive(plan, executor, part)
    assert executor.played == [number for number in range(plan.chunks) if number not in {0, 3}]
    assert part.kept == whole.kept


def test_an_error_on_the_way_keeps_what_is_finished(plan_of: Callable[..., Plan]) -> None:
    plan, store = plan_of(90), MemoryStore()

    def complain(done: int, _total: int) -> None:
        if done > 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(plan, InlineExecutor(), store, progress=complain)
    assert store.finished() == frozenset(range(3))


def test_asked_to_end_it_finishes_what_is_at_work_and_counts_whole_replications(
    plan_of: Callable[..., Plan],
) -> None:
    plan, store = plan_of(90), MemoryStore()
    driven = drive(plan, InlineExecutor(), store, interrupted=lambda: len(store.kept) >= 2)
    assert driven.interrupted
    assert driven.replications == 2 * plan.chunk_replications == 32
    never = drive(plan, InlineExecutor(), MemoryStore(), interrupted=lambda: True)
    assert (never.replications, never.interrupted) == (0, True)


def test_replications_count_when_every_point_has_them(plan_of: Callable[..., Plan]) -> None:
    grid = designs.grid([parse_axis("chain.issue=1s..99s:99")])
    plan = plan_of(40, grid)
    across = plan.chunks_across
    assert across == 2
    assert complete_replications(plan, {0}) == 0
    assert complete_replications(plan, {0, 1, 2}) == plan.chunk_replications
    assert complete_replications(plan, set(range(plan.chunks))) == 40


@pytest.mark.parametrize("executor", [InlineExecutor(), Backwards()])
def test_where_it_stops_does_not_depend_on_who_played_first(
    plan_of: Callable[..., Plan], executor: InlineExecutor
) -> None:
    asked: list[int] = []

    def enough(values: object) -> bool:
        assert isinstance(values, list)
        asked.append(len(values))
        return len(values) >= 3 * STEP

    plan, store = plan_of(700), MemoryStore()
    driven = drive(plan, executor, store, stop=StopRule(column="alert_ns", enough=enough))
    assert (driven.replications, driven.stopped) == (300, True)
    assert asked == [100, 200, 300]
    rows = store.rows(plan, driven.replications)
    assert rows.column("replication").tolist() == list(range(300))
    again = drive(plan, Counting(), store, stop=StopRule(column="alert_ns", enough=enough))
    assert again.replications == 300


def test_a_rule_that_is_never_met_plays_everything(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(250)
    rule = StopRule(column="no_such_ns", enough=lambda values: any(one for one in values))
    assert drive(plan, InlineExecutor(), MemoryStore(), stop=rule).replications == 250


def test_rows_by_point_then_replication(plan_of: Callable[..., Plan]) -> None:
    grid = designs.grid([parse_axis("chain.issue=30s,50s")])
    plan, store = plan_of(20, grid), MemoryStore()
    drive(plan, Backwards(), store)
    rows = store.rows(plan, 20)
    assert rows.columns[:3] == ["point", "replication", "alert_ns"]
    assert "all_clear_ns" not in rows.columns
    assert rows.column("point").tolist() == [0] * 20 + [1] * 20 + [2] * 20
    assert rows.column("replication").tolist() == list(range(20)) * 3
    alert = rows.column("alert_ns").reshape(3, 20)
    assert np.array_equal(alert[0], alert[1])
    assert np.array_equal(alert[2], alert[0] + 20e9)
