from pathlib import Path

import pytest

from simulator.clock import ManualClock
from simulator.service.problems import ProblemError
from simulator.service.retention import Marks, Retention, Sizes
from simulator.service.retention_rule import Bounds, Removal, Stored


def run(name: str, ended_ns: int, size_bytes: int = 10, *, kept: bool = False) -> Stored:
    return Stored(
        kind="run", name=name, state="complete", ended_ns=ended_ns, size_bytes=size_bytes, kept=kept
    )


class Shelf:
    """A store in memory."""

    def __init__(self, *things: Stored) -> None:
        self.things = list(things)
        self.told: list[Removal] = []
        self.stuck: set[str] = set()

    async def listed(self) -> list[Stored]:
        return list(self.things)

    async def remove(self, stored: Stored) -> None:
        if stored.name in self.stuck:
            raise ProblemError(409, "busy", "the run is running")
        self.things.remove(stored)

    def retention(self, most: int, most_bytes: int = 10**9) -> Retention:
        return Retention(
            bounds=Bounds(most=most, most_bytes=most_bytes),
            clock=ManualClock(wall=0),
            things=self.listed,
            remove=self.remove,
            free_bytes=lambda: 7,
            told=self.told.append,
        )


async def test_what_is_too_much_goes_and_is_told() -> None:
    shelf = Shelf(run("a", 1), run("b", 2), run("c", 3))
    retention = shelf.retention(most=2)
    await retention.look()
    assert [each.name for each in shelf.things] == ["b", "c"]
    assert [removal.stored.name for removal in shelf.told] == ["a"]
    info = retention.info()
    assert (info.runs, info.size_bytes, info.removed, info.free_bytes) == (2, 20, 1, 7)
    assert [each.name for each in info.last_removed] == ["a"]
    assert info.last_removed[0].why == "more than 2 runs are kept"
    assert info.beyond == ""
    assert retention.counted == (2, 20)


async def test_one_that_cannot_be_removed_does_not_keep_the_others() -> None:
    shelf = Shelf(run("a", 1), run("b", 2), run("c", 3))
    shelf.stuck = {"a"}
    retention = shelf.retention(most=1)
    await retention.look()
    assert [each.name for each in shelf.things] == ["a", "c"]
    assert retention.info().removed == 1
    assert retention.info().beyond != ""


async def test_what_is_marked_stays_and_the_store_says_that_it_is_beyond() -> None:
    shelf = Shelf(run("a", 1, 50, kept=True), run("b", 2, 50, kept=True))
    retention = shelf.retention(most=9, most_bytes=60)
    await retention.look()
    assert len(shelf.things) == 2
    info = retention.info()
    assert info.kept == ["a", "b"]
    assert "marked" in info.beyond


async def test_only_the_latest_removals_are_shown() -> None:
    shelf = Shelf(*(run(f"r{number:02d}", number) for number in range(30)))
    retention = shelf.retention(most=1)
    await retention.look()
    info = retention.info()
    assert (info.removed, len(info.last_removed)) == (29, 10)
    assert info.last_removed[0].name == "r28"


def test_marks_are_set_and_dropped(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "keep")
    assert marks.names() == frozenset()
    marks.put("a")
    marks.put("a")
    marks.put("b")
    marks.drop("b")
    marks.drop("never")
    assert Marks(tmp_path / "keep").names() == {"a"}


def test_sizes_are_of_everything_below_and_follow_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"x" * 1_000_000)
    folder = tmp_path / "run"
    (folder / "deliveries").mkdir(parents=True)
    (folder / "manifest.json").write_bytes(b"x" * 100)
    (folder / "deliveries" / "part").write_bytes(b"x" * 50)
    (folder / "link").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    size = Sizes().of(folder, ())
    assert 150 <= size < 10_000
    assert Sizes().of(tmp_path / "nothing", ()) == 0


def test_sizes_are_taken_anew_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    manifest = folder / "manifest.json"
    manifest.write_bytes(b"x" * 10)
    sizes = Sizes()
    assert sizes.of(folder, [manifest]) == 10
    walks: list[Path] = []

    def walked(path: Path) -> int:
        walks.append(path)
        return len(walks)

    monkeypatch.setattr("simulator.service.retention._size", walked)
    assert sizes.of(folder, [manifest]) == 10
    assert walks == []
    (folder / "summary.json").write_bytes(b"x")
    assert sizes.of(folder, [manifest]) == 1
    sizes.forget([])
    assert sizes.of(folder, [manifest]) == 2


def test_marks_that_cannot_be_read_are_no_leave_to_remove(tmp_path: Path) -> None:
    (tmp_path / "keep").write_text("in the way")
    with pytest.raises(NotADirectoryError):
        Marks(tmp_path / "keep").names()
