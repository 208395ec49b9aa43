"""The plan: curves made once for a profile, its towns and a time of day; replications from them.

Rule of the module: a plan holds everything that no replication changes, so that a replication is a
few draws for each alerted town and a few sums over kinds of towns, activities and times, however
many people live there. Times of issue and arrival come in as scenario nanoseconds, a result in
people goes out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from simulator.errors import InputError
from simulator.randomness import Streams
from simulator.reach.channels import Activity, ChannelProfile
from simulator.reach.curves import Mixture, TownCurves
from simulator.reach.daytime import DayKind, Shares, shares_at
from simulator.reach.delays import MeasuredDelivery
from simulator.reach.equipment import SILENT, Equipment
from simulator.reach.phones import PhoneCurves
from simulator.reach.result import Area, ReachResult
from simulator.world.geography import Municipality

Floats = npt.NDArray[np.float64]
Moments = Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What fails in a replication whatever is drawn.

    Attributes:
        silent_carriers: names of mobile networks that broadcast nothing.
        silent_receivers: codes of municipalities whose receiver does not sound.
    """

    silent_carriers: frozenset[str] = frozenset()
    silent_receivers: frozenset[str] = frozenset()


_NO_FAULTS: Final = Faults()


class ReachPlan:
    """Everything about reach that no replication changes; make one with ``build``.

    Args:
        area: the towns.
        equipment: kinds of towns and how they are drawn.
        phones: curves of the phones.
        curves: curves of the other channels.
        activities: share of people who do each thing when the launch is.
    """

    def __init__(
        self,
        *,
        area: Area,
        equipment: Equipment,
        phones: PhoneCurves,
        curves: TownCurves,
        activities: Shares,
    ) -> None:
        self.area = area
        self.activities = activities
        self._equipment = equipment
        self._phones = phones
        weights = np.asarray([activities[activity] for activity in Activity])
        self._curves = Mixture(curves, weights)
        self._index = {town.code: index for index, town in enumerate(area.towns)}

    @classmethod
    def build(
        cls,
        profile: ChannelProfile,
        towns: Sequence[Municipality],
        moment: datetime,
        *,
        day: DayKind | None = None,
        app: MeasuredDelivery | None = None,
    ) -> Self:
        """For a profile, its towns and the time of day of the launch.

        Args:
            profile: the channels of the time.
            towns: all towns to which an alert may be issued, or where something may arrive.
            moment: when the launch is, with its offset from UTC: what people do then.
            day: the rhythm of the day, or None for that of the date.
            app: a measured distribution of delays to stand for the stages of the app.

        Raises:
            InputError: if there are no towns, or one stands twice in the list.
        """
        if not towns:
            raise InputError("there are no towns to warn", field="towns")
        if len({town.code for town in towns}) < len(towns):
            raise InputError("a town stands twice in the list", field="towns")
        slugs = tuple(dict.fromkeys(town.prefecture for town in towns))
        area = Area(
            towns=tuple(towns),
            prefectures=slugs,
            prefecture_of=np.asarray([slugs.index(town.prefecture) for town in towns]),
            population=np.asarray([town.population for town in towns], np.float64),
        )
        equipment = Equipment.build(profile, towns)
        return cls(
            area=area,
            equipment=equipment,
            phones=PhoneCurves(profile, app),
            curves=TownCurves.build(profile, equipment),
            activities=shares_at(moment, profile.days, day),
        )

    def replicate(
        self,
        *,
        issues_ns: Moments,
        arrivals_ns: Moments,
        streams: Streams,
        faults: Faults = _NO_FAULTS,
    ) -> ReachResult:
        """Who is warned when, in one replication.

        Args:
            issues_ns: scenario time of the first warning, by slug of a prefecture or code of a
                municipality (which goes before that of its prefecture); None or left out where no
                warning is issued.
            arrivals_ns: scenario time of the arrival, in the same way; None or left out where
                nothing arrives.
            streams: of the replication; the same streams give the same equipment and faults
                whatever is issued.
            faults: what fails whatever is drawn.

        Raises:
            InputError: for a place that is not part of the plan, or an unknown carrier.
        """
        issue_ns = self._spread(issues_ns, "issues")
        alerted = np.flatnonzero(~np.isnan(issue_ns))
        silenced = np.zeros(len(issue_ns), np.bool_)
        for code in sorted(faults.silent_receivers):
            silenced[self._town(code, "silent_receivers")] = True
        self._check_networks(faults.silent_carriers)
        kind = np.full(len(issue_ns), SILENT)
        if len(alerted):
            kind[alerted] = self._equipment.draw(streams, alerted, silenced[alerted])
        return ReachResult(
            area=self.area,
            kind=kind,
            issue_ns=issue_ns,
            arrival_ns=self._spread(arrivals_ns, "arrivals"),
            curves=self._curves,
            phones=self._phones.draw(streams, faults.silent_carriers),
        )

    @property
    def carriers(self) -> tuple[str, ...]:
        """Names of the mobile networks that broadcast alerts in this time."""
        return self._phones.carriers

    def _spread(self, moments: Moments, field: str) -> Floats:
        """A time for each town; not a number where there is none."""
        by_prefecture = np.full(len(self.area.prefectures), np.nan)
        single: dict[int, float] = {}
        for place, at_ns in moments.items():
            value = np.nan if at_ns is None else float(at_ns)
            if place in self.area.prefectures:
                by_prefecture[self.area.prefectures.index(place)] = value
            else:
                single[self._town(place, field)] = value
        found = by_prefecture[self.area.prefecture_of]
        found[list(single)] = list(single.values())
        return found

    def _town(self, code: str, field: str) -> int:
        index = self._index.get(code)
        if index is None:
            near = get_close_matches(code, (*self.area.prefectures, *self._index), n=1)
            raise InputError(
                "this place is not part of the plan",
                field=field,
                value=repr(code),
                remedy=f"did you mean {near[0]}?"
                if near
                else "name a prefecture such as miyagi or a municipality such as 04100",
            )
        return index

    def _check_networks(self, names: frozenset[str]) -> None:
        for name in sorted(names - set(self._phones.carriers)):
            raise InputError(
                "the channels of this time know no such mobile carrier",
                field="silent_carriers",
                value=repr(name),
                remedy=f"known: {', '.join(self._phones.carriers) or 'none'}",
            )
