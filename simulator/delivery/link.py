"""The state of a subscriber's connection, and when to try again.

Rule of the module: records and constants only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.delivery.backoff import Backoff
from simulator.units import NS_PER_MS, NS_PER_S

RECONNECT: Final = Backoff(first_ns=500 * NS_PER_MS, longest_ns=30 * NS_PER_S)


class LinkState(StrEnum):
    """Whether messages can arrive."""

    LISTENING = "listening"  # connected, every subscription acknowledged
    LOST = "lost"  # not connected; a new attempt is due


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """The connection came up or went away.

    Attributes:
        state: listening or lost.
        at_unix_ns: when it was noticed, Unix ns.
        detail: one sentence or the filters listened to.
        retry_in_ns: for lost, how long until the next attempt, wall ns; else 0.
    """

    state: LinkState
    at_unix_ns: int
    detail: str
    retry_in_ns: int = 0
