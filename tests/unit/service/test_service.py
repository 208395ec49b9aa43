"""The service as one object: everything ends, at the same time, whatever fails."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter

from simulator.service.options import ServiceOptions
from simulator.service.service import Service


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
