"""From launch to alert: sensing, assessment, decision, issue.

Rule of the module: one process per launch; truth goes its own way and the chain never looks at it.
"""

from typing import Final

from simulator.model.followups import correct_area, follow_up
from simulator.model.outlook import Outlook
from simulator.model.play import Passed, Play, Process
from simulator.model.recorder import Message
from simulator.model.sensing import sense
from simulator.model.timeline import AlertEvent, EventKind
from simulator.scenario.laws import Provenance
from simulator.scenario.schema import Faults, Launch, Truth
from simulator.units import NS_PER_MS

_NO_FAULTS: Final = Faults()


def play_launch(play: Play, launch: Launch) -> Process:
    """A launch, what it does, and what the chain makes of it."""
    yield from play.wait_until(play.at_ns(launch.at))
    faults = launch.faults or _NO_FAULTS
    cause = play.moment_event(
        EventKind.TRUTH,
        "mistake" if faults.by_mistake else "launch",
        launch.at,
        launch=launch.id,
        note=launch.title or "",
    )
    expected = play.script.outlook(launch)
    if launch.truth is not None:
        play.env.process(_fly(play, launch, launch.truth, cause))
    elif expected is not None and expected.geometry is not None:
        figure = expected.geometry.figure
        play.env.process(_fly_computed(play, launch, expected, figure, cause))
    if expected is None:
        return
    if faults.by_mistake:
        issue: Passed = yield from play.stage(launch, "issue", cause)
        yield from _issue(play, launch, expected, [issue])
    else:
        yield from _warn(play, launch, expected, cause)


def _fly(play: Play, launch: Launch, truth: Truth, cause: int) -> Process:
    """What the flight does, whatever anybody thinks."""
    moments = [(play.at_ns(truth.at), str(truth.outcome), truth.at)]
    if truth.arrival is not None:
        moments.append((play.at_ns(truth.arrival), "arrival", truth.arrival))
    for at_ns, name, moment in sorted(moments, key=lambda entry: entry[:2]):
        yield from play.wait_until(at_ns)
        play.moment_event(EventKind.TRUTH, name, moment, cause=cause, launch=launch.id)


def _fly_computed(
    play: Play, launch: Launch, expected: Outlook, figure: Provenance, cause: int
) -> Process:
    """The same where it follows from the flight, which arrives in each prefecture on its own."""
    moments = [
        *((at_ns, "arrival", slug) for slug, at_ns in expected.true_ns.items()),
        (expected.ends_ns, str(expected.outcome), ""),
    ]
    for at_ns, name, slug in sorted(moments, key=lambda entry: entry[0]):
        yield from play.wait_until(at_ns)
        play.moment_event(
            EventKind.TRUTH,
            name,
            figure,
            cause=cause,
            launch=launch.id,
            prefecture=slug or None,
        )


def _warn(play: Play, launch: Launch, expected: Outlook, cause: int) -> Process:
    """The chain at work, up to the alert."""
    sensing: Passed | None = yield from sense(play, launch, expected, cause)
    if sensing is None:
        return
    passed = [sensing]
    yield from _await_certainty(play, launch, expected, passed)
    passed.append((yield from play.team_stage(launch, "assessment", passed[-1].number)))
    yield from _look_again(play, launch, expected, passed)
    if not expected.warned:
        play.recorder.event(
            EventKind.MARK,
            "not-warned",
            cause=passed[-1].number,
            launch=launch.id,
            note="No prefecture lies under the predicted track.",
        )
        return
    predicted = _predict(play, launch, expected, passed[-1].number)
    passed.append((yield from play.stage(launch, "decision", predicted)))
    yield from _look_again(play, launch, expected, passed)
    passed.append((yield from play.stage(launch, "issue", passed[-1].number)))
    yield from _issue(play, launch, expected, passed)


def _await_certainty(
    play: Play, launch: Launch, expected: Outlook, passed: list[Passed]
) -> Process:
    """Where near certainty is asked for, wait for the end of the powered phase or of the track.

    Until then the predicted impact moves on. An announced direction is certain enough.
    """
    found = expected.geometry
    if found is None or play.chain.certainty != "near" or play.watch(launch) is not None:
        return
    ready_ms = found.powered_ms if found.lost_ms is None else min(found.powered_ms, found.lost_ms)
    ready_ns = play.at_ns(launch.at) + ready_ms * NS_PER_MS
    if ready_ns <= play.now_ns:
        return
    started_ns = play.now_ns
    yield from play.wait_until(ready_ns)
    passed.append(
        play.passed(launch, "tracking", passed[-1].number, found.figure, started_ns=started_ns)
    )


def _look_again(play: Play, launch: Launch, expected: Outlook, passed: list[Passed]) -> Process:
    """A track that was lost meanwhile forces one more assessment; what is known is not much."""
    lost_ns = expected.lost_ns
    if (
        lost_ns is not None
        and lost_ns <= play.now_ns
        and play.chain.second_look is not None
        and play.watch(launch) is None
        and all(one.stage.name != "second-look" for one in passed)
    ):
        passed.append((yield from play.team_stage(launch, "second_look", passed[-1].number)))


def _predict(play: Play, launch: Launch, expected: Outlook, cause: int) -> int:
    """Record when the passage or the impact is predicted for; the number to go on from."""
    if expected.figure is None or expected.over_ns is None:
        return cause
    passes = expected.event is AlertEvent.LAUNCH
    return play.moment_event(
        EventKind.BELIEF,
        "predicted-passage" if passes else "predicted-impact",
        expected.figure,
        cause=cause,
        launch=launch.id,
        about_ns=expected.over_ns,
    )


def _issue(play: Play, launch: Launch, expected: Outlook, passed: list[Passed]) -> Process:
    """The message goes out; what follows it is another module's."""
    message = Message(
        event=expected.event,
        launch=launch.id,
        cause=passed[-1].number,
        stages=tuple([one.stage for one in passed]),
        believed_ns=expected.believed_ns,
        true_ns=expected.true_ns,
    )
    wrongly = (launch.faults or _NO_FAULTS).wrong_area or ()
    wrongly = tuple(slug for slug in wrongly if slug not in expected.warned)
    play.recorder.warn(message, launch.id, (*expected.warned, *wrongly))
    if wrongly:
        play.env.process(correct_area(play, launch, message, wrongly))
    yield from follow_up(play, launch, expected, message)
