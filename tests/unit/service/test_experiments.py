import errno
import json
from pathlib import Path

import pytest

from simulator.clock import ManualClock
from simulator.errors import OutputError
from simulator.report.manifest import unwritable
from simulator.service.experiments import MOST_WAITING, Experiments
from simulator.service.experiments_model import ExperimentInfo, ExperimentOrder, ExperimentRecord
from simulator.service.experiments_said import ending, progress_in
from simulator.service.experiments_store import ExperimentStore
from simulator.service.problems import ProblemError

ORDER = ExperimentOrder.model_validate({"kind": "simulate", "scenario": "drill-minimal"})


def entry(done: object, total: object) -> str:
    return json.dumps({"event": "replications", "done": done, "total": total})


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", None),
        ("starting up", None),
        (entry(1, 30), (1, 30)),
        (f"{entry(1, 30)}\n{entry(7, 30)}\na warning\n", (7, 30)),
        (f"{entry(1, 30)}\n{entry('x', 30)}", (1, 30)),
        (f'30, "event": "replications"}}\n{entry(2, 30)}\n{{"event": "repl', (2, 30)),
        ("[1]\n3", None),
    ],
)
def test_progress_is_the_last_that_was_said(said: str, found: tuple[int, int] | None) -> None:
    assert progress_in(said) == found


def test_how_it_ended_is_said_in_the_commands_own_words() -> None:
    error = {"message": "unknown field", "where": "--set", "value": "x", "remedy": "look"}
    heard = json.dumps({"error": error, "exit_code": 104}, indent=2)
    assert ending(104, heard, "") == (104, "--set: unknown field (got x)", "look")
    assert ending(99, "{}", "") == (99, "", "")
    assert ending(105, "", "")[0] == 105
    assert ending(-9, "", "") == (107, "its process was killed (signal 9)", "continue it")
    assert ending(1, "", f"Traceback\nMemoryError\n{entry(1, 2)}") == (1, "MemoryError", "")
    assert ending(1, '{"error": 3}', "") == (1, "its process ended with 1", "")


class Bench:
    """Experiments whose process is never started: nobody works on the queue."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.told: list[tuple[str, ExperimentInfo | None]] = []
        self.store = ExperimentStore(folder)
        self.experiments = Experiments(
            self.store,
            self.clock,
            lambda _run: None,
            lambda name, info: self.told.append((name, info)),
        )

    def order(self) -> str:
        self.clock.advance(1_000_000_000)
        return self.experiments.order(ORDER).id


async def test_only_so_many_wait(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    names = [bench.order() for _ in range(MOST_WAITING)]
    with pytest.raises(ProblemError) as error:
        bench.order()
    assert error.value.problem.status == 503
    assert [each.id for each in bench.experiments.listed()] == names[::-1]
    assert len(bench.told) == MOST_WAITING


async def test_one_that_waits_is_stopped_at_once_and_can_be_continued(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = bench.order()
    with pytest.raises(ProblemError):
        bench.experiments.resume(name)
    assert bench.experiments.stop_one(name).state == "incomplete"
    assert bench.experiments.feeds() == []
    with pytest.raises(ProblemError):
        bench.experiments.stop_one(name)
    assert bench.experiments.resume(name).state == "queued"
    with pytest.raises(ProblemError):
        await bench.experiments.delete(name)
    bench.experiments.stop_one(name)
    await bench.experiments.delete(name)
    assert bench.told[-1] == (name, None)
    assert bench.experiments.listed() == []


def test_records_that_cannot_be_read_are_left_out_and_left_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = bench.order()
    folder = tmp_path / "experiments"
    for other, text in (("20200101t000000-0000", "{"), ("20200101t000000-0001", "{}")):
        (folder / other).mkdir()
        (folder / other / "order.json").write_text(text)
    (folder / "20200101t000000-0002").mkdir()
    (folder / "20200101t000000-0003").symlink_to(folder / name)
    (folder / "notes").mkdir()
    half = folder / ".gone-20200101t000000-0004"
    half.mkdir()
    assert [record.id for record in bench.store.records()] == [name]
    assert not half.exists()
    assert (folder / "20200101t000000-0000" / "order.json").read_text() == "{"


def test_files_are_of_a_fixed_list_and_no_links(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = bench.order()
    result = bench.store.result(name)
    result.mkdir()
    (result / "summary.json").write_text("{}")
    (result / "report.html").symlink_to("/etc/passwd")
    (result / "secret.txt").write_text("x")
    assert bench.store.files(name) == ("summary.json",)
    for asked in ("secret.txt", "../order.json", "report.html", "/etc/passwd"):
        assert bench.store.file(name, asked) is None
    assert bench.store.file("../..", "summary.json") is None


def test_retention_sees_them_by_how_they_went(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    waiting = bench.order()
    states = {0: "complete", 99: "complete", 105: "incomplete", 104: "incomplete"}
    wanted = {waiting: "busy"}
    for code, state in states.items():
        name = bench.order()
        record = next(each for each in bench.store.records() if each.id == name)
        ended = record.model_copy(update={"state": "ended", "exit_code": code})
        bench.store.save(ended)
        wanted[name] = state
    found = bench.store.stored(frozenset({waiting}), lambda _folder: 7)
    assert {each.name: each.state for each in found} == wanted
    assert [each.name for each in found if each.kept] == [waiting]
    assert {each.size_bytes for each in found} == {7}


def test_a_record_of_another_name_is_not_believed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = bench.order()
    record = bench.store.records()[0]
    assert isinstance(record, ExperimentRecord)
    (tmp_path / "experiments" / name).rename(tmp_path / "experiments" / "20200101t000000-0009")
    assert bench.store.records() == []


def test_a_disk_that_takes_no_order_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    write = "simulator.service.experiments_store.write_atomically"

    def full(path: Path, _data: bytes) -> None:
        raise unwritable(path, OSError(errno.ENOSPC, "No space left on device"))

    with monkeypatch.context() as patch:
        patch.setattr(write, full)
        with pytest.raises(OutputError, match="No space left"):
            bench.order()
    assert list((tmp_path / "experiments").iterdir()) == []
    assert bench.experiments.listed() == []
    (tmp_path / "experiments").rmdir()
    (tmp_path / "experiments").write_text("a file stands here")
    with pytest.raises(OutputError):
        bench.order()
