"""Layers between the socket and MQTT: TLS and WebSocket, and why one of them could not be made.

Rule of the module: a layer does no input or output. Bytes from below are turned into bytes for
above in place; what it wants to say itself waits in its output. The socket stands in ``transport``,
so that every receive stamp is taken there, whatever lies above it.
"""

from collections.abc import Callable
from typing import Protocol

SLACK_BYTES = 64 * 1024  # a layer may keep a TLS record (16 KiB) and hand it up with the next block


class ChannelError(OSError):
    """TLS or WebSocket could not be agreed on, or was broken.

    Args:
        reason: what happened, one sentence without a full stop.
        remedy: what to do about it; empty if nothing special.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class Layer(Protocol):
    """One protocol between the socket and MQTT.

    Attributes:
        name: what it is called in messages.
        opened: its handshake is done.
        ended: the peer has said that it sends no more.
        whole: the last block from below ended with the last byte handed up, so that the block's
            stamp is that byte's; a block that ends inside a record says nothing of the kind.
    """

    name: str
    opened: bool
    ended: bool

    @property
    def whole(self) -> bool:
        """See above."""
        ...

    def start(self) -> None:
        """Begin the handshake."""
        ...

    def receive(self, view: memoryview, count: int) -> int:
        """Turn ``view[:count]`` from below into bytes for above, in place.

        Args:
            view: at least SLACK_BYTES longer than ``count``.
            count: bytes from below, possibly none.

        Returns:
            How many bytes for above now stand at its beginning.

        Raises:
            ChannelError: if the handshake fails or the peer breaks the protocol.
        """
        ...

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from above.

        Raises:
            ChannelError: if the layer can take none any more.
        """
        ...

    def output(self) -> bytes:
        """Take what is to go down; empty if nothing."""
        ...

    def close(self) -> None:
        """Say goodbye, if there is a way to; what is to be said stands in the output."""
        ...


class Edges:
    """Follows a stream of records by their headers, to tell whether a block ends between two.

    Args:
        measure: given a header's first bytes, its whole size and the size of what follows it, 0
            until enough bytes are there to tell; and whether the record carries data.
        shortest: bytes of the shortest header.

    Attributes:
        whole: the last block ended with a record of data.
    """

    def __init__(
        self, measure: Callable[[bytearray], tuple[int, int, bool]], shortest: int
    ) -> None:
        self.whole = False
        self._measure = measure
        self._shortest = shortest
        self._head = bytearray()
        self._left = 0
        self._data = False

    def follow(self, block: memoryview) -> None:
        """Take the next block in."""
        position, end, head = 0, len(block), self._head
        while position < end:
            if self._left:
                step = min(self._left, end - position)
                self._left -= step
                position += step
                continue
            needed, following, self._data = (
                self._measure(head) if len(head) >= self._shortest else (self._shortest, 0, False)
            )
            missing = needed - len(head)
            if missing:
                head += block[position : position + missing]
                position += missing
                if len(head) < needed:
                    break
                needed, following, self._data = self._measure(head)
            if len(head) == needed:
                self._left = following
                head.clear()
        self.whole = self._data and not self._left and not head
