"""One connection driven to an end, step by step: for questions to a broker, outside every loop.

Rule of the module: every step has its deadline; the broker closes the connection, not we, where
there is time for it (see preflight). It blocks, so a loop calls its user in a thread.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from simulator.clock import Clock
from simulator.delivery.preflight import PARTING_NS
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import Publish
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import resolve
from simulator.errors import BrokerUnreachableError
from simulator.units import NS_PER_MS

_SLICE_NS: Final = 50 * NS_PER_MS


class Dialogue:
    """A connection and what it hears.

    Args:
        order: what to connect as.
        clock: where time comes from.

    Attributes:
        connection: the connection.
        heard: messages with the time at which they were read, monotonic ns.
    """

    def __init__(self, order: ConnectionOrder, clock: Clock) -> None:
        self.connection = Connection(order)
        self.heard: list[tuple[int, Publish]] = []
        self._clock = clock
        self._poller = Poller()
        self._buffer = ReadBuffer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.part()
        self._poller.close()

    def open(self, timeout_ns: int) -> None:
        """Connect, and subscribe to the order's filters.

        Raises:
            BrokerUnreachableError: if it is not up in time.
        """
        address = resolve(self.connection.order.endpoint)
        self.connection.open(address, self._clock.monotonic_ns())
        if not self.run(lambda: self.connection.state is State.UP, timeout_ns):
            endpoint = self.connection.order.endpoint
            raise BrokerUnreachableError(
                f"{endpoint.host}:{endpoint.port} (MQTT {endpoint.protocol}): "
                f"{self.connection.reason or 'no answer in time'}"
            )

    def run(self, done: Callable[[], bool], timeout_ns: int) -> bool:
        """Serve the connection until something is so.

        Returns:
            False if the time was up, or the connection ended, before it was.
        """
        connection, now_ns = self.connection, self._clock.monotonic_ns()
        until_ns = now_ns + timeout_ns
        while not done():
            if not self._poller.update(connection, None) or now_ns >= until_ns:
                return False
            for _, events in self._poller.select(min(_SLICE_NS, until_ns - now_ns)):
                now_ns = self._clock.monotonic_ns()
                self.heard += [
                    (now_ns, packet)
                    for packet in connection.handle(events, now_ns, self._buffer)
                    if isinstance(packet, Publish)
                ]
            now_ns = self._clock.monotonic_ns()
            connection.tick(now_ns)
        return True

    def part(self) -> None:
        """Say DISCONNECT, let the broker close, and release everything."""
        connection = self.connection
        if connection.state is State.UP:
            connection.send(connection.codec.disconnect())
            self.run(lambda: False, PARTING_NS)
        if connection.state is not State.IDLE:
            connection.close()
            self._poller.update(connection, None)
