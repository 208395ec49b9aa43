"""`alertsim subscribe`, its engine, on real brokers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from simulator.clock import clock_domain
from simulator.delivery.aio import connect
from simulator.delivery.aio_publisher import open_publisher
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.hearing import Heard, HeardKind
from simulator.delivery.link import LinkChange, LinkState
from simulator.delivery.listener import ListenOrder, listen
from simulator.delivery.messages import BrokerEndpoint, Play, PublishOrder
from simulator.errors import BrokerUnreachableError, ConfigurationError
from simulator.randomness import Streams
from tests.broker.foreign import CLOCK, MakePlay, play_on


@dataclass
class Log:
    """What a listener yielded, and a way to wait for it."""

    records: list[Heard | LinkChange] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def links(self) -> list[LinkState]:
        return [one.state for one in self.records if isinstance(one, LinkChange)]

    @property
    def heard(self) -> list[Heard]:
        return [one for one in self.records if isinstance(one, Heard)]

    def alerts(self) -> list[str]:
        return [
            one.message.identifier
            for one in self.heard
            if one.kind is HeardKind.ALERT and one.message
        ]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(condition)


def order(broker: Broker, *prefectures: str, **more: object) -> ListenOrder:
    settings = {"endpoint": broker.endpoint("3.1.1"), "client_id": "ear", "domain": clock_domain()}
    return ListenOrder(**(settings | {"prefectures": prefectures} | more))  # type: ignore[arg-type]


@asynccontextmanager
async def listening(what: ListenOrder) -> AsyncIterator[Log]:
    log = Log()

    async def write() -> None:
        jitter = Streams(1).stream("listener")
        async with aclosing(listen(what, clock=CLOCK, jitter=jitter)) as records:
            async for record in records:
                async with log.changed:
                    log.records.append(record)
                    log.changed.notify_all()

    writing = asyncio.ensure_future(write())
    try:
        await log.until(lambda: log.links == [LinkState.LISTENING])
        yield log
    finally:
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing


@asynccontextmanager
async def eavesdropping(broker: Broker, *filters: str) -> AsyncIterator[list[tuple[str, bytes]]]:
    """What others publish; on leaving the list is complete up to then."""
    seen: list[tuple[str, bytes]] = []
    async with connect(broker.endpoint("3.1.1"), "spy", clock=CLOCK) as spy:
        await spy.subscribe([(one, 1) for one in (*filters, "spy/end")])

        async def note() -> None:
            async for message in spy.messages():
                if message.topic == "spy/end":
                    return
                seen.append((message.topic, message.payload))

        noting = asyncio.ensure_future(note())
        yield seen
        await spy.publish("spy/end", b"", qos=1)
        async with asyncio.timeout(5):
            await noting


async def test_it_hears_its_prefecture_and_shows_how_old_each_message_was(
    broker: Broker, make_play: MakePlay
) -> None:
    async with listening(order(broker, "miyagi")) as log:
        play = await play_on(broker, make_play)
        await log.until(lambda: len(log.heard) == 5)

    mine = [one for one in play.schedule if one.planned.prefecture == "miyagi"]
    assert log.alerts() == [one.identifier for one in mine]
    assert {one.prefecture for one in log.heard} == {"miyagi"}
    # Two alerts, the state set, cleared by the passage and cleared at the end.
    kinds = sorted(one.kind for one in log.heard)
    assert kinds == ["alert", "alert", "cleared", "cleared", "state"]
    for one in log.heard:
        if one.message:
            assert one.age_ns is not None
            assert one.age_ns == one.arrival.received_ns - one.message.simulation.intended_ns
            assert one.age_ns >= 0  # one host, one clock: nothing arrives before it was due
            assert (one.missed, one.duplicate, one.overtaken) == ((), False, False)


async def test_all_prefectures_without_states(embedded: Broker, make_play: MakePlay) -> None:
    async with listening(order(embedded, states=False)) as log:
        play = await play_on(embedded, make_play)
        await log.until(lambda: len(log.heard) == 6)

    assert log.alerts() == [one.identifier for one in play.schedule]


async def test_it_says_that_it_is_there_and_reports_each_alert_once(
    broker: Broker, make_play: MakePlay
) -> None:
    async with (
        eavesdropping(broker, "alertsim/v1/status/+", "alertsim/v1/receipts/+") as seen,
        listening(order(broker, "miyagi")) as log,
    ):
        play = await play_on(broker, make_play)
        await log.until(lambda: len(log.heard) == 5)

    status, *receipts, farewell = seen
    assert status[0] == "alertsim/v1/status/ear"
    assert b'"state":"online"' in status[1]
    assert b'"filter":"alertsim/v1/alerts/miyagi/+","qos":1' in status[1]
    mine = [one.identifier for one in play.schedule if one.planned.prefecture == "miyagi"]
    assert [topic for topic, _ in receipts] == ["alertsim/v1/receipts/ear"] * 2
    assert [payload.split(b'"')[3].decode() for _, payload in receipts] == mine
    assert farewell == ("alertsim/v1/status/ear", b"")


async def test_a_listener_that_must_not_publish_publishes_nothing(
    embedded: Broker, make_play: MakePlay
) -> None:
    async with (
        eavesdropping(embedded, "alertsim/v1/status/+", "alertsim/v1/receipts/+") as seen,
        listening(order(embedded, "miyagi", report=False)) as log,
    ):
        await play_on(embedded, make_play)
        await log.until(lambda: len(log.alerts()) == 2)

    assert seen == []


async def test_whoever_joins_late_hears_the_state_in_force(
    embedded: Broker, make_play: MakePlay
) -> None:
    play = make_play()
    what = PublishOrder(
        endpoint=embedded.endpoint("3.1.1"),
        context=play.context,
        prefectures=("miyagi", "yamagata", "niigata"),
        client="publisher",
    )
    async with open_publisher(what, clock=CLOCK, emit=lambda _: None) as publisher:
        await publisher.play(Play(schedule=play.schedule[:3], context=play.context))
        async with (
            eavesdropping(embedded, "alertsim/v1/receipts/+") as seen,
            listening(order(embedded, "yamagata")) as log,
        ):
            await log.until(lambda: len(log.heard) == 1)

    (state,) = log.heard
    assert state.kind is HeardKind.STATE
    assert state.arrival.retain
    assert not state.repeats
    ((_, receipt),) = seen
    assert b'"retain":true' in receipt


async def test_strangers_on_the_alert_topics_are_shown_as_such(embedded: Broker) -> None:
    async with (
        listening(order(embedded, "miyagi")) as log,
        connect(embedded.endpoint("3.1.1"), "stranger", clock=CLOCK) as stranger,
    ):
        for payload in (b"", b"\xff", b"<alert/>", b'{"id":"x"}', b"9" * 500_000):
            await stranger.publish("alertsim/v1/alerts/miyagi/launch", payload, qos=1)
        await log.until(lambda: len(log.heard) == 5)

    assert {one.kind for one in log.heard} == {HeardKind.MALFORMED}
    assert all(one.reason for one in log.heard)


async def test_it_comes_back_when_the_broker_does(make_play: MakePlay) -> None:
    with EmbeddedBroker(announce=False) as broker:
        ports = (broker.endpoint("3.1.1").port, broker.endpoint("5").port)
        async with listening(order(broker, "niigata")) as log:
            broker.stop()
            await log.until(lambda: LinkState.LOST in log.links)
            with EmbeddedBroker(ports=ports, announce=False) as again:
                await log.until(lambda: log.links[-1] is LinkState.LISTENING)
                await play_on(again, make_play)
                await log.until(lambda: len(log.alerts()) == 2)

    lost = next(one for one in log.records if isinstance(one, LinkChange) and one.retry_in_ns)
    assert "127.0.0.1" in lost.detail


async def test_no_broker_at_the_start_is_an_error() -> None:
    nobody = BrokerEndpoint(host="127.0.0.1", port=1, protocol="3.1.1")
    what = ListenOrder(endpoint=nobody, client_id="ear", domain="d")
    with pytest.raises(
        BrokerUnreachableError, match=r"127\.0\.0\.1:1 (.|\n)*is the broker running"
    ):
        await anext(listen(what, clock=CLOCK, jitter=Streams(1).stream("x")))


async def test_two_listeners_of_one_name_are_told_why_they_are_closed() -> None:
    with EmbeddedBroker(announce=False) as broker:
        async with listening(order(broker)) as log:
            other = asyncio.ensure_future(_listen_on(order(broker)))
            try:
                await log.until(lambda: len(_lost(log)) == 3)
            finally:
                other.cancel()
                await asyncio.wait((other,))

    told = ["another client with the id 'ear' may be connected" in each for each in _lost(log)]
    assert told[:3] == [False, False, True]


def _lost(log: Log) -> list[str]:
    changes = [one for one in log.records if isinstance(one, LinkChange)]
    return [one.detail for one in changes if one.state is LinkState.LOST]


async def _listen_on(what: ListenOrder) -> None:
    async with aclosing(listen(what, clock=CLOCK, jitter=Streams(2).stream("other"))) as records:
        async for _ in records:
            pass


async def test_a_client_id_that_cannot_stand_in_a_topic_is_refused() -> None:
    nobody = BrokerEndpoint(host="127.0.0.1", port=1, protocol="3.1.1")
    what = ListenOrder(endpoint=nobody, client_id="a/b", domain="d")
    with pytest.raises(ConfigurationError, match=r"^--client-id: "):
        await anext(listen(what, clock=CLOCK, jitter=Streams(1).stream("x")))
