"""Inverse distribution functions: the value below which a share of all draws lies.

Rule of the module: numbers in, a number out, through ``math`` alone, one value at a time. The last
bits of NumPy's array functions depend on the processor, and a digest must not; what the C library
leaves open is rounded away later, to whole milliseconds.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import NormalDist
from typing import Final

_STANDARD_NORMAL: Final = NormalDist()
_Z95: Final = _STANDARD_NORMAL.inv_cdf(0.95)
_TERMS_MAX: Final = 10_000
_STEPS_MAX: Final = 200
_PRECISION: Final = 1e-15
_CONVERGED: Final = 1e-12
_TINY: Final = 1e-300


def uniform(share: float, low: float, high: float) -> float:
    """Inverse of the uniform distribution on [low, high]."""
    return low + share * (high - low)


def triangular(share: float, low: float, mode: float, high: float) -> float:
    """Inverse of the triangular distribution with its peak at mode."""
    if high == low:
        return low
    below = (mode - low) / (high - low)
    if share < below:
        return low + math.sqrt(share * (high - low) * (mode - low))
    return high - math.sqrt((1.0 - share) * (high - low) * (high - mode))


def lognormal(share: float, median: float, p95: float) -> float:
    """Inverse of the lognormal distribution given by its median and 95th percentile, both > 0."""
    sigma = math.log(p95 / median) / _Z95
    return median * math.exp(sigma * _STANDARD_NORMAL.inv_cdf(share))


def empirical(share: float, values: Sequence[float], weights: Sequence[float]) -> float:
    """The smallest of the sorted values whose cumulated weight reaches the share."""
    pairs = sorted(zip(values, weights, strict=True))
    goal = share * math.fsum(weights)
    for (value, _), reached in zip(pairs, accumulate(weight for _, weight in pairs), strict=True):
        if reached >= goal:
            return value
    return pairs[-1][0]


def gamma(share: float, shape: float, mean: float) -> float:
    """Inverse of the gamma distribution of a shape (at least 0.1, no unit) and a mean (> 0).

    Newton's method on the regularised lower incomplete gamma function, kept inside a bracket that
    halves whenever a step would leave it.
    """
    # P(shape, x) < x**shape / gamma(shape + 1) bounds the solution from below, and is nearly it
    # where the solution is small (DLMF 8.10.2 and 8.7.1).
    low = math.exp((math.log(share) + math.lgamma(shape + 1.0)) / shape)
    high = max(1.0, 2.0 * low)
    while gamma_share(shape, high) < share:
        low, high = high, 2.0 * high
    guess = low
    for _ in range(_STEPS_MAX):
        error = gamma_share(shape, guess) - share
        if error > 0:
            high = guess
        else:
            low = guess
        log_density = (shape - 1.0) * math.log(guess) - guess - math.lgamma(shape)
        step = error * math.exp(-log_density) if log_density > math.log(_TINY) else math.inf
        if abs(step) <= _CONVERGED * guess:
            break
        newton = guess - step
        guess = newton if low < newton < high else 0.5 * (low + high)
    return guess * mean / shape


def gamma_share(shape: float, value: float) -> float:
    """Regularised lower incomplete gamma function P(shape, value).

    Its power series below shape + 1 and the continued fraction of its complement above, by
    Lentz's method (NIST Digital Library of Mathematical Functions 8.7.1, 8.9.2,
    https://dlmf.nist.gov/8).
    """
    if value <= 0:
        return 0.0
    scale = math.exp(shape * math.log(value) - value - math.lgamma(shape))
    if value < shape + 1.0:
        return scale * _series(shape, value)
    return 1.0 - scale * _fraction(shape, value)


def _series(shape: float, value: float) -> float:
    term = total = 1.0 / shape
    for index in range(1, _TERMS_MAX):
        term *= value / (shape + index)
        total += term
        if term < total * _PRECISION:
            break
    return total


def _fraction(shape: float, value: float) -> float:
    bottom = value + 1.0 - shape
    upper = 1.0 / _TINY
    lower = 1.0 / bottom
    result = lower
    for index in range(1, _TERMS_MAX):
        factor = -index * (index - shape)
        bottom += 2.0
        lower = 1.0 / _away_from_zero(factor * lower + bottom)
        upper = _away_from_zero(bottom + factor / upper)
        change = upper * lower
        result *= change
        if abs(change - 1.0) < _PRECISION:
            break
    return result


def _away_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
