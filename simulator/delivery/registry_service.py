"""The registry's connection to the broker.

Rule of the module: a thin asyncio shell. It subscribes, hands every message to the
:class:`~simulator.delivery.registry.ForeignRegistry` and publishes its answers. It decides nothing.
"""

import asyncio

from simulator.alerts.topics import clock_request_filter, receipts_filter, status_filter
from simulator.clock import Clock
from simulator.delivery.aio import Connection, connect
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.registry import ForeignRegistry


class RegistryService:
    """Runs a registry against a broker.

    Args:
        registry: what to feed.
        endpoint: the broker.
        root: topic root.
        client_id: MQTT client id of this connection.
        clock: for arrival stamps.
        queue_limit: messages kept until they are taken; more are counted as refused.
    """

    def __init__(
        self,
        registry: ForeignRegistry,
        *,
        endpoint: BrokerEndpoint,
        root: str,
        client_id: str,
        clock: Clock,
        queue_limit: int = 100_000,
    ) -> None:
        self.registry = registry
        self._endpoint = endpoint
        self._root = root
        self._client_id = client_id
        self._clock = clock
        self._queue_limit = queue_limit
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled. ``ready`` is set once the broker acknowledged the subscriptions.

        Raises:
            BrokerUnreachableError: if the connection cannot be made.
            BrokerLostError: if it ends.
        """
        async with connect(
            self._endpoint, self._client_id, clock=self._clock, queue_limit=self._queue_limit
        ) as connection:
            await connection.subscribe(
                [
                    (status_filter(self._root), 1),
                    (receipts_filter(self._root), 1),
                    (clock_request_filter(self._root), 0),
                ]
            )
            self.ready.set()
            try:
                await self._serve(connection)
            finally:
                if connection.overflow:
                    self.registry.refuse(
                        "queue overflow", "client reports dropped unread", connection.overflow
                    )

    async def _serve(self, connection: Connection) -> None:
        async for message in connection.messages():
            reply = self.registry.take(message)
            if reply is not None:
                await connection.publish(reply.topic, reply.payload)
