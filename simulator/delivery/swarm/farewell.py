"""Leaving no session behind: a broker would queue for it long after the run, MQTT 3.1.1's for ever.

Rule of the module: bounded by a deadline; what is not done by then stays, and is told.
"""

from collections import deque
from dataclasses import replace
from typing import Final

from simulator.clock import Clock
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import Address

MOST_AT_A_TIME: Final = 256


def discard_sessions(
    sessions: list[tuple[ConnectionOrder, Address]],
    buffer: ReadBuffer,
    clock: Clock,
    deadline_ns: int,
) -> int:
    """Connect once more as each client, clean, and disconnect: the broker forgets its session.

    Args:
        sessions: whom, where; not connected any more.
        buffer: to read into.
        clock: the host's clocks.
        deadline_ns: when to give up, monotonic ns.

    Returns:
        How many sessions may be left.
    """
    poller = Poller()
    waiting = deque(sessions)
    open_now: set[Connection] = set()
    left = 0
    now_ns = clock.monotonic_ns()
    while (waiting or open_now) and now_ns < deadline_ns:
        while waiting and len(open_now) < MOST_AT_A_TIME:
            order, address = waiting.popleft()
            connection = Connection(replace(order, clean=True, filters=(), will=None))
            connection.open(address, now_ns)
            if poller.update(connection, connection):
                open_now.add(connection)
            else:
                left += 1
        for key, events in poller.select(deadline_ns - now_ns) if open_now else ():
            connection = key.data
            connection.handle(events, now_ns, buffer)
            forgotten = connection.state is State.UP
            if forgotten:
                connection.disconnect()
            if not poller.update(connection, connection):
                open_now.discard(connection)
                left += not forgotten
        now_ns = clock.monotonic_ns()
    for connection in open_now:
        connection.close()
        poller.update(connection, connection)
    poller.close()
    return left + len(open_now) + len(waiting)
