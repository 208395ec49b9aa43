"""A feed as an HTTP response: server-sent events until either side has enough.

Rule of the module: a reader that goes away is noticed at once and leaves nothing behind.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import Response
from starlette.types import Receive, Scope, Send

from simulator.service.feed import MOST_PAGES, Feed
from simulator.service.frames import HEARTBEAT, RETRY
from simulator.service.problems import ProblemError

_HEADERS = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # a proxy that collects events makes them late
}


class EventStream(Response):
    """Server-sent events.

    Args:
        source: pieces of the stream; an empty one becomes a heartbeat.
        status_code: HTTP status.
    """

    media_type = "text/event-stream"

    def __init__(self, source: AsyncGenerator[bytes, None], status_code: int = 200) -> None:
        super().__init__(status_code=status_code, headers=_HEADERS)
        del self.headers["content-length"]
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the source or the reader ends."""
        del scope
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await send({"type": "http.response.body", "body": RETRY, "more_body": True})
        async with aclosing(self._source) as source:
            async for piece in source:
                body = piece or HEARTBEAT
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def stream_of(feed: Feed, last: int | None = None) -> EventStream:
    """A feed for one more page.

    Args:
        feed: what it hears.
        last: the last id that it saw.

    Raises:
        ProblemError: if as many look on as may.
    """
    if feed.pages >= MOST_PAGES:
        raise ProblemError(
            503,
            "too-many-pages",
            f"{MOST_PAGES} pages look on already, and that is all that may",
            remedy="close one",
            headers={"retry-after": "10"},
        )
    return EventStream(feed.read(last))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
