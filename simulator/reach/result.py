"""The result of one replication: people warned by time, place and channel.

Rule of the module: people are counted in fractions, and nobody is lost: in each town those warned
in time, late and needlessly, those missed and those left undisturbed add up to all who live there,
and the first channels of all warned add up to the warned. A result keeps what it needs to answer
later; keep its totals, not the result, of thousands of replications.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.reach.channels import Activity
from simulator.reach.curves import Mixture, PhoneState, grid_s
from simulator.scenario.values import ChannelName
from simulator.units import NS_PER_S
from simulator.world.geography import Municipality

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

_CHANNELS: Final = tuple(ChannelName)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachTotals:
    """People of an area in one replication.

    Attributes:
        population: all who live there; the sum of the five below.
        in_time: warned before something arrives.
        late: warned when or after it arrives.
        needless: warned although nothing arrives: alerted who need not have been.
        missed: not warned although something arrives.
        undisturbed: not warned, and nothing arrives.
        alerted: who live in towns to which an alert was issued, warned or not.
        first: people by the channel that warned them first; together all who were warned.
        ever: people whom each channel got to at all, first or not.
    """

    population: float
    in_time: float
    late: float
    needless: float
    missed: float
    undisturbed: float
    alerted: float
    first: dict[ChannelName, float]
    ever: dict[ChannelName, float]

    @property
    def warned(self) -> float:
        """People who were warned at all."""
        return self.in_time + self.late + self.needless


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Area:
    """The towns of a plan, as columns.

    Attributes:
        towns: the towns.
        prefectures: slugs of their prefectures.
        prefecture_of: index of its prefecture, for each town.
        population: people of each town.
    """

    towns: tuple[Municipality, ...]
    prefectures: tuple[str, ...]
    prefecture_of: Integers
    population: Floats


class ReachResult:
    """Who was warned when in one replication.

    Args:
        area: the towns.
        kind: kind of each town; any for those not alerted.
        issue_ns: scenario time of the issue to each town; not a number where none was.
        arrival_ns: scenario time of the arrival; not a number where nothing arrives.
        curves: of all people, by kind of town.
        phones: what phones do in this replication.

    Attributes:
        area: the towns.
        issue_ns: as above.
        arrival_ns: as above.
        warned: people warned at all, by town; so the following.
        in_time: warned before something arrives.
        late: warned when or after it arrives.
        needless: warned although nothing arrives.
        missed: not warned although something arrives.
        undisturbed: not warned, and nothing arrives.
    """

    def __init__(
        self,
        *,
        area: Area,
        kind: Integers,
        issue_ns: Floats,
        arrival_ns: Floats,
        curves: Mixture,
        phones: PhoneState,
    ) -> None:
        self.area = area
        self.issue_ns = issue_ns
        self.arrival_ns = arrival_ns
        self._kind = kind
        self._curves = curves
        self._phones = phones
        self._warned = warned = curves.warned(phones)
        alerted = ~np.isnan(issue_ns)
        endangered = ~np.isnan(arrival_ns)
        population = area.population
        self._alerted = alerted
        self.warned = np.where(alerted, warned[kind, -1], 0.0) * population
        self.in_time = np.minimum(self._people_by(warned, arrival_ns), self.warned)
        self.late = np.where(endangered, self.warned - self.in_time, 0.0)
        self.needless = np.where(endangered, 0.0, self.warned)
        self.missed = np.where(endangered, population - self.warned, 0.0)
        self.undisturbed = np.where(endangered, 0.0, population - self.warned)

    def totals(self, prefecture: str | None = None) -> ReachTotals:
        """People of one prefecture, or of all towns.

        Raises:
            InputError: for a prefecture without towns in the plan.
        """
        part = self._part(prefecture)
        by_kind = self._by_kind(part & self._alerted)
        return ReachTotals(
            population=float(self.area.population[part].sum()),
            in_time=float(self.in_time[part].sum()),
            late=float(self.late[part].sum()),
            needless=float(self.needless[part].sum()),
            missed=float(self.missed[part].sum()),
            undisturbed=float(self.undisturbed[part].sum()),
            alerted=float(by_kind.sum()),
            first=_named(self._first @ by_kind),
            ever=_named(self._curves.ever(self._phones) @ by_kind),
        )

    def warned_by(
        self, moments_ns: Sequence[int] | npt.NDArray[np.int64], prefecture: str | None = None
    ) -> Floats:
        """People warned by each moment of scenario time, of one prefecture or of all towns."""
        chosen = np.flatnonzero(self._part(prefecture) & self._alerted)
        moments = np.asarray(moments_ns, np.float64)
        found = np.zeros(len(moments))
        for issue_ns in np.unique(self.issue_ns[chosen]):
            same = chosen[self.issue_ns[chosen] == issue_ns]
            curve = self._by_kind(same) @ self._warned
            seconds = (moments - issue_ns) / NS_PER_S
            found += np.interp(seconds, grid_s(), curve, left=0.0)
        return found

    def warned_before(self, moments_ns: Mapping[str, int]) -> Floats:
        """People of each town warned by a moment of its prefecture; nobody where there is none.

        Args:
            moments_ns: scenario time by slug; prefectures without towns in the plan say nothing.
        """
        at = np.array([moments_ns.get(slug, np.nan) for slug in self.area.prefectures], np.float64)
        return self.warned_before_each(at[self.area.prefecture_of])

    def warned_before_each(self, moment_ns: Floats) -> Floats:
        """People of each town warned by a moment of its own, scenario time; nobody where NaN."""
        return np.minimum(self._people_by(self._warned, moment_ns), self.warned)

    def half_warned_ns(self) -> Floats:
        """When half of those who are warned in a town have been, scenario time by town.

        Not a number where nobody is.
        """
        times = grid_s()
        half_s = np.array([np.interp(curve[-1] / 2, curve, times) for curve in self._warned])
        half_ns = self.issue_ns + half_s[self._kind] * NS_PER_S
        return np.where(self.warned > 0, half_ns, np.nan)

    def by_prefecture(self, people: Floats) -> dict[str, float]:
        """People of each prefecture.

        Args:
            people: of each town, as ``warned`` and its like.
        """
        area = self.area
        found = np.bincount(area.prefecture_of, people, len(area.prefectures))
        return dict(zip(area.prefectures, found.tolist(), strict=True))

    def told(self, prefectures: Collection[str], channels: Collection[ChannelName]) -> float:
        """People whom a later message gets to, sent to some prefectures by some channels only.

        What towns and networks have, and which of them are silent, is as it was for the warning;
        so is what people do.

        Args:
            prefectures: slugs; where no warning was issued there is nothing to follow.
            channels: that carry it; none of them tells nobody.
        """
        known = [slug for slug in self.area.prefectures if slug in prefectures]
        chosen = [self.area.prefectures.index(slug) for slug in known]
        by_kind = self._by_kind(np.isin(self.area.prefecture_of, chosen) & self._alerted)
        return float(self._curves.told(self._phones, channels) @ by_kind)

    def first_by(self, prefecture: str | None = None) -> dict[ChannelName, Floats]:
        """People whom each channel warned first, by the times since the issue of ``grid_s``."""
        by_kind = self._by_kind(self._part(prefecture) & self._alerted)
        curves = np.einsum("ckt,k->ct", self._first_curves, by_kind)
        return dict(zip(_CHANNELS, curves, strict=True))

    def first_in_time(self, prefecture: str | None = None) -> dict[ChannelName, float]:
        """People whom each channel warned first and before something arrived."""
        part = self._part(prefecture)
        people = [
            self._people_by(curves, self.arrival_ns)[part].sum() for curves in self._first_curves
        ]
        return _named(np.asarray(people))

    def unwarned(self, prefecture: str | None = None) -> dict[Activity, float]:
        """People of alerted towns who were not warned at all, by what they do."""
        by_kind = self._by_kind(self._part(prefecture) & self._alerted)
        people = by_kind @ self._curves.unwarned(self._phones)
        return dict(zip(Activity, people.tolist(), strict=True))

    @cached_property
    def _first(self) -> Floats:
        return self._curves.first(self._phones)

    @cached_property
    def _first_curves(self) -> Floats:
        return self._curves.first_by(self._phones)

    def _part(self, prefecture: str | None) -> Flags:
        if prefecture is None:
            return np.ones(len(self.area.towns), np.bool_)
        if prefecture not in self.area.prefectures:
            raise InputError(
                "no town of this prefecture is part of the plan",
                value=repr(prefecture),
                remedy=f"one of {', '.join(self.area.prefectures)}",
            )
        found: Flags = self.area.prefecture_of == self.area.prefectures.index(prefecture)
        return found

    def _by_kind(self, chosen: Flags | Integers) -> Floats:
        """People of some towns, by kind of town."""
        people = self.area.population[chosen]
        found = np.bincount(self._kind[chosen], weights=people, minlength=len(self._warned))
        return np.asarray(found, np.float64)

    def _people_by(self, curves: Floats, moment_ns: Floats) -> Floats:
        """People of each town whom a curve by kind and time has got to by a moment.

        Nobody where there was no issue, or where there is no such moment.
        """
        seconds = (moment_ns - self.issue_ns) / NS_PER_S
        known = np.flatnonzero(seconds >= 0)
        found = np.zeros(len(seconds))
        times, kind = grid_s(), self._kind[known]
        below = np.minimum(np.searchsorted(times, seconds[known], side="right") - 1, len(times) - 2)
        past = np.minimum((seconds[known] - times[below]) / (times[below + 1] - times[below]), 1.0)
        start = curves[kind, below]
        share = start + past * (curves[kind, below + 1] - start)
        found[known] = share * self.area.population[known]
        return found


def _named(people: Floats) -> dict[ChannelName, float]:
    return dict(zip(_CHANNELS, people.tolist(), strict=True))
