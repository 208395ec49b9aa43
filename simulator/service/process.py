"""A command of ours as a process of its own, read line by line.

Rule of the module: the service only reads. The process ends when it is done, when it is asked
(SIGINT, as Ctrl-C would), when it is not quick enough about it (SIGKILL), and when this process
dies, by SIGKILL too. What it says on standard error is read on and on, and only its end is kept. It
stands in a session of its own, so that Ctrl-C in the terminal of the
service reaches the service alone, which ends its runs in order.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import simulator
from simulator.delivery.brokers import guard

_ROOT: Final = str(Path(simulator.__file__).parent.parent)
_LINE_BYTES: Final = 64 * 1024 * 1024  # a plan of every prefecture is below one
_TAIL_BYTES: Final = 4_000
_LAST_WORDS_S: Final = 1.0
_SECRETS: Final = ("ALERTSIM_SERVICE_TOKEN",)


class CommandProcess:
    """One ``alertsim`` command that runs beside the service.

    Args:
        arguments: what follows ``alertsim``.
        environment: variables on top of the service's own; its token is never handed down.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._arguments = tuple(arguments)
        self._environment = dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None
        self._tail = b""
        self._hearing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, from the main thread: the kernel ties its life to the thread that does.

        Raises:
            OSError: if the system refuses.
        """
        paths = [_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
        inherited = {name: text for name, text in os.environ.items() if name not in _SECRETS}
        python = (sys.executable, "-P")
        self._process = await asyncio.create_subprocess_exec(
            *(*python, guard.__file__, str(os.getpid()), "exec"),
            *(*python, "-m", "simulator", *self._arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_LINE_BYTES,
            env=inherited | {"PYTHONPATH": os.pathsep.join(paths)} | self._environment,
        )
        self._hearing = asyncio.create_task(self._hear(self._process.stderr), name="stderr")

    async def _hear(self, stderr: asyncio.StreamReader | None) -> None:
        while stderr is not None and (piece := await stderr.read(_TAIL_BYTES)):
            self._tail = (self._tail + piece)[-_TAIL_BYTES:]

    @property
    def pid(self) -> int | None:
        """Process id; None before the start."""
        return None if self._process is None else self._process.pid

    async def lines(self) -> AsyncIterator[bytes]:
        """What it writes to standard output, line by line without the line's end, to the end."""
        if self._process is None or self._process.stdout is None:
            return
        while line := await self._process.stdout.readline():
            yield line.rstrip(b"\n")

    async def wait(self) -> int:
        """Its exit code, once it has ended; negative: the signal that killed it."""
        if self._process is None:
            return 0
        code = await self._process.wait()
        if self._hearing is not None:  # its last words may still be in the pipe
            await asyncio.wait({self._hearing}, timeout=_LAST_WORDS_S)
        return code

    def interrupt(self) -> None:
        """Ask it to end in order, as Ctrl-C would."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it at once; its own children end with it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self, grace_s: float) -> int:
        """Ask for the end, then insist; its exit code.

        Args:
            grace_s: how long it may take to end in order, wall seconds.
        """
        self.interrupt()
        try:
            async with asyncio.timeout(grace_s):
                return await self.wait()
        except TimeoutError:
            self.kill()
            return await self.wait()

    def said(self) -> str:
        """The end of what it wrote to standard error."""
        return self._tail.decode(errors="replace").strip()

    def error(self) -> str:
        """The error that it ended with, from what it wrote; empty if it wrote none."""
        errors = [line for line in self.said().splitlines() if "error: " in line]
        return errors[-1].partition("error: ")[2] if errors else ""

    async def finish(self, grace_s: float) -> None:
        """Leave nothing behind: if it still runs, end it; whatever it still writes is not read.

        Args:
            grace_s: how long it may take to end in order, wall seconds.
        """
        if self._process is not None and self._process.returncode is None:
            # Nobody reads its lines any more: a full pipe would hold up its end.
            draining = asyncio.create_task(self._drain(), name="drain")
            try:
                await self.stop(grace_s)
            finally:
                self.kill()
                draining.cancel()
        if self._hearing is not None:
            self._hearing.cancel()

    async def _drain(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            while await self._process.stdout.read(_LINE_BYTES):
                pass
