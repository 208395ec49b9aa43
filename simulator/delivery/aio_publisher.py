"""A publisher on aiomqtt: ``publish --client aiomqtt``.

Rule of the module: absolute deadlines from the schedule, and no send waits for the acknowledgement
of an earlier one. It reports the same records as the measured publisher, with one weaker stamp:
``sent_ns`` is taken before the message is handed to aiomqtt, so the socket write follows later (0.4
ms at the median for one alert, more in a burst; ``STAMP_NOTE`` says so to the reader).

No retained warning outlives it: each state is published by a guardian connection of its own, whose
last will is the empty retained message; the end in order publishes the same, unless another run has
written the state meanwhile (a killed one clears it all the same: the will cannot know).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from simulator.alerts.topics import state_topic
from simulator.clock import Clock
from simulator.delivery.aio import Connection, Will, connect
from simulator.delivery.guardians import own_mark
from simulator.delivery.messages import Acknowledged, Play, Published, PublishOrder, Sent
from simulator.delivery.sending import compose_payload
from simulator.errors import BrokerError, BrokerLostError
from simulator.measure.plan import ScheduledAlert
from simulator.units import NS_PER_S

STAMP_NOTE: Final = (
    "sent is stamped before the message is handed to aiomqtt, not at the socket write: the send "
    "segment is too short and the transit segment too long by the client's own delay"
)
_STATE_QOS: Final = 1
_CLEARING_S: Final = 1.0

Emit = Callable[[Sent | Acknowledged | Published], None]


class AioPublisher:
    """Plays schedules. Made by :func:`open_publisher`.

    Args:
        connection: for the alerts.
        guardians: one connection for each guarded prefecture.
        root: topic root.
        run: run id.
        clock: for stamps and deadlines.
        emit: called with each record.
    """

    def __init__(
        self,
        connection: Connection,
        guardians: dict[str, Connection],
        *,
        root: str,
        run: str,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._run = run
        self._connection = connection
        self._guardians = guardians
        self._root = root
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
            await guardian.publish(
                alert.state_topic,
                payload if alert.planned.in_force else b"",
                qos=_STATE_QOS,
                retain=True,
                timeout_s=timeout_s,
            )

    async def listen(self) -> None:
        """Follow the guarded states: whose they are is known at the end only so."""
        for prefecture, guardian in self._guardians.items():
            await guardian.subscribe([(state_topic(self._root, prefecture), _STATE_QOS)])

    async def clear(self) -> None:
        """Publish the empty state of every guarded prefecture; whatever fails, the will does.

        A state that another run has written last is that run's.
        """

        async def clear_one(prefecture: str, guardian: Connection) -> None:
            states = [each.payload for each in guardian.heard() if each.payload]
            if states and own_mark(self._run, prefecture) not in states[-1]:
                return
            with suppress(BrokerError):
                await guardian.publish(
                    state_topic(self._root, prefecture),
                    b"",
                    qos=_STATE_QOS,
                    retain=True,
                    timeout_s=_CLEARING_S,
                )

        await asyncio.gather(*(clear_one(*item) for item in self._guardians.items()))


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
    root = order.context.root
    async with AsyncExitStack() as stack:

        async def enter(client_id: str, will: Will | None = None) -> Connection:
            return await stack.enter_async_context(
                connect(
                    order.endpoint,
                    client_id,
                    clock=clock,
                    will=will,
                    keep_alive_s=order.keep_alive_s,
                    message_expiry_s=order.message_expiry_s,
                )
            )

        publisher = AioPublisher(
            await enter(order.client),
            {
                prefecture: await enter(
                    f"{order.client}-state-{prefecture}",
                    Will(topic=state_topic(root, prefecture), payload=b"", qos=_STATE_QOS),
                )
                for prefecture in (order.prefectures if order.state else ())
            },
            root=root,
            run=order.context.run,
            clock=clock,
            emit=emit,
        )
        await publisher.listen()
        try:
            yield publisher
        finally:
            await publisher.clear()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that tells most: a lost broker if there is one, else the first."""
    lost, _ = group.split(BrokerLostError)
    chosen: BaseException = (lost or group).exceptions[0]
    return _first(chosen) if isinstance(chosen, BaseExceptionGroup) else chosen
