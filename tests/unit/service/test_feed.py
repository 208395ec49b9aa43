"""Feeds: nobody waits, what is dropped is told, who leaves leaves nothing."""

import asyncio
import json
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import aclosing
from typing import Any

import pytest

from simulator.service.feed import Feed
from simulator.service.frames import HEARTBEAT, Frame, frame
from simulator.service.stream import EventStream, seen, the_last


class Told:
    """A feed whose snapshot says how far it is, and what one page of it hears."""

    def __init__(self, keep: int = 100, bound: int = 8) -> None:
        self.number = 0
        self.feed = Feed(self._snapshot, keep=keep, bound=bound)

    def _snapshot(self) -> Frame:
        return frame("snapshot", b'{"n":%d}' % self.number, self.number)

    async def read(
        self, last: int | None = None, heartbeat_s: float = 15.0
    ) -> AsyncGenerator[bytes, None]:
        """What one page hears, from when it is first asked to the end."""
        page = self.feed.join(last)
        assert page is not None
        async with aclosing(self.feed.told(page, heartbeat_s)) as told:
            try:
                async for data in told:
                    yield data
            finally:
                self.feed.leave(page)

    def tell(self, kind: str, times: int = 1) -> None:
        for _ in range(times):
            self.number += 1
            self.feed.publish(frame(kind, b'{"n":%d}' % self.number, self.number))


def kinds(data: bytes) -> list[str]:
    return [
        line.removeprefix("event: ")
        for line in data.decode().splitlines()
        if line.startswith("event: ")
    ]


async def heard(page: AsyncGenerator[bytes, None]) -> list[str]:
    """Everything up to the end of the stream."""
    return [kind async for data in page for kind in kinds(data)]


async def test_a_page_gets_what_is_so_and_then_what_happens() -> None:
    told = Told()
    told.tell("phase", 3)
    page = told.read()
    first = await anext(page)
    assert first == b'id: 3\nevent: snapshot\ndata: {"n":3}\n\n'

    told.tell("sent")
    told.feed.close()

    assert await heard(page) == ["sent"]


async def test_a_page_that_comes_back_gets_what_it_missed() -> None:
    told = Told()
    told.tell("sent", 6)
    told.feed.close()

    assert await heard(told.read(last=4)) == ["sent", "sent"]
    assert await heard(told.read(last=99)) == ["snapshot"]


async def test_a_page_that_missed_more_than_is_kept_begins_again() -> None:
    told = Told(keep=3)
    told.tell("sent", 6)
    told.feed.close()

    assert await heard(told.read(last=3)) == ["sent", "sent", "sent"]
    assert await heard(told.read(last=2)) == ["snapshot"]


async def test_a_slow_page_loses_progress_first_and_is_told() -> None:
    told = Told(bound=8)
    page = told.read()
    await anext(page)

    told.tell("sent", 4)
    told.tell("progress", 100)
    told.feed.close()

    pieces = [data async for data in page]
    assert json.loads(pieces[0].decode().splitlines()[1].removeprefix("data: "))["dropped"] == 96
    assert [kind for data in pieces for kind in kinds(data)] == [
        "dropped",
        *["sent"] * 4,
        *["progress"] * 4,
    ]
    assert b'"n":104' in pieces[-1]


async def test_a_page_that_lost_more_than_progress_begins_again() -> None:
    told = Told(bound=4)
    page = told.read()
    await anext(page)

    told.tell("sent", 10)
    told.feed.close()

    whole = await heard(page)
    assert whole[0] == "dropped"
    assert whole[-1] == "snapshot"


async def test_a_slow_page_holds_up_nobody() -> None:
    told = Told(bound=4)
    slow, quick = told.read(), told.read()
    await anext(slow)
    await anext(quick)

    numbers = []
    for _ in range(50):
        told.tell("sent")
        numbers += kinds(await anext(quick))

    assert numbers == ["sent"] * 50


