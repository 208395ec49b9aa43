"""Equipment: what a town has to warn with, drawn for each town and replication.

Rule of the module: which town has loudspeakers, how many of its homes have a receiver, whether it
is slow and whether it stays silent is not published, only how many are; so each replication draws
it, town by town, from numbers that belong to that town alone. Towns with equal equipment are of one
kind and share all curves, so that the work grows with kinds, not with towns or people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from simulator.randomness import Streams
from simulator.reach.channels import ChannelProfile, DelayLaw, Installed
from simulator.reach.draws import Words, beta_quantile, leaps, town_uniforms
from simulator.world.geography import Municipality

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

SILENT: Final = 0
RATE_STREAM: Final = "reach/receiver-failures"
_DRAWN: Final = ("receiver", "lag", "loudspeaker", "indoor-receiver")  # in this order


@dataclass(frozen=True, slots=True, kw_only=True)
class TownKind:
    """One kind of town.

    Attributes:
        lag: which of the lags, by index.
        audible: share of people outdoors who can make out its loudspeakers; 0 without any.
        homes: share of homes with an indoor receiver.
    """

    lag: int
    audible: float
    homes: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equipment:
    """All kinds of towns of a profile, and how each town comes by its kind.

    Attributes:
        kinds: the kinds; the first is the town whose receiver stays silent.
        lags: delays that all channels of a town have, by lag.
        lag_limits: cumulated shares of towns by lag.
        home_limits: cumulated shares of small towns by class of homes with receivers.
        home_kinds: which of the shares of homes that the kinds have, for each class.
        homes: number of these shares of homes; the first is 0.
        small: whether a town can have indoor receivers at all, for each town.
        installed: share of towns with loudspeakers, for each town.
        size: which of the town sizes, for each town.
        sizes: number of town sizes.
        failure: parameters of the beta law of the rate of silent receivers.
        leap: where in the stream of all towns the numbers of each town stand.
    """

    kinds: tuple[TownKind, ...]
    lags: tuple[tuple[DelayLaw, ...], ...]
    lag_limits: Floats
    home_limits: Floats
    home_kinds: Integers
    homes: int
    small: Flags
    installed: Floats
    size: Integers
    sizes: int
    failure: tuple[int, int]
    leap: Words

    @classmethod
    def build(cls, profile: ChannelProfile, towns: Sequence[Municipality]) -> Self:
        """For the towns of a plan, in their order."""
        lags, lag_shares = _lags(profile)
        loudspeaker = profile.channels.loudspeaker
        audible, starts, installed = [], [0], np.zeros(len(towns))
        if loudspeaker is not None:
            audible = [size.share.share for size in loudspeaker.audible]
            starts = [size.people_from for size in loudspeaker.audible]
            installed = np.asarray([_installed(loudspeaker.installed, town) for town in towns])
        indoor = profile.channels.indoor_receiver
        classes = () if indoor is None else indoor.coverage.classes
        homes = sorted({0.0, *(entry.homes for entry in classes)})
        kinds = [TownKind(lag=0, audible=0.0, homes=0.0)]
        kinds += [
            TownKind(lag=lag, audible=share, homes=part)
            for lag, share, part in product(range(len(lags)), (0.0, *audible), homes)
        ]
        people = np.asarray([town.population for town in towns])
        most_people = 0 if indoor is None else indoor.coverage.people_to
        failure = profile.municipal.failure
        return cls(
            kinds=tuple(kinds),
            lags=lags,
            lag_limits=np.cumsum(lag_shares)[:-1],
            home_limits=np.cumsum([entry.towns for entry in classes])[:-1],
            home_kinds=np.asarray([homes.index(entry.homes) for entry in classes] or [0]),
            homes=len(homes),
            small=people <= most_people,
            installed=installed,
            size=np.searchsorted(starts, people, side="right") - 1,
            sizes=len(audible),
            failure=(failure.a, failure.b),
            leap=leaps(tuple(town.code for town in towns), len(_DRAWN)),
        )

    def draw(self, streams: Streams, alerted: Integers, silenced: Flags) -> Integers:
        """The kind of each alerted town.

        Args:
            streams: of the replication.
            alerted: indices of the towns.
            silenced: for each of these, whether its receiver is silent whatever is drawn.
        """
        drawn = town_uniforms(streams, self.leap.take(alerted, axis=-1))
        receiver, lag, speaker, indoor = drawn
        rate = beta_quantile(streams.stream(RATE_STREAM).uniform(), *self.failure)
        audible = np.where(speaker < self.installed[alerted], 1 + self.size[alerted], 0)
        homes = self.home_kinds[np.searchsorted(self.home_limits, indoor, side="right")]
        kind = np.searchsorted(self.lag_limits, lag, side="right") * (1 + self.sizes) + audible
        kind = kind * self.homes + np.where(self.small[alerted], homes, 0)
        return np.where(silenced | (receiver < rate), SILENT, 1 + kind)


def _installed(installed: Installed, town: Municipality) -> float:
    known = {entry.id: entry.share.share for entry in installed.prefectures}
    return known.get(town.prefecture, installed.elsewhere.share)


def _lags(profile: ChannelProfile) -> tuple[tuple[tuple[DelayLaw, ...], ...], list[float]]:
    """Every combination of the delays that only some towns have, with its share of towns."""
    combined: list[tuple[tuple[DelayLaw, ...], float]] = [((), 1.0)]
    for lag in (profile.municipal.old, profile.municipal.mixed):
        if lag is not None:
            share = lag.share.share
            combined = [
                *((delays, part * (1.0 - share)) for delays, part in combined),
                *(((*delays, lag.delay), part * share) for delays, part in combined),
            ]
    return tuple(delays for delays, _ in combined), [share for _, share in combined]
