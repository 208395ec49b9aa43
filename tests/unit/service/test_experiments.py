import asyncio
import errno
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
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

    async def order(self) -> str:
        self.clock.advance(1_000_000_000)
        return (await self.experiments.order(ORDER)).id


async def test_only_so_many_wait(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    names = [await bench.order() for _ in range(MOST_WAITING)]
    with pytest.raises(ProblemError) as error:
        await bench.order()
    assert error.value.problem.status == 503
    assert [each.id for each in await bench.experiments.listed()] == names[::-1]
    assert len(bench.told) == MOST_WAITING


async def test_one_that_waits_is_stopped_at_once_and_can_be_continued(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = await bench.order()
    with pytest.raises(ProblemError):
        await bench.experiments.resume(name)
    assert (await bench.experiments.stop_one(name)).state == "incomplete"
    assert bench.experiments.feeds() == []
    with pytest.raises(ProblemError):
        await bench.experiments.stop_one(name)
    assert (await bench.experiments.resume(name)).state == "queued"
    with pytest.raises(ProblemError):
        await bench.experiments.delete(name)
    await bench.experiments.stop_one(name)
    await bench.experiments.delete(name)
    assert bench.told[-1] == (name, None)
    assert await bench.experiments.listed() == []


async def test_records_that_cannot_be_read_are_left_out_and_left_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = await bench.order()
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


async def test_files_are_of_a_fixed_list_and_no_links(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = await bench.order()
    result = bench.store.result(name)
    result.mkdir()
    (result / "summary.json").write_text("{}")
    (result / "report.html").symlink_to("/etc/passwd")
    (result / "secret.txt").write_text("x")
    assert bench.store.files(name) == ("summary.json",)
    for asked in ("secret.txt", "../order.json", "report.html", "/etc/passwd"):
        assert bench.store.file(name, asked) is None
    assert bench.store.file("../..", "summary.json") is None


async def test_retention_sees_them_by_how_they_went(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    waiting = await bench.order()
    states = {0: "complete", 99: "complete", 105: "incomplete", 104: "incomplete"}
    wanted = {waiting: "busy"}
    for code, state in states.items():
        name = await bench.order()
        record = next(each for each in bench.store.records() if each.id == name)
        ended = record.model_copy(update={"state": "ended", "exit_code": code})
        bench.store.save(ended)
        wanted[name] = state
    found = bench.store.stored(frozenset({waiting}), lambda _folder: 7)
    assert {each.name: each.state for each in found} == wanted
    assert [each.name for each in found if each.kept] == [waiting]
    assert {each.size_bytes for each in found} == {7}


async def test_a_record_of_another_name_is_not_believed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = await bench.order()
    record = bench.store.records()[0]
    assert isinstance(record, ExperimentRecord)
    (tmp_path / "experiments" / name).rename(tmp_path / "experiments" / "20200101t000000-0009")
    assert bench.store.records() == []


async def test_a_disk_that_takes_no_order_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    write = "simulator.service.experiments_store.write_atomically"

    def full(path: Path, _data: bytes) -> None:
        raise unwritable(path, OSError(errno.ENOSPC, "No space left on device"))

    with monkeypatch.context() as patch:
        patch.setattr(write, full)
        with pytest.raises(OutputError, match="No space left"):
            await bench.order()
    assert list((tmp_path / "experiments").iterdir()) == []
    assert await bench.experiments.listed() == []
    (tmp_path / "experiments").rmdir()
    (tmp_path / "experiments").write_text("a file stands here")
    with pytest.raises(OutputError):
        await bench.order()


async def test_ids_of_one_second_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    drawn = iter(["20200101t000000-0001", "20200101t000000-0001", "20200101t000000-0002"] * 2)
    monkeypatch.setattr("simulator.service.experiments.new_run_id", lambda _wall_ns: next(drawn))
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "20200101t000000-0002").symlink_to("nowhere")
    drawn = iter(["20200101t000000-0001"] * 2 + ["20200101t000000-0002", "20200101t000000-0003"])

    names = await asyncio.gather(bench.order(), bench.order())

    assert sorted(names) == ["20200101t000000-0001", "20200101t000000-0003"]


async def test_orders_at_the_same_instant_do_not_pass_the_bound(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    found = await asyncio.gather(
        *(bench.order() for _ in range(MOST_WAITING + 5)), return_exceptions=True
    )

    assert sum(isinstance(each, ProblemError) for each in found) == 5
    assert len(await bench.experiments.listed()) == MOST_WAITING


async def test_what_is_being_deleted_is_neither_continued_nor_written_again(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    name = await bench.order()
    experiments = bench.experiments

    async def stop_and_delete() -> None:
        await asyncio.sleep(0)  # its end is decided and not written down yet
        await experiments.delete(name)

    tries = (experiments.resume, experiments.delete, experiments.resume)
    found = await asyncio.gather(
        experiments.stop_one(name),
        stop_and_delete(),
        *(_later(attempt, name) for attempt in tries),
        return_exceptions=True,
    )

    assert [each for each in found[:2] if isinstance(each, Exception)] == []
    refused = [each.problem.status for each in found[2:] if isinstance(each, ProblemError)]
    assert refused == [409, 409, 409]
    assert await experiments.listed() == []
    assert list((tmp_path / "experiments").iterdir()) == []


async def _later(attempt: Callable[[str], Awaitable[object]], name: str) -> None:
    for _ in range(2):
        await asyncio.sleep(0)
    await attempt(name)


async def test_what_somebody_removed_by_hand_can_still_be_deleted(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    name = await bench.order()
    await bench.experiments.stop_one(name)
    shutil.rmtree(tmp_path / "experiments" / name)

    await bench.experiments.delete(name)

    assert await bench.experiments.listed() == []


async def test_killed_experiments_begin_nothing_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    waits = await bench.order()
    bench.experiments.kill()

    await bench.experiments.start()
    for _ in range(20):
        await asyncio.sleep(0)

    assert bench.experiments.info(waits).state == "queued"
    with pytest.raises(ProblemError):
        await bench.order()
    await bench.experiments.stop()


async def test_a_second_signal_ends_the_one_that_plays_and_keeps_what_it_has(
    tmp_path: Path,
) -> None:
    before = set(_children())  # other tests of this process may have left a tracker of resources
    bench = Bench(tmp_path)
    order = ORDER.model_copy(update={"replications": 900_000, "chain_only": True})
    name = (await bench.experiments.order(order)).id
    waits = await bench.order()
    await bench.experiments.start()
    async with asyncio.timeout(60):
        while not _is_told_of(bench, "running"):  # noqa: ASYNC110  # it plays in a task of its own
            await asyncio.sleep(0.01)

    stopping = asyncio.create_task(bench.experiments.stop())
    await asyncio.sleep(0)
    bench.experiments.kill()
    async with asyncio.timeout(15):
        await stopping

    assert set(_children()) <= before
    kept = {each.id: each for each in bench.store.records()}
    assert (kept[name].state, kept[name].exit_code) == ("ended", 105)
    assert kept[waits].state == "queued"


def _is_told_of(bench: Bench, state: str) -> bool:
    return any(info is not None and info.state == state for _, info in bench.told)


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)
