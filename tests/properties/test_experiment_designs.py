"""Whatever is varied and however often: points, chunks and values stay in order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.experiment import designs
from simulator.experiment.axes import Axis, Kind, parse_axis
from simulator.experiment.drive import complete_replications
from simulator.experiment.plan import make_plan, one_point
from simulator.experiment.variants import Base
from simulator.units import NS_PER_MS, format_duration, parse_duration

BASE = Base(name="made", document={})


@given(low=st.integers(0, 10**6), span=st.integers(1, 10**6), count=st.integers(2, 50))
def test_a_range_starts_and_ends_where_it_says_and_rises(low: int, span: int, count: int) -> None:
    ends = [format_duration(ms * NS_PER_MS) for ms in (low, low + span)]
    axis = parse_axis(f"chain.decision={ends[0]}..{ends[1]}:{count}")
    values = [parse_duration(str(axis.at_step(step).value)) for step in range(axis.steps)]
    assert len(values) == count
    assert (values[0], values[-1]) == (low * NS_PER_MS, (low + span) * NS_PER_MS)
    assert values == sorted(values)
    assert all(value % NS_PER_MS == 0 for value in values)


@given(
    values=st.lists(
        st.text("abcdefgh", min_size=1, max_size=8), min_size=1, max_size=9, unique=True
    ),
    share=st.floats(0, 1),
)
def test_a_share_of_a_list_is_one_of_its_values(values: list[str], share: float) -> None:
    axis = parse_axis(f"chain.policy={','.join(values)}")
    assert axis.at_share(share).value in values


@given(size=st.integers(1, 200), seed=st.integers(0, 2**64), axes=st.integers(1, 4))
def test_a_latin_hypercube_has_one_point_in_every_stratum(size: int, seed: int, axes: int) -> None:
    made = [Axis(path=f"a{n}", kind=Kind.NUMBER, values=(0.0, 1.0), count=0) for n in range(axes)]
    design = designs.latin_hypercube(made, size, seed)
    for place in range(axes):
        shares = [
            float(design.point(number).settings[place].value) for number in range(1, design.points)
        ]
        assert sorted(int(share * size) for share in shares) == list(range(size))


@given(steps=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_a_grid_is_the_product_of_its_axes(steps: list[int]) -> None:
    axes = [
        Axis(path=f"a{number}", kind=Kind.COUNT, values=tuple(range(count)))
        for number, count in enumerate(steps)
    ]
    design = designs.grid(axes)
    cells = {
        tuple(setting.value for setting in design.point(number).settings)
        for number in range(1, design.points)
    }
    expected = 1
    for count in steps:
        expected *= count
    assert len(cells) == design.size == expected


@given(
    replications=st.integers(1, 3000),
    points=st.integers(1, 300),
    more=st.integers(0, 500),
    data=st.data(),
)
def test_chunks_tile_the_plan_and_stay_when_it_grows(
    replications: int, points: int, more: int, data: Any
) -> None:
    axis = Axis(path="a", kind=Kind.COUNT, values=tuple(range(points)))
    design = designs.grid([axis]) if points > 1 else one_point()
    plan = make_plan(BASE, design, 1, replications)
    assert sum(chunk.rows for chunk in plan.all_chunks()) == plan.rows
    grown = plan.extended(replications + more)
    whole = [chunk for chunk in plan.all_chunks() if chunk.replications == plan.chunk_replications]
    assert [grown.chunk(chunk.number) for chunk in whole] == whole
    finished = data.draw(st.sets(st.integers(0, plan.chunks - 1)))
    complete = complete_replications(plan, finished)
    covered = [chunk.number for chunk in plan.all_chunks() if chunk.first_replication < complete]
    assert set(covered) <= finished
    assert complete == replications or complete % plan.chunk_replications == 0
