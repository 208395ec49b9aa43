"""Curves: who has not noticed yet, by the time since the issue, for people who do the same thing.

Rule of the module: given what a person does, the channels reach and are noticed independently of
each other; so the share of people not yet warned is a product of one factor a channel. What the
channels have in common (being asleep, having the television on, having no phone near) lies in the
mixture over activities and over owners of phones, never in a factor.

Times are a fixed grid, fine at first and coarse later. In one step of the grid the fall of a
product is shared out between two factors at a time as if each fell linearly, so that the parts of
the channels add up to the whole exactly.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from simulator.reach.channels import (
    Activity,
    ChannelProfile,
    Hearing,
    Reaching,
    Stage,
)
from simulator.reach.delays import HORIZON_S, Delay, DelayTable, delay_table
from simulator.reach.equipment import Equipment
from simulator.scenario.values import ChannelName

Floats = npt.NDArray[np.float64]
Stages = tuple[Stage, ...]
Delays = tuple[Delay, ...]

# In the order of the curves.
_PHONE: Final = (ChannelName.CELL_BROADCAST, ChannelName.APP)
_TOWN: Final = tuple(name for name in ChannelName if name not in _PHONE)
# Steps of the grid, seconds, from a time on.
_GRID: Final = ((0, 0.25), (30, 0.5), (60, 1), (180, 5), (600, 20), (HORIZON_S, 0))


@cache
def grid_s() -> Floats:
    """Times since the issue at which curves are known, seconds."""
    pieces = [np.arange(start, end, step) for (start, step), (end, _) in pairwise(_GRID)]
    return np.concatenate([*pieces, [float(HORIZON_S)]])


def falls(curve: Floats) -> Floats:
    """How much a curve falls in each step of the grid; in the first from 1, before the issue."""
    found = np.empty_like(curve)
    np.subtract(1.0, curve[..., 0], out=found[..., 0])
    np.subtract(curve[..., :-1], curve[..., 1:], out=found[..., 1:])
    return found


def middles(curve: Floats) -> Floats:
    """The mean of both ends of each step of the grid."""
    found = np.empty_like(curve)
    np.add(1.0, curve[..., 0], out=found[..., 0])
    np.add(curve[..., :-1], curve[..., 1:], out=found[..., 1:])
    found *= 0.5
    return found


def own(channel: Reaching | None) -> Stages:
    """The stages of a channel; none of one that does not exist."""
    return () if channel is None else channel.stages


def heard(hears: Hearing) -> Floats:
    """Shares of people who notice, by activity."""
    return np.asarray([getattr(hears, activity).share for activity in Activity], np.float64)


def tables(
    profile: ChannelProfile, hears: Hearing, stages: Stages, further: Delays = ()
) -> dict[str, DelayTable]:
    """When a channel is noticed, for each notice that its listeners have."""
    delays = {notice.id: notice.delay for notice in profile.notices}
    parts = [getattr(hears, activity) for activity in Activity]
    used = dict.fromkeys(part.notice for part in parts if part.share > 0)
    return {name: delay_table(stages, *further, delays[name]) for name in used}


def noticed(
    profile: ChannelProfile, channel: Reaching | None, stages: Stages, further: Delays = ()
) -> Floats:
    """Share of people who have noticed a channel that gets to all of them, by activity and time.

    Args:
        profile: the profile, for its notices.
        channel: the channel, for who hears it; nobody notices one that does not exist.
        stages: the stages on its way.
        further: delays beside them.
    """
    found = np.zeros((len(Activity), len(grid_s())))
    if channel is None:
        return found
    known = tables(profile, channel.hears, stages, further)
    for row, activity in enumerate(Activity):
        part = getattr(channel.hears, activity)
        if part.share > 0:
            found[row] = part.share * known[part.notice].at(grid_s())
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TownCurves:
    """What loudspeakers, indoor receivers, television and radio do.

    Given what people do, some of a town can make out its loudspeakers and some have a receiver at
    home, independently. So the people of any town are a mixture of four cases for its lag (neither,
    one, the other, both), and curves are needed for these cases only, not for every kind of town.

    Attributes:
        left: share of people whom none of them has got to; by case, activity, time.
        first: share of people in each step of the grid whom one of them gets to before the other
            three; by channel, case, activity, step.
        ever: share of people whom a channel gets to at all; by channel, case, activity.
        cases: share of people in each case, by kind of town.
    """

    left: Floats
    first: Floats
    ever: Floats
    cases: Floats

    @classmethod
    def build(cls, profile: ChannelProfile, equipment: Equipment) -> Self:
        """For all kinds of towns."""
        channels = profile.channels
        before = profile.municipal.stages
        loud, home = (
            np.asarray(
                [noticed(profile, channel, (*before, *own(channel)), lag) for lag in equipment.lags]
            )
            for channel in (channels.loudspeaker, channels.indoor_receiver)
        )
        lag, hears, has = np.indices((len(equipment.lags), 2, 2)).reshape(3, -1)
        town = (
            1.0 - hears[:, None, None] * loud[lag],
            1.0 - has[:, None, None] * home[lag],
        )
        media = (
            1.0 - noticed(profile, channels.television, own(channels.television)),
            1.0 - noticed(profile, channels.radio, own(channels.radio)),
        )
        both_town, both_media = town[0] * town[1], media[0] * media[1]
        first = np.asarray(
            [
                *(part * middles(both_media) for part in _shared_out(*town)),
                *(part * middles(both_town) for part in _shared_out(*media)),
            ]
        )
        everyone = np.ones((len(lag), 1))
        ever = [1.0 - curve[..., -1] * everyone for curve in (*town, *media)]
        kinds = equipment.kinds
        audible = np.asarray([kind.audible for kind in kinds])[:, None]
        homes = np.asarray([kind.homes for kind in kinds])[:, None]
        of_lag = np.asarray([kind.lag for kind in kinds])[:, None] == lag
        return cls(
            left=both_town * both_media,
            first=first,
            ever=np.asarray(ever),
            cases=of_lag
            * np.where(hears == 1, audible, 1.0 - audible)
            * np.where(has == 1, homes, 1.0 - homes),
        )


def _shared_out(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """The fall of a product in each step, as the parts of its two factors."""
    return falls(one) * middles(other), falls(other) * middles(one)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhoneState:
    """What phones do in one replication, by activity and time since the issue.

    Attributes:
        left: share of people whom no channel of the phone has got to; by activity, time.
        first: share of people in each step of the grid whom the broadcast, or the app, gets to
            before the other; by channel, activity, step.
        ever: share of people whom each gets to at all; by channel, activity.
    """

    left: Floats
    first: Floats
    ever: Floats


class Mixture:
    """The curves of all people, whatever they do.

    Args:
        curves: of the channels of a town, by what people do.
        weights: share of people who do each thing.
    """

    def __init__(self, curves: TownCurves, weights: Floats) -> None:
        by_activity = weights[:, None]
        self._weights = weights
        self._cases = curves.cases
        self._left = by_activity * curves.left
        self._last = self._left[..., -1].copy()
        self._middle = by_activity * middles(curves.left)
        self._first = by_activity * curves.first
        self._town = curves.ever
        self._ever = curves.ever @ weights @ curves.cases.T

    def warned(self, phones: PhoneState) -> Floats:
        """Share of people warned, by kind of town and time."""
        left = np.einsum("cst,st->ct", self._left, phones.left)
        return np.asarray(1.0 - self._cases @ left)

    def unwarned(self, phones: PhoneState) -> Floats:
        """Share of people not warned at all, by kind of town and what they do."""
        return np.asarray(self._cases @ (self._last * phones.left[:, -1]))

    def told(self, phones: PhoneState, channels: Collection[ChannelName]) -> Floats:
        """Share of people whom at least one of some channels gets to, by kind of town."""
        of_phone = [row for row, name in enumerate(_PHONE) if name in channels]
        left = self._weights * (
            phones.left[:, -1]
            if len(of_phone) == len(_PHONE)
            else 1.0 - phones.ever[of_phone].sum(axis=0)
        )
        of_town = [row for row, name in enumerate(_TOWN) if name in channels]
        passed_by = np.prod(1.0 - self._town[of_town], axis=0)
        return np.asarray(1.0 - self._cases @ (passed_by @ left))

    def first(self, phones: PhoneState) -> Floats:
        """Share of people whom a channel warned before all others, by channel and kind of town."""
        cases = len(self._left)
        broadcast_app = phones.first.reshape(len(phones.first), -1)
        phone = broadcast_app @ self._middle.reshape(cases, -1).T
        town = self._first.reshape(-1, phones.left.size) @ middles(phones.left).ravel()
        return np.concatenate([phone, town.reshape(-1, cases)]) @ self._cases.T

    def first_by(self, phones: PhoneState) -> Floats:
        """The same by the times of the grid: channel, kind of town, time."""
        phone = np.einsum("nst,cst->nct", phones.first, self._middle)
        town = np.einsum("ncst,st->nct", self._first, middles(phones.left))
        return np.cumsum(self._cases @ np.concatenate([phone, town]), axis=-1)

    def ever(self, phones: PhoneState) -> Floats:
        """Share of people whom a channel gets to, first or not, by channel and kind of town."""
        phone = (phones.ever @ self._weights)[:, None] * np.ones(len(self._cases))
        return np.concatenate([phone, self._ever])
