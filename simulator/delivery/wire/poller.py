"""Waiting for many connections: a selector that follows each connection's state.

Rule of the module: the selector forgets a descriptor before it is closed, never after.
"""

import selectors

from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import State
from simulator.units import NS_PER_S


class Poller:
    """One ``selectors.DefaultSelector`` (epoll on Linux) and the connections it waits for.

    Attributes:
        selector: for the other descriptors of the loop, such as the pipe to the parent.
    """

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()

    def update(self, connection: Connection, data: object) -> bool:
        """Wait for what the connection wants now; release it if it is closed.

        Args:
            connection: after ``open``, ``handle``, ``send``, ``tick`` or ``close``.
            data: what ``select`` returns with it.

        Returns:
            False if the connection was closed and is now released (its cause and reason stand).
        """
        wanted = connection.events
        if connection.paused:
            wanted &= ~selectors.EVENT_READ
        if wanted != connection.registered:
            if not connection.registered:
                self.selector.register(connection, wanted, data)
            elif not wanted:
                self.selector.unregister(connection)
            else:
                self.selector.modify(connection, wanted, data)
            connection.registered = wanted
        if connection.state is State.CLOSED:
            connection.release()
            return False
        return True

    def select(self, timeout_ns: int) -> list[tuple[selectors.SelectorKey, int]]:
        """Ready descriptors with their events; waits at most the timeout, 0 or less: not at all."""
        return self.selector.select(max(0, timeout_ns) / NS_PER_S)

    def close(self) -> None:
        """Release the selector."""
        self.selector.close()
