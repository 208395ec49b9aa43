"""One replication being played: the engine, the draws, the teams, and how a stage passes.

Rule of the module: processes are SimPy generators on an integer clock of nanoseconds; a stage takes
one draw from the stream named after it, so that no stage depends on how many others drew before.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

import simpy

from simulator.errors import InternalError
from simulator.model.recorder import Recorder
from simulator.model.timeline import EventKind, StagePassed
from simulator.randomness import Streams
from simulator.scenario.chain import Moment
from simulator.scenario.laws import Figure, Law, duration_ns
from simulator.scenario.schema import Launch, Scenario, Threat
from simulator.units import format_duration

Process = Generator[simpy.Event, Any, Any]

_RANKS: Final = {Threat.HIGH: 0, Threat.MEDIUM: 1, Threat.LOW: 2}
_FOLLOW_UP_RANK: Final = len(_RANKS)


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
        self.teams = simpy.PriorityResource(self.env, capacity=count)

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
        moment: Moment,
        *,
        cause: int | None = None,
        launch: str | None = None,
        note: str = "",
        about_ns: int | None = None,
    ) -> int:
        """Something with a moment of its own happened now; its number."""
        return self.recorder.event(
            kind,
            name,
            cause=cause,
            launch=launch,
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
        yield self.env.timeout(self._draw_ns(launch, name, part))
        return self.passed(launch, name, cause, self.law(name), started_ns=started_ns)

    def team_stage(
        self, launch: Launch, name: str, cause: int, *, follow_up: bool = False
    ) -> Generator[simpy.Event, Any, Passed]:
        """A stage that needs an assessment team: wait for one, then let it work.

        Launches come before follow-ups, high threats before low ones; a team at work is not
        interrupted.
        """
        started_ns = self.now_ns
        rank = _RANKS[launch.threat] + (_FOLLOW_UP_RANK if follow_up else 0)
        duration_ns = self._draw_ns(launch, name, "")
        waited_ns = yield from team_work(self.env, self.teams, rank, duration_ns)
        note = f"Waited {format_duration(waited_ns)} for a free team." if waited_ns else ""
        return self.passed(launch, name, cause, self.law(name), started_ns=started_ns, note=note)

    def passed(
        self,
        launch: Launch,
        name: str,
        cause: int,
        figure: Figure,
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
            note=" ".join(part for part in (note, figure.note) if part),
        )
        stage = StagePassed(
            name=name, started_ns=started_ns, ended_ns=self.now_ns, assumption=assumption
        )
        return Passed(stage=stage, number=number)

    def law(self, name: str) -> Law:
        """The law of a stage.

        Raises:
            InternalError: if the scenario has none; its checks should have refused it.
        """
        law: Law | None = getattr(self.chain, name)
        if law is None:
            raise InternalError(f"the stage {name} has no law in scenario {self.scenario.id}")
        return law

    def _draw_ns(self, launch: Launch, name: str, part: str) -> int:
        stream = "/".join(word for word in ("launch", launch.id, part, name) if word)
        share = self._streams.stream(stream).uniform()
        return duration_ns(self.law(name), share, self.scenario.epoch)


def team_work(
    env: simpy.Environment, teams: simpy.PriorityResource, rank: int, duration_ns: int
) -> Generator[simpy.Event, Any, int]:
    """Wait for one of the teams and occupy it; how long the wait was, ns.

    Args:
        env: the engine.
        teams: the teams; those who wait are served by rank, then in order of arrival.
        rank: 0 is served first.
        duration_ns: how long the work takes.
    """
    asked_ns = int(env.now)
    with teams.request(priority=rank) as request:
        yield request
        waited_ns = int(env.now) - asked_ns
        yield env.timeout(duration_ns)
    return waited_ns
