"""A transport made of lists, for state machines without sockets."""

import selectors

import pytest


class ListTransport:
    """A transport made of lists: what it is to read, and what was written.

    Attributes:
        blocks: (bytes, stamp) to receive, one a read; b"" is the peer's close.
        writes: what was written, one entry a write.
        room: bytes it still takes; None: any number.
        broken: raised by the next read or write.
    """

    layered = filled = pending = False
    waits = selectors.EVENT_WRITE

    def __init__(self) -> None:
        self.blocks: list[tuple[bytes, int]] = []
        self.writes: list[bytes] = []
        self.room: int | None = None
        self.broken: OSError | None = None
        self.refusal = ""
        self.closed = False

    def fileno(self) -> int:
        return -1

    def advance(self) -> bool:
        if self.refusal:
            raise OSError(self.refusal)
        return True

    def receive_into(self, view: memoryview) -> tuple[int, int]:
        if self.broken:
            raise self.broken
        if not self.blocks:
            raise BlockingIOError
        data, stamp = self.blocks.pop(0)
        taken = min(len(data), len(view))
        view[:taken] = data[:taken]
        if taken < len(data):
            self.blocks.insert(0, (data[taken:], stamp))
        return taken, stamp

    def send(self, data: bytes | bytearray | memoryview) -> int:
        if self.broken:
            raise self.broken
        taken = len(data) if self.room is None else min(self.room, len(data))
        if not taken:
            raise BlockingIOError
        self.writes.append(bytes(data[:taken]))
        if self.room is not None:
            self.room -= taken
        return taken

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def transport() -> ListTransport:
    return ListTransport()


@pytest.fixture
def make_transport() -> type[ListTransport]:
    """For tests that need several."""
    return ListTransport
