"""Rows come out the same whoever plays them, and any one of them can be played alone."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.experiment import designs
from simulator.experiment.axes import parse_axes
from simulator.experiment.drive import MemoryStore, drive
from simulator.experiment.executors import InlineExecutor
from simulator.experiment.plan import Chunk, Plan, make_plan
from simulator.experiment.replications import Columns, Player
from simulator.experiment.summarise import rows_digest
from simulator.experiment.variants import read_base

BASE = read_base("tohoku-2022-11-03-modelled")
GRID = designs.grid(parse_axes(["chain.decision=30s,1min", "chain.teams.count=1,2"]))


class Shuffled(InlineExecutor):
    """Hands chunks back in an order of its own."""

    def __init__(self, order: list[int]) -> None:
        self.order = order

    def play(self, plan: Plan, chunks: Iterator[Chunk]) -> Iterator[Columns]:
        played = list(super().play(plan, chunks))
        place = {number: self.order.index(number) for number in range(len(self.order))}
        return iter(sorted(played, key=lambda one: place.get(one.chunk.number, -1)))


@given(seed=st.integers(0, 2**32), data=st.data())
@settings(max_examples=8)
def test_the_order_in_which_chunks_end_leaves_no_trace(seed: int, data: st.DataObject) -> None:
    plan = make_plan(BASE, GRID, seed, 12)
    order = data.draw(st.permutations(range(plan.chunks)))
    digests = set()
    for executor in (InlineExecutor(), Shuffled(order)):
        store = MemoryStore()
        drive(plan, executor, store)
        digests.add(rows_digest(store.rows(plan, plan.replications)))
    assert len(digests) == 1


@given(
    seed=st.integers(0, 2**32),
    point=st.integers(0, GRID.points - 1),
    replication=st.integers(0, 10**6),
)
@settings(max_examples=12)
def test_a_replication_does_not_depend_on_the_plan_around_it(
    seed: int, point: int, replication: int
) -> None:
    small, large = (make_plan(BASE, GRID, seed, count) for count in (1, 10**7))
    assert Player(small).play(point, replication) == Player(large).play(point, replication)


@given(seed=st.integers(0, 2**32), replication=st.integers(0, 1000))
@settings(max_examples=12)
def test_a_slower_stage_never_brings_the_alert_forward(seed: int, replication: int) -> None:
    axes = parse_axes(["chain.decision=10s,30s,2min,5min"])
    player = Player(make_plan(BASE, designs.grid(axes), seed, 1))
    alerts = [player.play(point, replication).figures["alert_ns"] or 0 for point in range(1, 5)]
    assert alerts == sorted(alerts)
