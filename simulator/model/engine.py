"""``simulate(scenario, seed) -> Timeline``: the door of the room.

Rule of the module: pure. The same scenario, seed, replication and version give the same timeline on
any machine; nothing of it depends on the time of day, the order of draws or a hash seed.
"""

from functools import cache
from importlib.metadata import version

from simulator.model.chain import play_launch
from simulator.model.play import Play, Process
from simulator.model.recorder import Message
from simulator.model.rows import MARK, Played, planned_alerts, timeline_events
from simulator.model.script import DrillScript, MarkScript, script_of
from simulator.model.timeline import AlertEvent, Timeline
from simulator.randomness import Streams
from simulator.scenario.schema import Scenario


def simulate(
    scenario: Scenario, seed: int, replication: int = 0, streams: Streams | None = None
) -> Timeline:
    """Play a scenario once.

    Args:
        scenario: what happens.
        seed: any integer of at least 0.
        replication: number of the replication, from 0; each has its own draws.
        streams: where to draw from instead, for experiments that exchange some of the draws.

    Returns:
        The plan of intended times.

    Raises:
        ValueError: if seed or replication is negative.
    """
    played = play_once(scenario, streams or Streams(seed, replication))
    return Timeline(
        scenario=scenario.id,
        title=scenario.title,
        epoch=scenario.epoch,
        seed=seed,
        replication=replication,
        version=_version(),
        events=timeline_events(played.events),
        alerts=planned_alerts(played.alerts),
    )


def play_once(scenario: Scenario, streams: Streams) -> Played:
    """Play a scenario once and leave its rows: what experiments need, at half the cost.

    Args:
        scenario: what happens.
        streams: where to draw from.
    """
    script = script_of(scenario)
    play = Play(script, streams)
    process = play.env.process
    for launch in script.launches:
        process(play_launch(play, launch))
    for drill in script.drills:
        process(_play_drill(play, drill))
    for mark in script.marks:
        process(_play_mark(play, mark))
    play.env.run()
    return Played(events=play.recorder.events, alerts=play.recorder.alerts)


@cache
def _version() -> str:
    """The installed version; looking it up takes as long as half a replication."""
    return version("alertsim")


def _play_drill(play: Play, drill: DrillScript) -> Process:
    """A test message, as often as ordered."""
    if drill.at_ns > play.now_ns:
        yield play.until(drill.at_ns)
    for turn in range(drill.turns):
        if turn:
            yield play.env.timeout(drill.every_ns)
        ordered = play.recorder.event(MARK, "test-ordered", drill.ordered)
        play.recorder.test(
            Message(event=AlertEvent.TEST, launch=None, cause=ordered), drill.prefectures
        )


def _play_mark(play: Play, mark: MarkScript) -> Process:
    """Something worth showing beside the chain."""
    if mark.at_ns > play.now_ns:
        yield play.until(mark.at_ns)
    play.recorder.event(MARK, mark.name, mark.described)
