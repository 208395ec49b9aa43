"""Reach against a simulation with one SimPy process a person, in a small town.

Persons share no code with the curves: each draws what it does, its phone and network, which
channels it hears and every delay, by inverse distribution functions, and waits for the first of
them. What the replication drew for town and networks is given. The distance between the shares
warned by any time must lie below the Kolmogorov-Smirnov bound. Seeds are fixed: a failure is a
change, never bad luck.
"""

import math
from collections import Counter
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
import simpy

from simulator.randomness import Stream, Streams
from simulator.reach import Activity, ChannelName, ChannelProfile, ReachPlan, load_profile
from simulator.reach.channels import (
    App,
    CellBroadcast,
    DelayLaw,
    IndoorReceiver,
    Loudspeaker,
    Stage,
)
from simulator.reach.equipment import TownKind
from simulator.reach.result import ReachResult
from simulator.scenario.laws import duration_ns
from simulator.units import NS_PER_S
from simulator.world.geography import Municipality

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
PERSONS = 4000
KOLMOGOROV = 1.95  # sqrt(-log(0.001 / 2) / 2): one in a thousand
NORMAL = 3.9  # one in ten thousand, for each of the channels
ISSUE_NS = 660 * NS_PER_S
NEVER_S = 1e9

Notice = tuple[ChannelName, float]


class Persons:
    """A town of persons, each a process.

    Args:
        profile: the channels.
        kind: the town's equipment as drawn.
        lag: delays of all channels of the town, as drawn.
        networks: share of lines, offset in seconds.
        activities: share of people who do each thing.
    """

    def __init__(
        self,
        profile: ChannelProfile,
        kind: TownKind,
        lag: tuple[DelayLaw, ...],
        networks: list[tuple[float, float]],
        activities: dict[Activity, float],
    ) -> None:
        self.profile = profile
        self.kind = kind
        self.lag = lag
        self.networks = networks
        self.activities = activities
        self.notices: list[Notice] = []
        self.delays = {notice.id: notice.delay for notice in profile.notices}

    def play(self, persons: int, seed: int) -> None:
        environment = simpy.Environment()
        for number in range(persons):
            stream = Streams(seed).stream(f"person/{number}")
            environment.process(self._person(environment, stream))
        environment.run(until=1800)

    def _person(
        self, environment: simpy.Environment, stream: Stream
    ) -> Generator[simpy.Event, Any, None]:
        channels = [environment.timeout(delay, name) for name, delay in self._channels(stream)]
        if channels:
            first = yield environment.any_of(channels)
            self.notices.append((next(iter(first.values())), environment.now))

    def _channels(self, stream: Stream) -> Iterator[tuple[ChannelName, float]]:
        """Every channel that gets to the person at all, with its delay."""
        activity = _choose(self.activities, stream)
        profile, town = self.profile, self.profile.municipal.stages
        near = getattr(profile.phones.near, activity).share
        phone = stream.uniform() < profile.phones.held.share * near
        capable = stream.uniform() < profile.phones.capable.share
        line = stream.uniform()
        offset_s = None
        for share, offset in self.networks:
            if 0 <= line < share:
                offset_s = offset
            line -= share
        for name, channel in profile.channels.all().items():
            part = getattr(channel.hears, activity)
            hears = stream.uniform() < part.share
            has = stream.uniform()
            reached = {
                ChannelName.CELL_BROADCAST: phone and capable and offset_s is not None,
                ChannelName.APP: phone and isinstance(channel, App) and has < channel.owners.share,
                ChannelName.LOUDSPEAKER: has < self.kind.audible,
                ChannelName.INDOOR_RECEIVER: has < self.kind.homes,
            }.get(name, True)
            if not (reached and hears):
                continue
            of_town = isinstance(channel, Loudspeaker | IndoorReceiver)
            steps = (*town, *channel.stages) if of_town else channel.stages
            lag = self.lag if of_town else ()
            delay_s = self._delay_s(steps, (*lag, self.delays[part.notice]), stream)
            late_s = offset_s if isinstance(channel, CellBroadcast) else None
            yield name, delay_s + (late_s or 0.0)

    def _delay_s(
        self, stages: tuple[Stage, ...], further: tuple[DelayLaw, ...], stream: Stream
    ) -> float:
        total = 0.0
        for stage in stages:
            if stage.share is None or stream.uniform() < stage.share.share:
                total += stage.delay.quantile_ns(stream.uniform(), EPOCH)
        total += math.fsum(law.quantile_ns(stream.uniform(), EPOCH) for law in further)
        return total / NS_PER_S


def _choose(activities: dict[Activity, float], stream: Stream) -> Activity:
    draw = stream.uniform()
    limits = accumulate(activities.values())
    return next(
        (name for name, limit in zip(activities, limits, strict=True) if draw < limit),
        Activity.INDOORS,
    )


