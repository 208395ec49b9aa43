"""The engine of ``alertsim subscribe``: one real subscriber that shows what it hears.

Rule of the module: it does what any foreign client does, by the public contract and nothing else:
says by a retained status that it is there (and by its last will that it is gone), reports a receipt
for each alert, asks for the time if the sender's clock is another one. It comes back by itself when
the broker goes away. Finding the broker and printing are the caller's.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from simulator.alerts.contract import (
    ClockRequest,
    ClockResponse,
    ReceiptPayload,
    RefusedPayloadError,
    StatusPayload,
    SubscribedFilter,
    parse_payload,
)
from simulator.alerts.topics import (
    alerts_filter,
    clock_request_topic,
    clock_response_topic,
    is_client,
    receipts_topic,
    state_filter,
    status_topic,
)
from simulator.clock import Clock
from simulator.delivery.aio import Connection, Incoming, Will, admitted, connect
from simulator.delivery.hearing import Arrival, Heard, HeardKind, Hearing
from simulator.delivery.link import RECONNECT, LinkChange, LinkState
from simulator.delivery.messages import BrokerEndpoint
from simulator.errors import BrokerError, BrokerLostError, ConfigurationError
from simulator.randomness import Stream
from simulator.units import NS_PER_S

_GONE: Final = StatusPayload(state="offline").encode()
_FAREWELL_S: Final = 1.0
_MOST_UNREPORTED: Final = 1_000
_QUICK_NS: Final = 5 * NS_PER_S  # a connection that ends sooner was closed on purpose, perhaps
_MANY_QUICK: Final = 3
_CLOCK_ROUNDS: Final = 8
_CLOCK_PAUSE_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOrder:
    """What to listen to, and as whom.

    Attributes:
        endpoint: the broker.
        client_id: MQTT client id, unique on the broker; also the name in status and receipts.
        prefectures: slugs; empty for all.
        root: topic root.
        qos: requested QoS.
        states: also the retained states of the prefectures.
        report: publish status and receipts; False: listen only, nothing is published.
        domain: our clock domain.
    """

    endpoint: BrokerEndpoint
    client_id: str
    prefectures: tuple[str, ...] = ()
    root: str = "alertsim"
    qos: int = 1
    states: bool = True
    report: bool = True
    domain: str

    @property
    def filters(self) -> tuple[tuple[str, int], ...]:
        """(topic filter, QoS) pairs to subscribe."""
        places: tuple[str | None, ...] = self.prefectures or (None,)
        found = [(alerts_filter(self.root, place), self.qos) for place in places]
        if self.states:
            found += [(state_filter(self.root, place), self.qos) for place in places]
        return tuple(found)


async def listen(
    order: ListenOrder, *, clock: Clock, jitter: Stream
) -> AsyncGenerator[Heard | LinkChange, None]:
    """Listen until the generator is closed or its task cancelled; then leave in order.

    Wrap it in ``contextlib.aclosing``, so that the farewell is said at once.

    Args:
        order: what to listen to.
        clock: for stamps.
        jitter: random stream of the reconnect waits.

    Yields:
        Each message as understood, and each change of the connection.

    Raises:
        ConfigurationError: if the client id cannot stand in a topic.
        BrokerUnreachableError: if the very first connection cannot be made, or the broker refuses a
            subscription; later losses are survived.
    """
    if order.report and not is_client(order.client_id):
        raise ConfigurationError(
            "the client id cannot stand in a topic",
            field="--client-id",
            value=repr(order.client_id),
            remedy="1 to 128 characters, none of / + # and not starting with $",
        )
    hearing = Hearing(root=order.root, domain=order.domain)
    failures = quick = 0
    was_up = False
    up_ns: int | None = None
    while True:
        try:
            if not was_up:
                await admitted(order.endpoint)
            async with aclosing(_session(order, hearing, clock)) as session:
                async for record in session:
                    if up_ns is None:
                        up_ns = clock.monotonic_ns()
                    was_up, failures = True, 0
                    yield record
        except BrokerError as error:
            if not was_up:
                raise
            wait_ns = RECONNECT.wait_ns(failures, jitter.uniform())
            failures += 1
            if up_ns is not None:
                quick = quick + 1 if clock.monotonic_ns() - up_ns < _QUICK_NS else 0
                up_ns = None
            yield LinkChange(
                state=LinkState.LOST,
                at_unix_ns=clock.wall_ns(),
                detail=str(error) + (_taken(order.client_id) if quick >= _MANY_QUICK else ""),
                retry_in_ns=wait_ns,
            )
            await asyncio.sleep(wait_ns / NS_PER_S)


def _taken(client_id: str) -> str:
    """Why a broker may close again and again: an id admits one client (MQTT 5 section 3.1.4)."""
    return (
        f"; another client with the id {client_id!r} may be connected: give each one its own "
        "(--client-id)"
    )


async def _session(
    order: ListenOrder, hearing: Hearing, clock: Clock
) -> AsyncGenerator[Heard | LinkChange, None]:
    """One connection, from CONNECT to its loss."""
    will = Will(topic=status_topic(order.root, order.client_id), payload=_GONE)
    async with (
        connect(
            order.endpoint, order.client_id, clock=clock, will=will if order.report else None
        ) as connection,
        _reporting(connection, order, clock) as reporter,
    ):
        await connection.subscribe(order.filters)
        if reporter:
            await reporter.say_online()
        yield LinkChange(
            state=LinkState.LISTENING,
            at_unix_ns=clock.wall_ns(),
            detail=", ".join(topic_filter for topic_filter, _ in order.filters),
        )
        async for message in connection.messages():
            if reporter and reporter.is_clock_response(message):
                continue
            behind_ns = clock.monotonic_ns() - message.at_ns
            heard = hearing.take(
                Arrival(
                    topic=message.topic,
                    payload=message.payload,
                    qos=message.qos,
                    retain=message.retain,
                    dup=message.dup,
                    received_ns=message.at_ns,
                    received_unix_ns=clock.wall_ns() - behind_ns,
                )
            )
            if reporter:
                reporter.report(heard)
            yield heard


@asynccontextmanager
async def _reporting(
    connection: Connection, order: ListenOrder, clock: Clock
) -> AsyncIterator["_Reporter | None"]:
    reporter = _Reporter(connection, order, clock) if order.report else None
    try:
        yield reporter
    finally:
        if reporter:
            await reporter.leave()


class _Reporter:
    """The client's side of the status, receipt and clock topics."""

    def __init__(self, connection: Connection, order: ListenOrder, clock: Clock) -> None:
        self._connection = connection
        self._order = order
        self._clock = clock
        self._tasks: set[asyncio.Task[Any]] = set()
        self._asking: asyncio.Task[None] | None = None
        self._responses: asyncio.Queue[tuple[ClockResponse, int]] = asyncio.Queue(maxsize=64)
        self._status_topic = status_topic(order.root, order.client_id)
        self._receipts_topic = receipts_topic(order.root, order.client_id)
        self._response_topic = clock_response_topic(order.root, order.client_id)

    async def say_online(self) -> None:
        """Publish the retained status: from now on alerts are owed to us."""
        status = StatusPayload(
            state="online",
            filters=tuple(
                SubscribedFilter.model_validate({"filter": topic_filter, "qos": qos})
                for topic_filter, qos in self._order.filters
            ),
            session="clean",
            clock=self._order.domain,
        )
        await self._connection.publish(self._status_topic, status.encode(), qos=1, retain=True)

    def report(self, heard: Heard) -> None:
        """Send a receipt without waiting for its acknowledgement."""
        arrival = heard.arrival
        kept = heard.kind is HeardKind.STATE and arrival.retain
        if heard.message is None or not (heard.kind is HeardKind.ALERT or kept):
            return
        if heard.message.simulation.clock != self._order.domain and self._asking is None:
            self._asking = asyncio.ensure_future(self._ask_time())
            self._asking.add_done_callback(_seen)
        if len(self._tasks) >= _MOST_UNREPORTED:  # the broker takes none: it will be gone soon
            return
        receipt = ReceiptPayload(
            id=heard.message.identifier,
            received_ns=arrival.received_ns,
            handled_ns=self._clock.monotonic_ns(),
            clock=self._order.domain,
            retain=arrival.retain,
            dup=arrival.dup,
        )
        self._spawn(self._connection.publish(self._receipts_topic, receipt.encode(), qos=1))

    def is_clock_response(self, message: Incoming) -> bool:
        """Take in a response to one of our clock requests; False for any other message."""
        if message.topic != self._response_topic:
            return False
        with suppress(RefusedPayloadError, asyncio.QueueFull):
            response = parse_payload(ClockResponse, message.payload)
            self._responses.put_nowait((response, message.at_ns))
        return True

    async def _ask_time(self) -> None:
        """Exchange stamps with the run, so that it can place ours on its clock."""
        await self._connection.subscribe([(self._response_topic, 0)])
        topic = clock_request_topic(self._order.root, self._order.client_id)
        number, arrived_ns = 0, None
        while True:
            for _ in range(_CLOCK_ROUNDS):
                number += 1
                request = ClockRequest(n=number, t1_ns=self._clock.monotonic_ns(), t4_ns=arrived_ns)
                await self._connection.publish(topic, request.encode())
                arrived_ns = await self._response_to(number)
            await asyncio.sleep(_CLOCK_PAUSE_S)

    async def _response_to(self, number: int) -> int | None:
        """When the response to this request arrived; None if it does not within a second."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while True:
                    response, at_ns = await self._responses.get()
                    if response.n == number:
                        return at_ns
        return None

    def _spawn(self, coroutine: Coroutine[object, object, object]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(_seen)
        task.add_done_callback(self._tasks.discard)

    async def leave(self) -> None:
        """Hand in what is due, then take our status away, at most a second each."""
        if self._asking:
            self._asking.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_FAREWELL_S)
        for task in tuple(self._tasks):
            task.cancel()
        with suppress(BrokerLostError):
            await self._connection.publish(
                self._status_topic, b"", qos=1, retain=True, timeout_s=_FAREWELL_S
            )


def _seen(task: "asyncio.Task[Any]") -> None:
    """A lost connection is reported by whoever reads the messages, not by each task."""
    if not task.cancelled():
        task.exception()
