"""The summary of an experiment: the stable, versioned shape of its ``summary.json``.

Rule of the module: closed, frozen models and nothing else. Every figure says its unit in the name
of its column: ``_ns`` is scenario time in nanoseconds, ``_people`` persons, ``_count`` a number.
What the sample cannot carry is null, never a zero.
"""

from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

EXPERIMENT_SUMMARY_SCHEMA: Final = "1.0"
NOTICE = "EXERCISE EXERCISE EXERCISE: simulated replications, no real event."

Interval = tuple[float, float]


class Part(BaseModel):
    """What all parts of a summary share."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False
    )


class QuantileSummary(Part):
    """A quantile over replications."""

    percent: float = Field(description="Which, in percent.")
    value: float = Field(description="Nearest rank.")
    interval: Interval = Field(description="95 % interval, bootstrap.")


class FigureSummary(Part):
    """One figure over all replications of a point."""

    column: str = Field(description="Column of the table; its ending is the unit.")
    n: int = Field(description="Replications that have the figure.")
    missing: int = Field(description="Replications in which it did not happen.")
    mean: float = Field(description="Mean of those that have it.")
    sd: float | None = Field(description="Sample standard deviation; null of one replication.")
    low: float = Field(description="Smallest.")
    high: float = Field(description="Largest.")
    student: Interval | None = Field(
        description="95 % interval of the mean, Student's t; null under ten replications."
    )
    bootstrap: Interval | None = Field(
        description="95 % interval of the mean, percentile bootstrap; null under ten replications."
    )
    quantiles: tuple[QuantileSummary, ...] = Field(
        description="Quantiles that n supports: q from n >= 10 / (1 - q), the lower tail likewise."
    )


class PairedSummary(Part):
    """How much a figure differs from the scenario as it is, under the same random numbers."""

    column: str = Field(description="Column of the table.")
    n: int = Field(description="Replications in which both have the figure.")
    mean: float = Field(description="Mean of the differences, this point less point 0.")
    student: Interval | None = Field(
        description="95 % interval of that mean; null under ten pairs."
    )
    unpaired_half_width: float | None = Field(
        description="Half the width the interval would have with random numbers of its own."
    )


class WarnedBySummary(Part):
    """People warned by a time after the launch, over replications."""

    after_s: int = Field(description="Seconds after the first launch, scenario time.")
    mean: float = Field(description="Mean, people.")
    quantiles: tuple[QuantileSummary, ...] = Field(description="Quantiles that n supports.")


class PointSummary(Part):
    """One variant."""

    number: int = Field(description="From 0, the scenario as it is.")
    name: str = Field(description="What is set, for people.")
    settings: dict[str, str] = Field(description="What is set, by path.")
    figures: tuple[FigureSummary, ...] = Field(description="Figures over its replications.")
    differences: tuple[PairedSummary, ...] = Field(
        default=(), description="Against point 0, in pairs."
    )
    warned_by: tuple[WarnedBySummary, ...] = Field(
        default=(), description="People warned by time; of the first eight points."
    )


class ShareSummary(Part):
    """How much of a figure's variance comes from the draws of one stage (Sobol indices)."""

    column: str = Field(description="Column of the table.")
    stage: str = Field(description="The stage whose draws were exchanged.")
    first: float = Field(description="First-order index: what the stage explains alone.")
    first_interval: Interval = Field(description="95 %, percentile bootstrap.")
    total: float = Field(description="Total index: what would remain if all else were known.")
    total_interval: Interval = Field(description="95 %, percentile bootstrap.")
    n: int = Field(description="Replications behind it, a power of two.")


class SwingSummary(Part):
    """How far a figure moves when one assumption goes to either end of its range."""

    column: str = Field(description="Column of the table.")
    path: str = Field(description="The field.")
    low: str = Field(description="Its low end.")
    high: str = Field(description="Its high end.")
    at_low: PairedSummary = Field(description="Difference at the low end.")
    at_high: PairedSummary = Field(description="Difference at the high end.")


class ExperimentSummary(Part):
    """What came of an experiment."""

    schema_version: Literal["1.0"] = Field(
        default=EXPERIMENT_SUMMARY_SCHEMA, description="Version of this form."
    )
    kind: Literal["experiment"] = Field(default="experiment", description="What is summarised.")
    notice: str = Field(default=NOTICE, description="That all of it is an exercise.")
    scenario: str = Field(description="Id of the scenario.")
    title: str = Field(description="Its title.")
    version: str = Field(description="Version of alertsim that played it.")
    seed: int = Field(description="Seed of every replication.")
    design: str = Field(description="single, grid, lhs, tornado or sobol.")
    varied: tuple[str, ...] = Field(default=(), description="Paths that are varied.")
    state: Literal["complete", "stopped", "interrupted"] = Field(
        description="complete; stopped: a figure was known well enough; interrupted: asked to end."
    )
    replications: int = Field(description="Replications of each point that count.")
    replications_asked: int = Field(description="Replications of each point that were asked for.")
    stop: str = Field(default="", description="The rule that could stop it, as given.")
    stop_reached: bool | None = Field(
        default=None, description="Whether that rule was met; null without one."
    )
    rows_digest: str = Field(
        description="SHA-256 over all whole-number columns, hex: the same whoever played them."
    )
    points: tuple[PointSummary, ...] = Field(description="Every variant, or the first 1,000.")
    points_played: int = Field(description="How many variants there are.")
    shares: tuple[ShareSummary, ...] = Field(default=(), description="Sobol indices.")
    swings: tuple[SwingSummary, ...] = Field(default=(), description="The tornado.")


def experiment_json_schema() -> dict[str, Any]:
    """JSON Schema of ``summary.json`` of an experiment."""
    return ExperimentSummary.model_json_schema(mode="serialization")
