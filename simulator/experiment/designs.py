"""Designs: which variants of a scenario an experiment plays.

Rule of the module: pure; a point is made when it is asked for, so that a million points cost
nothing before they are played. Point 0 is always the scenario as it is, against which the others
are compared; every point is played with the same random numbers.

Latin hypercube: M. D. McKay, R. J. Beckman and W. J. Conover, "A Comparison of Three Methods for
Selecting Values of Input Variables in the Analysis of Output from a Computer Code", Technometrics
21 (1979) 239-245. Its permutations come from our own named streams: the same seed gives the same
points on any machine, which no library promises across its versions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from simulator.errors import ConfigurationError
from simulator.experiment.axes import Axis
from simulator.experiment.variants import Setting
from simulator.randomness import Streams

EVERYTHING: Final = "*"


class DesignKind(StrEnum):
    """How points are chosen."""

    SINGLE = "single"  # the scenario as it is
    GRID = "grid"  # every combination of values
    LHS = "lhs"  # a Latin hypercube: every axis evenly, few points
    TORNADO = "tornado"  # one axis at a time, at both its ends
    SOBOL = "sobol"  # which stage's draws make the outcome vary


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One variant that is played.

    Attributes:
        number: from 0, the scenario as it is.
        settings: what is set to something else.
        redrawn: stages whose draws come from the alternative set of random numbers; ``("*",)``
            for all of them.
    """

    number: int
    settings: tuple[Setting, ...] = ()
    redrawn: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people: ``chain.decision=90s chain.teams.count=2``."""
        words = [setting.text for setting in self.settings]
        words += [f"redrawn: {stage}" for stage in self.redrawn]
        return " ".join(words) or "as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """All points of an experiment.

    Attributes:
        kind: how they are chosen.
        axes: the fields that are varied.
        size: points besides the scenario as it is.
        stages: for Sobol indices, the random inputs.
        seed: what a Latin hypercube is drawn with.
    """

    kind: DesignKind
    axes: tuple[Axis, ...] = ()
    size: int = 0
    stages: tuple[str, ...] = ()
    seed: int = 0

    @property
    def points(self) -> int:
        """How many points there are, the scenario as it is included."""
        return self.size + 1

    def point(self, number: int) -> Point:
        """One of them.

        Args:
            number: from 0 to ``points`` - 1.
        """
        if not 0 <= number < self.points:
            raise IndexError(number)
        if not number:
            return Point(number=0)
        index = number - 1
        if self.kind is DesignKind.SOBOL:
            return Point(number=number, redrawn=(self.stages[index - 1] if index else EVERYTHING,))
        return Point(number=number, settings=self._settings(index))

    def _settings(self, index: int) -> tuple[Setting, ...]:
        if self.kind is DesignKind.LHS:
            return tuple(axis.at_share(self._share(axis, index)) for axis in self.axes)
        if self.kind is DesignKind.TORNADO:
            axis, high = divmod(index, 2)
            return (self.axes[axis].end(high=bool(high)),)
        return self._cell(index)

    def _cell(self, index: int) -> tuple[Setting, ...]:
        """A cell of the grid; the last axis runs fastest."""
        settings: list[Setting] = []
        for axis in reversed(self.axes):
            index, step = divmod(index, axis.steps)
            settings.append(axis.at_step(step))
        return tuple(reversed(settings))

    def _share(self, axis: Axis, index: int) -> float:
        """Place of a point on an axis: its own stratum, anywhere in it."""
        within = Streams(self.seed, index).stream(f"design/lhs/{axis.path}").uniform()
        return (_strata(self.seed, axis.path, self.size)[index] + within) / self.size


@lru_cache(maxsize=64)
def _strata(seed: int, path: str, size: int) -> tuple[int, ...]:
    """The order in which points take the strata of an axis: a shuffle after Fisher and Yates."""
    stream = Streams(seed).stream(f"design/lhs/{path}/order")
    order = list(range(size))
    for last in range(size - 1, 0, -1):
        chosen = stream.raw() % (last + 1)
        order[last], order[chosen] = order[chosen], order[last]
    return tuple(order)


def grid(axes: Sequence[Axis]) -> Design:
    """Every combination of the values of all axes.

    Raises:
        ConfigurationError: if there is no axis, or a range does not say how many values it has.
    """
    _need_axes(axes)
    for axis in axes:
        if not axis.steps:
            raise ConfigurationError(
                "a grid needs to know how many values this range has",
                field="--vary",
                value=axis.path,
                remedy="write LOW..HIGH:COUNT, for example chain.decision=60s..240s:5; "
                "or use --design tornado, or lhs with --points N",
            )
    return Design(
        kind=DesignKind.GRID, axes=tuple(axes), size=math.prod(axis.steps for axis in axes)
    )


def latin_hypercube(axes: Sequence[Axis], points: int, seed: int) -> Design:
    """Points that cover every axis evenly.

    Raises:
        ConfigurationError: if there is no axis or no point.
    """
    _need_axes(axes)
    if points < 1:
        raise ConfigurationError(
            "a Latin hypercube needs points", field="--points", remedy="for example --points 100"
        )
    return Design(kind=DesignKind.LHS, axes=tuple(axes), size=points, seed=seed)


def tornado(axes: Sequence[Axis]) -> Design:
    """Each axis at its two ends, the others as they are.

    Raises:
        ConfigurationError: if there is no axis.
    """
    _need_axes(axes)
    return Design(kind=DesignKind.TORNADO, axes=tuple(axes), size=2 * len(axes))


def sobol(stages: Sequence[str]) -> Design:
    """Saltelli's design over the draws of each stage: all of them anew, then each one anew.

    Raises:
        ConfigurationError: if nothing is drawn in this scenario.
    """
    if not stages:
        raise ConfigurationError(
            "nothing is drawn at random in this scenario, so nothing varies",
            field="--design",
            value="sobol",
            remedy="use a scenario whose stages are distributions, for example "
            "tohoku-2022-11-03-modelled, or --design tornado",
        )
    return Design(kind=DesignKind.SOBOL, size=1 + len(stages), stages=tuple(stages))


def _need_axes(axes: Sequence[Axis]) -> None:
    if not axes:
        raise ConfigurationError(
            "nothing is varied",
            field="--vary",
            remedy="for example --vary chain.decision=60s..240s:5",
        )
