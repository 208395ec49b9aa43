"""Is there an MQTT broker, and does it deliver? Asked before a run and during it.

Rule of the module: one short-lived connection per question, which connects, subscribes, publishes
and receives its own message. Anything less would pass on a broker that accepts connections and
delivers nothing; a connection kept open would pass on a listener that refuses new ones, which is
how the embedded broker's MQTT 3.1.1 side dies. No MQTT 5 property is set.
"""

import secrets
import threading
from typing import Final

from simulator.alerts.topics import probe_topic
from simulator.clock import Clock, SystemClock
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.remedies import remedy
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import Packet, Publish
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import resolve
from simulator.errors import AbortedError, BrokerUnreachableError
from simulator.units import NS_PER_MS, NS_PER_S

TIMEOUT_S: Final = 5.0
PARTING_NS: Final = 200 * NS_PER_MS
_SLICE_NS: Final = 50 * NS_PER_MS
_QOS: Final = 1


def check_endpoint(
    endpoint: BrokerEndpoint,
    timeout: float = TIMEOUT_S,
    *,
    root: str = "alertsim",
    clock: Clock | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Connect, subscribe, publish, receive, disconnect; blocks, so a loop calls it in a thread.

    Args:
        endpoint: where.
        timeout: for everything together, wall seconds.
        root: topic root; the round trip takes a probe topic of its own below it, unretained.
        clock: where time comes from.
        stop: set from another thread, ends the question within 50 ms.

    Returns:
        Wall ns from the publication to its own delivery.

    Raises:
        BrokerUnreachableError: saying what failed: nobody listens, no answer, not MQTT, refused, or
            accepted and not delivered.
        AbortedError: if ``stop`` was set.
    """
    return _ask(endpoint, root, timeout, clock, stop)


def check_admitted(
    endpoint: BrokerEndpoint, timeout: float = TIMEOUT_S, *, stop: threading.Event | None = None
) -> None:
    """Connect and disconnect, nothing more: is there a channel, and are we let in?

    For clients that open their channel themselves and say less of why they could not.

    Args:
        endpoint: where.
        timeout: for everything together, wall seconds.
        stop: set from another thread, ends the question within 50 ms.

    Raises:
        BrokerUnreachableError: as :func:`check_endpoint`.
        AbortedError: if ``stop`` was set.
    """
    _ask(endpoint, None, timeout, None, stop)


def _ask(
    endpoint: BrokerEndpoint,
    root: str | None,
    timeout: float,
    clock: Clock | None,
    stop: threading.Event | None,
) -> int:
    timeout_ns = round(timeout * NS_PER_S)
    clock, stop = clock or SystemClock(), stop or threading.Event()
    first = _Question(endpoint, root, clock, stop)
    try:
        return first.ask(timeout_ns)
    except BrokerUnreachableError:
        if first.cause not in {Cause.LOST, Cause.REFUSED}:
            raise
    return _Question(endpoint, root, clock, stop).ask(timeout_ns)  # not by chance?


class _Question:
    """One round trip; without a root only a connection."""

    def __init__(
        self, endpoint: BrokerEndpoint, root: str | None, clock: Clock, stop: threading.Event
    ) -> None:
        name = f"check-{secrets.token_hex(6)}"
        self._endpoint = endpoint
        self._topic = "" if root is None else probe_topic(root, name)
        self._payload = name.encode()
        self._clock = clock
        self._stop = stop
        self._address = resolve(endpoint)
        self._connection = Connection(
            ConnectionOrder(
                endpoint=endpoint,
                client=f"alertsim-{name}",
                filters=((self._topic, _QOS),) if self._topic else (),
            )
        )
        self._poller = Poller()
        self._published_ns: int | None = None

    def ask(self, timeout_ns: int) -> int:
        clock, connection, buffer = self._clock, self._connection, ReadBuffer()
        began_ns = now_ns = clock.monotonic_ns()
        connection.open(self._address, now_ns)
        try:
            while self._poller.update(connection, None):
                if self._stop.is_set():
                    raise AbortedError("ended while asking the broker")
                if now_ns - began_ns > timeout_ns:
                    raise BrokerUnreachableError(self._late(timeout_ns))
                if connection.state is State.UP and not self._topic:
                    self._part(buffer)
                    return 0
                if connection.state is State.UP and self._published_ns is None:
                    self._published_ns = now_ns
                    connection.publish(self._topic, self._payload, qos=_QOS)
                for _, events in self._poller.select(_SLICE_NS):
                    packets = connection.handle(events, now_ns, buffer)
                    if self._published_ns is not None and self._returned(packets):
                        answer_ns = clock.monotonic_ns() - self._published_ns
                        self._part(buffer)
                        return answer_ns
                now_ns = clock.monotonic_ns()
                connection.tick(now_ns)
            raise BrokerUnreachableError(self._closed())
        finally:
            connection.close()
            self._poller.update(connection, None)
            self._poller.close()

    def _part(self, buffer: ReadBuffer) -> None:
        """Say DISCONNECT and let the broker close.

        Closing first makes the embedded broker end the same connection twice, the second time
        perhaps somebody else's: whoever connected to its other listener in between.
        """
        connection, now_ns = self._connection, self._clock.monotonic_ns()
        until_ns = now_ns + PARTING_NS
        connection.send(connection.codec.disconnect())
        while now_ns < until_ns and self._poller.update(connection, None):
            for _, events in self._poller.select(until_ns - now_ns):
                connection.handle(events, now_ns, buffer)
            now_ns = self._clock.monotonic_ns()

    def _returned(self, packets: list[Packet]) -> bool:
        return any(
            isinstance(packet, Publish) and packet.payload == self._payload for packet in packets
        )

    @property
    def cause(self) -> Cause:
        """Why it failed."""
        return self._connection.cause

    @property
    def _where(self) -> str:
        endpoint = self._endpoint
        scheme = "" if endpoint.scheme == "mqtt" else f"{endpoint.scheme}://"
        return f"{scheme}{endpoint.host}:{endpoint.port} (MQTT {endpoint.protocol})"

    def _late(self, timeout_ns: int) -> str:
        seconds = timeout_ns / NS_PER_S
        connection = self._connection
        match connection.state:
            case State.CONNECTING:
                what = "no connection: wrong address, or a firewall drops the packets?"
                if connection.layered:
                    what = (
                        f"no {self._endpoint.scheme}:// handshake: does this port speak it, or is "
                        "it plain mqtt://?"
                    )
            case State.CONNACK:
                what = "connected, but no answer to CONNECT: is this an MQTT broker?"
            case State.SUBACK:
                what = "accepted, but no answer to SUBSCRIBE"
            case _:
                what = "accepted, but a published message did not come back: it delivers nothing"
        return f"{self._where}: after {seconds:g} s {what}"

    def _closed(self) -> str:
        connection = self._connection
        what = remedy(self._endpoint, connection.cause, connection.reason, connection.remedy)
        return f"{self._where}: {connection.reason}\n  remedy: {what}"
