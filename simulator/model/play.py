"""One replication being played: the engine, the draws, the teams, and how a stage passes.

Rule of the module: processes are SimPy generators on an integer clock of nanoseconds; a stage takes
one draw from the stream named after it, so that no stage depends on how many others drew before.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import simpy

from simulator.errors import InternalError
from simulator.model.recorder import Recorder
from simulator.model.timeline import EventKind, StagePassed
from simulator.randomness import Streams
from simulator.scenario.chain import Moment, Watch
from simulator.scenario.laws import Law, Provenance, duration_ns
from simulator.scenario.schema import Launch, Scenario, Threat
from simulator.units import format_duration

Process = Generator[simpy.Event, Any, Any]

_RANKS: Final = {Threat.HIGH: 0, Threat.MEDIUM: 1, Threat.LOW: 2}


class Turn(IntEnum):
    """What the teams do first."""

    LAUNCH = 0
    CLOSING = 1
    CORRECTION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A stage that ended: what it was, and the number of its event."""

    stage: StagePassed
    number: int


class Play:
    """What the processes of one replication share.

    Args:
        scenario: what happens.
        streams: where draws come from.
        start_ns: scenario time to start from, at or before the first event.
    """

    def __init__(self, scenario: Scenario, streams: Streams, start_ns: int) -> None:
        self.scenario = scenario
        self.chain = scenario.chain
        self.env = simpy.Environment(initial_time=start_ns)
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
        return self.scenario.offset_ns(moment)

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
        return self.recorder.event(
            kind,
            name,
            cause=cause,
            launch=launch,
            prefecture=prefecture,
            about_ns=about_ns,
            assumption=moment.assumption or self.scenario.fictional,
            sources=moment.sources,
            note=note or moment.note or "",
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
        started_ns = self.now_ns
        yield self.env.timeout(self.draw_ns(launch, name, part))
        return self.passed(launch, name, cause, self.law(name, launch), started_ns=started_ns)

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
        started_ns = self.now_ns
        rank = _RANKS[launch.threat] + turn * len(_RANKS)
        duration_ns = self.draw_ns(launch, name, part)
        waited_ns = yield from team_work(self.env, self.teams, rank, duration_ns)
        note = f"Waited {format_duration(waited_ns)} for a free team." if waited_ns else ""
        figure = self.law(name, launch)
        return self.passed(launch, name, cause, figure, started_ns=started_ns, note=note)

    def passed(
        self,
        launch: Launch,
        name: str,
        cause: int,
        figure: Provenance,
        *,
        started_ns: int,
        note: str = "",
    ) -> Passed:
        """Record that a stage ended now, on the strength of a figure."""
        name = name.replace("_", "-")
        assumption = figure.assumption or self.scenario.fictional
        number = self.recorder.event(
            EventKind.STAGE,
            name,
            cause=cause,
            launch=launch.id,
            started_ns=started_ns,
            assumption=assumption,
            sources=figure.sources,
            note=f"{note} {figure.note or ''}".strip() if note else figure.note or "",
        )
        stage = StagePassed(
            name=name, started_ns=started_ns, ended_ns=self.now_ns, assumption=assumption
        )
        return Passed(stage=stage, number=number)

    def watch(self, launch: Launch) -> Watch | None:
        """How the chain watches a launch that was announced, None if it does not."""
        return self.chain.announced if launch.announced else None

    def law(self, name: str, launch: Launch) -> Law:
        """The law of a stage for a launch.

        Raises:
            InternalError: if the scenario has none; its checks should have refused it.
        """
        watching: Law | None = getattr(self.watch(launch), name, None)
        law: Law | None = watching or getattr(self.chain, name)
        if law is None:
            raise InternalError(f"the stage {name} has no law in scenario {self.scenario.id}")
        return law

    def draw_ns(self, launch: Launch, name: str, part: str = "") -> int:
        """How long a stage of a launch takes this time.

        Args:
            launch: the launch.
            name: the stage.
            part: which of several messages of the launch it belongs to.
        """
        share = self.share(launch, name, part)
        return duration_ns(self.law(name, launch), share, self.scenario.epoch)

    def share(self, launch: Launch, name: str, part: str = "") -> float:
        """A uniform draw, strictly between 0 and 1, from the stream of a stage of a launch."""
        stage = f"{part}/{name}" if part else name
        return self._streams.stream(f"launch/{launch.id}/{stage}").uniform()


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
        interrupts = any(other.priority // len(_RANKS) > turn for other in teams.users)
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
