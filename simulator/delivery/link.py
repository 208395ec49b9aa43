"""The state of a subscriber's connection, and when to try again. Pure.

Rule of the module: jitter. Subscribers that lost one broker together must not come back together:
each draws its wait uniformly from the upper half of a bound that doubles with each failure.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.units import NS_PER_MS, NS_PER_S

FIRST_WAIT_NS: Final = 500 * NS_PER_MS
LONGEST_WAIT_NS: Final = 30 * NS_PER_S


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


def backoff_ns(failures: int, fraction: float) -> int:
    """How long to wait before the next attempt.

    Args:
        failures: failed attempts in a row so far, from 0.
        fraction: a uniform draw from 0 to 1.

    Returns:
        Wall ns: from half the bound (0) to the bound (1); it starts at 0.5 s and stops at 30 s.
    """
    bound = min(FIRST_WAIT_NS << min(failures, 32), LONGEST_WAIT_NS)
    return bound // 2 + int(bound // 2 * fraction)
