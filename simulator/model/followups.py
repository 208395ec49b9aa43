"""What follows an alert: take-shelter, the closing message, the correction, the all-clear.

Rule of the module: every message follows what the chain believes; a correction goes out when belief
is found to differ from truth, and no warning stays in force for ever.
"""

from dataclasses import replace
from typing import Final

from simulator.model.play import Play, Process
from simulator.model.recorder import Message
from simulator.model.timeline import AlertEvent, EventKind, MsgType
from simulator.scenario.checks import belief_is_wrong, danger_remains, lingers
from simulator.scenario.schema import Belief, CorrectionNotice, Escalation, Launch, Truth

_REASON: Final = {
    "passed": "In truth it passed over Japan.",
    "fell-in-sea": "In truth it fell into the sea.",
    "vanished": "In truth it vanished in flight.",
    "fell-on-land": "In truth it fell on land.",
    "intercepted": "In truth it was intercepted.",
    "false-alarm": "In truth nothing was launched.",
}
_KEEPS_IN_SHELTER: Final = (AlertEvent.INTERCEPTED, AlertEvent.FELL_ON_LAND)


def follow_up(play: Play, launch: Launch, belief: Belief, alert: Message) -> Process:
    """Everything after the alert of a launch, until its warning has ended.

    Args:
        play: the replication.
        launch: the launch.
        belief: what the chain thinks of it.
        alert: the message that put its warning in force.
    """
    warned = belief.prefectures
    last = alert
    if belief.escalation is not None:
        last = yield from _escalate(play, launch, belief.escalation, alert)
        warned = tuple(dict.fromkeys((*warned, *belief.escalation.prefectures)))
    if belief.outcome is not None:
        last = yield from _close(play, launch, belief, last, warned)
    if launch.truth is not None and belief_is_wrong(belief, launch.truth):
        last = yield from _correct(play, launch, launch.truth, last, warned)
    if lingers(launch):
        yield from _all_clear(play, launch, last, warned)


def _escalate(play: Play, launch: Launch, escalation: Escalation, alert: Message) -> Process:
    """A second look predicts an impact nearby."""
    second = yield from play.team_stage(launch, "reassessment", alert.cause)
    predicted, arrival_ns = second.number, alert.believed_arrival_ns
    if escalation.arrival is not None:
        arrival_ns = play.at_ns(escalation.arrival)
        predicted = play.moment_event(
            EventKind.BELIEF,
            "predicted-impact",
            escalation.arrival,
            cause=second.number,
            launch=launch.id,
            about_ns=arrival_ns,
        )
    issue = yield from play.stage(launch, "issue", predicted, part="take-shelter")
    message = replace(
        alert,
        event=AlertEvent.TAKE_SHELTER,
        cause=issue.number,
        stages=(second.stage, issue.stage),
        believed_arrival_ns=arrival_ns,
    )
    play.recorder.warn(message, launch.id, escalation.prefectures)
    return message


def _close(
    play: Play, launch: Launch, belief: Belief, last: Message, warned: tuple[str, ...]
) -> Process:
    """Wait for the believed end of the flight, take it as confirmed, say so."""
    event = AlertEvent(str(belief.outcome))
    if last.believed_arrival_ns is not None:
        yield from play.wait_until(last.believed_arrival_ns)
    confirmation = yield from play.team_stage(launch, "confirmation", last.cause, follow_up=True)
    believed = play.recorder.event(
        EventKind.BELIEF,
        f"believed-{event}",
        cause=confirmation.number,
        launch=launch.id,
        assumption=confirmation.stage.assumption,
        about_ns=last.believed_arrival_ns,
    )
    issue = yield from play.stage(launch, "issue", believed, part=event)
    message = Message(
        event=event,
        launch=launch.id,
        cause=issue.number,
        stages=(confirmation.stage, issue.stage),
        stated_ns=last.believed_arrival_ns if event is AlertEvent.PASSAGE else None,
    )
    if event in _KEEPS_IN_SHELTER:
        play.recorder.warn(message, launch.id, warned)
    else:
        play.recorder.end(message, launch.id, warned, MsgType.UPDATE)
    return message


def _correct(
    play: Play, launch: Launch, truth: Truth, last: Message, warned: tuple[str, ...]
) -> Process:
    """The chain finds out and says so."""
    yield from play.wait_until(play.at_ns(truth.at))
    discovery = yield from play.stage(launch, "discovery", last.cause)
    found = play.recorder.event(
        EventKind.BELIEF,
        f"believed-{truth.outcome}",
        cause=discovery.number,
        launch=launch.id,
        assumption=discovery.stage.assumption,
        sources=play.law("discovery").sources,
        note="Belief is found to differ from truth.",
        about_ns=play.at_ns(truth.at),
    )
    correction = yield from play.stage(launch, "correction", found)
    notice = launch.correction or CorrectionNotice()
    message = Message(
        event=AlertEvent.CORRECTION,
        launch=launch.id,
        cause=correction.number,
        stages=(discovery.stage, correction.stage),
        historical_channel=notice.historical_channel,
        reason=notice.reason or _REASON[truth.outcome],
    )
    play.recorder.correct(message, launch.id, warned, danger=danger_remains(truth))
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
