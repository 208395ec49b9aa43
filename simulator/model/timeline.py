"""The timeline: what the chain did and when, as a plan of intended times.

Rule of the room: frozen records of integers and text. Scenario time is integer nanoseconds from the
scenario's epoch. The timeline holds no identifier of a run, no wall time and no float, so that the
same scenario, seed and version give the same bytes, and therefore the same digest, on any machine.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

TIMELINE_SCHEMA = "1.0"
BY_FLIGHT: Final = "Computed from the flight."
_FELL_OUTSIDE: Final = (
    "It came down outside Japan, at sea or on land abroad; computed from the flight."
)


class AlertEvent(StrEnum):
    """What an alert message says; the last topic level (DESIGN section 4)."""

    LAUNCH = "launch"
    TAKE_SHELTER = "take-shelter"
    PASSAGE = "passage"
    FELL_IN_SEA = "fell-in-sea"
    NOT_COMING = "not-coming"
    NOT_FALLING = "not-falling"
    INTERCEPTED = "intercepted"
    FELL_ON_LAND = "fell-on-land"
    CORRECTION = "correction"
    ALL_CLEAR = "all-clear"
    TEST = "test"


class MsgType(StrEnum):
    """CAP msgType, the part of it that an alert life cycle uses."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class EventKind(StrEnum):
    """Kinds of timeline events."""

    TRUTH = "truth"  # what the flight does: launch, vanished, fell, passed
    BELIEF = "belief"  # what the chain thinks: predicted passage, believed outcome
    STAGE = "stage"  # a stage of the chain ended (sensing, assessment, decision, issue)
    ALERT = "alert"  # a message was issued to one prefecture
    MARK = "mark"  # something that happened beside the chain: a press statement


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """One thing that happened in scenario time.

    Attributes:
        number: position in the timeline, from 0; events are ordered by (at_ns, number).
        at_ns: scenario time, nanoseconds from the epoch (negative before it).
        kind: truth, belief, stage, alert or mark.
        name: what happened: ``launch``, ``sensing``, ``passage``, ``predicted-passage`` …
        cause: number of the event that caused this one; None for a root cause (a launch, a mark).
        launch: id of the launch it belongs to, or None.
        prefecture: slug, for alerts.
        started_ns: for stages, when the stage began (queueing included from here); else None.
        assumption: True where the figure behind it is assumed, not published.
        sources: identifiers of the scenario's sources.
        note: one sentence for a reader, may be empty.
        about_ns: for beliefs, the instant they speak of (a predicted passage), else None.
    """

    number: int
    at_ns: int
    kind: EventKind
    name: str
    cause: int | None = None
    launch: str | None = None
    prefecture: str | None = None
    started_ns: int | None = None
    assumption: bool = False
    sources: tuple[str, ...] = ()
    note: str = ""
    about_ns: int | None = None

    @property
    def told(self) -> str:
        """The note, for a reader, with what the name of a computed end claims too much of.

        The world knows no coasts but those of Japan: ``fell-in-sea`` may be on land abroad. It is
        not part of the digest.
        """
        outside = self.kind is EventKind.TRUTH and self.name == AlertEvent.FELL_IN_SEA
        return _FELL_OUTSIDE if outside and self.note == BY_FLIGHT else self.note


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePassed:
    """A simulated stage on the way to a message: its name and when it ended, scenario ns."""

    name: str
    started_ns: int
    ended_ns: int
    assumption: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAlert:
    """One message to one prefecture, as planned by the model.

    Attributes:
        number: index among the timeline's alerts, from 0, in issue order.
        event_number: the TimelineEvent this message is.
        at_ns: intended issue, scenario ns.
        launch: id of the launch, or None for a test message.
        prefecture: slug.
        event: what the message says.
        msg_type: CAP msgType.
        sequence: position among the prefecture's messages, from 1.
        references: numbers of the earlier alerts it updates or cancels.
        in_force: True if a warning is in force in this prefecture after this message; the retained
            state is then this message, else it is cleared.
        stages: simulated stages passed, in order; queueing lies inside a stage's span.
        believed_arrival_ns: for a warning (launch, take-shelter), the arrival or passage that the
            chain believed in at issue; None if none, and for every other message.
        true_arrival_ns: for a warning, the true arrival over the prefecture; None where nothing
            arrived, and for every other message.
        stated_ns: a time of day quoted in the text (the passage notice's 07:48), scenario ns.
        historical_channel: how this message travelled in history when it was not J-ALERT
            (``em-net``), else None.
        reason: why a correction or all-clear was sent, one sentence, may be empty.
        cause: number of the timeline event that caused it.
    """

    number: int
    event_number: int
    at_ns: int
    launch: str | None
    prefecture: str
    event: AlertEvent
    msg_type: MsgType
    sequence: int
    references: tuple[int, ...] = ()
    in_force: bool
    stages: tuple[StagePassed, ...] = ()
    believed_arrival_ns: int | None = None
    true_arrival_ns: int | None = None
    stated_ns: int | None = None
    historical_channel: str | None = None
    reason: str = ""
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The plan of one replication.

    Attributes:
        scenario: scenario id.
        title: scenario title, for people.
        epoch: scenario time zero, an aware datetime.
        seed: the seed it was drawn with, for provenance; not part of the digest.
        replication: number of the replication, from 0; not part of the digest.
        version: alertsim version that made it; not part of the digest.
        events: everything that happened, in order.
        alerts: the messages to send, in order of issue.
    """

    scenario: str
    title: str
    epoch: datetime
    seed: int
    replication: int
    version: str
    events: tuple[TimelineEvent, ...]
    alerts: tuple[PlannedAlert, ...]

    @property
    def prefectures(self) -> tuple[str, ...]:
        """Slugs of the prefectures that get at least one message, in order of first message."""
        return tuple(dict.fromkeys(alert.prefecture for alert in self.alerts))

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of epoch, events and alerts, as hex."""
        hasher = hashlib.sha256()
        for record in self._content():
            hasher.update(_canonical(record))
            hasher.update(b"\n")
        return hasher.hexdigest()

    def _content(self) -> Iterator[dict[str, Any]]:
        yield {
            "record": "timeline",
            "schema": TIMELINE_SCHEMA,
            "scenario": self.scenario,
            "epoch": self.epoch.isoformat(),
        }
        for event in self.events:
            yield {"record": "event", **asdict(event)}
        for alert in self.alerts:
            yield {"record": "alert", **asdict(alert)}

    def to_jsonl(self) -> Iterator[str]:
        """The lines of ``timeline.jsonl``: a header, then one event or alert a line."""
        for record in self._content():
            if record["record"] == "timeline":
                record |= {
                    "title": self.title,
                    "seed": self.seed,
                    "replication": self.replication,
                    "version": self.version,
                    "digest": self.digest,
                }
            yield _canonical(record).decode()

    @classmethod
    def from_jsonl(cls, lines: Iterable[str]) -> "Timeline":
        """Read a timeline back.

        Raises:
            ValueError: if the header is missing, a line is malformed, the schema's major version
                is unknown, or the digest does not match the content.
        """
        records = [json.loads(line) for line in lines if line.strip()]
        if not all(isinstance(record, dict) for record in records):
            raise ValueError("a timeline is one JSON object a line")
        if not records or records[0].get("record") != "timeline":
            raise ValueError("a timeline starts with its header line")
        header = records[0]
        major = TIMELINE_SCHEMA.split(".", maxsplit=1)[0]
        if str(header.get("schema", "")).split(".", maxsplit=1)[0] != major:
            raise ValueError(f"timeline schema {header.get('schema')!r} is not {TIMELINE_SCHEMA}")
        try:
            timeline = cls(
                scenario=header["scenario"],
                title=header["title"],
                epoch=datetime.fromisoformat(header["epoch"]),
                seed=header["seed"],
                replication=header["replication"],
                version=header["version"],
                events=tuple(_event(r) for r in records if r["record"] == "event"),
                alerts=tuple(_alert(r) for r in records if r["record"] == "alert"),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"malformed timeline record: {error}") from error
        if timeline.digest != header.get("digest"):
            raise ValueError("the timeline's digest does not match its content")
        return timeline


def _canonical(record: dict[str, Any]) -> bytes:
    return json.dumps(
        record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _event(record: dict[str, Any]) -> TimelineEvent:
    fields = {k: v for k, v in record.items() if k != "record"}
    fields["kind"] = EventKind(fields["kind"])
    fields["sources"] = tuple(fields["sources"])
    return TimelineEvent(**fields)


def _alert(record: dict[str, Any]) -> PlannedAlert:
    fields = {k: v for k, v in record.items() if k != "record"}
    fields["event"] = AlertEvent(fields["event"])
    fields["msg_type"] = MsgType(fields["msg_type"])
    fields["references"] = tuple(fields["references"])
    fields["stages"] = tuple(StagePassed(**stage) for stage in fields["stages"])
    return PlannedAlert(**fields)
