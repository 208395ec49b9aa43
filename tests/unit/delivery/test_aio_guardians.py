"""A guardian that comes back to write: what is asked meanwhile waits for it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from simulator.delivery.aio import Connection, Incoming
from simulator.delivery.aio_guardians import AioGuardian
from simulator.delivery.messages import Notice


class Slow(Connection):
    """Takes as long as it is told to be there; keeps what was published."""

    def __init__(self, there: asyncio.Event, published: list[bytes]) -> None:
        self._there = there
        self._published = published

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        assert filters
        await self._there.wait()

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        timeout_s: float | None = None,
    ) -> bool:
        assert (topic, qos, retain, timeout_s) == ("t", 1, True, 1)
        self._published.append(payload)
        return True

    async def messages(self) -> AsyncIterator[Incoming]:
        await asyncio.Event().wait()
        yield Incoming(topic="t", payload=b"", qos=1, retain=False, dup=False, at_ns=0)


def guardian(there: asyncio.Event, published: list[bytes]) -> AioGuardian:
    @asynccontextmanager
    async def connect() -> AsyncIterator[Connection]:
        yield Slow(there, published)

    def report(notice: Notice) -> None:
        raise AssertionError(notice)

    return AioGuardian(connect, topic="t", mark=b"mark", report=report)


async def test_an_all_clear_while_it_comes_back_is_written_after_the_alert() -> None:
    there, published = asyncio.Event(), list[bytes]()
    found = guardian(there, published)

    alert = asyncio.create_task(found.set(b"mark: take cover", timeout_s=1))
    await asyncio.sleep(0)
    clear = asyncio.create_task(found.set(b"", timeout_s=1))
    await asyncio.sleep(0)
    there.set()
    await asyncio.gather(alert, clear)
    await found.close()

    assert published == [b"mark: take cover", b""]


async def test_what_is_not_ours_is_not_cleared_and_not_even_connected_for() -> None:
    published: list[bytes] = []
    found = guardian(asyncio.Event(), published)

    await found.set(b"", timeout_s=1)

    assert found.connection is None
    assert published == []
