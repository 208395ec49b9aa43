"""Guardians on aiomqtt: one connection per published state, whose last will clears it.

Rule of the module: as for the measured publisher's guardians, whose module says why. A guardian
listens to its own topic. When another run's message stands there, it leaves with DISCONNECT, which
takes the will back, so that neither its end nor its death clears what is not its own any more; it
comes back when it has a state of its own to write.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Final

from simulator.delivery.aio import Connection, Incoming
from simulator.delivery.messages import Notice
from simulator.errors import BrokerError, BrokerLostError

STATE_QOS: Final = 1
_CLEARING_S: Final = 1.0

Connect = Callable[[], AbstractAsyncContextManager[Connection]]


class AioGuardian:
    """One prefecture's state and the connection that answers for it.

    Args:
        connect: opens the connection, with its will.
        topic: of the state.
        mark: what stands in every message of this run to the prefecture.
        report: told when the state is another run's.
    """

    def __init__(
        self, connect: Connect, *, topic: str, mark: bytes, report: Callable[[Notice], None]
    ) -> None:
        self.topic = topic
        self._connect = connect
        self._mark = mark
        self._report = report
        self._stack = AsyncExitStack()
        self._changing = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._unheard = 0  # messages of ours that have not come back yet, or wait to be written
        self.connection: Connection | None = None  # None: the state is another run's

    async def open(self) -> None:
        """Connect and listen.

        Raises:
            BrokerUnreachableError: if the connection cannot be made.
            BrokerLostError: if it ends at once.
        """
        connection = await self._stack.enter_async_context(self._connect())
        await connection.subscribe([(self.topic, STATE_QOS)])
        self.connection = connection
        self._watching = asyncio.create_task(self._watch(connection))

    async def close(self) -> None:
        """Leave with DISCONNECT; may be called twice."""
        async with self._changing:
            if self._watching is not None:
                self._watching.cancel()
                await asyncio.gather(self._watching, return_exceptions=True)
            self.connection = None
            await self._stack.aclose()

    async def set(self, payload: bytes, *, timeout_s: float) -> None:
        """Publish the state; empty clears it, unless it is another run's.

        Args:
            payload: the bytes.
            timeout_s: how long to wait for the acknowledgement, wall seconds.

        Raises:
            BrokerError: if the connection cannot be made again, or ends.
        """
        self._unheard += bool(payload)
        async with self._changing:  # a clear waits for one that is coming back to write
            if self.connection is None:
                if not payload:
                    return
                await self.open()
            connection = self.connection
        if connection is None:
            return
        try:
            await connection.publish(
                self.topic, payload, qos=STATE_QOS, retain=True, timeout_s=timeout_s
            )
        except BrokerLostError:
            if self.connection is connection:  # else we left it meanwhile
                raise

    async def clear(self) -> None:
        """Clear the state, unless it is another run's; whatever fails, the will does."""
        with suppress(BrokerError):
            await self.set(b"", timeout_s=_CLEARING_S)

    async def _watch(self, connection: Connection) -> None:
        with suppress(BrokerLostError):  # told to whoever writes next
            async for message in connection.messages():
                if self._overruled(message):
                    break
            async with self._changing:
                self.connection = None
                self._report(
                    Notice(
                        text=f"another run's message stands at {self.topic}: this run neither "
                        "restores nor clears it until it has one of its own to write there"
                    )
                )
                await self._stack.aclose()

    def _overruled(self, message: Incoming) -> bool:
        """Whether another run wrote the state after us; see ``Guardian.overruled``."""
        if not message.payload:
            return False
        if self._mark in message.payload:
            self._unheard -= bool(self._unheard and not message.retain)
            return False
        return not self._unheard