def _networks(profile: ChannelProfile, streams: Streams) -> list[tuple[float, float]]:
    """As the replication draws them, one by one."""
    broadcast = profile.channels.cell_broadcast
    if broadcast is None:
        return []
    lines = sum(carrier.share.share for carrier in broadcast.carriers)
    found = []
    for carrier in broadcast.carriers:
        name = f"reach/network/{carrier.id}"
        silent = streams.stream(f"{name}/silent").uniform() < carrier.silent.share
        offset = duration_ns(carrier.offset, streams.stream(f"{name}/offset").uniform(), EPOCH)
        found.append((carrier.share.share / lines, NEVER_S if silent else offset / NS_PER_S))
    return found


def _pair(name: str, hour: int, people: int, seed: int) -> tuple[ReachResult, Persons]:
    profile = load_profile(name)
    town = Municipality(
        code="04301", prefecture="miyagi", name_ja="町", name_en="Town", population=people,
        latitude=38.0, longitude=140.0,
    )  # fmt: skip
    moment = datetime.fromisoformat(f"2022-10-04T{hour:02}:20+09:00")
    plan = ReachPlan.build(profile, (town,), moment)
    streams = Streams(seed)
    result = plan.replicate(
        issues_ns={"miyagi": ISSUE_NS}, arrivals_ns={"miyagi": None}, streams=streams
    )
    kind = plan._equipment.kinds[result._kind[0]]
    persons = Persons(
        profile,
        kind,
        plan._equipment.lags[kind.lag],
        _networks(profile, streams),
        dict(plan.activities),
    )
    persons.play(PERSONS, seed)
    return result, persons


# The seed decides what the town has: whether it is slow, its loudspeakers, its indoor receivers.
CASES = [
    ("j-alert-2022", 7, 12_000, 5, TownKind(lag=0, audible=0.9, homes=0.9)),
    ("j-alert-2022", 2, 12_000, 88, TownKind(lag=1, audible=0.9, homes=0.9)),
    ("j-alert-2022", 15, 300_000, 4, TownKind(lag=0, audible=0.0, homes=0.0)),
    ("j-alert-2017", 18, 60_000, 845, TownKind(lag=3, audible=0.5, homes=0.9)),
    ("j-alert-2012", 12, 300_000, 2, TownKind(lag=1, audible=0.25, homes=0.0)),
]


@pytest.mark.parametrize(("name", "hour", "people", "seed", "kind"), CASES)
def test_curves_are_those_of_single_persons(
    name: str, hour: int, people: int, seed: int, kind: TownKind
) -> None:
    result, persons = _pair(name, hour, people, seed)
    assert persons.kind == kind

    at_s = np.sort([seconds for _, seconds in persons.notices])
    moments = ISSUE_NS + np.rint(at_s * NS_PER_S).astype(np.int64)
    curve = result.warned_by(moments) / people
    count = np.arange(len(at_s))
    distance = max(
        np.abs((count + 1) / PERSONS - curve).max(),
        np.abs(count / PERSONS - curve).max(),
        abs(len(at_s) / PERSONS - result.totals().warned / people),
    )
    assert distance < KOLMOGOROV / math.sqrt(PERSONS)

    firsts = Counter(channel for channel, _ in persons.notices)
    for channel, expected in result.totals().first.items():
        share = expected / people
        spread = math.sqrt(share * (1 - share) / PERSONS)
        assert abs(firsts[channel] / PERSONS - share) <= NORMAL * spread + 1e-12, channel


def test_a_wrong_curve_would_be_found() -> None:
    """The bound is sharp enough to see a siren that is 10 s late."""
    result, persons = _pair("j-alert-2022", 12, 12_000, 5)
    at_s = np.sort([seconds for _, seconds in persons.notices])
    late = ISSUE_NS + np.rint((at_s - 10) * NS_PER_S).astype(np.int64)
    distance = np.abs((np.arange(len(at_s)) + 1) / PERSONS - result.warned_by(late) / 12_000).max()
    assert distance > 2 * KOLMOGOROV / math.sqrt(PERSONS)


@pytest.mark.parametrize(
    "channels",
    [
        (ChannelName.TELEVISION,),
        (ChannelName.LOUDSPEAKER, ChannelName.INDOOR_RECEIVER),
        (ChannelName.APP, ChannelName.RADIO),
        (ChannelName.CELL_BROADCAST, ChannelName.APP),
        tuple(ChannelName),
    ],
    ids="-".join,
)
def test_a_correction_gets_to_the_persons_whom_its_channels_get_to(
    channels: tuple[ChannelName, ...],
) -> None:
    result, persons = _pair("j-alert-2022", 7, 12_000, 5)
    streams = Streams(5)
    told = sum(
        any(name in channels for name, _ in persons._channels(streams.stream(f"person/{number}")))
        for number in range(PERSONS)
    )
    share = result.told(("miyagi",), channels) / 12_000
    assert 0 < share < 1
    assert abs(told / PERSONS - share) <= NORMAL * math.sqrt(share * (1 - share) / PERSONS)
    assert result.told((), channels) == result.told(("miyagi",), ()) == 0
