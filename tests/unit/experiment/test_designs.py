import pytest

from simulator.errors import ConfigurationError
from simulator.experiment import designs
from simulator.experiment.axes import parse_axes, parse_axis
from simulator.experiment.plan import one_point

AXES = parse_axes(["chain.decision=60s..240s:3", "chain.teams.count=1,2"])


def _names(design: designs.Design) -> list[str]:
    return [design.point(number).name for number in range(design.points)]


def test_one_point_is_the_scenario_as_it_is() -> None:
    assert _names(one_point()) == ["as it is"]
    with pytest.raises(IndexError):
        one_point().point(1)


def test_a_grid_has_every_combination_once_behind_the_scenario_as_it_is() -> None:
    design = designs.grid(AXES)
    names = _names(design)
    assert design.points == 7
    assert names[:4] == [
        "as it is",
        "chain.decision=1min chain.teams.count=1",
        "chain.decision=1min chain.teams.count=2",
        "chain.decision=2min 30s chain.teams.count=1",
    ]
    assert len(set(names)) == 7


def test_a_million_points_cost_nothing_until_they_are_played() -> None:
    design = designs.grid(parse_axes(["a=1..1000:1000", "b=1..1000:1000"]))
    assert design.points == 1_000_001
    assert design.point(1_000_000).name == "a=1000 b=1000"


def test_a_latin_hypercube_has_each_stratum_of_each_axis_once() -> None:
    design = designs.latin_hypercube(
        [parse_axis("a=0..1000"), parse_axis("b=0.0..1.0"), parse_axis("c=x,y")], 10, seed=3
    )
    points = [design.point(number).settings for number in range(1, 11)]
    assert sorted(int(float(point[1].value) * 10) for point in points) == list(range(10))
    assert sorted(point[2].value for point in points) == ["x"] * 5 + ["y"] * 5
    assert [design.point(4), design.point(4)] == [design.point(4)] * 2
    other = designs.latin_hypercube(design.axes, 10, seed=4)
    assert _names(other) != _names(design)


def test_a_tornado_moves_one_axis_at_a_time_to_both_ends() -> None:
    assert _names(designs.tornado(AXES)) == [
        "as it is",
        "chain.decision=1min",
        "chain.decision=4min",
        "chain.teams.count=1",
        "chain.teams.count=2",
    ]


def test_sobol_redraws_everything_then_each_stage() -> None:
    design = designs.sobol(["radar", "issue"])
    assert [design.point(number).redrawn for number in range(design.points)] == [
        (),
        ("*",),
        ("radar",),
        ("issue",),
    ]
    assert _names(design)[2] == "redrawn: radar"


def test_what_is_no_design_is_refused() -> None:
    for make in (designs.grid, designs.tornado):
        with pytest.raises(ConfigurationError, match="nothing is varied"):
            make([])
    with pytest.raises(ConfigurationError, match="how many values"):
        designs.grid([parse_axis("a=1s..2s")])
    with pytest.raises(ConfigurationError, match="needs points"):
        designs.latin_hypercube(AXES, 0, seed=1)
    with pytest.raises(ConfigurationError, match="nothing is drawn"):
        designs.sobol([])
