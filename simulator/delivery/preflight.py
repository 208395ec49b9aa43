"""Is there an MQTT broker, and does it deliver? Asked before a run and during it.

Rule of the module: one short-lived connection per question, which connects, subscribes, publishes
and receives its own message. Anything less would pass on a broker that accepts connections and
delivers nothing; a connection kept open would pass on a listener that refuses new ones, which is
how the embedded broker's MQTT 3.1.1 side dies. No MQTT 5 property is set.
"""

import threading
from typing import Final

from simulator.clock import Clock, SystemClock
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import Packet, Publish
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import resolve
from simulator.errors import BrokerUnreachableError
from simulator.units import NS_PER_MS, NS_PER_S

TIMEOUT_NS: Final = 5 * NS_PER_S
PERIOD_NS: Final = 5 * NS_PER_S
_SLICE_NS: Final = 50 * NS_PER_MS
_QOS: Final = 1
_CREDENTIALS: Final = ("authori", "user name", "username", "password", "identifier")


def check_endpoint(
    endpoint: BrokerEndpoint,
    *,
    topic: str,
    client: str,
    timeout_ns: int = TIMEOUT_NS,
    clock: Clock | None = None,
) -> int:
    """Connect, subscribe, publish, receive, disconnect.

    Args:
        endpoint: where.
        topic: topic for the round trip, published unretained.
        client: MQTT client id; also the payload, so it should be unique.
        timeout_ns: for everything together, wall ns.
        clock: where time comes from.

    Returns:
        Wall ns from the publication to its own delivery.

    Raises:
        BrokerUnreachableError: saying what failed: nobody listens, no answer, not MQTT, refused, or
            accepted and not delivered.
    """
    question = _Question(endpoint, topic, client, clock or SystemClock())
    return question.ask(timeout_ns)


class _Question:
    """One round trip."""

    def __init__(self, endpoint: BrokerEndpoint, topic: str, client: str, clock: Clock) -> None:
        self._endpoint = endpoint
        self._topic = topic
        self._payload = client.encode()
        self._clock = clock
        self._address = resolve(endpoint)
        self._connection = Connection(
            ConnectionOrder(endpoint=endpoint, client=client, filters=((topic, _QOS),))
        )
        self._poller = Poller()
        self._published_ns: int | None = None

    def ask(self, timeout_ns: int) -> int:
        clock, connection, buffer = self._clock, self._connection, ReadBuffer()
        began_ns = now_ns = clock.monotonic_ns()
        connection.open(self._address, now_ns)
        try:
            while self._poller.update(connection, None):
                if now_ns - began_ns > timeout_ns:
                    raise BrokerUnreachableError(self._late(timeout_ns))
                if connection.state is State.UP and self._published_ns is None:
                    self._published_ns = now_ns
                    connection.publish(self._topic, self._payload, qos=_QOS)
                for _, events in self._poller.select(_SLICE_NS):
                    packets = connection.handle(events, now_ns, buffer)
                    if self._published_ns is not None and self._returned(packets):
                        answer_ns = clock.monotonic_ns() - self._published_ns
                        connection.disconnect()
                        return answer_ns
                now_ns = clock.monotonic_ns()
                connection.tick(now_ns)
            raise BrokerUnreachableError(self._closed())
        finally:
            connection.close()
            self._poller.update(connection, None)
            self._poller.close()

    def _returned(self, packets: list[Packet]) -> bool:
        return any(
            isinstance(packet, Publish) and packet.payload == self._payload for packet in packets
        )

    @property
    def _where(self) -> str:
        return f"{self._endpoint.host}:{self._endpoint.port} (MQTT {self._endpoint.protocol})"

    def _late(self, timeout_ns: int) -> str:
        seconds = timeout_ns / NS_PER_S
        match self._connection.state:
            case State.CONNECTING:
                what = "no connection: wrong address, or a firewall drops the packets?"
            case State.CONNACK:
                what = "connected, but no answer to CONNECT: is this an MQTT broker?"
            case State.SUBACK:
                what = "accepted, but no answer to SUBSCRIBE"
            case _:
                what = "accepted, but a published message did not come back: it delivers nothing"
        return f"{self._where}: after {seconds:g} s {what}"

    def _closed(self) -> str:
        reason = self._connection.reason
        match self._connection.cause:
            case Cause.UNREACHABLE:
                remedy = "is the broker running, and is this its address and port?"
            case Cause.VIOLATION:
                remedy = "this is not an MQTT broker, or not on this port"
            case Cause.REFUSED if any(word in reason.lower() for word in _CREDENTIALS):
                remedy = "give a user and password that the broker knows: mqtt://user:password@host"
            case Cause.REFUSED:
                remedy = (
                    "does it want a user and password (mqtt://user:password@host), or another MQTT "
                    "version (?protocol=3.1.1, ?protocol=5)?"
                )
            case _:
                remedy = "is this an MQTT broker, and does it allow this client?"
        return f"{self._where}: {reason}\n  remedy: {remedy}"


class ListenerWatch:
    """A listener asked again and again by a thread of its own, while a run goes on.

    One failure is asked again at once, since a busy machine may be late once.

    Args:
        endpoint: where.
        topic: topic for the round trips.
        client: beginning of the client ids.
        period_ns: wall ns between two questions.
        timeout_ns: for one question, wall ns.
        clock: where time comes from.

    Attributes:
        failure: why the listener is held to be dead; None while it lives.
        asked: questions answered well so far.
        longest_ns: longest round trip so far, wall ns.
    """

    def __init__(
        self,
        endpoint: BrokerEndpoint,
        *,
        topic: str,
        client: str,
        period_ns: int = PERIOD_NS,
        timeout_ns: int = TIMEOUT_NS,
        clock: Clock | None = None,
    ) -> None:
        self.failure: str | None = None
        self.asked = 0
        self.longest_ns = 0
        self._endpoint = endpoint
        self._topic = topic
        self._client = client
        self._period_ns = period_ns
        self._timeout_ns = timeout_ns
        self._clock = clock or SystemClock()
        self._numbers = 0
        self._ask_lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener-watch", daemon=True)

    def start(self) -> None:
        """Begin asking, the first time after one period."""
        self._thread.start()

    def ask(self) -> str | None:
        """Ask now, from any thread; returns ``failure``. The last question of a run is this."""
        with self._ask_lock:
            if self.failure is None:
                first = self._ask_once()
                self.failure = first and self._ask_once()
            return self.failure

    def _ask_once(self) -> str | None:
        self._numbers += 1
        try:
            answer_ns = check_endpoint(
                self._endpoint,
                topic=self._topic,
                client=f"{self._client}-{self._numbers}",
                timeout_ns=self._timeout_ns,
                clock=self._clock,
            )
        except BrokerUnreachableError as error:
            return str(error)
        self.asked += 1
        self.longest_ns = max(self.longest_ns, answer_ns)
        return None

    def _run(self) -> None:
        while not self._ended.wait(self._period_ns / NS_PER_S):
            if self.ask() is not None:
                return

    def stop(self) -> None:
        """Ask no more; a question under way is not waited for."""
        self._ended.set()
