"""When a subscriber is next looked at: the connection ramp, reconnects and keep-alives.

Rule of the module: pure; times come in as arguments. Backoff is wall time and never scaled by the
run's speed.
"""

import heapq
from typing import Final

from simulator.delivery.swarm.subscriber import Subscriber
from simulator.randomness import Stream
from simulator.units import NS_PER_MS, NS_PER_S

FIRST_BACKOFF_NS: Final = 100 * NS_PER_MS
LONGEST_BACKOFF_NS: Final = 10 * NS_PER_S
_DOUBLINGS: Final = 7  # 100 ms doubled seven times exceeds the longest backoff


def backoff_ns(attempts: int, jitter: Stream) -> int:
    """Wait before the next attempt: exponential, between half and all of its nominal value.

    Args:
        attempts: failed attempts so far, from 1.
        jitter: spreads the clients of a broker that comes back.
    """
    nominal = min(FIRST_BACKOFF_NS << min(attempts - 1, _DOUBLINGS), LONGEST_BACKOFF_NS)
    return nominal // 2 + int(jitter.uniform() * (nominal // 2))


class Agenda:
    """Subscribers by the time at which they want attention; a later entry replaces an earlier."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Subscriber]] = []
        self._entries = 0

    def put(self, subscriber: Subscriber, due_ns: int) -> None:
        """Look at the subscriber at this time, and at no other time entered before."""
        if due_ns != subscriber.due_ns:
            subscriber.due_ns = due_ns
            self._entries += 1
            heapq.heappush(self._heap, (due_ns, self._entries, subscriber))

    def next_ns(self) -> int | None:
        """The earliest time, or None."""
        return self._heap[0][0] if self._heap else None

    def due(self, now_ns: int) -> list[Subscriber]:
        """Take out everybody whose time has come."""
        found: list[Subscriber] = []
        while self._heap and self._heap[0][0] <= now_ns:
            due_ns, _, subscriber = heapq.heappop(self._heap)
            if subscriber.due_ns == due_ns:
                subscriber.due_ns = 0
                found.append(subscriber)
        return found
