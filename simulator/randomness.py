"""Random numbers: independent named streams from one seed.

Rule of the module: a stream is found by its name, never by the order of draws, so that adding a
launch or a stage leaves every other draw as it was, and variants of a scenario share their random
numbers. Only raw PCG64 integers leave NumPy: what its distributions make of them depends on the
version and the processor.
"""

import hashlib
from typing import Final

from numpy.random import PCG64, SeedSequence

_FRACTION_BITS: Final = 52
_DROPPED_BITS: Final = 64 - _FRACTION_BITS
_STEP: Final = 2.0**-_FRACTION_BITS


class Stream:
    """One stream of raw 64-bit integers.

    Args:
        key: any non-negative integer; equal keys give equal streams.
    """

    __slots__ = ("_bits",)

    def __init__(self, key: int) -> None:
        self._bits = PCG64(SeedSequence(key))

    def raw(self) -> int:
        """The next integer, uniform on 0 to 2**64 - 1."""
        return int(self._bits.random_raw())

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

    Raises:
        ValueError: if either is negative.
    """

    __slots__ = ("_prefix",)

    def __init__(self, seed: int, replication: int = 0) -> None:
        if seed < 0 or replication < 0:
            raise ValueError("seed and replication are integers of at least 0")
        self._prefix = f"alertsim/{seed}/{replication}/"

    def stream(self, name: str) -> Stream:
        """The stream of this name, from its beginning: ``launch/icbm/assessment``."""
        digest = hashlib.sha256((self._prefix + name).encode()).digest()
        return Stream(int.from_bytes(digest, "big"))
