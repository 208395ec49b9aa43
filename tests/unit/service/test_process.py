"""A command as a process: bounded in what it says, and never left behind."""

import asyncio

import pytest

from simulator.service.process import CommandProcess


async def test_who_stops_reading_leaves_no_process_behind() -> None:
    process = CommandProcess(["simulate", "drill-minimal", "--replications", "5000"])
    await process.start()
    pid = process.pid

    await process.finish(0.2)

    assert pid is not None
    assert await asyncio.wait_for(process.wait(), 10) != 0


async def test_a_line_beyond_every_bound_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.service.process._LINE_BYTES", 64)
    process = CommandProcess(["schema", "payload"])
    await process.start()

    with pytest.raises(ValueError, match="limit"):
        async for _line in process.lines():
            pass
    await process.finish(5.0)

    assert await asyncio.wait_for(process.wait(), 10) is not None


async def test_only_the_end_of_what_it_says_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.service.process._TAIL_BYTES", 40)
    process = CommandProcess(["run", "nowhere", "--quiet"])
    await process.start()
    async for _line in process.lines():
        pass

    assert await process.wait() == 104
    assert 0 < len(process.said().encode()) <= 40
    await process.finish(1.0)
