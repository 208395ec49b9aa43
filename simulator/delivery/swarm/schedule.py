"""When a subscriber is next looked at: the connection ramp, reconnects and keep-alives.

Rule of the module: pure; times come in as arguments.
"""

import heapq

from simulator.delivery.swarm.subscriber import Subscriber


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
