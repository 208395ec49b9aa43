"""Real brokers on loopback, and a small drill to play on them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import pytest

from simulator.alerts.compose import ExerciseContext
from simulator.clock import SystemClock, clock_domain
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.delivery.messages import Play, SwarmOrder
from simulator.delivery.pacer import schedule
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, Timeline
from simulator.units import NS_PER_MS, NS_PER_S
from tests.broker.swarm_kit import Swarm

EPOCH = "2022-11-03T07:39:00+09:00"
PREFECTURES = ("miyagi", "yamagata", "niigata")


@pytest.fixture
def embedded() -> Iterator[Broker]:
    with EmbeddedBroker(announce=False) as broker:
        yield broker


@pytest.fixture
def mosquitto() -> Iterator[Broker]:
    with ManagedMosquitto() as broker:
        yield broker


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Both brokers that alertsim starts itself."""
    started: Broker = request.getfixturevalue(request.param)
    return started


class MakePlay(Protocol):
    def __call__(self, run: str = "drill", *, qos: int = 1, repeat: int = 1) -> Play: ...


@pytest.fixture
def make_play() -> MakePlay:
    """A drill that begins 0.1 s after the call: two alerts to each of three prefectures."""
    clock = SystemClock()

    def make(run: str = "drill", *, qos: int = 1, repeat: int = 1) -> Play:
        start_ns = clock.monotonic_ns() + 100 * NS_PER_MS
        planned = schedule(
            _timeline(),
            run=run,
            root="alertsim",
            qos=qos,
            speed=Decimal(1000),
            repeat=repeat,
            gap_ns=20 * NS_PER_MS,
            start_ns=start_ns,
        )
        context = ExerciseContext(
            run=run,
            scenario="drill",
            title="Drill",
            seed=1,
            epoch=EPOCH,
            clock_domain=clock_domain(),
            start_wall_ns=start_ns,
            start_unix_ns=clock.wall_ns() + 100 * NS_PER_MS,
            speed=1000.0,
        )
        return Play(schedule=planned, context=context)

    return make


def _timeline() -> Timeline:
    """Take shelter for all three at once, and ten scenario seconds later the passage."""
    alerts = [
        PlannedAlert(
            number=3 * step + place,
            event_number=3 * step + place,
            at_ns=step * 10 * NS_PER_S,
            launch="one",
            prefecture=prefecture,
            event=event,
            msg_type=msg_type,
            sequence=step + 1,
            references=(place,) if step else (),
            in_force=not step,
            cause=0,
        )
        for step, (event, msg_type) in enumerate(
            [(AlertEvent.TAKE_SHELTER, MsgType.ALERT), (AlertEvent.PASSAGE, MsgType.UPDATE)]
        )
        for place, prefecture in enumerate(PREFECTURES)
    ]
    return Timeline(
        scenario="drill",
        title="Drill",
        epoch=datetime.fromisoformat(EPOCH),
        seed=1,
        replication=0,
        version="test",
        events=(),
        alerts=tuple(alerts),
    )


@pytest.fixture
def start() -> Iterator[Callable[[SwarmOrder], Swarm]]:
    started: list[Swarm] = []

    def make(order: SwarmOrder) -> Swarm:
        started.append(Swarm(order))
        return started[-1]

    yield make
    for swarm in started:
        swarm.child.kill()
        swarm.child.close()
