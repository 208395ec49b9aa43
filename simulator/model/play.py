"""One replication being played: the engine, the draws, the teams, and how a stage passes.

Rule of the module: processes are SimPy generators on an integer clock of nanoseconds; a stage takes
one draw from the stream named after it, so that no stage depends on how many others drew before.
"""

from collections.abc import Generator
from enum import IntEnum
from typing import Any, Final, NamedTuple

import simpy

from simulator.model.recorder import Recorder
from simulator.model.rows import EventRow, StageRow
from simulator.model.script import Described, Script, Step
from simulator.model.timeline import EventKind
from simulator.randomness import Streams
from simulator.scenario.chain import Moment, Watch
from simulator.scenario.laws import Law, Provenance, duration_ns
from simulator.scenario.schema import Launch, Threat
from simulator.units import format_duration

Process = Generator[simpy.Event, Any, Any]

_RANKS: Final = {Threat.HIGH: 0, Threat.MEDIUM: 1, Threat.LOW: 2}


class Turn(IntEnum):
    """What the teams do first."""

    LAUNCH = 0
    CLOSING = 1
    CORRECTION = 2


class Passed(NamedTuple):
    """A stage that ended: what it was, and the number of its event."""

    stage: StageRow
    number: int


class Play:
    """What the processes of one replication share.

    Args:
        script: what happens.
        streams: where draws come from.
    """

    __slots__ = ("_streams", "chain", "env", "recorder", "scenario", "script", "teams")

    def __init__(self, script: Script, streams: Streams) -> None:
        self.script = script
        self.scenario = script.scenario
        self.chain = script.chain
        self.env = simpy.Environment(initial_time=script.start_ns)
        self.recorder = Recorder(self.env)
        self._streams = streams
        count = 1 if self.chain.teams is None else self.chain.teams.count
        self.teams = simpy.PreemptiveResource(self.env, capacity=count)

    @property
    def now_ns(self) -> int:
        """Scenario time."""
        return int(self.env.now)

    def wait_until(self, at_ns: int) -> Process:
        """Let scenario time pass; not at all if the instant is over."""
        if at_ns > self.now_ns:
            yield self.env.timeout(at_ns - self.now_ns)

    def at_ns(self, moment: Moment) -> int:
        """Scenario time of a moment."""
        return self.script.at_ns(moment)

    def moment_event(
        self,
        kind: EventKind,
        name: str,
        moment: Provenance,
        *,
        cause: int | None = None,
        launch: str | None = None,
        prefecture: str | None = None,
        note: str = "",
        about_ns: int | None = None,
    ) -> int:
        """Something with a provenance of its own happened now; its number."""
        described = self.script.described(moment)
        return self.recorder.event(
            kind,
            name,
            cause=cause,
            launch=launch,
            prefecture=prefecture,
            about_ns=about_ns,
            assumption=described.assumption,
            sources=described.sources,
            note=note or described.note,
        )

    def stage(
        self, launch: Launch, name: str, cause: int, *, part: str = ""
    ) -> Generator[simpy.Event, Any, Passed]:
        """Let a stage take its time.

        Args:
            launch: the launch it works on.
            name: its name, a field of the scenario's chain.
            cause: number of the event that began it.
            part: which of several messages of the launch it belongs to.
        """
        step = self.script.step(launch, name)
        env = self.env
        started_ns: int = env.now  # type: ignore[assignment]  # every delay is a whole number
        yield env.timeout(self._drawn_ns(step, name, part))
        return self._record(step.shown, launch, cause, step.described, started_ns)

    def team_stage(
        self,
        launch: Launch,
        name: str,
        cause: int,
        *,
        turn: Turn = Turn.LAUNCH,
        part: str = "",
    ) -> Generator[simpy.Event, Any, Passed]:
        """A stage that needs an assessment team: wait for one, then let it work.

        Launches come before closing messages and those before corrections; within a turn, high
        threats before low ones. A team leaves later turns for an earlier one and comes back to
        them; within a turn it is not interrupted.
        """
        step = self.script.step(launch, name)
        started_ns = self.now_ns
        rank = _RANKS[launch.threat] + turn * len(_RANKS)
        duration_ns = self._drawn_ns(step, name, part)
        waited_ns = yield from team_work(self.env, self.teams, rank, duration_ns)
        described = step.described
        if waited_ns:
            note = f"Waited {format_duration(waited_ns)} for a free team. {described.note}"
            described = described._replace(note=note.rstrip())
        return self._record(step.shown, launch, cause, described, started_ns)

    def passed(
        self, launch: Launch, name: str, cause: int, figure: Provenance, *, started_ns: int
    ) -> Passed:
        """Record that something ended now, on the strength of a figure."""
        return self._record(name, launch, cause, self.script.described(figure), started_ns)

    def _record(
        self, shown: str, launch: Launch, cause: int, described: Described, started_ns: int
    ) -> Passed:
        recorder = self.recorder
        number = len(recorder.events)
        now_ns: int = self.env.now  # type: ignore[assignment]
        assumption, sources, note = described
        recorder.events.append(
            EventRow(
                number,
                now_ns,
                EventKind.STAGE,
                shown,
                cause,
                launch.id,
                None,
                started_ns,
                assumption,
                sources,
                note,
                None,
            )
        )
        return Passed(StageRow(shown, started_ns, now_ns, assumption), number)

    def watch(self, launch: Launch) -> Watch | None:
        """How the chain watches a launch that was announced, None if it does not."""
        return self.script.watch(launch)

    def law(self, name: str, launch: Launch) -> Law:
        """The law of a stage for a launch."""
        return self.script.step(launch, name).law

    def draw_ns(self, launch: Launch, name: str) -> int:
        """How long a stage of a launch takes this time."""
        return self._drawn_ns(self.script.step(launch, name), name, "")

    def _drawn_ns(self, step: Step, name: str, part: str) -> int:
        stream = f"{step.stream}{part}/{name}" if part else step.stream + name
        return duration_ns(step.law, self._streams.first(stream), self.scenario.epoch)

    def share(self, launch: Launch, name: str) -> float:
        """A uniform draw, strictly between 0 and 1, from the stream of a stage of a launch."""
        return self._streams.first(f"launch/{launch.id}/{name}")


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
        asked_ns = int(env.now)
        turn = rank // len(_RANKS)
        users = teams.users
        interrupts = bool(users) and any(one.priority // len(_RANKS) > turn for one in users)
        with teams.request(priority=rank, preempt=interrupts) as request:
            yield request
            begun_ns = int(env.now)
            waited_ns += begun_ns - asked_ns
            try:
                yield env.timeout(left_ns)
            except simpy.Interrupt:
                left_ns -= int(env.now) - begun_ns
            else:
                return waited_ns
