"""Waiting in a run: for a condition, an abort, a failure or a deadline, whichever is first.

Rule of the module: one flag board, no polling; whoever changes something rings the bell.
"""

import asyncio
from collections.abc import Callable

from simulator.errors import AbortedError, AlertsimError
from simulator.units import NS_PER_S


class Watch:
    """Where a run's tasks report changes and where its phases wait.

    The first abort or failure wins and ends every wait, now and later.
    """

    def __init__(self) -> None:
        self._bell = asyncio.Event()
        self._failure: AlertsimError | None = None

    @property
    def failure(self) -> AlertsimError | None:
        """Why the run must end early, or None."""
        return self._failure

    def ring(self) -> None:
        """Something changed: let every waiting phase look again."""
        self._bell.set()

    def fail(self, error: AlertsimError) -> None:
        """End the run early."""
        if self._failure is None:
            self._failure = error
        self.ring()

    def abort(self, why: str) -> None:
        """Somebody asked for the end."""
        self.fail(AbortedError(why))

    def check(self) -> None:
        """Raise the failure, if there is one."""
        if self._failure is not None:
            raise self._failure

    async def until(self, done: Callable[[], bool], timeout_ns: int) -> bool:
        """Wait until ``done()`` is true.

        Args:
            done: looked at after every ring.
            timeout_ns: how long at most, wall ns.

        Returns:
            False if the time is up first.

        Raises:
            AlertsimError: the failure or abort of the run.
        """
        try:
            async with asyncio.timeout(timeout_ns / NS_PER_S):
                while True:
                    self.check()
                    if done():
                        return True
                    self._bell.clear()
                    await self._bell.wait()
        except TimeoutError:
            self.check()
            return done()

    async def pause(self, duration_ns: int) -> None:
        """Let wall time pass, unless the run fails or is aborted."""
        await self.until(lambda: False, duration_ns)
