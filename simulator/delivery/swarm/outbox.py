"""What a worker reports: receipts and connection changes, batched, in the order they happened.

Rule of the module: bounded. A full batch leaves at once; the rest leaves when ``flush`` is called.
Within one batch connection changes come first: a change that follows a receipt starts a new batch.
"""

import struct
from collections.abc import Callable
from typing import Final

from simulator.delivery.messages import Connections, Receipts
from simulator.measure.receipts import WIDTH, ConnectionEvent

ROWS: Final = 4096
FLUSH_NS: Final = 100_000_000
ROW: Final = struct.Struct(f"{WIDTH}q")  # native, as array('q')
_UNCERTAINTY: Final = struct.Struct("q")
_UNCERTAINTY_AT: Final = 3 * _UNCERTAINTY.size


class Outbox:
    """Rows and events on their way to the parent.

    Args:
        send: hands one message to the parent; may block while the parent is busy.

    Attributes:
        data: the rows, packed; the reader of a socket writes into it directly.
        used: bytes of ``data`` in use.
    """

    def __init__(self, send: Callable[[object], None]) -> None:
        self.data = bytearray(ROWS * ROW.size)
        self.used = 0
        self._send = send
        self._events: list[ConnectionEvent] = []

    @property
    def pending(self) -> bool:
        """Whether anything waits for a flush."""
        return bool(self.used or self._events)

    def add(self, *row: int) -> None:
        """One receipt: subscriber, alert, received, uncertainty, handled, flags."""
        if self.used == len(self.data):
            self.flush()
        ROW.pack_into(self.data, self.used, *row)
        self.used += ROW.size

    def settle_last(self, uncertainty_ns: int) -> None:
        """The last receipt turned out to be the one that the block's stamp belongs to."""
        _UNCERTAINTY.pack_into(self.data, self.used - ROW.size + _UNCERTAINTY_AT, uncertainty_ns)

    def change(self, event: ConnectionEvent) -> None:
        """One connection change, after every receipt added so far."""
        if self.used:
            self.flush()
        self._events.append(event)

    def flush(self) -> None:
        """Send what there is."""
        if self._events:
            events, self._events = tuple(self._events), []
            self._send(Connections(events=events))
        if self.used:
            rows = bytes(memoryview(self.data)[: self.used])
            self.used = 0
            self._send(Receipts(rows=rows))
