"""From launch to alert: sensing, assessment, decision, issue.

Rule of the module: one process per launch; truth goes its own way and the chain never looks at it.
"""

from typing import Final

from simulator.model.followups import correct_area, follow_up
from simulator.model.launch_script import Happening, LaunchScript
from simulator.model.outlook import Outlook
from simulator.model.play import Play, Process
from simulator.model.recorder import Message
from simulator.model.rows import BELIEF, MARK, TRUTH, Described, StageRow
from simulator.model.sensing import sense

_NOBODY: Final = Described(note="No prefecture lies under the predicted track.")


def play_launch(play: Play, launch: LaunchScript) -> Process:
    """A launch, what it does, and what the chain makes of it."""
    if launch.at_ns > play.now_ns:
        yield play.until(launch.at_ns)
    cause = play.recorder.event(TRUTH, launch.begins, launch.begun, launch=launch.id)
    if launch.truth:
        play.env.process(_fly(play, launch, cause))
    expected = launch.outlook
    if expected is None:
        return
    if launch.by_mistake:
        passed = [(yield from play.stage(launch, "issue", cause))]
    else:
        passed = yield from _decide(play, launch, expected, cause)
    if passed:
        alert = _issue(play, launch, expected, passed)
        yield from follow_up(play, launch, expected, alert)


def _fly(play: Play, launch: LaunchScript, cause: int) -> Process:
    """What the flight does, whatever anybody thinks."""
    for at_ns, name, prefecture, described in launch.truth:
        if at_ns > play.now_ns:
            yield play.until(at_ns)
        play.recorder.event(
            TRUTH,
            name,
            described,
            cause=cause,
            launch=launch.id,
            prefecture=prefecture,
        )


def _decide(play: Play, launch: LaunchScript, expected: Outlook, cause: int) -> Process:
    """The chain at work, up to the alert; the stages passed, none if nobody is to be warned."""
    sensing: StageRow | None = yield from sense(play, launch, cause)
    if sensing is None:
        return []
    passed = [sensing]
    certain = launch.certain
    if certain is not None and certain.at_ns > play.now_ns:
        passed.append((yield from _await_certainty(play, launch, certain, sensing)))
    passed.append((yield from play.team_stage(launch, "assessment", passed[-1].number)))
    looked_again = _lost(play, launch)
    if looked_again:
        passed.append((yield from play.team_stage(launch, "second_look", passed[-1].number)))
    if not expected.warned:
        cause = passed[-1].number
        play.recorder.event(MARK, "not-warned", _NOBODY, cause=cause, launch=launch.id)
        return []
    predicted = _predict(play, launch, passed[-1].number)
    passed.append((yield from play.stage(launch, "decision", predicted)))
    if not looked_again and _lost(play, launch):
        passed.append((yield from play.team_stage(launch, "second_look", passed[-1].number)))
    passed.append((yield from play.stage(launch, "issue", passed[-1].number)))
    return passed


def _await_certainty(
    play: Play, launch: LaunchScript, certain: Happening, sensing: StageRow
) -> Process:
    """The predicted impact moves on until it is as good as certain."""
    started_ns = play.now_ns
    yield play.until(certain.at_ns)
    return play.recorder.stage(
        certain.name, certain.described, launch.id, sensing.number, started_ns
    )


def _lost(play: Play, launch: LaunchScript) -> bool:
    """Whether the track was lost meanwhile, which forces one more assessment."""
    return launch.lost_ns is not None and launch.lost_ns <= play.now_ns


def _predict(play: Play, launch: LaunchScript, cause: int) -> int:
    """Record when the passage or the impact is predicted for; the number to go on from."""
    found = launch.prediction
    if found is None:
        return cause
    return play.recorder.event(
        BELIEF,
        found.name,
        found.described,
        cause=cause,
        launch=launch.id,
        about_ns=found.at_ns,
    )


def _issue(play: Play, launch: LaunchScript, expected: Outlook, passed: list[StageRow]) -> Message:
    """The message goes out."""
    message = Message(
        event=expected.event,
        launch=launch.id,
        cause=passed[-1].number,
        stages=tuple(passed),
        believed_ns=expected.believed_ns,
        true_ns=expected.true_ns,
    )
    play.recorder.warn(message, launch.id, (*expected.warned, *launch.wrongly))
    if launch.wrongly:
        play.env.process(correct_area(play, launch, message))
    return message
