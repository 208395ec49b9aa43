"""Signals: the first one asks for an orderly end, later ones change nothing.

Rule of the module: at first a signal ends the process as KeyboardInterrupt; from ``hold`` on, when
there is something to take down, it waits for the event loop; while that runs it calls ``abort``;
afterwards, while the account is written, it is ignored, because cutting that short would lose what
was measured.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """What a signal means at each stage of a run."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._abort: Callable[[str], None] | None = None
        self._held = False
        self._waiting = ""

    def hold(self) -> None:
        """From here on a signal waits for ``begin``."""
        self._held = True

    def begin(self, abort: Callable[[str], None]) -> None:
        """The running loop takes over: from here on a signal calls ``abort`` in it."""
        self._loop = asyncio.get_running_loop()
        self._abort = abort
        if self._waiting:
            abort(self._waiting)

    def end(self) -> None:
        """The loop is about to close: from here on signals are ignored."""
        self._loop = None

    def ask(self, why: str) -> None:
        """Ask for an orderly end, from any thread; before ``begin`` it waits, later it is moot."""
        if self._loop is not None and self._abort is not None:
            self._loop.call_soon_threadsafe(self._abort, why)
        elif self._abort is None:
            self._waiting = self._waiting or why

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        if not self._held and self._loop is None:
            raise KeyboardInterrupt
        self.ask(f"ended by {signal.Signals(number).name}")

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle signals in the process; a no-op outside the main thread, where none arrive."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
