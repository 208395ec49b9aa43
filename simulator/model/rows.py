"""What a replication leaves behind, as cheap rows; a timeline is made of them when one is wanted.

Rule of the module: the same fields as the records of ``timeline``, in the same order, so that who
only reads can read either. Experiments play millions of replications and keep a few figures of
each: making frozen records for all of them would take longer than playing.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from simulator.model.timeline import (
    AlertEvent,
    EventKind,
    MsgType,
    PlannedAlert,
    StagePassed,
    TimelineEvent,
)
from simulator.units import format_duration, parse_duration

# Looking a member of an enumeration up by name costs half of what recording an event does.
ALERT: Final = EventKind.ALERT
BELIEF: Final = EventKind.BELIEF
MARK: Final = EventKind.MARK
STAGE: Final = EventKind.STAGE
TRUTH: Final = EventKind.TRUTH
_WAITED: Final = "Waited "
_FOR_A_TEAM: Final = " for a free team."


class StageRow(NamedTuple):
    """As :class:`StagePassed`, and the number of its event."""

    name: str
    started_ns: int
    ended_ns: int
    assumption: bool
    number: int


class EventRow(NamedTuple):
    """As :class:`TimelineEvent`."""

    number: int
    at_ns: int
    kind: EventKind
    name: str
    cause: int | None
    launch: str | None
    prefecture: str | None
    started_ns: int | None
    assumption: bool
    sources: tuple[str, ...]
    note: str
    about_ns: int | None


class AlertRow(NamedTuple):
    """As :class:`PlannedAlert`."""

    number: int
    event_number: int
    at_ns: int
    launch: str | None
    prefecture: str
    event: AlertEvent
    msg_type: MsgType
    sequence: int
    references: tuple[int, ...]
    in_force: bool
    stages: tuple[StageRow, ...]
    believed_arrival_ns: int | None
    true_arrival_ns: int | None
    stated_ns: int | None
    historical_channel: str | None
    reason: str
    cause: int


class Described(NamedTuple):
    """How a figure is shown beside what rests on it."""

    assumption: bool = False
    sources: tuple[str, ...] = ()
    note: str = ""


class Played(NamedTuple):
    """One replication, before it is a timeline.

    Attributes:
        events: everything that happened, in order.
        alerts: the messages to send, in order of issue.
    """

    events: Sequence[EventRow]
    alerts: Sequence[AlertRow]


def waited_note(waited_ns: int, note: str) -> str:
    """What is said of a stage that waited for a free team."""
    return f"{_WAITED}{format_duration(waited_ns)}{_FOR_A_TEAM} {note}".rstrip()


def waited_ns(note: str) -> int:
    """How long a stage waited for a free team, by what is said of it; 0 if it did not."""
    if not note.startswith(_WAITED):
        return 0
    return parse_duration(note.removeprefix(_WAITED).partition(_FOR_A_TEAM)[0])


def timeline_events(rows: Sequence[EventRow]) -> tuple[TimelineEvent, ...]:
    """The records of rows."""
    return tuple(TimelineEvent(**row._asdict()) for row in rows)


def planned_alerts(rows: Sequence[AlertRow]) -> tuple[PlannedAlert, ...]:
    """The records of rows; messages of one event share their stages."""
    made: dict[int, tuple[StagePassed, ...]] = {}
    alerts = []
    for row in rows:
        stages = made.get(id(row.stages))
        if stages is None:
            stages = tuple(_stage_passed(stage) for stage in row.stages)
            made[id(row.stages)] = stages
        alerts.append(PlannedAlert(**{**row._asdict(), "stages": stages}))
    return tuple(alerts)


def _stage_passed(row: StageRow) -> StagePassed:
    return StagePassed(
        name=row.name,
        started_ns=row.started_ns,
        ended_ns=row.ended_ns,
        assumption=row.assumption,
    )
