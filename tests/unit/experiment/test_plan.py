from collections.abc import Callable
from dataclasses import replace

from simulator.experiment import designs
from simulator.experiment.axes import parse_axis
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import Plan, make_plan
from simulator.experiment.variants import Base
from simulator.reach import MeasuredDelivery


def test_chunks_cover_every_row_once(plan_of: Callable[..., Plan]) -> None:
    grid = designs.grid([parse_axis("chain.issue=1s..100s:100")])
    for plan in (plan_of(1), plan_of(1000), plan_of(7, grid), plan_of(1000, grid)):
        rows = [
            (point, replication)
            for chunk in plan.all_chunks()
            for point in range(chunk.first_point, chunk.first_point + chunk.points)
            for replication in range(
                chunk.first_replication, chunk.first_replication + chunk.replications
            )
        ]
        assert len(rows) == len(set(rows)) == plan.rows
        assert set(rows) == {
            (point, replication)
            for point in range(plan.design.points)
            for replication in range(plan.replications)
        }
        assert [chunk.number for chunk in plan.all_chunks()] == list(range(plan.chunks))
        assert sum(chunk.rows for chunk in plan.all_chunks()) == plan.rows


def test_more_replications_are_the_same_experiment(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(100)
    assert plan.extended(5000).digest == plan.digest
    assert list(plan.extended(5000).all_chunks())[:6] == list(plan.all_chunks())[:6]


def test_anything_else_is_another(base: Base, plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(100)
    measured = MeasuredDelivery.from_sample([1, 2, 3])
    others = [
        replace(plan, seed=8),
        replace(plan, design=designs.grid([parse_axis("chain.issue=1s,2s")])),
        replace(plan, base=replace(base, document={**base.document, "id": "other"})),
        replace(plan, people=PeopleOrder()),
        replace(plan, people=PeopleOrder(profile="j-alert-2012")),
        replace(plan, people=PeopleOrder(app=measured)),
    ]
    assert len({plan.digest, *(other.digest for other in others)}) == 1 + len(others)


def test_chunks_do_not_depend_on_who_plays_them(base: Base) -> None:
    one, two = (make_plan(base, designs.Design(kind=designs.DesignKind.SINGLE), 1, 999),) * 2
    assert one.digest == two.digest
    assert 16 <= one.chunk_replications <= 512
