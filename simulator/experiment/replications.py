"""Playing a chunk: the one function that every worker runs, wherever it is.

Rule of the module: pure. The same plan and chunk give the same rows on any worker. What a worker
needs for a plan (scenarios read and checked, tables of people) is made once per worker and variant
and kept, never sent with each chunk.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from simulator.experiment.designs import EVERYTHING, Point
from simulator.experiment.figures import Replication, Value, figures_of
from simulator.experiment.people import People
from simulator.experiment.plan import Chunk, Plan
from simulator.model import Timeline, simulate
from simulator.model.engine import play_once
from simulator.randomness import Stream, Streams
from simulator.scenario.schema import Scenario

_KEPT: Final = 256
_ALTERNATIVE: Final = "alternative"
PEOPLE: Final = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The rows of a chunk, column by column.

    Attributes:
        chunk: which.
        columns: values by column, all as long as the chunk has rows; ordered by point, then
            replication.
    """

    chunk: Chunk
    columns: Mapping[str, list[Value]]


class Player:
    """Plays replications of a plan, keeping what its variants need.

    Args:
        plan: the experiment.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._people = None if plan.people is None else People(plan.people)
        self._ready: OrderedDict[int, tuple[Point, Scenario]] = OrderedDict()

    def play_chunk(self, chunk: Chunk) -> Columns:
        """All replications of a chunk."""
        rows = [
            self.play(point, replication).row()
            for point in range(chunk.first_point, chunk.first_point + chunk.points)
            for replication in range(
                chunk.first_replication, chunk.first_replication + chunk.replications
            )
        ]
        names = dict.fromkeys(name for row in rows for name in row)
        return Columns(
            chunk=chunk, columns={name: [row.get(name) for row in rows] for name in names}
        )

    def play(self, number: int, replication: int) -> Replication:
        """One replication of one point."""
        point, scenario = self._variant(number)
        played = play_once(scenario, self._streams(point, replication))
        launches = [launch.id for launch in scenario.launches]
        figures = figures_of(played, launches)
        if self._people is not None:
            streams = people_streams(self.plan.seed, replication, point.redrawn)
            figures |= self._people.figures(scenario, played, streams)
        return Replication(point=number, number=replication, figures=figures)

    def timeline(self, number: int, replication: int) -> Timeline:
        """The whole of one replication of one point."""
        point, scenario = self._variant(number)
        streams = self._streams(point, replication)
        return simulate(scenario, self.plan.seed, replication, streams)

    def _streams(self, point: Point, replication: int) -> Streams:
        if not point.redrawn:
            return Streams(self.plan.seed, replication)
        return RedrawnStreams(self.plan.seed, replication, point.redrawn)

    def _variant(self, number: int) -> tuple[Point, Scenario]:
        found = self._ready.get(number)
        if found is None:
            point = self.plan.design.point(number)
            found = point, self.plan.base.scenario(point.settings)
            self._ready[number] = found
            if len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        return found


class RedrawnStreams(Streams):
    """The streams of a replication, some of them from another set of random numbers.

    Args:
        seed: of the experiment.
        replication: number of the replication.
        stages: whose streams are taken from the other set; ``*`` for all.
    """

    __slots__ = ("_stages",)

    def __init__(self, seed: int, replication: int, stages: tuple[str, ...]) -> None:
        super().__init__(seed, replication)
        self._stages = stages

    def stream(self, name: str) -> Stream:
        """The stream of this name from the set it belongs to."""
        return super().stream(self._whole(name))

    def first(self, name: str) -> float:
        """The first fraction of the stream of this name."""
        return super().first(self._whole(name))

    def firsts(self, names: Iterable[str]) -> list[float]:
        """The first fractions of the streams of these names."""
        return super().firsts(map(self._whole, names))

    def _whole(self, name: str) -> str:
        other = EVERYTHING in self._stages or stage_of(name) in self._stages
        return f"{_ALTERNATIVE}/{name}" if other else name


def people_streams(seed: int, replication: int, stages: tuple[str, ...]) -> Streams:
    """The streams that towns and networks are drawn from, all of them from the same set."""
    other = EVERYTHING in stages or PEOPLE in stages
    return Streams(seed, replication, f"{_ALTERNATIVE}/" if other else "")


class NotingStreams(Streams):
    """Streams that remember which of them were asked for.

    Args:
        seed: of the experiment.
        replication: number of the replication.
    """

    __slots__ = ("asked",)

    def __init__(self, seed: int, replication: int) -> None:
        super().__init__(seed, replication)
        self.asked: list[str] = []

    def stream(self, name: str) -> Stream:
        """The stream of this name."""
        self.asked.append(name)
        return super().stream(name)

    def first(self, name: str) -> float:
        """The first fraction of the stream of this name."""
        return self.stream(name).uniform()

    def firsts(self, names: Iterable[str]) -> list[float]:
        """The first fractions of the streams of these names."""
        return [self.first(name) for name in names]


def stage_of(stream: str) -> str:
    """The stage that a stream belongs to: the last word of ``launch/icbm/assessment``."""
    return stream.rpartition("/")[2]
