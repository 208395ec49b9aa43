"""What follows an alert: take-shelter, the closing message, the correction, the all-clear.

Rule of the module: every message follows what the chain believes; a correction goes out when belief
is found to differ from truth, and no warning stays in force for ever.
"""

from dataclasses import replace
from typing import Final

from simulator.model.outlook import Outlook
from simulator.model.play import Play, Process, Turn
from simulator.model.recorder import Message
from simulator.model.timeline import AlertEvent, EventKind, MsgType
from simulator.scenario.schema import CorrectionNotice, Escalation, Launch

_REASON: Final = {
    "passed": "In truth it passed over Japan.",
    "fell-in-sea": "In truth it fell into the sea.",
    "vanished": "In truth it vanished in flight.",
    "fell-on-land": "In truth it fell on land.",
    "intercepted": "In truth it was intercepted.",
    "false-alarm": "In truth nothing was launched.",
}
_KEEPS_IN_SHELTER: Final = (AlertEvent.INTERCEPTED, AlertEvent.FELL_ON_LAND)


def follow_up(play: Play, launch: Launch, expected: Outlook, alert: Message) -> Process:
    """Everything after the alert of a launch, until its warning has ended.

    Args:
        play: the replication.
        launch: the launch.
        expected: what the chain takes it for, and what it is.
        alert: the message that put its warning in force.
    """
    last = alert
    escalation = None if launch.belief is None else launch.belief.escalation
    if escalation is not None:
        if escalation.arrival is not None:
            expected = replace(expected, over_ns=play.at_ns(escalation.arrival))
        last = yield from _escalate(play, launch, escalation, expected, alert)
        every = dict.fromkeys((*expected.warned, *escalation.prefectures))
        expected = replace(expected, warned=tuple(every))
    if expected.closing is not None:
        last = yield from _close(play, launch, expected, last)
    if expected.wrong:
        last = yield from _correct(play, launch, expected, last)
    if expected.lingers:
        yield from _all_clear(play, launch, last, expected.warned)


def correct_area(
    play: Play, launch: Launch, alert: Message, prefectures: tuple[str, ...]
) -> Process:
    """Tell prefectures that were warned by a fault of the system that they need not have been.

    Args:
        play: the replication.
        launch: the launch.
        alert: the message that warned them.
        prefectures: whom it warned wrongly.
    """
    part = "wrong-area"
    discovery = yield from play.stage(launch, "discovery", alert.cause, part=part)
    correction = yield from play.team_stage(
        launch, "correction", discovery.number, turn=Turn.CORRECTION, part=part
    )
    message = Message(
        event=AlertEvent.CORRECTION,
        launch=launch.id,
        cause=correction.number,
        stages=(discovery.stage, correction.stage),
        reason="This area was warned by a fault of the system.",
    )
    play.recorder.correct(message, launch.id, prefectures, danger=False)


def _escalate(
    play: Play, launch: Launch, escalation: Escalation, expected: Outlook, alert: Message
) -> Process:
    """A second look predicts an impact nearby."""
    second = yield from play.team_stage(launch, "reassessment", alert.cause)
    predicted = second.number
    if escalation.arrival is not None:
        predicted = play.moment_event(
            EventKind.BELIEF,
            "predicted-impact",
            escalation.arrival,
            cause=second.number,
            launch=launch.id,
            about_ns=expected.over_ns,
        )
    over_ns = expected.over_ns
    believed = {} if over_ns is None else dict.fromkeys(escalation.prefectures, over_ns)
    issue = yield from play.stage(launch, "issue", predicted, part="take-shelter")
    message = replace(
        alert,
        event=AlertEvent.TAKE_SHELTER,
        cause=issue.number,
        stages=(second.stage, issue.stage),
        believed_ns=believed,
    )
    play.recorder.warn(message, launch.id, escalation.prefectures)
    return message


def _close(play: Play, launch: Launch, expected: Outlook, last: Message) -> Process:
    """Wait for the believed end of the flight, take it as confirmed, say so."""
    over_ns = expected.over_ns
    event = AlertEvent(str(expected.closing))
    if over_ns is not None:
        yield from play.wait_until(over_ns)
    stage = "cancellation" if expected.cancels else "confirmation"
    confirmation = yield from play.team_stage(launch, stage, last.cause, turn=Turn.CLOSING)
    believed = play.recorder.event(
        EventKind.BELIEF,
        f"believed-{event}",
        cause=confirmation.number,
        launch=launch.id,
        assumption=confirmation.stage.assumption,
        about_ns=over_ns,
    )
    issue = yield from play.stage(launch, "issue", believed, part=event)
    message = Message(
        event=event,
        launch=launch.id,
        cause=issue.number,
        stages=(confirmation.stage, issue.stage),
        stated_ns=over_ns if event is AlertEvent.PASSAGE else None,
    )
    if event in _KEEPS_IN_SHELTER:
        play.recorder.warn(message, launch.id, expected.warned)
    else:
        play.recorder.end(message, launch.id, expected.warned, MsgType.UPDATE)
    return message


def _correct(play: Play, launch: Launch, expected: Outlook, last: Message) -> Process:
    """The chain finds out and says so."""
    outcome, ends_ns = expected.outcome, expected.ends_ns
    yield from play.wait_until(ends_ns)
    discovery = yield from play.stage(launch, "discovery", last.cause)
    found = play.recorder.event(
        EventKind.BELIEF,
        f"believed-{outcome}",
        cause=discovery.number,
        launch=launch.id,
        assumption=discovery.stage.assumption,
        sources=play.law("discovery", launch).sources,
        note="Belief is found to differ from truth.",
        about_ns=ends_ns,
    )
    correction = yield from play.team_stage(launch, "correction", found, turn=Turn.CORRECTION)
    notice = launch.correction or CorrectionNotice()
    message = Message(
        event=AlertEvent.CORRECTION,
        launch=launch.id,
        cause=correction.number,
        stages=(discovery.stage, correction.stage),
        historical_channel=notice.historical_channel,
        reason=notice.reason or _REASON[str(outcome)],
    )
    play.recorder.correct(message, launch.id, expected.warned, danger=expected.danger)
    return message


def _all_clear(play: Play, launch: Launch, last: Message, warned: tuple[str, ...]) -> Process:
    """Lift what is still in force."""
    lifted = yield from play.stage(launch, "all_clear", last.cause)
    message = Message(
        event=AlertEvent.ALL_CLEAR,
        launch=launch.id,
        cause=lifted.number,
        stages=(lifted.stage,),
        reason="The danger is over.",
    )
    play.recorder.end(message, launch.id, warned, MsgType.CANCEL)
