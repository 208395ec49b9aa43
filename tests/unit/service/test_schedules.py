import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from simulator.clock import ManualClock
from simulator.errors import ConfigurationError
from simulator.service.orders import RunOrder
from simulator.service.problems import ProblemError
from simulator.service.schedules import Keeper
from simulator.service.schedules_model import MOST, Schedule
from simulator.service.schedules_store import SCHEDULES_NAME, ScheduleStore
from simulator.service.schedules_times import Skip
from simulator.units import NS_PER_S

HOUR_NS = 3600 * NS_PER_S
DAY_NS = 24 * HOUR_NS
EIGHT_NS = 1_795_388_400 * NS_PER_S  # 2026-11-23T08:00:00+09:00, less the seconds below


class Runs:
    """Plays nothing; says what it is told to say."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.playing: set[str] = set()
        self.failing = False
        self.refusal: Exception | None = None
        self.began = asyncio.Event()

    async def check(self, order: RunOrder) -> None:
        if order.scenario == "atlantis":
            raise ConfigurationError("unknown scenario")

    async def start(self, order: RunOrder, schedule: str) -> str:
        if self.refusal is not None:
            raise self.refusal
        assert order.scenario == "drill-minimal"
        run = f"{schedule}-{len(self.started)}"
        self.started.append(run)
        self.playing.add(run)
        self.began.set()
        return run

    def plays(self, run: str) -> bool:
        return run in self.playing

    def failed(self, run: str) -> bool:
        return bool(run) and self.failing


def schedule(name: str = "nine", **fields: Any) -> Schedule:
    given = {"name": name, "cron": "0 9 * * *", "run": {"scenario": "drill-minimal"}} | fields
    return Schedule.model_validate(given)


def loop(**fields: Any) -> Schedule:
    return schedule("again", cron=None, loop=True, **fields)


class Bench:
    """A keeper, its store and its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(wall=EIGHT_NS)
        self.runs = Runs()
        self.skips: list[Skip] = []
        self.again()

    def again(self, *loops: Schedule) -> None:
        store = ScheduleStore(self.folder)
        self.keeper = Keeper(
            store=store, runs=self.runs, clock=self.clock, skipped=self.skips.append
        )
        self.keeper.load(loops)

    async def look(self, times: int = 1) -> None:
        """Let the keeper look at everything once or more, as it would by itself in time."""
        for _ in range(times):
            await self.keeper.look()

    def state(self, name: str) -> Any:
        return self.keeper.get(name).state


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_schedule_starts_its_run_once_and_again_the_next_day(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    await bench.look()
    assert bench.runs.started == []
    for day in range(2):
        bench.clock.advance(HOUR_NS if not day else DAY_NS)
        await bench.look(3)
        bench.runs.playing.clear()
    assert bench.runs.started == ["nine-0", "nine-1"]
    assert bench.state("nine").started == 2


async def test_it_never_piles_up(bench: Bench) -> None:
    await bench.keeper.add(schedule(cron="0 * * * *"))
    for _ in range(3):
        bench.clock.advance(HOUR_NS)
        await bench.look()
    assert bench.runs.started == ["nine-0"]
    assert bench.state("nine").skipped == {"still-playing": 2}
    assert "nine-0" in bench.state("nine").last_skip
    assert [skip.reason for skip in bench.skips] == ["still-playing"] * 2


async def test_a_restart_neither_loses_nor_doubles_a_run(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    bench.clock.advance(HOUR_NS)
    await bench.look()
    bench.runs.playing.clear()
    bench.again()
    await bench.look()
    assert bench.runs.started == ["nine-0"]
    assert bench.state("nine").last_run == "nine-0"
    bench.clock.advance(DAY_NS - 60 * NS_PER_S)
    bench.again()
    bench.clock.advance(120 * NS_PER_S)  # it was away at nine
    bench.again()
    await bench.look()
    assert bench.runs.started == ["nine-0", "nine-1"]


async def test_what_is_refused_is_a_skip_with_its_reason(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    bench.runs.refusal = ProblemError(507, "disk-full", "the disk is full")
    bench.clock.advance(HOUR_NS)
    await bench.look(2)
    assert bench.state("nine").skipped == {"refused": 1}
    assert bench.state("nine").last_skip == "the disk is full"


async def test_a_loop_plays_one_run_after_the_other(bench: Bench) -> None:
    await bench.keeper.add(loop())
    await bench.look(3)
    assert bench.runs.started == ["again-0"]
    bench.runs.playing.clear()
    await bench.look()
    assert bench.runs.started == ["again-0"]  # it pauses
    bench.clock.advance(5 * NS_PER_S)
    await bench.look(2)
    assert bench.runs.started == ["again-0", "again-1"]


@pytest.mark.parametrize("refused", [True, False])
async def test_a_loop_that_fails_waits_longer_each_time(bench: Bench, *, refused: bool) -> None:
    if refused:
        bench.runs.refusal = ConfigurationError("no broker\nremedy")
    await bench.keeper.add(loop())
    bench.runs.failing = True
    tried: list[int] = []
    for second in range(100):
        await bench.look()
        if len(bench.runs.started) + len(bench.skips) > len(tried):
            tried.append(second)
        bench.runs.playing.clear()
        bench.clock.advance(NS_PER_S)
    assert len(tried) == 4
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert gaps == sorted(gaps)
    assert gaps[0] >= 10
    bench.runs.failing, bench.runs.refusal = False, None
    bench.clock.advance(300 * NS_PER_S)
    await bench.look()
    bench.runs.playing.clear()
    await bench.look()
    assert bench.state("again").failures == 0


async def test_a_wall_clock_that_steps_does_not_hurry_a_loop(bench: Bench) -> None:
    await bench.keeper.add(loop(pause="10s"))
    await bench.look()
    bench.runs.playing.clear()
    await bench.look()
    bench.clock.step_wall(DAY_NS)
    await bench.look()
    assert bench.runs.started == ["again-0"]


async def test_a_loop_from_the_command_line_is_not_kept(bench: Bench) -> None:
    bench.again(loop())
    await bench.look()
    assert bench.runs.started == ["again-0"]
    assert bench.keeper.get("again").transient
    assert not (bench.folder / SCHEDULES_NAME).exists()
    with pytest.raises(ProblemError):
        await bench.keeper.add(loop())
    await bench.keeper.remove("again")
    bench.again()
    assert bench.keeper.count == 0


async def test_a_loop_of_a_name_that_is_kept_is_refused(bench: Bench) -> None:
    await bench.keeper.add(loop())
    with pytest.raises(ConfigurationError, match="kept already"):
        bench.again(loop())


async def test_what_cannot_be_added_changes_nothing(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    with pytest.raises(ProblemError) as error:
        await bench.keeper.add(schedule(cron="1 1 * * *"))
    assert error.value.problem.status == 409
    with pytest.raises(ConfigurationError):
        await bench.keeper.add(schedule("two", run={"scenario": "atlantis"}))
    assert [shown.schedule.cron for shown in bench.keeper.listed()] == ["0 9 * * *"]


async def test_there_is_a_bound(bench: Bench) -> None:
    many = {f"s{number}": schedule(f"s{number}") for number in range(MOST)}
    ScheduleStore(bench.folder).change(lambda schedules: schedules.update(many))
    bench.again()
    with pytest.raises(ProblemError) as error:
        await bench.keeper.add(schedule())
    assert error.value.problem.status == 409


async def test_what_was_removed_starts_no_more(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    await bench.keeper.remove("nine")
    bench.clock.advance(DAY_NS)
    await bench.look()
    assert bench.runs.started == []
    for act in (bench.keeper.get, bench.keeper.remove):
        with pytest.raises(ProblemError) as error:
            await _maybe(act("nine"))
        assert error.value.problem.status == 404


@pytest.mark.parametrize("refuse", [True, False])
async def test_removed_while_its_run_is_being_started(bench: Bench, *, refuse: bool) -> None:
    await bench.keeper.add(schedule())
    bench.clock.advance(HOUR_NS)

    async def start(order: RunOrder, schedule: str) -> str:
        del order
        await bench.keeper.remove(schedule)
        if refuse:
            raise ConfigurationError("no")
        return "run"

    bench.runs.start = start  # type: ignore[method-assign]
    await bench.look(2)
    assert bench.keeper.count == 0
    bench.again()
    assert bench.keeper.count == 0


async def test_a_file_damaged_by_hand_is_said_and_the_others_play_on(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    path = bench.folder / SCHEDULES_NAME
    path.write_text("{ damaged by hand")
    acts: tuple[Callable[[], Any], ...] = (
        lambda: bench.keeper.add(schedule("two")),
        lambda: bench.keeper.remove("nine"),
        bench.again,
    )
    for act in acts:
        with pytest.raises(ConfigurationError, match="not JSON"):
            await _maybe(act())
    assert path.read_text() == "{ damaged by hand"


async def _maybe(result: Any) -> None:
    if asyncio.iscoroutine(result):
        await result


async def test_a_schedule_written_by_hand_joins_at_the_next_change(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    path = bench.folder / SCHEDULES_NAME
    path.write_text(path.read_text().replace('"nine"', '"hand"'))
    await bench.keeper.add(schedule("two"))
    assert [shown.schedule.name for shown in bench.keeper.listed()] == ["hand", "two"]
    bench.clock.advance(HOUR_NS)
    await bench.look()
    assert sorted(bench.runs.started) == ["hand-0", "two-1"]


async def test_adding_wakes_a_keeper_that_has_nothing_to_do(bench: Bench) -> None:
    task = asyncio.create_task(bench.keeper.run())
    await asyncio.sleep(0)
    await bench.keeper.add(loop())
    async with asyncio.timeout(30):
        await bench.runs.began.wait()
    assert bench.runs.started == ["again-0"]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_disk_that_cannot_keep_how_it_went_stops_nothing(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    (bench.folder / ".schedules-state.json.tmp").symlink_to("/dev/full")
    bench.clock.advance(HOUR_NS)
    await bench.look()
    assert bench.runs.started == ["nine-0"]


async def test_a_defect_with_one_keeps_no_other_from_its_turn(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    await bench.keeper.add(loop())
    start = bench.runs.start

    async def some(order: RunOrder, schedule: str) -> str:
        if schedule == "nine":
            raise RuntimeError("a defect")
        return await start(order, schedule)

    bench.runs.start = some  # type: ignore[method-assign]
    bench.clock.advance(HOUR_NS)
    await bench.look()
    assert bench.runs.started == ["again-0"]


async def test_a_keeper_that_is_cut_short_has_written_what_it_decided(bench: Bench) -> None:
    await bench.keeper.add(schedule())
    bench.clock.advance(HOUR_NS)
    task = asyncio.create_task(bench.keeper.run())
    async with asyncio.timeout(30):
        await bench.runs.began.wait()
    task.cancel()  # it has started a run and not written down which
    with suppress(asyncio.CancelledError):
        await task
    await bench.keeper.settle()

    bench.again()

    assert bench.state("nine").last_run == "nine-0"


async def test_a_keeper_that_is_cut_short_while_a_run_is_ordered_knows_that_run(
    bench: Bench,
) -> None:
    await bench.keeper.add(schedule())
    bench.clock.advance(HOUR_NS)
    asked, go_on, start = asyncio.Event(), asyncio.Event(), bench.runs.start

    async def slowly(order: RunOrder, schedule: str) -> str:
        asked.set()
        await go_on.wait()
        return await start(order, schedule)

    bench.runs.start = slowly  # type: ignore[method-assign]
    task = asyncio.create_task(bench.keeper.run())
    async with asyncio.timeout(30):
        await asked.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    go_on.set()
    await bench.keeper.settle()

    bench.again()

    assert bench.runs.started == ["nine-0"]
    assert bench.state("nine").last_run == "nine-0"


async def test_many_changes_at_once_are_all_kept(bench: Bench) -> None:
    names = [f"s{number}" for number in range(12)]
    await asyncio.gather(*(bench.keeper.add(schedule(name)) for name in names))
    found = await asyncio.gather(
        *(bench.keeper.remove(name) for name in [*names[:6], "s0"]), return_exceptions=True
    )
    assert [isinstance(each, ProblemError) for each in found] == [False] * 6 + [True]

    bench.again()

    assert [shown.schedule.name for shown in bench.keeper.listed()] == names[6:]
