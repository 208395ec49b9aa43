"""The summary of many runs: the stable, versioned shape of what ``alertsim history`` finds.

Rule of the module: closed, frozen models and nothing else, as :mod:`simulator.measure.summary`.
Runs of one series are of one scenario, played in one way, in the order in which they started. What
the runs cannot carry is null and has a reason beside it.
"""

from typing import Any, Final, Literal

from pydantic import Field

from simulator.experiment.summary import Interval
from simulator.measure.summary_parts import Part

HISTORY_SCHEMA: Final = "1.0"
NOTICE: Final = "EXERCISE EXERCISE EXERCISE: simulated alerts, no real event."

VerdictWord = Literal["pass", "fail", "inconclusive"]
SkippedWord = Literal["incomplete", "unfinished", "damaged", "other-version", "foreign"]


class RunShown(Part):
    """One run of a series."""

    run: str = Field(description="Run id.")
    path: str = Field(description="Its directory.")
    started: str = Field(description="ISO 8601 wall time at which it was created.")
    exit_code: int | None = Field(description="How it ended.")
    bursts: int = Field(description="Bursts of live deliveries: its independent samples.")
    version: str = Field(description="Version of alertsim.")
    host: str = Field(description="The machine, in a few words.")
    broker: str = Field(description="The broker, in a few words.")
    plan: str = Field(description="First digits of the digest of its timeline.")
    bottleneck: bool = Field(description="The instrument, not the path, set the pace.")


class PointSummary(Part):
    """A figure of one run."""

    value: float | None = Field(description="Its value; null if the run has it not.")
    interval: Interval | None = Field(
        description="95 % interval over the bursts of the run; null under ten; of a count, which "
        "is exact, its value twice."
    )


class LevelSummary(Part):
    """Runs between two changes."""

    first: int = Field(description="Number of its first run in the series, from 0.")
    last: int = Field(description="Number of its last run.")
    runs: int = Field(description="Runs of it that have the figure.")
    median: float = Field(description="Median of them.")
    band: Interval | None = Field(
        description="Where about 95 % of such runs lie; null of fewer than eight."
    )


class ChangeSummary(Part):
    """A change that chance does not explain."""

    at: int = Field(description="Number of the first run after it.")
    run: str = Field(description="Id of that run.")
    difference: float = Field(description="Median after it less median before it.")
    interval: Interval = Field(description="95 % interval of the difference, over runs.")
    chance: float = Field(description="How often shuffled runs have as large a one, at most 0.01.")
    effect: Literal["better", "worse", "different"] = Field(description="What it means.")
    beside: tuple[str, ...] = Field(
        description="What else was not the same before and after, phrases; perhaps its cause."
    )


class TrendSummary(Part):
    """One figure of a series."""

    metric: str = Field(description="As in compare: delivery_latency, lost …")
    aggregate: str = Field(description="mean, p50, p99 …; count.")
    unit: Literal["ns", "count"] = Field(description="Unit of all values; ns are wall time.")
    points: tuple[PointSummary, ...] = Field(description="By run of the series.")
    levels: tuple[LevelSummary, ...] = Field(description="Stretches between changes.")
    changes: tuple[ChangeSummary, ...] = Field(description="Changes, in order; usually none.")
    newest: Literal["inside", "above", "below", "unknown"] = Field(
        description="Where the newest run lies by the band of its level."
    )
    reason: str = Field(default="", description="Why something cannot be said, one sentence.")


class SeriesSummary(Part):
    """Runs that are alike in what was asked of them."""

    scenario: str = Field(description="Id of the scenario.")
    title: str = Field(description="Its title.")
    setup: dict[str, str] = Field(description="How they were played, by name.")
    runs: tuple[RunShown, ...] = Field(description="By time of start.")
    trends: tuple[TrendSummary, ...] = Field(description="By figure.")
    unlike: tuple[str, ...] = Field(
        default=(), description="What is not the same in all of them, sentences."
    )


class Skipped(Part):
    """A directory that is in no series."""

    path: str = Field(description="Which.")
    why: SkippedWord = Field(
        description="incomplete: it ended early; unfinished: still written, or killed; damaged; "
        "other-version: of another schema; foreign: not a run."
    )
    reason: str = Field(description="One sentence.")


class ConditionSummary(Part):
    """A condition under which the history fails, asked of the newest run."""

    expression: str = Field(description="As it was understood.")
    metric: str = Field(description="What it speaks about.")
    run: str = Field(description="Id of the run that it was asked of.")
    earlier: int = Field(description="Runs before it whose median it is held against.")
    verdict: VerdictWord = Field(description="fail if the whole interval meets the condition.")
    value: float | None = Field(description="What the bound is compared with.")
    low: float | None = Field(description="Lower end of its 95 % interval.")
    high: float | None = Field(description="Upper end.")
    reason: str = Field(description="One sentence.")


class HistorySummary(Part):
    """What came of many runs."""

    schema_version: Literal["1.0"] = Field(
        default=HISTORY_SCHEMA, description="Version of this form."
    )
    kind: Literal["history"] = Field(default="history", description="What is summarised.")
    notice: str = Field(default=NOTICE, description="That all of it is an exercise.")
    directories: tuple[str, ...] = Field(description="As given.")
    series: tuple[SeriesSummary, ...] = Field(description="By scenario; the newest run first.")
    skipped: tuple[Skipped, ...] = Field(description="Directories in no series.")
    findings: tuple[str, ...] = Field(default=(), description="What it comes to, in sentences.")
    conditions: tuple[ConditionSummary, ...] = Field(default=(), description="Of --fail-if.")
    verdict: VerdictWord = Field(description="All conditions; pass if there are none.")
    reason: str = Field(default="", description="Why the verdict is so, one sentence.")
    exit_code: int = Field(description="0, 98 or 99.")


def history_json_schema() -> dict[str, Any]:
    """JSON Schema of what ``alertsim history --json`` prints."""
    return HistorySummary.model_json_schema(mode="serialization")
