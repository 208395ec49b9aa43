"""Delays: the share of people whom a chain of stages has got to by a time, as a table.

Rule of the module: laws come in, rising tables of shares go out. A law is known by its inverse
distribution function (``scenario.quantiles``) at fixed shares; between them it is taken as linear.
Sums of delays are convolutions of the mass in bins of 1/16 s, in which the mass is taken as spread
evenly; constant delays shift the table and are exact. Beyond the horizon nobody is warned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from simulator.errors import ConfigurationError
from simulator.reach.channels import DelayLaw, Stage
from simulator.scenario.laws import Constant
from simulator.units import NS_PER_S

Floats = npt.NDArray[np.float64]

HORIZON_S: Final = 1800
STEPS_PER_S: Final = 16
_BINS: Final = HORIZON_S * STEPS_PER_S
_ANY_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NOISE: Final = 1e-15  # what a transform leaves where there is nothing
_BULK: Final = 512
_OCTAVES: Final = (4, 31)
_PER_OCTAVE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredDelivery:
    """A distribution of delays that was measured, to stand for the law of a channel.

    Attributes:
        delays_s: rising, not negative, seconds.
        shares: share of the delivered messages at or below each, rising to 1.
        stepped: True if the share jumps at each delay, False if it rises linearly between them.
        delivered: share of the messages owed that were delivered at all.
    """

    delays_s: Floats
    shares: Floats
    stepped: bool
    delivered: float

    @classmethod
    def from_sample(cls, delays_ns: Sequence[int] | npt.NDArray[np.int64], lost: int = 0) -> Self:
        """From the delays of all deliveries and the number of messages lost.

        Args:
            delays_ns: from the intended time, nanoseconds, in any order.
            lost: messages that were owed and never came.

        Raises:
            ConfigurationError: for an empty sample, a negative delay or a negative number.
        """
        ordered = np.sort(np.asarray(delays_ns, np.int64)).astype(np.float64) / NS_PER_S
        if lost < 0:
            raise ConfigurationError(
                "a number of lost messages is not negative", field="lost", value=str(lost)
            )
        if not len(ordered):
            raise ConfigurationError(
                "there is no delivery to take delays from",
                field="app-channel-from",
                remedy="use a run in which something was delivered",
            )
        shares = np.arange(1, len(ordered) + 1) / len(ordered)
        return cls._checked(ordered, shares, True, len(ordered) / (len(ordered) + lost))

    @classmethod
    def from_quantiles(
        cls, shares: Sequence[float], delays_ns: Sequence[int], delivered: float = 1.0
    ) -> Self:
        """From a table of quantiles, linear in between.

        Args:
            shares: rising, from 0 or above to 1.
            delays_ns: the delay below which each share lies, rising, nanoseconds.
            delivered: share of the messages owed that were delivered at all, from 0 to 1.

        Raises:
            ConfigurationError: if the table does not rise, ends below 1, or holds a negative delay.
        """
        table = np.asarray(shares, np.float64)
        values = np.asarray(delays_ns, np.float64) / NS_PER_S
        rises = len(table) == len(values) > 0 and bool(
            np.all(np.diff(table) >= 0) and np.all(np.diff(values) >= 0)
        )
        if not rises or table[0] < 0 or table[-1] != 1:
            raise ConfigurationError(
                "not a table of quantiles",
                field="shares",
                remedy="give equally many shares and delays, both rising, the last share 1",
            )
        if not 0 <= delivered <= 1:
            raise ConfigurationError(
                "a share lies between 0 and 1", field="delivered", value=str(delivered)
            )
        return cls._checked(values, table, False, delivered)

    @classmethod
    def _checked(cls, delays_s: Floats, shares: Floats, stepped: bool, delivered: float) -> Self:
        if delays_s[0] < 0:
            raise ConfigurationError(
                "a message cannot be delivered before it is due",
                field="delays",
                value=f"{delays_s[0]:g} s",
                remedy="leave out runs whose clocks disagree by more than their delays",
            )
        return cls(delays_s=delays_s, shares=shares, stepped=stepped, delivered=delivered)

    def share_by(self, at_s: Floats) -> Floats:
        """Share of the delivered messages that took at most so long."""
        if self.stepped:
            count = np.searchsorted(self.delays_s, at_s, side="right")
            return np.asarray(count / len(self.delays_s), np.float64)
        return np.interp(at_s, self.delays_s, self.shares, left=0.0)


Delay = DelayLaw | MeasuredDelivery


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DelayTable:
    """Share of people whom something has got to, by the time since it began.

    Attributes:
        start_s: the sum of the constant delays, seconds.
        reached: shares at 0, 1/16, 2/16 ... seconds after that, to the horizon; in one row, or
            in several that start together.
    """

    start_s: float
    reached: Floats

    def at(self, seconds: Floats) -> Floats:
        """Shares at some times, of any shape, for each row; 0 before the start."""
        position = np.minimum((seconds - self.start_s) * STEPS_PER_S, _BINS)
        below = np.minimum(np.maximum(position, 0.0).astype(np.intp), _BINS - 1)
        value = self.reached.take(below, axis=-1)
        value += (position - below) * (self.reached.take(below + 1, axis=-1) - value)
        value *= position >= 0
        return value


def share_by(delay: Delay, at_s: Floats) -> Floats:
    """Share of all draws of a delay that are at most so long, at times in seconds."""
    if isinstance(delay, MeasuredDelivery):
        return delay.share_by(at_s)
    return np.interp(at_s, _quantiles_s(delay), _shares(), left=0.0, right=1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mass:
    """How the probability of a delay is spread: some at 0, the rest over bins."""

    at_once: float
    bins: Floats

    def plus(self, other: "_Mass") -> "_Mass":
        """The sum of two delays.

        Two bins in which the mass is spread evenly add up to a triangle over two bins, half of it
        in each.
        """
        size = 2 * _BINS  # no wrap-around below the horizon
        product = np.fft.rfft(self.bins, size) * np.fft.rfft(other.bins, size)
        both = np.fft.irfft(product, size)[:_BINS]
        both[both < _NOISE] = 0.0
        spread = 0.5 * both
        spread[1:] += 0.5 * both[:-1]
        return _Mass(
            at_once=self.at_once * other.at_once,
            bins=spread + self.at_once * other.bins + other.at_once * self.bins,
        )

    def table(self, start_s: float) -> DelayTable:
        """Added up, from a start."""
        reached = np.empty(_BINS + 1)
        reached[0] = self.at_once
        np.cumsum(self.bins, out=reached[1:])
        reached[1:] += self.at_once
        np.minimum(reached, 1.0, out=reached)
        reached.setflags(write=False)
        return DelayTable(start_s=start_s, reached=reached)


@lru_cache(maxsize=128)
def delay_table(stages: tuple[Stage, ...], *further: Delay) -> DelayTable:
    """The sum of all stages and further delays; kept, because plans of a sweep share most.

    Args:
        stages: some of them may delay only a share of people.
        further: delays that everybody has.
    """
    start_s = 0.0
    total = None
    parts: list[tuple[Delay, float]] = [
        (stage.delay, 1.0 if stage.share is None else stage.share.share) for stage in stages
    ]
    for delay, share in (*parts, *((delay, 1.0) for delay in further)):
        if isinstance(delay, Constant) and share == 1:
            start_s += delay.value / NS_PER_S
        else:
            mass = _mass(delay, share)
            total = mass if total is None else total.plus(mass)
    none = _Mass(at_once=1.0, bins=np.zeros(_BINS))
    return (total or none).table(start_s)


def _mass(delay: Delay, share: float) -> _Mass:
    """Of a delay that only a share of people has."""
    reached = share_by(delay, np.arange(_BINS + 1) / STEPS_PER_S)
    return _Mass(at_once=1.0 - share + share * float(reached[0]), bins=share * np.diff(reached))


@lru_cache(maxsize=256)
def _quantiles_s(law: DelayLaw) -> Floats:
    inverse = law.inverse(_ANY_EPOCH)
    return np.asarray([inverse(share) / NS_PER_S for share in _shares().tolist()], np.float64)


@lru_cache(maxsize=1)
def _shares() -> Floats:
    """Shares at which a law is asked: even in the bulk, ever finer in both tails."""
    first, last = _OCTAVES
    tail = 2.0 ** -np.arange(first, last, 1 / _PER_OCTAVE)
    bulk = np.arange(1, _BULK) / _BULK
    bulk = bulk[(bulk > tail[0]) & (bulk < 1.0 - tail[0])]
    return np.concatenate([tail[::-1], bulk, 1.0 - tail])