async def test_fifty_pages_get_the_same_bytes() -> None:
    told = Told(bound=100)
    pages = [told.read() for _ in range(50)]
    for page in pages:
        await anext(page)
    told.tell("sent", 20)
    told.feed.close()

    heard_by = [[data async for data in page] for page in pages]

    assert all(each == heard_by[0] for each in heard_by)
    assert len(heard_by[0]) == 20
    assert told.feed.pages == 0


async def test_nothing_for_a_while_is_a_heartbeat() -> None:
    told = Told()
    page = told.read(heartbeat_s=0.01)
    await anext(page)

    assert await anext(page) == b""
    await page.aclose()
    assert told.feed.pages == 0


async def _sent_until(
    told: Told, leave: asyncio.Event, send: Any = None
) -> list[MutableMapping[str, Any]]:
    messages: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        await leave.wait()
        return {"type": "http.disconnect"}

    async def kept(message: MutableMapping[str, Any]) -> None:
        messages.append(message)
        if send is not None:
            await send(message)

    stream = EventStream(told.feed, heartbeat_s=0.01)
    await stream({"type": "http"}, receive, kept)
    return messages


async def test_a_reader_that_leaves_leaves_nothing() -> None:
    told, leave = Told(), asyncio.Event()
    watching = asyncio.create_task(_sent_until(told, leave))
    while told.feed.pages == 0:  # noqa: ASYNC110  # one turn of the loop or two
        await asyncio.sleep(0)

    leave.set()

    messages = await watching
    assert told.feed.pages == 0
    assert messages[0]["type"] == "http.response.start"


async def test_a_reader_that_hangs_and_leaves_leaves_nothing() -> None:
    told, leave, hung = Told(), asyncio.Event(), asyncio.Event()

    async def hang(message: MutableMapping[str, Any]) -> None:
        if b"snapshot" in message.get("body", b""):
            hung.set()
            await asyncio.Event().wait()

    watching = asyncio.create_task(_sent_until(told, leave, hang))
    await hung.wait()
    told.tell("sent", 1000)

    leave.set()

    await watching
    assert told.feed.pages == 0


async def test_a_stream_ends_with_its_feed_and_beats_meanwhile() -> None:
    told = Told()
    watching = asyncio.create_task(_sent_until(told, asyncio.Event()))
    while told.feed.pages == 0:  # noqa: ASYNC110  # one turn of the loop or two
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    told.tell("sent")
    told.feed.close()

    messages = await watching

    bodies = [each.get("body", b"") for each in messages]
    assert HEARTBEAT in bodies
    assert messages[-1]["more_body"] is False


async def test_no_more_pages_look_on_than_may_whoever_asks_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("simulator.service.feed.MOST_PAGES", 3)
    told, leave = Told(), asyncio.Event()
    watching = [asyncio.create_task(_sent_until(told, leave)) for _ in range(8)]
    await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0)
    assert told.feed.pages == 3
    leave.set()

    answers = [messages[0]["status"] for messages in await asyncio.gather(*watching)]

    assert sorted(answers) == [200] * 3 + [503] * 5
    assert told.feed.pages == 0


def test_what_is_over_is_told_until_it_was_seen() -> None:
    whole = frame("snapshot", b"{}", 0, last=True)

    assert whole.data == b"id: 0\nevent: snapshot\ndata: {}\n\n"
    assert the_last(whole, None).body == whole.data
    assert the_last(whole, 7).status_code == 200
    assert the_last(whole, 0).status_code == 204
    assert [seen(text) for text in (None, "", "x", "-1", "0", "12")] == [None] * 4 + [0, 12]


def test_a_frame_without_a_number_cannot_be_resumed_after() -> None:
    assert frame("dropped", b"{}").data == b"event: dropped\ndata: {}\n\n"
    assert frame("progress", b"{}", 3).may_be_dropped
    assert not frame("sent", b"{}", 3).may_be_dropped


@pytest.mark.parametrize("last", [None, 0, 7])
async def test_a_feed_that_has_ended_still_tells_what_was(last: int | None) -> None:
    told = Told()
    told.tell("sent", 5)
    told.feed.close()

    assert await heard(told.read(last=last))
