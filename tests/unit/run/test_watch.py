"""The flag board: first failure wins, waits end for every reason there is."""

import asyncio

import pytest

from simulator.errors import AbortedError, BrokerLostError
from simulator.run.watch import Watch


async def test_until_returns_when_done_is_rung() -> None:
    watch, state = Watch(), {"done": False}

    async def later() -> None:
        await asyncio.sleep(0)
        state["done"] = True
        watch.ring()

    task = asyncio.create_task(later())
    assert await watch.until(lambda: state["done"], 10_000_000_000)
    await task


async def test_until_gives_up_in_time_and_looks_once_more() -> None:
    watch = Watch()
    assert not await watch.until(lambda: False, 1_000_000)
    answers = iter([False, True])
    assert await watch.until(lambda: next(answers), 1_000_000)


async def test_abort_ends_a_wait_and_every_later_one() -> None:
    watch = Watch()
    asyncio.get_running_loop().call_soon(watch.abort, "ended by SIGINT")
    with pytest.raises(AbortedError, match="SIGINT"):
        await watch.pause(10_000_000_000)
    with pytest.raises(AbortedError):
        await watch.until(lambda: True, 1)


def test_first_failure_wins() -> None:
    watch = Watch()
    watch.check()
    watch.fail(BrokerLostError("gone"))
    watch.abort("too late")
    assert isinstance(watch.failure, BrokerLostError)
    with pytest.raises(BrokerLostError, match="gone"):
        watch.check()
