"""The adapter around aiomqtt: the only module that imports it.

Rule of the module: an MQTT connection for whatever is not measured to the microsecond (foreign
clients, ``subscribe``, ``publish --client aiomqtt``). It never sets an MQTT 5 property (one such
message kills the embedded broker's 3.1.1 side), never holds back a message because earlier ones
are unacknowledged, bounds its incoming queue and counts what did not fit, stamps messages when they
are read and not when they are taken from the queue, and raises only our own errors.
"""

import asyncio
import logging
import math
import ssl
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

import aiomqtt
import paho.mqtt.client as paho
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from simulator.clock import Clock
from simulator.delivery.loopback import is_loopback
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.preflight import check_admitted
from simulator.delivery.wire.tls import named_context
from simulator.delivery.wire.transport import resolve
from simulator.errors import BrokerLostError, BrokerUnreachableError

_ALL_IN_FLIGHT: Final = 65_535  # every packet identifier there is; paho's default holds the 21st
_REFUSED: Final = 0x80  # SUBACK codes from here on are failures, in MQTT 3.1.1 and 5
_TCP_CONNECT_S: Final = 2.0  # a lost SYN is repeated once; Ctrl-C must wait for this thread
_LOGGER: Final = logging.getLogger("simulator.delivery.aio")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False  # aiomqtt logs what we raise or count


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes for a client that goes away without saying so."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One received message.

    Attributes:
        topic: topic name.
        payload: the bytes.
        qos: QoS of this delivery.
        retain: the retain flag.
        dup: the DUP flag.
        at_ns: when the event loop read it, monotonic ns; a user-space stamp.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    at_ns: int


class _Client(aiomqtt.Client):
    """aiomqtt's client with our queue: stamped on arrival, bounded, overflow counted."""

    def __init__(
        self,
        endpoint: BrokerEndpoint,
        client_id: str,
        *,
        clock: Clock,
        will: Will | None,
        queue_limit: int,
        keep_alive_s: int,
        timeout_s: float,
        tls: ssl.SSLContext | None,
        message_expiry_s: int,
    ) -> None:
        version5 = endpoint.protocol == "5"
        super().__init__(
            endpoint.host,
            endpoint.port,
            identifier=client_id,
            username=endpoint.username,
            password=endpoint.password,
            protocol=aiomqtt.ProtocolVersion.V5 if version5 else aiomqtt.ProtocolVersion.V311,
            clean_session=None if version5 else True,
            clean_start=True if version5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain) if will else None,
            keepalive=keep_alive_s,
            timeout=timeout_s,
            max_inflight_messages=_ALL_IN_FLIGHT,
            logger=_LOGGER,
            transport="websockets" if endpoint.path else "tcp",
            websocket_path=endpoint.path or None,
            tls_context=tls,
        )
        self.pending_calls_threshold = _ALL_IN_FLIGHT
        self._client.connect_timeout = min(timeout_s, _TCP_CONNECT_S)
        self._clock = clock
        self._limit = queue_limit
        self.properties = _expiring(message_expiry_s) if version5 and message_expiry_s else None
        self.arrived: deque[Incoming] = deque()
        self.arrival = asyncio.Event()
        self.overflow = 0

    def _on_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        del client, userdata
        at_ns = self._clock.monotonic_ns()
        if len(self.arrived) >= self._limit:
            self.overflow += 1
            return
        self.arrived.append(
            Incoming(
                topic=message.topic,
                payload=bytes(message.payload),
                qos=message.qos,
                retain=bool(message.retain),
                dup=bool(message.dup),
                at_ns=at_ns,
            )
        )
        self.arrival.set()

    @property
    def opened(self) -> bool:
        """Whether the TCP connection was made; from then on connecting can be cancelled."""
        return self._misc_task is not None

    def abandon(self) -> None:
        """Close the socket of a connection that was never admitted: aiomqtt leaves it open."""
        self._connected = asyncio.Future()  # cancelled, it would raise from paho's callbacks
        self._client.disconnect()

    @property
    def closed(self) -> "asyncio.Future[None]":
        """Done when the connection has ended; carries the reason if it was not our wish."""
        return self._disconnected


