"""What follows an alert: take-shelter, the closing message, the correction, the all-clear.

Rule of the module: every message follows what the chain believes; a correction goes out when belief
is found to differ from truth, and no warning stays in force for ever.
"""

from typing import Final

from simulator.model.launch_script import (
    TAKE_SHELTER,
    WRONG_AREA,
    Closing,
    Escalation,
    LaunchScript,
)
from simulator.model.outlook import Outlook
from simulator.model.play import Play, Process, Turn
from simulator.model.recorder import Message
from simulator.model.rows import BELIEF
from simulator.model.timeline import AlertEvent, MsgType

_ALL_CLEAR: Final = AlertEvent.ALL_CLEAR
_CORRECTION: Final = AlertEvent.CORRECTION
_PASSAGE: Final = AlertEvent.PASSAGE
_UPDATE: Final = MsgType.UPDATE
_CLOSING_TURN: Final = Turn.CLOSING
_CORRECTION_TURN: Final = Turn.CORRECTION
_KEEPS_IN_SHELTER: Final = (AlertEvent.INTERCEPTED, AlertEvent.FELL_ON_LAND)


def follow_up(play: Play, launch: LaunchScript, expected: Outlook, alert: Message) -> Process:
    """Everything after the alert of a launch, until its warning has ended.

    Args:
        play: the replication.
        launch: the launch.
        expected: what the chain takes it for, and what it is.
        alert: the message that put its warning in force.
    """
    last = alert
    if launch.escalation is not None:
        last = yield from _escalate(play, launch, launch.escalation, alert)
        expected = launch.escalation.outlook
    closing = launch.closing
    if closing is not None:
        last = yield from _close(play, launch, expected, closing, last)
    if expected.wrong:
        last = yield from _correct(play, launch, expected, last)
    if expected.lingers:
        yield from _all_clear(play, launch, last, expected.warned)


def correct_area(play: Play, launch: LaunchScript, alert: Message) -> Process:
    """Tell prefectures that were warned by a fault of the system that they need not have been.

    Args:
        play: the replication.
        launch: the launch.
        alert: the message that warned them.
    """
    discovery = yield from play.stage(launch, "discovery", alert.cause, part=WRONG_AREA)
    correction = yield from play.team_stage(
        launch, "correction", discovery.number, turn=_CORRECTION_TURN, part=WRONG_AREA
    )
    message = Message(
        event=_CORRECTION,
        launch=launch.id,
        cause=correction.number,
        stages=(discovery, correction),
        reason="This area was warned by a fault of the system.",
    )
    play.recorder.correct(message, launch.id, launch.wrongly, danger=False)


def _escalate(play: Play, launch: LaunchScript, escalation: Escalation, alert: Message) -> Process:
    """A second look predicts an impact nearby."""
    second = yield from play.team_stage(launch, "reassessment", alert.cause)
    predicted = second.number
    impact = escalation.impact
    if impact is not None:
        predicted = play.recorder.event(
            BELIEF,
            impact.name,
            impact.described,
            cause=predicted,
            launch=launch.id,
            about_ns=impact.at_ns,
        )
    issue = yield from play.stage(launch, "issue", predicted, part=TAKE_SHELTER)
    message = alert._replace(
        event=AlertEvent.TAKE_SHELTER,
        cause=issue.number,
        stages=(second, issue),
        believed_ns=escalation.believed_ns,
    )
    play.recorder.warn(message, launch.id, escalation.prefectures)
    return message


def _close(
    play: Play, launch: LaunchScript, expected: Outlook, closing: Closing, last: Message
) -> Process:
    """Wait for the believed end of the flight, take it as confirmed, say so."""
    over_ns, event = expected.over_ns, closing.event
    if over_ns is not None and over_ns > play.now_ns:
        yield play.until(over_ns)
    confirmation = yield from play.team_stage(launch, closing.stage, last.cause, turn=_CLOSING_TURN)
    believed = play.recorder.event(
        BELIEF,
        closing.belief,
        closing.described,
        cause=confirmation.number,
        launch=launch.id,
        about_ns=over_ns,
    )
    issue = yield from play.stage(launch, "issue", believed, part=event)
    message = Message(
        event=event,
        launch=launch.id,
        cause=issue.number,
        stages=(confirmation, issue),
        stated_ns=over_ns if event is _PASSAGE else None,
    )
    if event in _KEEPS_IN_SHELTER:
        play.recorder.warn(message, launch.id, expected.warned)
    else:
        play.recorder.end(message, launch.id, expected.warned, _UPDATE)
    return message


def _correct(play: Play, launch: LaunchScript, expected: Outlook, last: Message) -> Process:
    """The chain finds out and says so."""
    if expected.ends_ns > play.now_ns:
        yield play.until(expected.ends_ns)
    discovery = yield from play.stage(launch, "discovery", last.cause)
    found = play.recorder.event(
        BELIEF,
        *launch.discovered,
        cause=discovery.number,
        launch=launch.id,
        about_ns=expected.ends_ns,
    )
    correction = yield from play.team_stage(launch, "correction", found, turn=_CORRECTION_TURN)
    message = Message(
        event=_CORRECTION,
        launch=launch.id,
        cause=correction.number,
        stages=(discovery, correction),
        historical_channel=launch.channel,
        reason=launch.reason,
    )
    play.recorder.correct(message, launch.id, expected.warned, danger=expected.danger)
    return message


def _all_clear(play: Play, launch: LaunchScript, last: Message, warned: tuple[str, ...]) -> Process:
    """Lift what is still in force."""
    lifted = yield from play.stage(launch, "all_clear", last.cause)
    message = Message(
        event=_ALL_CLEAR,
        launch=launch.id,
        cause=lifted.number,
        stages=(lifted,),
        reason="The danger is over.",
    )
    play.recorder.end(message, launch.id, warned, MsgType.CANCEL)
