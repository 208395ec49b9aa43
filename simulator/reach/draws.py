"""Draws: the first number of many named streams at once, and the rate of silent receivers.

Rule of the module: exact integer arithmetic on columns gives what ``randomness.Stream.uniform``
gives one by one, bit for bit; nothing else of NumPy's is used to draw. A town is found by the name
of its stream, so that another area or one more channel leaves its draws as they were.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulator.randomness import MULTIPLIER, Streams

Words = npt.NDArray[np.uint64]

_HALVES: Final = 32
_LOW: Final = np.uint64(2**32 - 1)
_FRACTION_BITS: Final = 52
_STEP: Final = 2.0**-_FRACTION_BITS
_BISECTIONS: Final = 48


def first_uniforms(streams: Streams, names: Sequence[bytes]) -> npt.NDArray[np.float64]:
    """``streams.stream(name).uniform()`` of each name, as one column.

    Args:
        streams: of the replication.
        names: names of streams, encoded.
    """
    prefix = streams.prefix.encode()
    sha256 = hashlib.sha256
    digests = b"".join([sha256(prefix + name).digest() for name in names])
    words = np.frombuffer(digests, ">u8").astype(np.uint64).reshape(-1, 4)
    state_high, state_low, increment_high, increment_low = words.T
    high, low = _times_multiplier(state_high, state_low)
    low = low + (increment_low | np.uint64(1))
    high = high + increment_high + (low < (increment_low | np.uint64(1)))
    rotation = high >> np.uint64(58)
    folded = high ^ low
    raw = (folded >> rotation) | (folded << (-rotation & np.uint64(63)))
    return ((raw >> np.uint64(64 - _FRACTION_BITS)).astype(np.float64) + 0.5) * _STEP


def beta_quantile(share: float, a: int, b: int) -> float:
    """Inverse of the beta distribution with whole parameters, by bisection.

    Its distribution function at x is the probability of at least a successes in a + b - 1 trials
    of probability x (NIST Digital Library of Mathematical Functions 8.17.5,
    https://dlmf.nist.gov/8.17).
    """
    trials = a + b - 1
    terms = [(math.comb(trials, count), count) for count in range(a)]
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        rest = 1.0 - middle
        fewer = 0.0
        for ways, count in terms:
            fewer += ways * middle**count * rest ** (trials - count)
        if 1.0 - fewer < share:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _times_multiplier(high: Words, low: Words) -> tuple[Words, Words]:
    """A column of 128-bit numbers times the generator's multiplier, modulo 2**128."""
    factor_high, factor_low = (np.uint64(part) for part in divmod(MULTIPLIER, 2**64))
    low_high, low_low = _product(low, factor_low)
    return low_high + low * factor_high + high * factor_low, low_low


def _product(numbers: Words, factor: Any) -> tuple[Words, Words]:  # noqa: ANN401
    """High and low word of the product of 64-bit numbers with one more."""
    half = np.uint64(_HALVES)
    upper, lower = numbers >> half, numbers & _LOW
    factor_upper, factor_lower = factor >> half, factor & _LOW
    lowest = lower * factor_lower
    middle = upper * factor_lower + (lowest >> half)
    crossed = lower * factor_upper + (middle & _LOW)
    return (
        upper * factor_upper + (middle >> half) + (crossed >> half),
        (crossed << half) | (lowest & _LOW),
    )
