"""One replication being played: the engine, the draws, the teams, and how a stage passes.

Rule of the module: processes are SimPy generators on an integer clock of nanoseconds; a stage takes
one draw from the stream named after it, so that no stage depends on how many others drew before.
"""

from collections.abc import Generator
from enum import IntEnum
from typing import Any

import simpy

from simulator.model.launch_script import RANKS, LaunchScript, Step
from simulator.model.recorder import Recorder, now_of
from simulator.model.rows import StageRow, waited_note
from simulator.model.script import Script
from simulator.randomness import Streams

Process = Generator[simpy.Event, Any, Any]


class Turn(IntEnum):
    """What the teams do first."""

    LAUNCH = 0
    CLOSING = 1
    CORRECTION = 2


class Play:
    """What the processes of one replication share.

    Args:
        script: what happens.
        streams: where draws come from.

    Attributes:
        env: the engine.
        recorder: what happened so far.
        teams: who assesses.
        first: the first fraction of the stream of a name.
    """

    __slots__ = ("_drawn_ns", "env", "first", "recorder", "teams")

    def __init__(self, script: Script, streams: Streams) -> None:
        self.env = simpy.Environment(initial_time=script.start_ns)
        self.recorder = Recorder(self.env)
        self.teams = simpy.PreemptiveResource(self.env, capacity=script.teams)
        self.first = streams.first
        # One after the other in a loop, draws take half of what each takes when its stage begins.
        drawn = zip(script.usual, streams.firsts(script.usual_streams), strict=True)
        self._drawn_ns = {step.stream: step.draw_ns(share) for step, share in drawn}

    @property
    def now_ns(self) -> int:
        """Scenario time."""
        return now_of(self.env)

    def until(self, at_ns: int) -> simpy.Timeout:
        """Waits for an instant that lies ahead."""
        return self.env.timeout(at_ns - now_of(self.env))

    def draw_ns(self, step: Step) -> int:
        """How long a stage takes this time."""
        found = self._drawn_ns.get(step.stream)
        return step.draw_ns(self.first(step.stream)) if found is None else found

    def stage(
        self, launch: LaunchScript, name: str, cause: int, *, part: str = ""
    ) -> Generator[simpy.Event, Any, StageRow]:
        """Let a stage take its time.

        Args:
            launch: the launch it works on.
            name: its name, a field of the scenario's chain.
            cause: number of the event that began it.
            part: which of several messages of the launch it belongs to.
        """
        step = launch.steps[name, part]
        started_ns = now_of(self.env)
        yield self.env.timeout(self.draw_ns(step))
        return self.recorder.stage(step.shown, step.described, launch.id, cause, started_ns)

    def team_stage(
        self,
        launch: LaunchScript,
        name: str,
        cause: int,
        *,
        turn: Turn = Turn.LAUNCH,
        part: str = "",
    ) -> Generator[simpy.Event, Any, StageRow]:
        """A stage that needs an assessment team: wait for one, then let it work.

        Launches come before closing messages and those before corrections; within a turn, high
        threats before low ones. A team leaves later turns for an earlier one and comes back to
        them; within a turn it is not interrupted.
        """
        step = launch.steps[name, part]
        started_ns = now_of(self.env)
        duration_ns = self.draw_ns(step)
        rank = launch.rank + RANKS * turn
        waited_ns = yield from team_work(self.env, self.teams, rank, duration_ns)
        described = step.described
        if waited_ns:
            described = described._replace(note=waited_note(waited_ns, described.note))
        return self.recorder.stage(step.shown, described, launch.id, cause, started_ns)


def team_work(
    env: simpy.Environment, teams: simpy.PreemptiveResource, rank: int, duration_ns: int
) -> Generator[simpy.Event, Any, int]:
    """Wait for one of the teams and occupy it; how long the waits were, ns.

    Args:
        env: the engine.
        teams: the teams; those who wait are served by rank, then in order of arrival.
        rank: 0 is served first. Work of a later turn (three ranks each) is interrupted by work of
            an earlier one, waits again, and goes on where it was.
        duration_ns: how long the work takes.
    """
    waited_ns, left_ns = 0, duration_ns
    while True:
        asked_ns = now_of(env)
        users = teams.users
        interrupts = bool(users) and any(one.priority // RANKS > rank // RANKS for one in users)
        with teams.request(priority=rank, preempt=interrupts) as request:
            yield request
            begun_ns = now_of(env)
            waited_ns += begun_ns - asked_ns
            try:
                yield env.timeout(left_ns)
            except simpy.Interrupt:
                left_ns -= now_of(env) - begun_ns
            else:
                return waited_ns