class Connection:
    """An open MQTT connection. Made by :func:`connect`."""

    def __init__(self, client: _Client, where: str) -> None:
        self._client = client
        self._where = where

    @property
    def overflow(self) -> int:
        """Messages that found the incoming queue full and were not kept."""
        return self._client.overflow

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        """Subscribe and wait for the SUBACK.

        Args:
            filters: (topic filter, QoS) pairs.

        Raises:
            BrokerUnreachableError: if the broker refuses one of them.
            BrokerLostError: if the connection ends first.
        """
        try:
            granted = await self._client.subscribe(list(filters))
        except aiomqtt.MqttError as error:
            raise self._lost(error) from error
        codes = [code if isinstance(code, int) else int(code.value) for code in granted]
        for (topic_filter, _), value in zip(filters, codes, strict=True):
            if value >= _REFUSED:
                raise BrokerUnreachableError(
                    f"the MQTT broker at {self._where} refuses the subscription to "
                    f"{topic_filter} (SUBACK code {value:#04x}): check its access rules"
                )

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        timeout_s: float | None = None,
    ) -> bool:
        """Publish; at QoS 1 and 2 wait for the broker's acknowledgement.

        Args:
            topic: topic name.
            payload: the bytes.
            qos: 0 to 2.
            retain: the retain flag.
            timeout_s: how long to wait for the acknowledgement, wall seconds; the connection's
                time-out if not given.

        Returns:
            Whether it was acknowledged in time; at QoS 0, whether the socket took it.

        Raises:
            BrokerLostError: if the connection has ended, or ends first.
        """
        publishing = asyncio.ensure_future(
            self._client.publish(
                topic,
                payload,
                qos=qos,
                retain=retain,
                properties=self._client.properties,
                timeout=math.inf,
            )
        )
        closed = self._client.closed
        try:
            await asyncio.wait(
                (publishing, closed),
                timeout=self._client.timeout if timeout_s is None else timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if publishing.done():
                publishing.result()
                return True
        except aiomqtt.MqttError as error:
            raise self._lost(error) from error
        finally:
            publishing.cancel()
        if closed.done():
            raise self._lost(closed.exception())
        return False

    def heard(self) -> list[Incoming]:
        """What has arrived and was not taken yet."""
        taken = list(self._client.arrived)
        self._client.arrived.clear()
        return taken

    async def messages(self) -> AsyncIterator[Incoming]:
        """Messages in order of arrival; whatever arrived before a loss is yielded before it.

        Raises:
            BrokerLostError: if the connection ends.
        """
        arrived, arrival, closed = self._client.arrived, self._client.arrival, self._client.closed
        while True:
            while arrived:
                yield arrived.popleft()
            if closed.done():
                raise self._lost(closed.exception())
            arrival.clear()
            waiter = asyncio.ensure_future(arrival.wait())
            try:
                await asyncio.wait((waiter, closed), return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiter.cancel()

    def _lost(self, reason: BaseException | None) -> BrokerLostError:
        return BrokerLostError(
            f"the connection to the MQTT broker at {self._where} ended: {_plain(reason)}"
        )


@asynccontextmanager
async def connect(
    endpoint: BrokerEndpoint,
    client_id: str,
    *,
    clock: Clock,
    will: Will | None = None,
    queue_limit: int = 100_000,
    keep_alive_s: int = 60,
    timeout_s: float = 5.0,
    message_expiry_s: int = 0,
) -> AsyncIterator[Connection]:
    """Connect with a clean session; disconnect in order on leaving.

    Args:
        endpoint: where, which protocol, who.
        client_id: MQTT client id.
        clock: for the receive stamps.
        will: last will, if any.
        queue_limit: messages kept until they are taken; more are counted and dropped.
        keep_alive_s: MQTT keep alive, wall seconds.
        timeout_s: for the TCP connection, the CONNACK and each acknowledgement, wall seconds.
        message_expiry_s: MQTT 5 message expiry of what is published, wall seconds; 0: none.

    Raises:
        BrokerUnreachableError: if nobody listens there, the broker refuses, or the host's name
            claims to be this host and is not.
    """
    where = f"{endpoint.host}:{endpoint.port}"
    if endpoint.scheme != "mqtt":  # paho says little of what failed, and leaves its socket open
        await admitted(endpoint, timeout_s)
    tls = await asyncio.to_thread(named_context, endpoint)
    if is_loopback(endpoint.host):  # a name is looked up once, and what was found is connected to
        address = await asyncio.to_thread(resolve, endpoint)
        endpoint = replace(endpoint, host=str(address.sockaddr[0]))
    client = _Client(
        endpoint,
        client_id,
        clock=clock,
        will=will,
        queue_limit=queue_limit,
        keep_alive_s=keep_alive_s,
        timeout_s=timeout_s,
        tls=tls,
        message_expiry_s=message_expiry_s,
    )
    await _open(client, where)
    try:
        yield Connection(client, where)
    finally:
        await _close(client)


async def admitted(endpoint: BrokerEndpoint, timeout_s: float = 5.0) -> None:
    """Ask whether we are let in, by a connection of its own: its failures say what to do.

    Args:
        endpoint: where, and who.
        timeout_s: for everything together, wall seconds.

    Raises:
        BrokerUnreachableError: with a remedy, as before a run.
    """
    stop = threading.Event()
    try:
        await asyncio.to_thread(check_admitted, endpoint, timeout_s, stop=stop)
    finally:
        stop.set()  # cancelled, we do not wait for it


def _expiring(seconds: int) -> Properties:
    found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    found.MessageExpiryInterval = seconds
    return found


def _plain(reason: BaseException | None) -> str:
    """What ended a connection, in words; paho says "unspecified" when the socket was closed."""
    text = str(reason or "").rpartition("] ")[2]
    return "it was closed" if not text or text.startswith("Unspecified") else text


async def _open(client: _Client, where: str) -> None:
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        if client.opened:
            entering.cancel()
        # Until then it is in the hands of a thread that cannot be cancelled: see what it opens.
        with suppress(aiomqtt.MqttError, asyncio.CancelledError):
            await entering
        client.abandon()
        raise
    except MqttConnectError as error:
        client.abandon()
        raise BrokerUnreachableError(
            f"the MQTT broker at {where} refuses the connection: {_plain(error)}"
        ) from error
    except (aiomqtt.MqttError, UnicodeError) as error:
        client.abandon()
        raise BrokerUnreachableError(f"no MQTT broker answers at {where}: {error}") from error


async def _close(client: _Client) -> None:
    with suppress(aiomqtt.MqttError):  # already gone, or it does not answer the DISCONNECT
        await client.__aexit__(None, None, None)
    if client.closed.done():
        client.closed.exception()  # seen: asyncio need not report it again
