"""A feed as an HTTP response: server-sent events until either side has enough.

Rule of the module: a reader that goes away is noticed at once and leaves nothing behind; one that
has seen the last there is to tell is told so, and asks no more.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import Header, Response
from starlette.types import Receive, Scope, Send

from simulator.service.feed import HEARTBEAT_S, MOST_PAGES, Feed
from simulator.service.frames import HEARTBEAT, RETRY, Frame
from simulator.service.problems import answer, documented, problem

_MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # a proxy that collects events makes them late
}
STREAMED: Final[dict[int | str, dict[str, Any]]] = {
    **documented(503),
    200: {
        "description": "Server-sent events.",
        "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}},
    },
}
WATCHED: Final[dict[int | str, dict[str, Any]]] = {
    **documented(404),
    **STREAMED,
    204: {"description": "It has ended, and the reader has seen its last event."},
}
LastId = Annotated[
    str | None,
    Header(alias="last-event-id", max_length=32, description="The last id that was seen."),
]


class EventStream(Response):
    """Server-sent events.

    Args:
        feed: what it hears; asked for a place when the answer begins.
        last: the last id that the reader saw.
        heartbeat_s: how long nothing may be said, wall seconds.
        status_code: HTTP status; FastAPI reads its default.
    """

    media_type = _MEDIA_TYPE

    def __init__(
        self,
        feed: Feed,
        last: int | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        status_code: int = 200,
    ) -> None:
        super().__init__(status_code=status_code, headers=_HEADERS)
        del self.headers["content-length"]
        self._feed, self._last, self._heartbeat_s = feed, last, heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the feed or the reader ends."""
        page = self._feed.join(self._last)
        if page is None:
            await _full()(scope, receive, send)
            return
        told = self._feed.told(page, self._heartbeat_s)
        sending = asyncio.create_task(self._send(told, send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self._feed.leave(page)

    async def _send(self, told: AsyncGenerator[bytes, None], send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await send({"type": "http.response.body", "body": RETRY, "more_body": True})
        async with aclosing(told) as source:
            async for piece in source:
                body = piece or HEARTBEAT
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def seen(last_event_id: str | None) -> int | None:
    """The number in a Last-Event-ID header; None if there is none."""
    return int(last_event_id) if last_event_id and last_event_id.isdecimal() else None


def the_last(snapshot: Frame, last: int | None) -> Response:
    """What there is to tell of something that is over; 204 to a reader that has seen it.

    Args:
        snapshot: made with ``last=True``, so that it has an id.
        last: the last id that the reader saw.
    """
    if last == snapshot.number:
        return Response(status_code=204)
    return Response(snapshot.data, media_type=_MEDIA_TYPE, headers=_HEADERS)


def _full() -> Response:
    detail = f"{MOST_PAGES} pages look on already, and that is all that may"
    found = problem(503, "too-many-pages", detail, remedy="close one")
    return answer(found, {"retry-after": "10"})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
