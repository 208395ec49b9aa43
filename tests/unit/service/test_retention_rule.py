from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.service.retention_rule import Bounds, Stored, removals

MANY = Bounds(most=1000, most_bytes=10**12)


def run(name: str, ended_ns: int = 0, **fields: Any) -> Stored:
    given: dict[str, Any] = {"kind": "run", "state": "complete", "size_bytes": 10} | fields
    return Stored(name=name, ended_ns=ended_ns, **given)


def names(things: list[Stored], bounds: Bounds) -> list[str]:
    return [removal.stored.name for removal in removals(things, bounds)]


def test_nothing_goes_within_the_bounds() -> None:
    things = [run("a"), run("b")]
    assert names(things, Bounds(most=2, most_bytes=20)) == []
    assert names([], Bounds(most=1, most_bytes=0)) == []


def test_the_oldest_go_first() -> None:
    things = [run("new", 3), run("old", 1), run("middle", 2)]
    assert names(things, Bounds(most=1, most_bytes=100)) == ["old", "middle"]
    assert names(things, Bounds(most=9, most_bytes=15)) == ["old", "middle"]
    assert names(things, Bounds(most=9, most_bytes=20)) == ["old"]


def test_what_ended_early_goes_only_after_what_is_complete() -> None:
    things = [run("killed", 1, state="incomplete"), run("whole", 2), run("whole-too", 3)]
    assert names(things, Bounds(most=1, most_bytes=100)) == ["whole", "whole-too"]
    assert names(things, Bounds(most=9, most_bytes=0)) == ["whole", "whole-too", "killed"]


def test_what_plays_is_kept_or_is_not_ours_never_goes() -> None:
    things = [
        run("plays", 1, state="busy"),
        run("kept", 2, kept=True),
        run("strange", 3, state="unknown"),
        run("fair", 4),
    ]
    assert names(things, Bounds(most=1, most_bytes=0)) == ["fair"]


def test_runs_and_experiments_are_counted_apart_and_weighed_together() -> None:
    things = [run("r1", 1), run("r2", 2), run("e1", 3, kind="experiment", size_bytes=500)]
    assert names(things, Bounds(most=1, most_bytes=1000)) == ["r1"]
    assert names(things, Bounds(most=2, most_bytes=505)) == ["r1", "r2"]


def test_the_reason_is_said() -> None:
    (by_number,) = removals([run("a", 1), run("b", 2)], Bounds(most=1, most_bytes=100))
    assert by_number.why == "more than 1 runs are kept"
    (by_size,) = removals([run("a")], Bounds(most=1, most_bytes=9))
    assert by_size.why == "the store is larger than 9 bytes"


def test_what_takes_no_room_does_not_go_to_make_room() -> None:
    things = [run("empty", 1, size_bytes=0), run("full", 2)]
    assert names(things, Bounds(most=9, most_bytes=5)) == ["full"]


stored = st.builds(
    Stored,
    kind=st.sampled_from(["run", "experiment"]),
    name=st.text(min_size=1, max_size=3),
    state=st.sampled_from(["complete", "incomplete", "busy", "unknown"]),
    ended_ns=st.integers(0, 5),
    size_bytes=st.integers(0, 20),
    kept=st.booleans(),
)


@given(
    things=st.lists(stored, max_size=20, unique_by=lambda each: (each.kind, each.name)),
    most=st.integers(1, 8),
    most_bytes=st.integers(0, 200),
)
def test_what_is_left_is_within_the_bounds_or_may_not_go(
    things: list[Stored], most: int, most_bytes: int
) -> None:
    bounds = Bounds(most=most, most_bytes=most_bytes)
    gone = {removal.stored for removal in removals(things, bounds)}
    assert all(each.state in {"complete", "incomplete"} and not each.kept for each in gone)
    left = [each for each in things if each not in gone]
    may_go = [each for each in left if each.state in {"complete", "incomplete"} and not each.kept]
    for kind in ("run", "experiment"):
        if any(each.kind == kind for each in may_go):
            assert sum(each.kind == kind for each in left) <= most
    if any(each.size_bytes for each in may_go):
        assert sum(each.size_bytes for each in left) <= most_bytes
    assert not removals(left, bounds)


def test_things_far_within_their_bounds_stay() -> None:
    assert removals([run("a")], MANY) == ()
