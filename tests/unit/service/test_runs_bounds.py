"""The queue of runs: bounded whoever orders at once; who waits can be given up."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from simulator.clock import SystemClock
from simulator.errors import OutputError
from simulator.service.broker import BrokerKeeper
from simulator.service.options import ServiceOptions
from simulator.service.orders import RunOrder
from simulator.service.problems import ProblemError
from simulator.service.runs import Runs
from simulator.service.store import Store


class _Down:
    """A broker that is down, so that nothing begins."""

    down = "not up yet"


def _runs(folder: Path, waiting: int) -> Runs:
    store = Store(folder, SystemClock())
    store.open()
    options = ServiceOptions(store=folder, max_runs=1, max_waiting=waiting)
    return Runs(options, store, cast("BrokerKeeper", _Down()), SystemClock(), lambda _news: None)


async def test_orders_at_the_same_instant_do_not_pass_the_bound(tmp_path: Path) -> None:
    runs = _runs(tmp_path, 2)
    order = RunOrder(scenario="drill-minimal")

    found = await asyncio.gather(*(runs.order(order) for _ in range(12)), return_exceptions=True)

    refused = [each for each in found if isinstance(each, BaseException)]
    assert len(found) - len(refused) == 3
    assert {each.problem.status for each in refused if isinstance(each, ProblemError)} == {503}
    assert runs.counts() == (0, 3)


async def test_a_run_that_is_given_up_was_stopped_and_did_not_fail(tmp_path: Path) -> None:
    runs = _runs(tmp_path, 2)
    run = (await runs.order(RunOrder(scenario="drill-minimal"))).run

    info = await runs.stop_run(run)

    assert (info.state, info.outcome, info.reason) == (
        "incomplete",
        "aborted",
        "stopped before it began",
    )
    assert runs.counts() == (0, 0)


async def test_an_order_that_the_disk_does_not_take_leaves_nothing(tmp_path: Path) -> None:
    runs = _runs(tmp_path, 2)
    text = 'schema: "1.0"\nid: my-drill\nextends: drill-minimal\n'
    own = tmp_path / ".service"
    (own / "runs").rmdir()
    (own / "runs").write_text("a file stands here")

    with pytest.raises(OutputError):
        await runs.order(RunOrder(scenario_yaml=text))

    assert list((own / "scenarios").iterdir()) == []
    assert await runs.everything() == []
    assert runs.counts() == (0, 0)


async def test_runs_that_were_killed_begin_nothing_more(tmp_path: Path) -> None:
    runs = _runs(tmp_path, 2)
    runs.kill()

    with pytest.raises(ProblemError):
        await runs.order(RunOrder(scenario="drill-minimal"))


async def test_an_order_whose_asker_is_gone_is_known_as_it_stands_on_disk(tmp_path: Path) -> None:
    runs = _runs(tmp_path, 2)
    asking = asyncio.create_task(runs.order(RunOrder(scenario="drill-minimal")))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    async with asyncio.timeout(30):
        while runs.counts() != (0, 1):  # noqa: ASYNC110  # it is written down by a thread
            await asyncio.sleep(0.01)
    (record,) = Store(tmp_path, SystemClock()).records()
    assert record.run in {info.run for info in await runs.everything()}
