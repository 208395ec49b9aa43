from collections.abc import Callable
from dataclasses import replace

from simulator.experiment import designs
from simulator.experiment.axes import parse_axis
from simulator.experiment.figures import figures_of
from simulator.experiment.plan import Plan
from simulator.experiment.replications import (
    PEOPLE,
    NotingStreams,
    Player,
    RedrawnStreams,
    people_streams,
    stage_of,
)
from simulator.experiment.variants import Setting
from simulator.model import simulate
from simulator.randomness import Streams


def test_a_row_is_what_the_timeline_of_its_number_says(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(40)
    player = Player(plan)
    for chunk in plan.all_chunks():
        columns = player.play_chunk(chunk).columns
        for place, replication in enumerate(columns["replication"]):
            assert isinstance(replication, int)
            timeline = simulate(plan.base.scenario(), plan.seed, replication)
            assert player.timeline(0, replication) == timeline
            for name, value in figures_of(timeline, ["one"]).items():
                assert columns[name][place] == value


def test_points_share_their_random_numbers(plan_of: Callable[..., Plan]) -> None:
    player = Player(plan_of(5, designs.grid([parse_axis("chain.issue=30s,50s")])))
    for replication in range(5):
        as_it_is, same, later = (player.play(point, replication).figures for point in range(3))
        assert same == as_it_is
        assert later["alert_ns"] == (as_it_is["alert_ns"] or 0) + 20_000_000_000


def test_many_points_are_played_with_few_kept(plan_of: Callable[..., Plan]) -> None:
    player = Player(plan_of(1, designs.grid([parse_axis("chain.issue=1s..300s:300")])))
    first = player.play(1, 0)
    for point in range(1, 301):
        player.play(point, 0)
    assert len(player._ready) <= 256
    assert player.play(1, 0) == first


def test_redrawing_a_stage_leaves_every_other_draw() -> None:
    plain, radar, everything = (
        Streams(1, 2),
        RedrawnStreams(1, 2, ("radar",)),
        RedrawnStreams(1, 2, ("*",)),
    )
    for name in ("launch/one/radar", "launch/one/decision", "launch/one/passage/issue"):
        drawn = [streams.stream(name).raw() for streams in (plain, radar, everything)]
        redrawn = stage_of(name) == "radar"
        assert (drawn[0] != drawn[1]) == redrawn
        assert (drawn[1] == drawn[2]) == redrawn
        assert drawn[0] != drawn[2]


def test_people_are_redrawn_as_one() -> None:
    plain = Streams(1, 2).prefix
    assert people_streams(1, 2, ()).prefix == people_streams(1, 2, ("radar",)).prefix == plain
    assert people_streams(1, 2, (PEOPLE,)).prefix == people_streams(1, 2, ("*",)).prefix
    assert people_streams(1, 2, (PEOPLE,)).prefix != plain


def test_streams_that_note_what_was_asked_for() -> None:
    streams = NotingStreams(1, 2)
    assert streams.stream("a/b").raw() == Streams(1, 2).stream("a/b").raw()
    streams.stream("c")
    assert streams.asked == ["a/b", "c"]


def test_a_fixed_setting_is_played(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(3)
    fixed = plan.base.set_to([Setting(path="chain.issue", value="31s")])
    before = Player(plan).play(0, 1).figures["alert_ns"]
    after = Player(replace(plan, base=fixed)).play(0, 1).figures
    assert after["alert_ns"] == (before or 0) + 1_000_000_000


def test_the_first_of_several_streams_are_those_of_each() -> None:
    names = ["launch/one/radar", "launch/one/decision"]
    redrawn = RedrawnStreams(1, 2, ("decision",))
    assert redrawn.firsts(names) == [redrawn.stream(name).uniform() for name in names]
    assert redrawn.firsts(names)[0] == Streams(1, 2).first(names[0])
    assert redrawn.firsts(names)[1] != Streams(1, 2).first(names[1])
    noting = NotingStreams(1, 2)
    assert noting.firsts(names) == Streams(1, 2).firsts(names)
    assert noting.asked == names
