"""Attendance: who is to leave, return or look at its socket, and when.

Rule of the module: pure; times come in as arguments. It follows the plan that came with each
subscriber from the moment the run's start is known; what became of a connection is not its
business.
"""

import heapq
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import chain

from simulator.delivery.swarm.subscriber import Subscriber
from simulator.measure.plan import Conduct


class Step(Enum):
    """What a subscriber is to do."""

    LEAVE = 0
    RETURN = 1
    LOOK = 2  # read its socket, which it does not do otherwise


class Attendance:
    """The next planned step of everybody who has a plan."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Step, Subscriber]] = []
        self._plans: dict[Subscriber, Iterator[tuple[Step, int]]] = {}
        self._entries = 0

    def begin(self, subscribers: Iterable[Subscriber], start_ns: int) -> None:
        """Start the plans of those who have one.

        Args:
            subscribers: everybody.
            start_ns: the first intended send, monotonic ns.
        """
        for subscriber in subscribers:
            if subscriber.conduct is not None:
                self._plans[subscriber] = _steps(subscriber.conduct, start_ns)
                self._follow(subscriber)

    def look(self, subscriber: Subscriber, at_ns: int) -> None:
        """Let it look at its socket at this time (monotonic ns)."""
        self._put(at_ns, Step.LOOK, subscriber)

    def next_ns(self) -> int | None:
        """The earliest step's time, or None."""
        return self._heap[0][0] if self._heap else None

    def due(self, now_ns: int) -> Iterator[tuple[Subscriber, Step]]:
        """Take out the steps whose time has come, one after the other."""
        while self._heap and self._heap[0][0] <= now_ns:
            _, _, step, subscriber = heapq.heappop(self._heap)
            if step is not Step.LOOK:
                self._follow(subscriber)
            yield subscriber, step

    def _follow(self, subscriber: Subscriber) -> None:
        following = next(self._plans[subscriber], None)
        if following is not None:
            step, at_ns = following
            self._put(at_ns, step, subscriber)

    def _put(self, at_ns: int, step: Step, subscriber: Subscriber) -> None:
        self._entries += 1
        heapq.heappush(self._heap, (at_ns, self._entries, step, subscriber))


def _steps(conduct: Conduct, start_ns: int) -> Iterator[tuple[Step, int]]:
    joins = () if conduct.joins_ns is None else ((Step.RETURN, conduct.joins_ns),)
    absences = (
        step
        for absence in conduct.absences
        for step in ((Step.LEAVE, absence.leaves_ns), (Step.RETURN, absence.returns_ns))
    )
    return ((step, start_ns + at_ns) for step, at_ns in chain(joins, absences))
