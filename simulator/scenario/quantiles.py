"""Inverse distribution functions: the value below which a share of all draws lies.

Rule of the module: what a law is given by goes in, a function of the share comes out, so that what
does not depend on the share is worked out once. All through ``math`` alone, one value at a time:
the last bits of NumPy's array functions depend on the processor, and a digest must not; what the C
library leaves open is rounded away later, to whole milliseconds.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from statistics import NormalDist
from typing import Final

Inverse = Callable[[float], float]

_STANDARD_NORMAL: Final = NormalDist()
_Z95: Final = _STANDARD_NORMAL.inv_cdf(0.95)
_TERMS_MAX: Final = 10_000
_STEPS_MAX: Final = 200
_PRECISION: Final = 1e-15
_CONVERGED: Final = 1e-12
_TINY: Final = 1e-300


def uniform(low: float, high: float) -> Inverse:
    """Of the uniform distribution on [low, high]."""
    span = high - low

    def inverse(share: float) -> float:
        return low + share * span

    return inverse


def triangular(low: float, mode: float, high: float) -> Inverse:
    """Of the triangular distribution with its peak at mode."""
    span, rise, fall = high - low, mode - low, high - mode
    if span == 0:
        return lambda _share: low
    below, sqrt = rise / span, math.sqrt

    def inverse(share: float) -> float:
        if share < below:
            return low + sqrt(share * span * rise)
        return high - sqrt((1.0 - share) * span * fall)

    return inverse


def lognormal(median: float, p95: float, floor: float = 0.0) -> Inverse:
    """Of the lognormal distribution given by its median and 95th percentile, both > 0.

    Args:
        median: half of it lies below.
        p95: 19 of 20 parts of it lie below.
        floor: what lies below this is raised to it.
    """
    sigma = math.log(p95 / median) / _Z95
    normal, exp = _STANDARD_NORMAL.inv_cdf, math.exp

    def inverse(share: float) -> float:
        value = median * exp(sigma * normal(share))
        # Asked for in every stage of every replication; ``max`` would take a tenth of it.
        if value < floor:
            return floor
        return value

    return inverse


def empirical(values: Sequence[float], weights: Sequence[float]) -> Inverse:
    """The smallest of the sorted values whose cumulated weight reaches the share."""
    pairs = sorted(zip(values, weights, strict=True))
    reached = list(accumulate(weight for _, weight in pairs))
    whole = math.fsum(weights)

    def inverse(share: float) -> float:
        place = bisect_left(reached, share * whole)
        return pairs[min(place, len(pairs) - 1)][0]

    return inverse


def gamma(shape: float, mean: float, floor: float = 0.0) -> Inverse:
    """Of the gamma distribution of a shape (at least 0.1, no unit) and a mean (> 0).

    Args:
        shape: number of steps, need not be whole.
        mean: of their sum.
        floor: what lies below this is raised to it.
    """
    return lambda share: max(floor, _unit_gamma(share, shape) * mean / shape)


def _unit_gamma(share: float, shape: float) -> float:
    """Inverse of the gamma distribution of a shape and a scale of 1.

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
    return guess


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
