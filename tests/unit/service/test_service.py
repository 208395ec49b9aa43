"""The service as one object: everything ends, at the same time, whatever fails."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from fastapi import APIRouter

from simulator.service.options import ServiceOptions
from simulator.service.records import RunInfo
from simulator.service.service import Service
from tests.unit.service.application import asked


class _Slow:
    """A part that ends once both of its kind were asked to; perhaps with an error."""

    def __init__(self, together: asyncio.Barrier, *, fails: bool) -> None:
        self._together = together
        self._fails = fails
        self.killed = False
        self.ended = False

    def routers(self) -> Sequence[APIRouter]:
        return []

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        await self._together.wait()
        if self._fails:
            raise RuntimeError("a defect")
        self.ended = True

    def kill(self) -> None:
        self.killed = True


async def test_parts_end_at_the_same_time_and_one_that_fails_holds_up_nobody(
    tmp_path: Path,
) -> None:
    service = Service(ServiceOptions(store=tmp_path))
    service.store.open()
    together = asyncio.Barrier(2)
    parts = [_Slow(together, fails=True), _Slow(together, fails=False)]
    for part in parts:
        service.add(part)

    service.kill()
    async with asyncio.timeout(20):
        await service.stop()

    assert [part.ended for part in parts] == [False, True]
    assert [part.killed for part in parts] == [True, True]
    Service(ServiceOptions(store=tmp_path)).store.open()  # nobody holds it any more


async def test_a_store_that_is_gone_is_said_and_no_error(tmp_path: Path) -> None:
    async with asked(tmp_path / "store") as (_, client):
        shutil.rmtree(tmp_path / "store")
        health = await client.get("/healthz")
        about = await client.get("/api/v1/service")
        listed = await client.get("/api/v1/runs")

    assert (health.status_code, health.json()["disk"]) == (503, {"free_bytes": 0, "low": True})
    assert about.json()["retention"]["free_bytes"] == 0
    assert listed.json() == {"runs": [], "total": 0}


async def test_a_run_that_cannot_be_told_of_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(ServiceOptions(store=tmp_path))
    told: list[str] = []

    async def info(run: str) -> RunInfo:
        if run == "one":
            raise PermissionError(run)
        return RunInfo(run=run, state="complete")

    monkeypatch.setattr(service.runs, "info", info)
    monkeypatch.setattr(service, "tell", lambda _kind, what: told.append(what["run"]["run"]))
    for run in ("one", "two"):
        service._run_changed(run)
    assert service._telling is not None
    await service._telling

    assert told == ["two"]
