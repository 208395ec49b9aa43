"""From launch to alert: sensing, assessment, decision, issue.

Rule of the module: one process per launch; truth goes its own way and the chain never looks at it.
"""

from simulator.model.followups import follow_up
from simulator.model.play import Passed, Play, Process
from simulator.model.recorder import Message
from simulator.model.timeline import AlertEvent, EventKind
from simulator.scenario.schema import Belief, Launch, Truth

_SENSORS = ("satellite", "radar")


def play_launch(play: Play, launch: Launch) -> Process:
    """A launch, what it does, and what the chain makes of it."""
    yield from play.wait_until(play.at_ns(launch.at))
    cause = play.moment_event(
        EventKind.TRUTH, "launch", launch.at, launch=launch.id, note=launch.title or ""
    )
    if launch.truth is not None:
        play.env.process(_fly(play, launch, launch.truth, cause))
    if launch.belief is not None:
        yield from _warn(play, launch, launch.belief, cause)


def _fly(play: Play, launch: Launch, truth: Truth, cause: int) -> Process:
    """What the flight does, whatever anybody thinks."""
    moments = [(play.at_ns(truth.at), str(truth.outcome), truth.at)]
    if truth.arrival is not None:
        moments.append((play.at_ns(truth.arrival), "arrival", truth.arrival))
    for at_ns, name, moment in sorted(moments, key=lambda entry: entry[:2]):
        yield from play.wait_until(at_ns)
        play.moment_event(EventKind.TRUTH, name, moment, cause=cause, launch=launch.id)


def _warn(play: Play, launch: Launch, belief: Belief, cause: int) -> Process:
    """The chain at work, up to the alert; what follows it is another module's."""
    sensing = yield from _sense(play, launch, cause)
    assessment = yield from play.team_stage(launch, "assessment", sensing.number)
    predicted, arrival_ns = assessment.number, None
    if belief.arrival is not None:
        arrival_ns = play.at_ns(belief.arrival)
        predicted = play.moment_event(
            EventKind.BELIEF,
            "predicted-passage" if belief.event == "launch" else "predicted-impact",
            belief.arrival,
            cause=assessment.number,
            launch=launch.id,
            about_ns=arrival_ns,
        )
    decision = yield from play.stage(launch, "decision", predicted)
    issue = yield from play.stage(launch, "issue", decision.number)
    message = Message(
        event=AlertEvent(belief.event),
        launch=launch.id,
        cause=issue.number,
        stages=(sensing.stage, assessment.stage, decision.stage, issue.stage),
        believed_arrival_ns=arrival_ns,
        true_arrival_ns=_true_arrival_ns(play, launch, belief),
    )
    play.recorder.warn(message, launch.id, belief.prefectures)
    yield from follow_up(play, launch, belief, message)


def _sense(play: Play, launch: Launch, cause: int) -> Process:
    """Both sensors at once; the chain goes on when the slower one has reported.

    Early warning from space shows that something was launched, radar where it is going: a warning
    for prefectures needs both.
    """
    started_ns = play.now_ns
    sensors = [
        play.env.process(play.stage(launch, name, cause))
        for name in _SENSORS
        if getattr(play.chain, name) is not None
    ]
    slowest: Passed = yield sensors[0]
    for sensor in sensors[1:]:
        report: Passed = yield sensor
        slowest = max(slowest, report, key=lambda passed: passed.stage.ended_ns)
    figure = play.law(slowest.stage.name)
    return play.passed(launch, "sensing", slowest.number, figure, started_ns=started_ns)


def _true_arrival_ns(play: Play, launch: Launch, belief: Belief) -> int | None:
    """When it really arrived; without a truth of its own the belief is true."""
    if launch.truth is not None:
        arrival = launch.truth.arrival
    elif belief.outcome in {"fell-in-sea", "not-coming", "not-falling"}:
        arrival = None
    else:
        arrival = belief.arrival
    return None if arrival is None else play.at_ns(arrival)
