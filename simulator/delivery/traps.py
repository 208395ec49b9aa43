"""Two traps that no broker states, tried out: a short queue, and Nagle's algorithm.

Rule of the module: on a probe topic of its own, unretained, with clients of its own, whose session
is discarded at the end; each step has its deadline. It blocks, so a loop calls it in a thread.

A queue that drops looks like a path that loses: an offline session of QoS 1 is owed everything that
was acknowledged to the publisher. Nagle's algorithm (RFC 896) holds a small packet back until the
previous one is acknowledged, and Linux delays that acknowledgement by up to 40 ms on a connection
that talks both ways and has nothing to send. So the listener pings, and then something small comes.
"""

import secrets
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from simulator.alerts.topics import probe_topic
from simulator.clock import Clock, SystemClock
from simulator.delivery.dialogue import Dialogue
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.order import ConnectionOrder
from simulator.errors import BrokerLostError
from simulator.units import NS_PER_MS, NS_PER_S

MESSAGES: Final = 1_500  # more than the 1,000 that mosquitto, EMQX, HiveMQ and VerneMQ keep
PAIRS: Final = 30
HELD_NS: Final = 10 * NS_PER_MS  # between without Nagle (under 1 ms here) and with it (40 ms)
_STEP_NS: Final = 10 * NS_PER_S
_SILENCE_NS: Final = NS_PER_S
_ANSWER_NS: Final = 3 * NS_PER_MS  # for the ping's answer, well within a delayed acknowledgement
_SESSION_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTried:
    """What an offline session was handed on its return.

    Attributes:
        sent: messages of QoS 1 that were acknowledged to the publisher.
        kept: of these, those that came.
    """

    sent: int
    kept: int


def try_queue(
    endpoint: BrokerEndpoint, *, root: str, clock: Clock | None = None, count: int = MESSAGES
) -> QueueTried:
    """Leave a session, publish to it, come back and count.

    Args:
        endpoint: where.
        root: topic root.
        clock: where time comes from.
        count: messages.

    Raises:
        BrokerUnreachableError: if a connection cannot be made.
        BrokerLostError: if the broker stops acknowledging.
    """
    clock = clock or SystemClock()
    name = f"queue-{secrets.token_hex(6)}"
    topic = probe_topic(root, name)
    away = ConnectionOrder(
        endpoint=endpoint,
        client=f"alertsim-{name}",
        filters=((topic, 1),),
        clean=False,
        session_expiry_s=_SESSION_S,
    )
    with Dialogue(away, clock) as session:
        session.open(_STEP_NS)
    try:
        _publish(endpoint, topic, count, clock)
        with Dialogue(away, clock) as session:
            session.open(_STEP_NS)
            kept = -1
            while kept < len(session.heard) < count:
                kept = len(session.heard)
                session.run(lambda: len(session.heard) >= count, _SILENCE_NS)
            return QueueTried(sent=count, kept=len({packet.payload for _, packet in session.heard}))
    finally:
        with Dialogue(replace(away, clean=True, filters=()), clock) as last:
            last.open(_STEP_NS)


def _publish(endpoint: BrokerEndpoint, topic: str, count: int, clock: Clock) -> None:
    order = ConnectionOrder(
        endpoint=endpoint, client=f"alertsim-fill-{secrets.token_hex(6)}", clean=True
    )
    with Dialogue(order, clock) as filler:
        filler.open(_STEP_NS)
        connection = filler.connection
        window = min(100, connection.receive_max)
        for number in range(count):
            connection.publish(topic, b"%d" % number, qos=1)
            room = 0 if number == count - 1 else window - 1
            if len(connection.outgoing) > room and not filler.run(
                lambda room=room: len(connection.outgoing) <= room,  # type: ignore[misc]
                _STEP_NS,
            ):
                raise BrokerLostError(
                    f"{endpoint.host}:{endpoint.port} stopped acknowledging: "
                    f"{connection.reason or 'no PUBACK in time'}"
                )


def try_delay(endpoint: BrokerEndpoint, *, root: str, clock: Clock | None = None) -> int:
    """How long two small messages take to a client that has just pinged.

    Args:
        endpoint: where.
        root: topic root.
        clock: where time comes from.

    Returns:
        Median over the pairs, from the publication to the arrival of the second, wall ns; from
        ``HELD_NS`` on Nagle's algorithm is at work, or something else holds messages back.

    Raises:
        BrokerUnreachableError: if a connection cannot be made.
        BrokerLostError: if messages do not come.
    """
    clock = clock or SystemClock()
    name = f"delay-{secrets.token_hex(6)}"
    topic = probe_topic(root, name)
    listening = ConnectionOrder(endpoint=endpoint, client=f"alertsim-{name}", filters=((topic, 0),))
    saying = ConnectionOrder(endpoint=endpoint, client=f"alertsim-{name}-p")
    took_ns = []
    with Dialogue(listening, clock) as ear, Dialogue(saying, clock) as mouth:
        ear.open(_STEP_NS)
        mouth.open(_STEP_NS)
        for _ in range(PAIRS):
            ear.heard.clear()
            ear.connection.send(ear.connection.codec.pingreq())
            ear.run(lambda: False, _ANSWER_NS)
            began_ns = clock.monotonic_ns()
            for half in (b"1", b"2"):
                mouth.connection.publish(topic, half)
            if not ear.run(lambda: len(ear.heard) >= len("12"), _STEP_NS):
                raise BrokerLostError(f"{endpoint.host}:{endpoint.port} does not deliver at QoS 0")
            took_ns.append(ear.heard[1][0] - began_ns)
    return round(median(took_ns))
