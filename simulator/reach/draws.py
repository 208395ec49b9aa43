"""Draws: the numbers of many towns at once, and the rate of silent receivers.

Rule of the module: exact integer arithmetic on columns; nothing of NumPy's that draws is used. All
towns draw from one stream, each at the place of its own code (``randomness.Stream``, so many
numbers further on), so that another area or one more channel leaves its draws as they were. How far
a generator leaps to a place does not depend on its seed: it is worked out once for each town, and a
replication hashes one name, not one for each town.
"""

import math
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.randomness import MULTIPLIER, Streams

Words = npt.NDArray[np.uint64]

TOWN_STREAM: Final = "reach/towns"
ROOM: Final = 16  # numbers that a town has for itself in the stream, most of them unused
_MODULUS: Final = 2**128
_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(2**32 - 1)
_WORD_BITS: Final = 64
_FRACTION_BITS: Final = 52
_DROPPED: Final = np.uint64(_WORD_BITS - _FRACTION_BITS)
_STEP: Final = 2.0**-_FRACTION_BITS
_BISECTIONS: Final = 48


@cache
def leaps(codes: tuple[str, ...], count: int) -> Words:
    """How the generator gets from its start to the numbers of each town.

    After n steps its state is ``MULTIPLIER**n`` times its start plus its increment times the sum of
    the lower powers (F. B. Brown, "Random number generation with arbitrary strides", Transactions
    of the American Nuclear Society 71, 1994), all modulo 2**128.

    Args:
        codes: of the towns, digits.
        count: how many numbers of each, at most ``ROOM``.

    Returns:
        The two factors in pieces, by piece (high word, low word, its upper and lower half), factor,
        number and town.
    """
    found = np.empty((4, 2, count, len(codes)), np.uint64)
    for column, code in enumerate(codes):
        steps = ROOM * int(code)
        power = pow(MULTIPLIER, steps, _MODULUS * (MULTIPLIER - 1))
        powers = (power - 1) // (MULTIPLIER - 1)
        for row in range(count):
            power, powers = power * MULTIPLIER % _MODULUS, (powers * MULTIPLIER + 1) % _MODULUS
            found[:2, 0, row, column] = divmod(power, 2**_WORD_BITS)
            found[:2, 1, row, column] = divmod(powers, 2**_WORD_BITS)
    found[2], found[3] = found[1] >> _HALF, found[1] & _LOW
    found.flags.writeable = False
    return found


def town_uniforms(streams: Streams, leap: Words) -> npt.NDArray[np.float64]:
    """What ``stream(TOWN_STREAM)`` draws at the places of some towns, a row for each number.

    Args:
        streams: of the replication.
        leap: columns of ``leaps``.
    """
    stream = streams.stream(TOWN_STREAM)
    high, low = _times(leap, (stream.state, stream.increment))
    carried = low[0] + low[1]
    state = high[0] + high[1] + (carried < low[0])
    rotation = state >> np.uint64(58)
    folded = state ^ carried
    raw = (folded >> rotation) | (folded << (-rotation & np.uint64(63)))
    fractions: npt.NDArray[np.float64] = ((raw >> _DROPPED).astype(np.float64) + 0.5) * _STEP
    return fractions


def _times(leap: Words, factors: tuple[int, int]) -> tuple[Words, Words]:
    """High and low words of both products with numbers of 128 bits, modulo 2**128."""
    high, low, upper, lower = leap
    words = [divmod(factor, 2**_WORD_BITS) for factor in factors]
    by_high, by_low = np.asarray(words, np.uint64).T[..., None, None]
    by_upper, by_lower = by_low >> _HALF, by_low & _LOW
    middle = upper * by_lower + (lower * by_lower >> _HALF)
    crossed = lower * by_upper + (middle & _LOW)
    carried = upper * by_upper + (middle >> _HALF) + (crossed >> _HALF)
    return carried + high * by_low + low * by_high, low * by_low


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
