"""From launch to alert: sensing, assessment, decision, issue.

Rule of the module: one process per launch; truth goes its own way and the chain never looks at it.
"""

from typing import Final

from simulator.model.followups import correct_area, follow_up
from simulator.model.launch_script import LaunchScript
from simulator.model.outlook import Outlook
from simulator.model.play import Play, Process
from simulator.model.recorder import Message
from simulator.model.rows import Described, StageRow
from simulator.model.sensing import sense
from simulator.model.timeline import EventKind

_NOBODY: Final = Described(note="No prefecture lies under the predicted track.")
_SECOND_LOOK: Final = "second-look"


def play_launch(play: Play, launch: LaunchScript) -> Process:
    """A launch, what it does, and what the chain makes of it."""
    if launch.at_ns > play.now_ns:
        yield play.until(launch.at_ns)
    cause = play.recorder.event(EventKind.TRUTH, launch.begins, launch.begun, launch=launch.id)
    if launch.truth:
        play.env.process(_fly(play, launch, cause))
    expected = launch.outlook
    if expected is None:
        return
    if launch.by_mistake:
        issue = yield from play.stage(launch, "issue", cause)
        yield from _issue(play, launch, expected, [issue])
    else:
        yield from _warn(play, launch, expected, cause)


def _fly(play: Play, launch: LaunchScript, cause: int) -> Process:
    """What the flight does, whatever anybody thinks."""
    for at_ns, name, prefecture, described in launch.truth:
        if at_ns > play.now_ns:
            yield play.until(at_ns)
        play.recorder.event(
            EventKind.TRUTH,
            name,
            described,
            cause=cause,
            launch=launch.id,
            prefecture=prefecture,
        )


def _warn(play: Play, launch: LaunchScript, expected: Outlook, cause: int) -> Process:
    """The chain at work, up to the alert."""
    sensing: StageRow | None = yield from sense(play, launch, cause)
    if sensing is None:
        return
    passed = [sensing]
    yield from _await_certainty(play, launch, passed)
    passed.append((yield from play.team_stage(launch, "assessment", passed[-1].number)))
    yield from _look_again(play, launch, passed)
    if not expected.warned:
        cause = passed[-1].number
        play.recorder.event(EventKind.MARK, "not-warned", _NOBODY, cause=cause, launch=launch.id)
        return
    predicted = _predict(play, launch, passed[-1].number)
    passed.append((yield from play.stage(launch, "decision", predicted)))
    yield from _look_again(play, launch, passed)
    passed.append((yield from play.stage(launch, "issue", passed[-1].number)))
    yield from _issue(play, launch, expected, passed)


def _await_certainty(play: Play, launch: LaunchScript, passed: list[StageRow]) -> Process:
    """Where near certainty is asked for, wait for it."""
    certain, started_ns = launch.certain, play.now_ns
    if certain is None or certain.at_ns <= started_ns:
        return
    yield play.until(certain.at_ns)
    cause = passed[-1].number
    passed.append(
        play.recorder.stage(certain.name, certain.described, launch.id, cause, started_ns)
    )


def _look_again(play: Play, launch: LaunchScript, passed: list[StageRow]) -> Process:
    """A track that was lost meanwhile forces one more assessment."""
    lost_ns = launch.lost_ns
    if lost_ns is None or lost_ns > play.now_ns:
        return
    if all(stage.name != _SECOND_LOOK for stage in passed):
        passed.append((yield from play.team_stage(launch, "second_look", passed[-1].number)))


def _predict(play: Play, launch: LaunchScript, cause: int) -> int:
    """Record when the passage or the impact is predicted for; the number to go on from."""
    found = launch.prediction
    if found is None:
        return cause
    return play.recorder.event(
        EventKind.BELIEF,
        found.name,
        found.described,
        cause=cause,
        launch=launch.id,
        about_ns=found.at_ns,
    )


def _issue(play: Play, launch: LaunchScript, expected: Outlook, passed: list[StageRow]) -> Process:
    """The message goes out; what follows it is another module's."""
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
    yield from follow_up(play, launch, expected, message)
