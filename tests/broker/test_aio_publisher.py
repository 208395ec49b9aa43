"""`publish --client aiomqtt` on real brokers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from simulator.alerts.recognise import decode
from simulator.alerts.topics import alerts_filter, state_filter
from simulator.clock import SystemClock
from simulator.delivery.aio import Incoming, connect
from simulator.delivery.aio_publisher import AioPublisher, open_publisher
from simulator.delivery.brokers.base import Broker
from simulator.delivery.messages import Acknowledged, Notice, Play, Published, PublishOrder, Sent
from simulator.errors import BrokerLostError

CLOCK = SystemClock()
PREFECTURES = ("miyagi", "yamagata", "niigata")
Record = Sent | Acknowledged | Published | Notice


def ignore(record: Record) -> None:
    """Drop a record that the test does not look at."""


def order(
    broker: Broker, play: Play, protocol: str = "3.1.1", message_expiry_s: int = 0
) -> PublishOrder:
    return PublishOrder(
        endpoint=broker.endpoint(protocol),
        context=play.context,
        prefectures=PREFECTURES,
        client="publisher",
        message_expiry_s=message_expiry_s,
    )


class Noticed(list[Record]):
    """Records, and when the first notice came."""

    def __init__(self) -> None:
        super().__init__()
        self.notice = asyncio.Event()

    def emit(self, record: Record) -> None:
        self.append(record)
        if isinstance(record, Notice):
            self.notice.set()


def kill(publisher: AioPublisher) -> None:
    """Cut every guardian that stands off, without DISCONNECT: as if the process were killed."""
    for guardian in publisher._guardians.values():
        if guardian.connection is not None:
            ended = guardian.connection._client._client.socket()
            assert isinstance(ended, socket.socket)
            ended.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def collecting(
    broker: Broker, protocol: str, count: int, qos: int = 1
) -> AsyncIterator[list[Incoming]]:
    """Subscribed inside; on leaving so many messages are in the list."""
    into: list[Incoming] = []
    async with connect(broker.endpoint(protocol), f"ear-{protocol}", clock=CLOCK) as ear:
        await ear.subscribe([(alerts_filter("alertsim"), qos), (state_filter("alertsim"), 1)])
        yield into
        async for message in ear.messages():
            into.append(message)
            if len(into) == count:
                return


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_the_schedule_is_played_and_every_state_cleared(
    broker: Broker, make_play: Callable[..., Play], qos: int, protocol: str
) -> None:
    records: list[Record] = []
    # 6 alerts, 3 states set, 3 cleared by the passage, 3 cleared at the end.
    async with (
        asyncio.timeout(20),
        collecting(broker, "3.1.1", 15, qos) as heard,
        open_publisher(
            order(broker, make_play(), protocol), clock=CLOCK, emit=records.append
        ) as publisher,
    ):
        assert publisher.connections == 4
        play = make_play(qos=qos)
        await publisher.play(play)

    alerts = [message for message in heard if "/alerts/" in message.topic]
    assert [message.topic for message in alerts] == [one.topic for one in play.schedule]
    assert [decode(message.payload).identifier for message in alerts] == [
        one.identifier for one in play.schedule
    ]
    assert {message.qos for message in alerts} == {qos}
    miyagi = [m.payload for m in heard if m.topic == "alertsim/v1/state/miyagi"]
    assert miyagi == [alerts[0].payload, b"", b""]

    sent = [record for record in records if isinstance(record, Sent)]
    assert [record.alert for record in sent] == [0, 1, 2, 3, 4, 5]
    for record, alert in zip(sent, play.schedule, strict=True):
        assert alert.intended_ns <= record.composed_ns <= record.sent_ns
        assert record.size_bytes == len(alerts[alert.number].payload)
    acknowledged = {record.alert for record in records if isinstance(record, Acknowledged)}
    assert acknowledged == (set(range(6)) if qos else set())
    assert records[-1] == Published(unacknowledged=0)


async def test_references_point_to_the_earlier_message_as_it_was_sent(
    embedded: Broker, make_play: Callable[..., Play]
) -> None:
    play = make_play()
    async with (
        asyncio.timeout(20),
        collecting(embedded, "5", 12) as heard,
        open_publisher(order(embedded, play), clock=CLOCK, emit=ignore) as publisher,
    ):
        await publisher.play(play)

    messages = {
        message.identifier: message
        for message in (decode(m.payload) for m in heard if "/alerts/" in m.topic)
    }
    update = messages["drill-niigata-2"]
    assert [(r.identifier, r.sent) for r in update.references] == [
        ("drill-niigata-1", messages["drill-niigata-1"].sent)
    ]


@pytest.mark.mosquitto
async def test_states_are_cleared_when_the_publisher_is_cut_off(
    mosquitto: Broker, make_play: Callable[..., Play]
) -> None:
    play = make_play()
    half = Play(schedule=play.schedule[:3], context=play.context)
    async with (
        asyncio.timeout(20),
        collecting(mosquitto, "3.1.1", 9) as heard,
        open_publisher(order(mosquitto, play), clock=CLOCK, emit=ignore) as publisher,
    ):
        await publisher.play(half)
        kill(publisher)

    cleared = [m.topic for m in heard if not m.payload]
    assert sorted(cleared) == [f"alertsim/v1/state/{name}" for name in sorted(PREFECTURES)]


async def test_a_broker_that_dies_in_the_middle_is_lost_not_unbalanced(
    embedded: Broker, make_play: Callable[..., Play]
) -> None:
    play, records = make_play(repeat=200), list[Record]()

    def emit(record: Record) -> None:
        records.append(record)
        if isinstance(record, Sent) and record.alert == 8:
            embedded.stop()

    with pytest.raises(BrokerLostError, match="ended"):
        async with (
            asyncio.timeout(20),
            open_publisher(order(embedded, play), clock=CLOCK, emit=emit) as publisher,
        ):
            await publisher.play(play)

    sent = [record.alert for record in records if isinstance(record, Sent)]
    assert 8 in sent
    assert len(sent) < len(play.schedule)
    assert not any(isinstance(record, Published) for record in records)


@pytest.mark.parametrize("killed", [False, True])
async def test_a_state_that_another_run_wrote_last_is_left_to_it(
    broker: Broker, make_play: Callable[..., Play], killed: bool
) -> None:
    records = Noticed()
    async with asyncio.timeout(20), connect(broker.endpoint("5"), "other", clock=CLOCK) as other:
        await other.subscribe([(state_filter("alertsim"), 1)])
        heard = other.messages()
        async with open_publisher(
            order(broker, make_play()), clock=CLOCK, emit=records.emit
        ) as publisher:
            await other.publish("alertsim/v1/state/miyagi", b"other-run", qos=1, retain=True)
            assert (await anext(heard)).payload == b"other-run"
            await records.notice.wait()
            if killed:
                kill(publisher)
        cleared = [await anext(heard) for _ in PREFECTURES[1:]]
        assert {each.topic.rpartition("/")[2] for each in cleared} == set(PREFECTURES[1:])
        assert not any(each.payload for each in cleared)
        await other.publish("alertsim/v1/state/miyagi", b"", qos=1, retain=True)
        assert (await anext(heard)).topic == "alertsim/v1/state/miyagi"
    assert ["another run's message" in str(note) for note in records] == [True]


async def test_a_publisher_that_left_a_state_comes_back_with_one_of_its_own(
    broker: Broker, make_play: Callable[..., Play]
) -> None:
    topic, records = "alertsim/v1/state/miyagi", Noticed()
    async with asyncio.timeout(20), connect(broker.endpoint("5"), "other", clock=CLOCK) as other:
        await other.publish(topic, b"other-run", qos=1, retain=True)
        await other.subscribe([(topic, 1)])
        heard = other.messages()
        assert (await anext(heard)).payload == b"other-run"
        async with open_publisher(
            order(broker, make_play()), clock=CLOCK, emit=records.emit
        ) as publisher:
            await records.notice.wait()
            play = make_play()
            await publisher.play(Play(schedule=play.schedule[:3], context=play.context))
            assert play.schedule[0].identifier.encode() in (await anext(heard)).payload
        assert not (await anext(heard)).payload


@pytest.mark.mosquitto
@pytest.mark.parametrize(("expiry_s", "left"), [(1, []), (0, sorted(PREFECTURES))])
async def test_a_state_expires_at_the_broker_although_nobody_clears_it(
    mosquitto: Broker, make_play: Callable[..., Play], expiry_s: int, left: list[str]
) -> None:
    play = make_play()
    in_force = Play(schedule=play.schedule[:3], context=play.context)
    to = order(mosquitto, play, "5", expiry_s)
    async with (
        asyncio.timeout(20),
        open_publisher(to, clock=CLOCK, emit=ignore) as publisher,
    ):
        await publisher.play(in_force)
        await asyncio.sleep(2.5)  # mosquitto counts whole seconds
        async with connect(mosquitto.endpoint("3.1.1"), "late", clock=CLOCK) as late:
            await late.subscribe([(state_filter("alertsim"), 1)])
            await asyncio.sleep(0.5)
            kept = [message for message in late.heard() if message.retain]
    assert sorted(message.topic.rpartition("/")[2] for message in kept) == left
