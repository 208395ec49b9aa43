from typing import Any

import numpy as np
import pytest

from simulator.experiment.assumed import assumed_axes
from simulator.experiment.axes import Kind
from simulator.experiment.sensitivity import random_stages, variance_shares
from simulator.experiment.variants import Base, read_base
from simulator.scenario import load_scenario


def test_shares_of_a_sum_are_those_of_its_variances() -> None:
    rng = np.random.default_rng(1)
    n, scale = 4096, {"a": 3.0, "b": 1.0, "c": 0.0}
    one = {name: rng.normal(scale=sd, size=n) for name, sd in scale.items()}
    two = {name: rng.normal(scale=sd, size=n) for name, sd in scale.items()}
    exchanged = {
        name: np.sum([(two if other == name else one)[other] for other in scale], axis=0)
        for name in scale
    }
    as_is, redrawn = (np.sum(list(drawn.values()), axis=0) for drawn in (one, two))
    found = variance_shares(list(scale), as_is, redrawn, exchanged)
    assert [share.stage for share in found] == ["a", "b", "c"]
    for share, true in zip(found, (0.9, 0.1, 0.0), strict=True):
        assert share.total == pytest.approx(true, abs=0.05)
        assert share.first == pytest.approx(true, abs=0.05)
        assert share.total_interval[0] <= share.total <= share.total_interval[1]
        assert share.first_interval[0] <= share.first_interval[1]
        assert share.n == n


def test_an_interaction_is_in_the_total_only() -> None:
    rng = np.random.default_rng(2)
    n = 4096
    a, b, c, d = (rng.choice([-1.0, 1.0], size=n) for _ in range(4))
    found = variance_shares(["x", "y"], a * b, c * d, {"x": c * b, "y": a * d})
    for share in found:
        assert share.total == pytest.approx(1, abs=0.1)
        assert share.first == pytest.approx(0, abs=0.1)


def test_replications_beyond_a_power_of_two_are_left_out() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=100), rng.normal(size=100)
    (share,) = variance_shares(["x"], a, b, {"x": b})
    assert share.n == 64


@pytest.mark.parametrize(
    "columns",
    [
        (np.ones(64), np.ones(64), np.ones(64)),
        (np.full(64, np.nan), np.ones(64), np.arange(64.0)),
        (np.ones(1), np.zeros(1), np.ones(1)),
        (np.ones(0), np.zeros(0), np.ones(0)),
    ],
)
def test_what_does_not_vary_or_is_missing_has_no_shares(columns: Any) -> None:
    as_is, redrawn, exchanged = columns
    assert variance_shares(["x"], as_is, redrawn, {"x": exchanged}) == ()


def test_random_stages_are_those_that_vary(base: Base) -> None:
    found = random_stages(base.scenario(), 1)
    assert set(found) == {"radar", "assessment", "decision", "confirmation"}
    assert random_stages(load_scenario("tohoku-2022-11-03"), 1) == ()


def test_assumed_figures_become_axes_over_their_ranges(base: Base) -> None:
    axes = {axis.path: axis for axis in assumed_axes(base.scenario())}
    assert set(axes) == {"chain.teams", "chain.radar", "chain.decision"}
    assert (axes["chain.teams"].kind, axes["chain.teams"].values) == (Kind.COUNT, (1, 3))
    decision = axes["chain.decision"]
    assert decision.kind is Kind.FACTOR
    assert decision.values == (0.5, 2.0)
    assert axes["chain.radar"].values == (0.5, 2.0)


def test_every_assumption_of_a_shipped_scenario_can_be_moved_to_both_ends() -> None:
    for name in ("tohoku-2022-11-03", "tohoku-2022-11-03-modelled", "hokkaido-2023-04-13"):
        base = read_base(name)
        axes = assumed_axes(base.scenario())
        assert axes
        for axis in axes:
            for high in (False, True):
                base.scenario([axis.end(high=high)])


def test_moments_and_quantities_have_ranges_too() -> None:
    kinds = {axis.kind for axis in assumed_axes(load_scenario("tohoku-2022-11-03"))}
    assert Kind.WORD in kinds
