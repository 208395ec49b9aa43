"""What happened so far in one replication, and what is in force where.

Rule of the module: the one place of the model that keeps state. Events are appended in scenario
time; messages obey the life cycle of DESIGN section 4, so that no process can send a message whose
references, sequence or state are wrong.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import simpy

from simulator.model.rows import ALERT, MARK, STAGE, AlertRow, Described, EventRow, StageRow
from simulator.model.timeline import AlertEvent, EventKind, MsgType

_FIRST: Final = MsgType.ALERT
_UPDATE: Final = MsgType.UPDATE
_CANCEL: Final = MsgType.CANCEL
_PLAIN: Final = Described()
_NONE: Final[frozenset[str]] = frozenset()
_NOWHERE: Final[Mapping[str, int]] = {}
_row: Final = (
    tuple.__new__
)  # a row from its fields; what NamedTuple makes takes three times as long


def now_of(env: simpy.Environment) -> int:
    """Scenario time of an engine, ns."""
    # Asked for so often that going through the engine's own property would show.
    return env._now  # type: ignore[return-value]  # noqa: SLF001  # whole numbers


class Message(NamedTuple):
    """What one message says, before it is addressed.

    Attributes:
        event: kind of message.
        launch: launch it belongs to, None for a test.
        cause: number of the timeline event that caused it.
        stages: simulated stages passed.
        believed_ns: for warnings, predicted arrival by prefecture, scenario ns.
        true_ns: for warnings, true arrival by prefecture, scenario ns.
        stated_ns: time quoted in the text, scenario ns.
        historical_channel: channel in history, if not J-ALERT.
        reason: why, one sentence.
    """

    event: AlertEvent
    launch: str | None
    cause: int
    stages: tuple[StageRow, ...] = ()
    believed_ns: Mapping[str, int] = _NOWHERE
    true_ns: Mapping[str, int] = _NOWHERE
    stated_ns: int | None = None
    historical_channel: str | None = None
    reason: str = ""


class _Standing:
    """What one prefecture has been told.

    Attributes:
        sequence: messages so far.
        open: warnings in force, launch to the number of its latest message.
        latest: launch to the number of its latest message, in force or not.
        settled: launches in ``open`` whose closing message is withheld.
        unsaid: launches that had a closing message withheld, for good.
    """

    __slots__ = ("latest", "open", "sequence", "settled", "unsaid")

    def __init__(self) -> None:
        self.sequence = 0
        self.open: dict[str, int] = {}
        self.latest: dict[str, int] = {}
        self.settled: frozenset[str] = _NONE
        self.unsaid: frozenset[str] = _NONE

    def others(self, launch: str) -> bool:
        """Whether a warning of another launch keeps people in shelter."""
        others = len(self.open) - (launch in self.open)
        return others > 0 and any(name != launch and name not in self.settled for name in self.open)

    def close(self) -> tuple[int, ...]:
        """End all warnings; the numbers of the messages that they were, in order."""
        ended = tuple(self.open.values())
        self.open = {}
        self.settled = _NONE
        return ended if len(ended) <= 1 else tuple(sorted(ended))


class Recorder:
    """Collects the events and alerts of a replication.

    Args:
        env: whose clock stamps the events.
    """

    __slots__ = ("_env", "_standing", "alerts", "events")

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._standing: dict[str, _Standing] = {}
        self.events: list[EventRow] = []
        self.alerts: list[AlertRow] = []

    def event(
        self,
        kind: EventKind,
        name: str,
        described: Described = _PLAIN,
        *,
        cause: int | None = None,
        launch: str | None = None,
        prefecture: str | None = None,
        about_ns: int | None = None,
    ) -> int:
        """Something happened now; its number."""
        events = self.events
        number = len(events)
        assumption, sources, note = described
        row = (
            number,
            now_of(self._env),
            kind,
            name,
            cause,
            launch,
            prefecture,
            None,
            assumption,
            sources,
            note,
            about_ns,
        )
        events.append(_row(EventRow, row))
        return number

    def stage(
        self, name: str, described: Described, launch: str, cause: int, started_ns: int
    ) -> StageRow:
        """A stage of a launch ended now."""
        events = self.events
        number, now_ns = len(events), now_of(self._env)
        assumption, sources, note = described
        row = (
            number,
            now_ns,
            STAGE,
            name,
            cause,
            launch,
            None,
            started_ns,
            assumption,
            sources,
            note,
            None,
        )
        events.append(_row(EventRow, row))
        return _row(StageRow, (name, started_ns, now_ns, assumption, number))

    def warn(self, message: Message, launch: str, prefectures: Sequence[str]) -> None:
        """Put a warning in force, or replace the launch's own.

        For launch, take-shelter, fell-on-land and intercepted.
        """
        for prefecture in prefectures:
            standing = self._at(prefecture)
            own = standing.open.get(launch)
            kind = _FIRST if own is None else _UPDATE
            references = () if own is None else (own,)
            number = self._send(standing, message, prefecture, kind, references, in_force=True)
            standing.open[launch] = standing.latest[launch] = number

    def end(self, message: Message, launch: str, prefectures: Sequence[str], kind: MsgType) -> None:
        """Lift a launch's warning: passage, fell-in-sea, not-coming, not-falling, all-clear.

        Where another launch still keeps people in shelter, the message is withheld: it would tell
        them to come out. The message that ends the last warning refers to all that were open.
        """
        for prefecture in prefectures:
            standing = self._at(prefecture)
            if standing.others(launch):
                standing.settled |= {launch}
                standing.unsaid |= {launch}
                self._withhold(message, prefecture, "the warning of another launch is in force")
                continue
            number = self._send(
                standing, message, prefecture, kind, standing.close(), in_force=False
            )
            standing.latest[launch] = number

    def correct(
        self, message: Message, launch: str, prefectures: Sequence[str], *, danger: bool
    ) -> None:
        """Withdraw what a launch's latest message said.

        Update if a warning stays in force, be it this launch's (``danger``) or another's; Cancel
        if none does. Where the wrong message was withheld there is nothing to withdraw.
        """
        for prefecture in prefectures:
            standing = self._at(prefecture)
            if launch in standing.unsaid and not danger:
                self._withhold(message, prefecture, "what it corrects was never said here")
                continue
            wrong = standing.latest[launch]
            others = standing.others(launch)
            standing.open.pop(launch, None)
            standing.settled -= {launch}
            in_force = danger or others
            ended = () if in_force else standing.close()
            withdrawn = tuple(sorted({wrong, *ended})) if ended else (wrong,)
            kind = _UPDATE if in_force else _CANCEL
            number = self._send(standing, message, prefecture, kind, withdrawn, in_force=in_force)
            standing.latest[launch] = number
            if danger:
                standing.open[launch] = number

    def test(self, message: Message, prefectures: Sequence[str]) -> None:
        """Send a test message, except where a warning is in force: it would replace it."""
        for prefecture in prefectures:
            standing = self._at(prefecture)
            if standing.open:
                self._withhold(message, prefecture, "a warning is in force")
            else:
                self._send(standing, message, prefecture, _FIRST, (), in_force=False)

    def _at(self, prefecture: str) -> _Standing:
        standing = self._standing.get(prefecture)
        if standing is None:
            standing = self._standing[prefecture] = _Standing()
        return standing

    def _withhold(self, message: Message, prefecture: str, why: str) -> None:
        self.event(
            MARK,
            f"withheld-{message.event}",
            Described(note=f"Not sent: {why}."),
            cause=message.cause,
            launch=message.launch,
            prefecture=prefecture,
        )

    def _send(
        self,
        standing: _Standing,
        message: Message,
        prefecture: str,
        kind: MsgType,
        references: tuple[int, ...],
        *,
        in_force: bool,
    ) -> int:
        event, launch, cause, stages, believed, true, stated_ns, channel, reason = message
        events, alerts = self.events, self.alerts
        event_number, number, now_ns = len(events), len(alerts), now_of(self._env)
        happened = (
            event_number,
            now_ns,
            ALERT,
            event,
            cause,
            launch,
            prefecture,
            None,
            False,
            (),
            "",
            None,
        )
        standing.sequence += 1
        sent = (
            number,
            event_number,
            now_ns,
            launch,
            prefecture,
            event,
            kind,
            standing.sequence,
            references,
            in_force,
            stages,
            believed.get(prefecture),
            true.get(prefecture),
            stated_ns,
            channel,
            reason,
            cause,
        )
        events.append(_row(EventRow, happened))
        alerts.append(_row(AlertRow, sent))
        return number
