"""Probes: messages that tell the run that the way through the broker to its swarm is open.

Rule of the module: one connection for each MQTT version in use; a probe counts once it has come
over all of them. What is remembered is bounded.
"""

from collections.abc import Sequence
from typing import Final

from simulator.delivery.swarm.subscriber import Subscriber

PROBES_KEPT: Final = 16


class Probes:
    """The probe connections of a worker and what came over them.

    Args:
        subscribers: the connections, one for each MQTT version in use.
    """

    def __init__(self, subscribers: Sequence[Subscriber]) -> None:
        self.subscribers = tuple(subscribers)
        self._seen: dict[bytes, set[int]] = {}

    def seen(self, subscriber: Subscriber, payload: bytes) -> bool:
        """Note a probe; whether it has come over every version with this one."""
        seen = self._seen.setdefault(payload, set())
        seen.add(self.subscribers.index(subscriber))
        if len(seen) == len(self.subscribers):
            del self._seen[payload]
            return True
        if len(self._seen) > PROBES_KEPT:
            del self._seen[next(iter(self._seen))]
        return False
