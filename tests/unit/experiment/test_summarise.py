from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from simulator.experiment import designs
from simulator.experiment.axes import parse_axis
from simulator.experiment.drive import MemoryStore, drive
from simulator.experiment.executors import InlineExecutor
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import Plan
from simulator.experiment.sensitivity import random_stages
from simulator.experiment.summarise import rows_digest, summarise
from simulator.experiment.summary import ExperimentSummary, experiment_json_schema

NS = 1_000_000_000


def _summary(plan: Plan, replications: int | None = None) -> ExperimentSummary:
    store = MemoryStore()
    drive(plan, InlineExecutor(), store)
    count = plan.replications if replications is None else replications
    return summarise(
        plan,
        store.rows(plan, count),
        title="Made up",
        scenario="made",
        version="1",
        replications=count,
    )


def test_one_point(plan_of: Callable[..., Plan]) -> None:
    summary = _summary(plan_of(60))
    (point,) = summary.points
    figures = {figure.column: figure for figure in point.figures}
    alert = figures["alert_ns"]
    stages = [one.mean for name, one in figures.items() if name.startswith("stage_")]
    assert sum(stages) == pytest.approx(alert.mean)
    assert alert.n == 60
    assert alert.student is not None
    assert alert.student[0] < alert.mean < alert.student[1]
    assert [one.percent for one in alert.quantiles] == [25, 50, 75]
    assert alert.low <= alert.quantiles[0].value <= alert.high
    assert (point.differences, summary.shares, summary.swings) == ((), (), ())
    assert ExperimentSummary.model_validate_json(summary.model_dump_json()) == summary


def test_differences_are_of_pairs_and_cancel_what_points_share(
    plan_of: Callable[..., Plan],
) -> None:
    summary = _summary(plan_of(50, designs.grid([parse_axis("chain.issue=30s,40s")])))
    same, later = summary.points[1:]
    assert same.settings == {"chain.issue": "30s"}
    unchanged = {one.column: one for one in same.differences}["alert_ns"]
    assert (unchanged.mean, unchanged.student) == (0, (0, 0))
    shifted = {one.column: one for one in later.differences}["alert_ns"]
    # Ten seconds later in every single replication: no luck is left in the difference.
    assert shifted.mean == 10 * NS
    assert shifted.student is not None
    assert list(shifted.student) == [10 * NS, 10 * NS]
    assert shifted.unpaired_half_width is not None
    assert shifted.unpaired_half_width > NS


def test_a_tornado_ranks_assumptions_by_how_far_they_move_a_figure(
    plan_of: Callable[..., Plan],
) -> None:
    axes = [parse_axis("chain.issue=25s..35s"), parse_axis("chain.satellite=10s,20s")]
    axes.append(parse_axis("chain.radar=2min..10min"))
    summary = _summary(plan_of(20, designs.tornado(axes)))
    swings = [swing for swing in summary.swings if swing.column == "alert_ns"]
    assert [swing.path for swing in swings] == ["chain.radar", "chain.issue"]
    assert (swings[1].at_low.mean, swings[1].at_high.mean) == (-5 * NS, 5 * NS)
    assert (swings[0].low, swings[0].high) == ("2min", "10min")


def test_sobol_shares_of_the_stages(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(1)
    stages = random_stages(plan.base.scenario(), plan.seed)
    summary = _summary(replace(plan_of(512, designs.sobol(stages))))
    shares = {share.stage: share for share in summary.shares if share.column == "alert_ns"}
    assert set(shares) == set(stages)
    assert sum(share.first for share in shares.values()) == pytest.approx(1, abs=0.2)
    assert abs(shares["confirmation"].total) < 1e-9
    assert shares["decision"].total > shares["assessment"].total > 0.02


def test_people_by_time_for_the_first_points(plan_of: Callable[..., Plan]) -> None:
    plan = replace(plan_of(25), people=PeopleOrder(profile="j-alert-2022"))
    (point,) = _summary(plan).points
    assert not [one for one in point.figures if one.column.startswith("warned_by_")]
    seconds = [one.after_s for one in point.warned_by]
    assert seconds == list(range(0, 1801, 30))
    means = [one.mean for one in point.warned_by]
    assert means == sorted(means)
    assert [one.percent for one in point.warned_by[-1].quantiles] == [50]


def test_the_digest_speaks_of_whole_numbers_only(plan_of: Callable[..., Plan]) -> None:
    class Two:
        columns = ("alert_ns", "warned_people")

        def __init__(self, alert: float, warned: float) -> None:
            self.values = {"alert_ns": alert, "warned_people": warned}

        def column(self, name: str) -> np.ndarray:
            return np.array([self.values[name]])

    digest = rows_digest(Two(1, 1))
    assert rows_digest(Two(1, 1 + 1e-9)) == digest
    assert rows_digest(Two(2, 1)) != digest
    store = MemoryStore()
    plan = plan_of(5)
    drive(plan, InlineExecutor(), store)
    assert rows_digest(store.rows(plan, 5)) != rows_digest(store.rows(plan, 4))


def test_an_experiment_that_was_ended_at_once_has_no_figures(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(5)
    summary = summarise(
        plan,
        MemoryStore().rows(plan, 0),
        title="Made up",
        scenario="made",
        version="1",
        replications=0,
        state="interrupted",
    )
    assert (summary.points, summary.state, summary.replications_asked) == ((), "interrupted", 5)


def test_every_field_of_the_summary_says_what_it_is() -> None:
    schema = experiment_json_schema()
    parts = [schema, *schema["$defs"].values()]
    for part in parts:
        for name, field in part["properties"].items():
            assert field.get("description"), name
