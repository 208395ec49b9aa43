"""A feed: events told to any number of pages, none of which can hold up the others or the run.

Rule of the module: whoever publishes never waits. Each page has a bounded queue; what does not fit
is dropped, progress first, and the page is told how much it missed. A page that lost more than
progress starts again from a snapshot.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Final

from simulator.service.frames import Frame, frame

QUEUE_FRAMES: Final = 256
HEARTBEAT_S: Final = 15.0
MOST_PAGES: Final = 500


class Page:
    """One reader of a feed.

    Args:
        bound: frames that may wait for it.

    Attributes:
        lost: frames that it was not sent, over its whole life.
    """

    def __init__(self, bound: int = QUEUE_FRAMES) -> None:
        self._bound = bound
        self.lost = 0
        self._waiting: deque[Frame] = deque()
        self._changed = asyncio.Event()
        self._dropped = 0
        self._lost = False
        self._closed = False

    def put(self, each: Frame) -> None:
        """Hand it a frame; returns at once."""
        if len(self._waiting) >= self._bound:
            self._make_room()
        self._waiting.append(each)
        self._changed.set()

    def _make_room(self) -> None:
        self._dropped += 1
        self.lost += 1
        for each in self._waiting:
            if each.may_be_dropped:
                self._waiting.remove(each)
                return
        self._waiting.popleft()
        self._lost = True

    def close(self) -> None:
        """No more will come."""
        self._closed = True
        self._changed.set()

    async def take(self, wait_s: float) -> bytes | None:
        """What waits, with what was dropped told first; empty after a wait; None at the end.

        Args:
            wait_s: how long to wait for something, wall seconds.
        """
        if not self._waiting and not self._closed:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
        if not self._waiting:
            return None if self._closed else b""
        told = b""
        if self._dropped:
            told = frame("dropped", b'{"type":"dropped","dropped":%d}' % self._dropped).data
            self._dropped = 0
        # One frame at a time: what waits here can still be dropped, what was written cannot.
        return told + self._waiting.popleft().data

    def has_lost(self) -> bool:
        """Whether more than progress was dropped since this was last asked; what waits goes too."""
        lost, self._lost = self._lost, False
        if lost:
            self._dropped += len(self._waiting)
            self.lost += len(self._waiting)
            self._waiting.clear()
        return lost


class Feed:
    """What is told, and to whom.

    Args:
        snapshot: one frame that says everything so far.
        keep: the last so many frames, for pages that come back; 0: none.
        bound: frames that may wait for one page.
    """

    def __init__(
        self,
        snapshot: Callable[[], Frame],
        keep: int = 2048,
        bound: int = QUEUE_FRAMES,
    ) -> None:
        self._snapshot = snapshot
        self._kept: deque[Frame] = deque(maxlen=keep)
        self._bound = bound
        self._pages: set[Page] = set()
        self._closed = False
        self._lost_before = 0

    @property
    def lost(self) -> int:
        """Frames that pages were not sent, those that left included."""
        return self._lost_before + sum(page.lost for page in self._pages)

    @property
    def pages(self) -> int:
        """How many look on."""
        return len(self._pages)

    def publish(self, each: Frame) -> None:
        """Tell every page; returns at once."""
        self._kept.append(each)
        for page in self._pages:
            page.put(each)

    def close(self) -> None:
        """Nothing more will be told; pages end once they have read what waits."""
        self._closed = True
        for page in self._pages:
            page.close()

    def _since(self, last: int) -> list[Frame] | None:
        """Frames after the one that a page saw last; None if they are not all kept."""
        if not self._kept or not self._kept[0].number - 1 <= last <= self._kept[-1].number:
            return None
        return [each for each in self._kept if each.number > last]

    def _beginning(self, last: int | None) -> list[Frame]:
        missed = None if last is None else self._since(last)
        if missed is not None and len(missed) < self._bound:
            return missed
        return [self._snapshot()]

    def join(self, last: int | None = None) -> Page | None:
        """One more page, counted from this instant until it leaves; None if no more may look on.

        Args:
            last: the last id that it saw before it lost the connection.
        """
        if len(self._pages) >= MOST_PAGES:
            return None
        page = Page(self._bound)
        for each in self._beginning(last):
            page.put(each)
        self._pages.add(page)
        if self._closed:
            page.close()
        return page

    def leave(self, page: Page) -> None:
        """Tell it no more."""
        if page in self._pages:
            self._pages.discard(page)
            self._lost_before += page.lost

    async def told(
        self, page: Page, heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncGenerator[bytes, None]:
        """What a page that joined is told, to the end; empty: nothing happened for a while.

        Args:
            page: that joined.
            heartbeat_s: how long nothing may be said, wall seconds.
        """
        while (data := await page.take(heartbeat_s)) is not None:
            yield data
            if page.has_lost():
                for each in self._beginning(None):
                    page.put(each)
