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
class Absence:
    """A planned stretch of a run during which a subscriber is not connected.

    Attributes:
        leaves_ns: when it goes, wall ns after the first intended send.
        returns_ns: when it connects again, the same; later than ``leaves_ns``.
    """

    leaves_ns: int
    returns_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How a subscriber behaves that is not simply there.

    Attributes:
        joins_ns: when it connects for the first time, wall ns after the first intended send; None:
            before it.
        absences: planned ones, in order, none touching another.
        abrupt: it goes without a word to the broker, as when a network fails.
        retry_first_ns: longest wait before it tries again after a failure, wall ns.
        retry_longest_ns: longest wait of all, wall ns.
        jitter: waits are drawn, and not all the longest.
        reads_every_ns: wall ns from one reading of its socket to the next; 0: whenever it is ready.
    """

    joins_ns: int | None = None
    absences: tuple[Absence, ...] = ()
    abrupt: bool = False
    retry_first_ns: int = 100_000_000
    retry_longest_ns: int = 10_000_000_000
    jitter: bool = True
    reads_every_ns: int = 0

    @property
    def last_ns(self) -> int:
        """When the last thing planned happens, wall ns after the first intended send; 0: nothing.

        A subscriber that joins or returns then still has to connect.
        """
        returns_ns = self.absences[-1].returns_ns if self.absences else 0
        return max(0, self.joins_ns or 0, returns_ns)


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
        group: the group of the scenario that it belongs to; empty: none.
        municipality: JIS code of the municipality it stands for; empty: none.
        conduct: when it is away and how it reads; None: it is there and reads at once.
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
    group: str = ""
    municipality: str = ""
    conduct: Conduct | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGroup:
    """A group of subscribers, as the report names it.

    Attributes:
        name: as in the scenario; the subscribers bear it.
        kind: steady, late, flapping …; control for those who must receive nothing.
        members: how many.
        why: what they are owed, and why.
    """

    name: str
    kind: str
    members: int
    why: str


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
