"""Random numbers: independent named streams from one seed.

Rule of the module: a stream is found by its name, never by the order of draws, so that adding a
launch or a stage leaves every other draw as it was, and variants of a scenario share their random
numbers. Everything is exact integer arithmetic: no digest can depend on a processor or on the
version of a library.

The generator is PCG64 (XSL-RR 128/64) of M. E. O'Neill, "PCG: A Family of Simple Fast
Space-Efficient Statistically Good Algorithms for Random Number Generation", 2014,
https://www.pcg-random.org/paper.html, as in NumPy, against which it is tested. A stream is read
once or twice, so these few lines are faster than NumPy's, whose import alone takes as long as
playing fifty timelines.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

MULTIPLIER: Final = 0x2360ED051FC65DA44385DF649FCCF645
_MASK_64: Final = 2**64 - 1
_MASK_128: Final = 2**128 - 1
_TWICE: Final = 2**64 + 1
_FRACTION_BITS: Final = 52
_DROPPED_BITS: Final = 64 - _FRACTION_BITS
_MASK_FRACTION: Final = 2**_FRACTION_BITS - 1
_STEP: Final = 2.0**-_FRACTION_BITS


class Stream:
    """One stream of raw 64-bit integers.

    Args:
        state: where it starts, 128 bits.
        increment: which of 2**127 sequences it is, 128 bits; made odd.

    Attributes:
        state: where it is, for leaping ahead on many columns at once (``reach.draws``).
        increment: as above, odd.
    """

    __slots__ = ("increment", "state")

    def __init__(self, state: int, increment: int) -> None:
        self.state = state & _MASK_128
        self.increment = (increment | 1) & _MASK_128

    def raw(self) -> int:
        """The next integer, uniform on 0 to 2**64 - 1."""
        state = (self.state * MULTIPLIER + self.increment) & _MASK_128
        self.state = state
        folded = (state >> 64) ^ (state & _MASK_64)
        rotation = state >> 122
        return (folded >> rotation | folded << (64 - rotation)) & _MASK_64

    def uniform(self) -> float:
        """The next fraction, strictly between 0 and 1, in steps of 2**-52.

        Half a step is added, so that every inverse distribution function is finite at both ends.
        """
        return ((self.raw() >> _DROPPED_BITS) + 0.5) * _STEP


class Streams:
    """All streams of one replication.

    Args:
        seed: any integer of at least 0.
        replication: number of the replication, from 0.
        branch: another set of streams of the same replication, for experiments that exchange some.

    Attributes:
        prefix: what stands before each name when it is hashed.

    Raises:
        ValueError: if either is negative.
    """

    __slots__ = ("_hasher", "prefix")

    def __init__(self, seed: int, replication: int = 0, branch: str = "") -> None:
        if seed < 0 or replication < 0:
            raise ValueError("seed and replication are integers of at least 0")
        self.prefix: Final = f"alertsim/{seed}/{replication}/{branch}"
        self._hasher = sha256(self.prefix.encode())

    def stream(self, name: str) -> Stream:
        """The stream of this name, from its beginning: ``launch/icbm/assessment``.

        Its state and increment are the two halves of the SHA-256 of seed, replication and name.
        """
        start = int.from_bytes(sha256((self.prefix + name).encode()).digest(), "big")
        return Stream(start >> 128, start)

    def first(self, name: str) -> float:
        """``stream(name).uniform()``: the first fraction of a stream, at a third of the cost."""
        hasher = self._hasher.copy()  # cheaper than a new one
        hasher.update(name.encode())
        start = int.from_bytes(hasher.digest(), "big")
        state = ((start >> 128) * MULTIPLIER + (start | 1)) & _MASK_128
        folded = (state >> 64) ^ (state & _MASK_64)
        rotation = state >> 122
        raw = (folded >> rotation | folded << (64 - rotation)) & _MASK_64
        return ((raw >> _DROPPED_BITS) + 0.5) * _STEP

    def firsts(self, names: Iterable[str]) -> list[float]:
        """``first`` of several streams, in one go."""
        new, read, found = self._hasher.copy, int.from_bytes, []
        for name in names:
            hasher = new()
            hasher.update(name.encode())
            start = read(hasher.digest(), "big")
            state = ((start >> 128) * MULTIPLIER + (start | 1)) & _MASK_128
            twice = ((state ^ state >> 64) & _MASK_64) * _TWICE  # side by side: shifted is rotated
            kept = twice >> (state >> 122) + _DROPPED_BITS & _MASK_FRACTION
            found.append((kept + 0.5) * _STEP)
        return found
