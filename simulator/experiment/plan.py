"""The plan of an experiment: what is played, how often, and in which pieces.

Rule of the module: pure, frozen, picklable. The pieces (chunks) depend on the plan alone, never on
who plays them, so that an interrupted experiment continues where it stopped, with any number of
workers. A chunk holds all its points for the same replications: whatever is finished can be
compared in pairs.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from simulator.experiment.designs import Design, DesignKind
from simulator.experiment.people import PeopleOrder
from simulator.experiment.variants import Base

_FEWEST_ROWS: Final = 16
_MOST_ROWS: Final = 512
_MOST_POINTS: Final = 64
_CHUNKS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A rectangle of points and replications that one worker plays in one go.

    Attributes:
        number: from 0.
        first_point: number of the first point.
        points: how many points.
        first_replication: number of the first replication.
        replications: how many replications of each point.
    """

    number: int
    first_point: int
    points: int
    first_replication: int
    replications: int

    @property
    def rows(self) -> int:
        """How many replications in all."""
        return self.points * self.replications


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An experiment.

    Attributes:
        base: the scenario that is varied.
        design: its variants.
        seed: seed of every replication.
        replications: how many of each point.
        chunk_points: points of one chunk.
        chunk_replications: replications of one chunk.
        people: how people are reached, None to play the chain alone.
    """

    base: Base
    design: Design
    seed: int
    replications: int
    chunk_points: int
    chunk_replications: int
    people: PeopleOrder | None = None

    @property
    def rows(self) -> int:
        """Replications in all."""
        return self.design.points * self.replications

    @property
    def chunks_across(self) -> int:
        """Chunks that share the same replications."""
        return -(-self.design.points // self.chunk_points)

    @property
    def chunks(self) -> int:
        """Chunks in all."""
        return self.chunks_across * -(-self.replications // self.chunk_replications)

    def chunk(self, number: int) -> Chunk:
        """One of them."""
        down, across = divmod(number, self.chunks_across)
        point, replication = across * self.chunk_points, down * self.chunk_replications
        return Chunk(
            number=number,
            first_point=point,
            points=min(self.chunk_points, self.design.points - point),
            first_replication=replication,
            replications=min(self.chunk_replications, self.replications - replication),
        )

    def all_chunks(self) -> Iterator[Chunk]:
        """All of them, replication by replication."""
        return map(self.chunk, range(self.chunks))

    def identity(self) -> dict[str, Any]:
        """What makes two experiments the same: everything but how many replications."""
        return {
            "scenario": self.base.document,
            "set": [asdict(setting) for setting in self.base.fixed],
            "design": asdict(self.design),
            "seed": self.seed,
            "people": None if self.people is None else self.people.identity(),
            "chunk_points": self.chunk_points,
            "chunk_replications": self.chunk_replications,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the identity, hex."""
        text = json.dumps(self.identity(), sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def extended(self, replications: int) -> "Plan":
        """The same with more or fewer replications."""
        return replace(self, replications=replications)


def make_plan(
    base: Base,
    design: Design,
    seed: int,
    replications: int,
    people: PeopleOrder | None = None,
) -> Plan:
    """A plan whose chunks are small enough to share out and large enough to be worth sending.

    Args:
        base: the scenario.
        design: its variants.
        seed: at least 0.
        replications: of each point, at least 1.
        people: how people are reached, None to play the chain alone.
    """
    rows = -(-design.points * replications // _CHUNKS)
    rows = max(_FEWEST_ROWS, min(rows, _MOST_ROWS))
    points = min(design.points, _MOST_POINTS)
    return Plan(
        base=base,
        design=design,
        seed=seed,
        replications=replications,
        chunk_points=points,
        chunk_replications=max(1, min(rows // points, replications)),
        people=people,
    )


def one_point() -> Design:
    """The scenario as it is, alone."""
    return Design(kind=DesignKind.SINGLE)
