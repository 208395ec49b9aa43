"""How long to wait before trying again. Pure.

Rule of the module: the wait doubles with each failure up to a limit; it is wall time and never
scaled by the run's speed. Clients that lost one broker together must not come back together: each
draws its wait uniformly from the upper half.
"""

from dataclasses import dataclass
from typing import Final

DOUBLINGS: Final = 32  # no limit is four thousand million times the first wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """A rule for the waits.

    Attributes:
        first_ns: longest wait after the first failure, wall ns.
        longest_ns: longest wait of all, wall ns.
        jitter: False: every wait is the longest allowed, so that all who fell together come back
            together.
    """

    first_ns: int
    longest_ns: int
    jitter: bool = True

    def wait_ns(self, before: int, fraction: float = 1.0) -> int:
        """How long to wait before the next attempt.

        Args:
            before: failures in a row before this one, from 0.
            fraction: a uniform draw from 0 to 1; without one, the longest wait.

        Returns:
            Wall ns: from half of this failure's longest wait (0) to all of it (1).
        """
        bound = min(self.first_ns << min(before, DOUBLINGS), self.longest_ns)
        return bound // 2 + int(bound // 2 * fraction) if self.jitter else bound
