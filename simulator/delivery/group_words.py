"""Why a group is owed what it is owed, in a sentence for the report and for ``validate``. Pure.

Rule of the module: a group and the run's decisions come in, one sentence goes out; it says what the
ledger will count, not what may happen.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from simulator.measure.plan import Session
from simulator.scenario.subscribers import (
    AnyGroup,
    Backoff,
    Flapping,
    Geographic,
    Late,
    Offline,
    Overlapping,
    Shared,
    Slow,
)
from simulator.scenario.values import Instant
from simulator.units import format_clock, format_duration

_ALL: Final = "owed every message of its prefecture"


def why(group: AnyGroup, epoch: datetime, session: Session, qos: Sequence[int]) -> str:
    """What members of a group are owed, and why.

    Args:
        group: as the scenario has it.
        epoch: scenario time zero.
        session: the session they have.
        qos: every QoS that members ask for.
    """

    def clock(instant: Instant) -> str:
        return format_clock(epoch, instant.offset_ns(epoch))

    match group:
        case Late():
            said = (
                f"join between {clock(group.joins_from)} and {clock(group.joins_until)}: owed what "
                "is sent after that" + _earlier(state=group.state)
            )
        case Flapping():
            said = (
                f"{_outages(group)} from {clock(group.first_outage)}, "
                f"{_rhythm(group.backoff)}: {_meanwhile(session, qos)}"
            )
        case Offline():
            said = (
                f"away from {clock(group.leaves)} to {clock(group.returns)}"
                + (f", each up to {format_duration(group.spread)} later" if group.spread else "")
                + f": {_meanwhile(session, qos)}"
            )
        case Slow():
            said = (
                f"read their sockets every {format_duration(group.reads_every)} (wall): {_ALL}, "
                "received when it reached the host, handled when it is read"
            )
        case Overlapping():
            said = (
                f"{len(group.filters)} filters, {' and '.join(group.filters)}: owed a message once "
                "however many match; further copies are duplicates with the cause overlap"
            )
        case Shared() if group.across == "all":
            said = "share the messages of all prefectures: each is owed once, to one of them"
        case Shared():
            said = "share the messages of their prefecture: each is owed once, to one of them there"
        case Geographic():
            said = f"one in each municipality: {_ALL}"
        case _:
            said = f"there from before the first message to the end: {_ALL}"
    return said


def cautions(groups: Sequence[AnyGroup], qos: int) -> Iterator[str]:
    """What a user should know about some groups before a run.

    Args:
        groups: as the scenario has them.
        qos: QoS of the publisher.
    """
    for group in groups:
        highest = max(group.qos or (0,))
        if highest > qos:
            yield (
                f"{group.id} asks for QoS {highest} and --qos is {qos}: a message is owed at the "
                f"lower of the two; run with --qos {highest}"
            )
        if isinstance(group, Shared) and group.protocol != "5":
            yield (
                f"{group.id}: MQTT 3.1.1 has no shared subscriptions; mosquitto and the embedded "
                'broker know them all the same, another broker may not: write protocol: "5"'
            )
        if isinstance(group, Overlapping):
            yield (
                f"{group.id}: whether one copy comes or one for each filter is the broker's choice "
                "(MQTT 3.1.1 and 5, section 3.3.5); the embedded broker sends one for each"
            )


def _earlier(*, state: bool) -> str:
    if state:
        return "; of what was sent before, the retained state, whose figure is an age"
    return "; nothing of what was sent before"


def _outages(group: Flapping) -> str:
    length = format_duration(group.outage)
    whom = "all together" if group.together else "each in its own time"
    if group.outages == 1:
        return f"one outage of {length}, {whom},"
    return f"{group.outages} outages of {length} every {format_duration(group.every)}, {whom},"


def _rhythm(backoff: Backoff) -> str:
    jitter = "with jitter" if backoff.jitter else "without jitter"
    return (
        f"trying again after {format_duration(backoff.first)} to "
        f"{format_duration(backoff.longest)} (wall) {jitter}"
    )


def _meanwhile(session: Session, qos: Sequence[int]) -> str:
    """What becomes of messages sent while they are away."""
    if session is Session.CLEAN:
        return "what is sent meanwhile is missed-offline, the session being clean"
    if not any(qos):
        return "what is sent meanwhile is missed-offline, the QoS being 0"
    kept = "what is sent meanwhile is owed still, and queued for them"
    return f"{kept} (not at QoS 0, where it is missed-offline)" if 0 in qos else kept
