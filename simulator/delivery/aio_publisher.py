"""A publisher on aiomqtt: ``publish --client aiomqtt``.

Rule of the module: absolute deadlines from the schedule, and no send waits for the acknowledgement
of an earlier one. It reports the same records as the measured publisher, with one weaker stamp:
``sent_ns`` is taken before the message is handed to aiomqtt, so the socket write follows later (0.4
ms at the median for one alert, more in a burst; ``STAMP_NOTE`` says so to the reader).

No retained warning outlives it: each state is published by a guardian connection of its own, whose
last will is the empty retained message; the end in order publishes the same. What another run has
written meanwhile is that run's: see the guardians.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

from simulator.alerts.topics import state_topic
from simulator.clock import Clock
from simulator.delivery.aio import Connection, Will, connect
from simulator.delivery.aio_guardians import STATE_QOS, AioGuardian
from simulator.delivery.guardians import own_mark
from simulator.delivery.messages import Acknowledged, Notice, Play, Published, PublishOrder, Sent
from simulator.delivery.sending import compose_payload
from simulator.errors import BrokerLostError
from simulator.measure.plan import ScheduledAlert
from simulator.units import NS_PER_S

STAMP_NOTE: Final = (
    "sent is stamped before the message is handed to aiomqtt, not at the socket write: the send "
    "segment is too short and the transit segment too long by the client's own delay"
)

Emit = Callable[[Sent | Acknowledged | Published | Notice], None]


class AioPublisher:
    """Plays schedules. Made by :func:`open_publisher`.

    Args:
        connection: for the alerts.
        guardians: one for each guarded prefecture.
        clock: for stamps and deadlines.
        emit: called with each record.
    """

    def __init__(
        self,
        connection: Connection,
        guardians: dict[str, AioGuardian],
        *,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._connection = connection
        self._guardians = guardians
        self._clock = clock
        self._emit = emit

    @property
    def connections(self) -> int:
        """How many connections are open: the publishing one and the guardians."""
        return 1 + len(self._guardians)

    async def probe(self, topic: str, payload: bytes) -> None:
        """Publish one probe message.

        Raises:
            BrokerLostError: if the connection has ended.
        """
        await self._connection.publish(topic, payload, qos=1)

    async def play(self, order: Play, *, acknowledge_ns: int = 5 * NS_PER_S) -> None:
        """Send every alert at its intended time.

        Args:
            order: the schedule and the final context.
            acknowledge_ns: how long to wait for each acknowledgement, wall ns.

        Raises:
            BrokerLostError: if a connection ends.
        """
        missing = 0
        timeout_s = acknowledge_ns / NS_PER_S

        async def send(alert: ScheduledAlert) -> None:
            nonlocal missing
            composed_ns = self._clock.monotonic_ns()
            payload = compose_payload(alert, order.schedule, order.context, composed_ns)
            missing += not await self._send(alert, payload, composed_ns, timeout_s)

        try:
            async with asyncio.TaskGroup() as sending:
                for alert in order.schedule:
                    await self._sleep_until(alert.intended_ns)
                    sending.create_task(send(alert))
        except BaseExceptionGroup as group:
            first = _first(group)
            raise first from first.__cause__
        self._emit(Published(unacknowledged=missing))

    async def _sleep_until(self, deadline_ns: int) -> None:
        wait_ns = max(0, deadline_ns - self._clock.monotonic_ns())
        await asyncio.sleep(wait_ns / NS_PER_S)

    async def _send(
        self, alert: ScheduledAlert, payload: bytes, composed_ns: int, timeout_s: float
    ) -> bool:
        sent_ns = self._clock.monotonic_ns()
        async with asyncio.TaskGroup() as both:
            publishing = both.create_task(
                self._connection.publish(alert.topic, payload, qos=alert.qos, timeout_s=timeout_s)
            )
            both.create_task(self._set_state(alert, payload, timeout_s))
            await asyncio.sleep(0)  # hand both over before anything else is done
            self._emit(
                Sent(
                    alert=alert.number,
                    composed_ns=composed_ns,
                    sent_ns=sent_ns,
                    size_bytes=len(payload),
                )
            )
            acknowledged = await publishing
            if acknowledged and alert.qos:
                self._emit(Acknowledged(alert=alert.number, at_ns=self._clock.monotonic_ns()))
        return acknowledged

    async def _set_state(self, alert: ScheduledAlert, payload: bytes, timeout_s: float) -> None:
        guardian = self._guardians.get(alert.planned.prefecture)
        if guardian is not None:
            await guardian.set(payload if alert.planned.in_force else b"", timeout_s=timeout_s)

    async def clear(self) -> None:
        """Clear every guarded state that is still ours; whatever fails, the will does."""
        await asyncio.gather(*(each.clear() for each in self._guardians.values()))


@asynccontextmanager
async def open_publisher(
    order: PublishOrder, *, clock: Clock, emit: Emit
) -> AsyncIterator[AioPublisher]:
    """Connect the publisher and its guardians; on leaving clear the states and disconnect.

    Args:
        order: where, as whom, which prefectures to guard.
        clock: for stamps and deadlines.
        emit: called with Sent, Acknowledged and Published records.

    Raises:
        BrokerUnreachableError: if a connection cannot be made.
    """
    root, run = order.context.root, order.context.run

    def connecting(
        client_id: str, will: Will | None = None
    ) -> AbstractAsyncContextManager[Connection]:
        return connect(
            order.endpoint,
            client_id,
            clock=clock,
            will=will,
            keep_alive_s=order.keep_alive_s,
            message_expiry_s=order.message_expiry_s,
        )

    def guardian(prefecture: str) -> AioGuardian:
        topic = state_topic(root, prefecture)
        will = Will(topic=topic, payload=b"", qos=STATE_QOS)
        client_id = f"{order.client}-state-{prefecture}"
        return AioGuardian(
            lambda: connecting(client_id, will),
            topic=topic,
            mark=own_mark(run, prefecture),
            report=emit,
        )

    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connecting(order.client))
        guardians = {name: guardian(name) for name in (order.prefectures if order.state else ())}
        for each in guardians.values():
            stack.push_async_callback(each.close)
            await each.open()
        publisher = AioPublisher(connection, guardians, clock=clock, emit=emit)
        try:
            yield publisher
        finally:
            await publisher.clear()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that tells most: a lost broker if there is one, else the first."""
    lost, _ = group.split(BrokerLostError)
    chosen: BaseException = (lost or group).exceptions[0]
    return _first(chosen) if isinstance(chosen, BaseExceptionGroup) else chosen
