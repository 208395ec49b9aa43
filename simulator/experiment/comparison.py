"""The summary of a comparison: the stable, versioned shape of what ``alertsim compare`` finds.

Rule of the module: closed, frozen models and nothing else, as :mod:`simulator.experiment.summary`.
The first side is the baseline; every difference is a side less the baseline. What the sample cannot
carry is null and has a reason beside it, never a zero.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import Field

from simulator.experiment.summary import Interval, Part, WarnedBySummary

COMPARISON_SCHEMA: Final = "1.0"
NOTICE: Final = "EXERCISE EXERCISE EXERCISE: simulated events, no real one."

EffectWord = Literal["better", "worse", "different", "none", "unclear", "unknown"]
VerdictWord = Literal["pass", "fail", "inconclusive", "not-judged"]


class SideSummary(Part):
    """One of the things compared."""

    number: int = Field(description="From 0, the baseline.")
    name: str = Field(description="As given: a scenario, or a directory.")
    source: Literal["scenario", "experiment", "run"] = Field(description="What it is.")
    scenario: str = Field(description="Id of the scenario.")
    title: str = Field(description="Its title.")
    epoch: str = Field(default="", description="Scenario time zero, ISO 8601 with offset.")
    settings: dict[str, str] = Field(default={}, description="What is set otherwise, by path.")
    seed: int = Field(description="Seed of its replications.")
    version: str = Field(description="Version of alertsim that played it.")
    state: str = Field(description="complete, stopped or interrupted.")
    n: int = Field(description="Replications, or for runs bursts of alerts.")


def same_event(sides: Sequence[SideSummary]) -> bool:
    """Whether all sides play the same moment, so that only rules and chance differ."""
    return len({side.epoch for side in sides}) <= 1


class ValueSummary(Part):
    """A figure of one side."""

    side: int = Field(description="Number of the side.")
    n: int = Field(description="Replications, or for runs samples, that have the figure.")
    missing: int = Field(description="Replications in which it did not happen.")
    value: float | None = Field(description="Its value; null if it never happened.")
    interval: Interval | None = Field(description="95 % interval; null where there is none.")


class DifferenceSummary(Part):
    """How a figure of one side differs from the baseline's."""

    side: int = Field(description="Number of the side.")
    n: int = Field(description="Pairs; the smaller sample where nothing is paired.")
    paired: bool = Field(description="Whether replications with the same draws were subtracted.")
    value: float | None = Field(description="This side less the baseline.")
    interval: Interval | None = Field(description="95 % interval; null where there is none.")
    ratio: float | None = Field(description="This side to the baseline; null if it has no sense.")
    ratio_interval: Interval | None = Field(description="95 % interval, bootstrap.")
    effect: EffectWord = Field(
        description="better or worse where one is wanted, else different; none: the same every "
        "time; unclear: the interval holds zero; unknown: there is no interval."
    )
    reason: str = Field(default="", description="Why something is null, one sentence.")


class MetricSummary(Part):
    """One figure of all sides."""

    metric: str = Field(description="Its column, or the run's metric; its ending is the unit.")
    aggregate: str = Field(description="mean, max, count or a percentile such as p99.")
    unit: Literal["ns", "people", "count"] = Field(description="Unit of values and differences.")
    scale: Literal["scenario", "wall", "none"] = Field(description="Which time scale it is of.")
    headline: bool = Field(description="Whether it is among the figures one looks at first.")
    values: tuple[ValueSummary, ...] = Field(description="By side.")
    differences: tuple[DifferenceSummary, ...] = Field(description="By side, less the baseline.")


class CurveSummary(Part):
    """People warned by a time after the launch, of one side."""

    side: int = Field(description="Number of the side.")
    points: tuple[WarnedBySummary, ...] = Field(description="By time.")


class GateSummary(Part):
    """A condition under which the comparison fails, and whether it is met."""

    expression: str = Field(description="As it was understood.")
    metric: str = Field(description="The column it speaks about.")
    side: int = Field(description="The side it was asked of.")
    verdict: VerdictWord = Field(description="fail if the whole interval meets the condition.")
    value: float | None = Field(description="What the bound is compared with.")
    low: float | None = Field(description="Lower end of its 95 % interval.")
    high: float | None = Field(description="Upper end.")
    reason: str = Field(description="One sentence.")


class ComparisonSummary(Part):
    """What came of a comparison."""

    schema_version: Literal["1.0"] = Field(
        default=COMPARISON_SCHEMA, description="Version of this form."
    )
    kind: Literal["comparison"] = Field(default="comparison", description="What is summarised.")
    notice: str = Field(default=NOTICE, description="That all of it is an exercise.")
    of: Literal["experiments", "runs"] = Field(description="What is compared.")
    sides: tuple[SideSummary, ...] = Field(description="The baseline first.")
    paired: bool = Field(description="Whether replications with the same draws were compared.")
    metrics: tuple[MetricSummary, ...] = Field(description="Figures that any side has.")
    only: dict[str, tuple[int, ...]] = Field(
        default={}, description="Figures that not every side has, with the sides that do."
    )
    curves: tuple[CurveSummary, ...] = Field(default=(), description="People warned by time.")
    gates: tuple[GateSummary, ...] = Field(default=(), description="By gate, then side.")
    unlike: tuple[str, ...] = Field(
        default=(),
        description="Of runs: what is not the same in all of them, sentences; a difference may be "
        "of that.",
    )
    verdict: VerdictWord = Field(description="All gates together; pass if there are none.")
    reason: str = Field(default="", description="Why the verdict is so, one sentence.")
    exit_code: int = Field(description="0, 98, 99 or 105.")
    findings: tuple[str, ...] = Field(default=(), description="What it comes to, in sentences.")


def comparison_json_schema() -> dict[str, Any]:
    """JSON Schema of ``summary.json`` of a comparison."""
    return ComparisonSummary.model_json_schema(mode="serialization")
