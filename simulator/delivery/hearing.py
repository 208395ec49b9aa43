"""What one subscriber makes of what it hears. Pure.

Rule of the module: MQTT messages in order of arrival come in, one record each comes out: what it
is, how old it was, what is missing before it, whether it came twice. Anything may arrive on an
alert topic; what is not one of our marked exercise messages is a ``malformed`` record, never an
error and never shown as an alert.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.alerts.alert import AlertMessage
from simulator.alerts.recognise import decode
from simulator.alerts.topics import TopicKind, parse_topic

_REMEMBERED: Final = 10_000
_MOST_MISSED: Final = 1_000


class HeardKind(StrEnum):
    """What a message was."""

    ALERT = "alert"  # a live alert
    STATE = "state"  # the state of a prefecture: the message in force
    CLEARED = "cleared"  # the state of a prefecture was cleared: nothing is in force
    MALFORMED = "malformed"  # not a message of ours, or not on the topic where it belongs


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An MQTT message with both its stamps.

    Attributes:
        topic: topic name.
        payload: the bytes.
        qos: QoS of the delivery.
        retain: the retain flag: a kept copy, not news.
        dup: the DUP flag.
        received_ns: when it was read, monotonic ns of this host; a user-space stamp.
        received_unix_ns: the same instant, Unix ns.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    received_ns: int
    received_unix_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message, as understood.

    Attributes:
        kind: alert, state, cleared or malformed.
        arrival: what arrived.
        prefecture: of the topic; empty if the topic is foreign.
        message: the message; None if cleared or malformed.
        age_ns: received minus intended, wall ns; None if the sender's clock is another one. The
            latency of a live alert; for a retained copy the age of the message.
        duplicate: whether a message of this identifier came before on an alert topic.
        missed: sequence numbers skipped immediately before this one.
        overtaken: whether a later message of the same prefecture came before it.
        reason: why it is malformed; else empty.
    """

    kind: HeardKind
    arrival: Arrival
    prefecture: str
    message: AlertMessage | None = None
    age_ns: int | None = None
    duplicate: bool = False
    missed: tuple[int, ...] = ()
    overtaken: bool = False
    reason: str = ""

    @property
    def repeats(self) -> bool:
        """Whether it is the live copy of a state: the alert topic carries the same message."""
        return self.kind is HeardKind.STATE and not self.arrival.retain


class Hearing:
    """Follows the sequences of any number of runs and prefectures; memory is bounded.

    Args:
        root: topic root.
        domain: our clock domain.
    """

    def __init__(self, *, root: str, domain: str) -> None:
        self._root = root
        self._domain = domain
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._latest: OrderedDict[tuple[str, str], int] = OrderedDict()

    def take(self, arrival: Arrival) -> Heard:
        """Understand one message. Never raises for anything that arrives."""
        topic = parse_topic(self._root, arrival.topic)
        if topic is None or topic.kind not in {TopicKind.ALERT, TopicKind.STATE}:
            return _malformed(arrival, "", "neither an alert nor a state topic")
        if topic.kind is TopicKind.STATE and not arrival.payload:
            return Heard(kind=HeardKind.CLEARED, arrival=arrival, prefecture=topic.name)
        try:
            message = decode(arrival.payload)
        except ValueError as error:
            return _malformed(arrival, topic.name, str(error))
        said = message.simulation
        if said.prefecture != topic.name or topic.event not in {None, said.event.value}:
            reason = f"{message.identifier} belongs to {said.prefecture}/{said.event.value}"
            return _malformed(arrival, topic.name, reason)
        age_ns = arrival.received_ns - said.intended_ns if said.clock == self._domain else None
        if topic.kind is TopicKind.STATE:
            return Heard(
                kind=HeardKind.STATE,
                arrival=arrival,
                prefecture=topic.name,
                message=message,
                age_ns=age_ns,
            )
        duplicate = self._is_duplicate(message.identifier)
        missed, overtaken = ((), False) if duplicate else self._follow(message)
        return Heard(
            kind=HeardKind.ALERT,
            arrival=arrival,
            prefecture=topic.name,
            message=message,
            age_ns=age_ns,
            duplicate=duplicate,
            missed=missed,
            overtaken=overtaken,
        )

    def _is_duplicate(self, identifier: str) -> bool:
        known = identifier in self._seen
        self._seen[identifier] = None
        self._seen.move_to_end(identifier)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return known

    def _follow(self, message: AlertMessage) -> tuple[tuple[int, ...], bool]:
        key = (message.simulation.run, message.simulation.prefecture)
        sequence = message.simulation.sequence
        latest = self._latest.get(key)
        self._latest[key] = sequence if latest is None else max(latest, sequence)
        self._latest.move_to_end(key)
        if len(self._latest) > _REMEMBERED:
            self._latest.popitem(last=False)
        if latest is None:  # whoever joins late has missed nothing that was owed
            return (), False
        missed = range(latest + 1, sequence)
        return tuple(missed[-_MOST_MISSED:]), sequence < latest


def _malformed(arrival: Arrival, prefecture: str, reason: str) -> Heard:
    return Heard(
        kind=HeardKind.MALFORMED, arrival=arrival, prefecture=prefecture, reason=reason[:200]
    )
