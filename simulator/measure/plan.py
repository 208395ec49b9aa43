"""What a run plans to send and to whom: the two sides of the ledger before anything happens.

Rule of the room: frozen records. Every ``*_ns`` of this module is wall time on the measuring host's
monotonic clock unless its name or description says scenario.
"""

from dataclasses import dataclass
from enum import StrEnum

from simulator.model.timeline import PlannedAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledAlert:
    """One planned message, placed on the run's wall clock.

    Attributes:
        number: index in the run's schedule, from 0, by intended time; the key of every receipt.
        planned: the timeline's alert.
        repetition: which playing of the timeline it belongs to, from 0 (``--repeat``).
        sequence: per-prefecture sequence over the whole run, from 1.
        identifier: CAP identifier and CloudEvents id, ``{run}-{prefecture}-{sequence}``.
        references: numbers (in the schedule) of the earlier alerts it updates or cancels.
        topic: live alert topic.
        state_topic: retained state topic of the prefecture.
        qos: publish QoS, 0 to 2.
        burst: index of the burst: alerts of one event intended at the same instant.
        intended_ns: intended send time, monotonic ns.
    """

    number: int
    planned: PlannedAlert
    repetition: int
    sequence: int
    identifier: str
    references: tuple[int, ...]
    topic: str
    state_topic: str
    qos: int
    burst: int
    intended_ns: int


class Session(StrEnum):
    """MQTT session kind: what the broker keeps for a client that is away."""

    CLEAN = "clean"
    PERSISTENT = "persistent"


class SubscriberKind(StrEnum):
    """Why a subscriber is in the ledger."""

    SWARM = "swarm"  # ours, placed in an alerted prefecture
    CONTROL = "control"  # ours, placed elsewhere: must receive nothing
    FOREIGN = "foreign"  # registered itself by its retained status


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSubscriber:
    """One subscriber and what it asked for.

    Attributes:
        number: index in the run, from 0; the key of every receipt.
        client: MQTT client id.
        kind: swarm, control or foreign.
        prefecture: slug of the prefecture it stands in; empty for a foreign client.
        filters: (topic filter, requested QoS) pairs as subscribed.
        session: clean or persistent.
        protocol: ``3.1.1`` or ``5``; empty if unknown (foreign).
        joins_ns: for clients that register or join during the run, from when on alerts are owed
            to it, monotonic ns; None: from the start.
        clock: clock domain of its stamps; None: it has no comparable clock.
    """

    number: int
    client: str
    kind: SubscriberKind
    prefecture: str
    filters: tuple[tuple[str, int], ...]
    session: Session = Session.CLEAN
    protocol: str = ""
    joins_ns: int | None = None
    clock: str | None = None


def filter_matches(topic_filter: str, topic: str) -> bool:
    """MQTT topic filter matching (MQTT 3.1.1 section 4.7, MQTT 5 section 4.7).

    ``$share/{group}/{filter}`` matches as its inner filter. A leading wildcard does not match a
    topic that begins with ``$``.
    """
    levels = topic_filter.split("/")
    if levels[0] == "$share":
        levels = levels[2:]
    names = topic.split("/")
    if names[0].startswith("$") and levels[:1] and levels[0] in {"+", "#"}:
        return False
    for index, level in enumerate(levels):
        if level == "#":
            return True
        if index >= len(names) or level not in {"+", names[index]}:
            return False
    return len(levels) == len(names)
