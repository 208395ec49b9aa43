"""Laws of a stage's duration: how long something takes, and where that figure comes from.

Rule of the module: a law is a closed, frozen model that answers with the duration below which a
given share of all draws lies; nothing is drawn here. Every figure names its sources, or says that
it is an assumption and gives the range it could as well have been taken from.
"""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from simulator.scenario import quantiles
from simulator.scenario.quantiles import Inverse
from simulator.scenario.values import Duration, Line, SourceId, When, refuse
from simulator.units import NS_PER_MS

Flag = Annotated[bool, Strict()]
Number = Annotated[float, Strict()]


class Closed(BaseModel):
    """What all models of a scenario share: frozen, and unknown fields are errors."""

    # Built when first used: a scenario builds all its parts at once, which takes half the time.
    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True
    )


class Provenance(Closed):
    """Where a figure from the world comes from."""

    sources: tuple[SourceId, ...] = Field(
        default=(),
        description="Identifiers of the sources that publish this figure, or that an assumption "
        "leans on.",
        examples=[["MOD-221103b"]],
    )
    assumption: Flag = Field(
        default=False,
        description="True where no source publishes the figure: it is shown as assumed wherever "
        "it is shown, and needs a range.",
        examples=[True],
    )
    note: Line | None = Field(
        default=None,
        description="One sentence on how the figure was read from its sources, or why it is "
        "assumed.",
        examples=["Only the sum of the stages is published."],
    )


class Figure(Provenance):
    """A duration from the world, with where it comes from."""

    range: tuple[Duration, Duration] | None = Field(
        default=None,
        description="For an assumption: the shortest and longest that the typical duration could "
        "as well be, scenario time.",
        examples=[["2min", "5min"]],
    )

    @model_validator(mode="after")
    def _range_is_ordered(self) -> Self:
        if self.range is not None and self.range[0] > self.range[1]:
            raise refuse("the range is upside down", "write the shorter duration first")
        return self


class Timed(Figure):
    """A law: a figure that a draw turns into a duration."""

    @abstractmethod
    def inverse(self, epoch: datetime) -> Inverse:
        """What answers with the duration below which a share of all draws lies, ns.

        Args:
            epoch: scenario time zero, by which recorded times of day are read.
        """

    def quantile_ns(self, share: float, epoch: datetime) -> float:
        """The duration below which a share of all draws lies, ns."""
        return self.inverse(epoch)(share)


class Constant(Timed):
    """Always the same duration."""

    law: Literal["constant"] = Field(description="The kind of law.")
    value: Duration = Field(description="The duration, scenario time.", examples=["3min"])

    def inverse(self, _epoch: datetime) -> Inverse:
        """The same for every share."""
        return lambda _share: self.value


class Recorded(Timed):
    """The duration between two recorded times: a replay of what is known."""

    law: Literal["recorded"] = Field(description="The kind of law.")
    starts: When = Field(description="When the stage began.", examples=["07:50"])
    ends: When = Field(description="When it ended, not before it began.", examples=["08:00"])

    def inverse(self, epoch: datetime) -> Inverse:
        """The same for every share; negative if the stage ends before it starts."""
        span_ns = self.ends.offset_ns(epoch) - self.starts.offset_ns(epoch)
        return lambda _share: span_ns


class Uniform(Timed):
    """Any duration between two bounds, all equally likely."""

    law: Literal["uniform"] = Field(description="The kind of law.")
    low: Duration = Field(description="Shortest duration, scenario time.", examples=["1s"])
    high: Duration = Field(description="Longest duration, scenario time.", examples=["30s"])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise refuse("low is longer than high", "write the shorter duration as low")
        return self

    def inverse(self, _epoch: datetime) -> Inverse:
        """Of the distribution, ns."""
        return quantiles.uniform(self.low, self.high)


class Triangular(Timed):
    """Between two bounds, most likely at the mode."""

    law: Literal["triangular"] = Field(description="The kind of law.")
    low: Duration = Field(description="Shortest duration, scenario time.", examples=["1min"])
    mode: Duration = Field(description="Most likely duration, scenario time.", examples=["2min"])
    high: Duration = Field(description="Longest duration, scenario time.", examples=["6min"])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.mode <= self.high:
            raise refuse("low, mode and high are out of order", "write low <= mode <= high")
        return self

    def inverse(self, _epoch: datetime) -> Inverse:
        """Of the distribution, ns."""
        return quantiles.triangular(self.low, self.mode, self.high)


class Lognormal(Timed):
    """Many small delays multiplied: a median, and a tail given by the 95th percentile."""

    law: Literal["lognormal"] = Field(description="The kind of law.")
    median: Duration = Field(
        gt=0, description="Half of all durations are shorter, scenario time.", examples=["3min"]
    )
    p95: Duration = Field(
        gt=0, description="19 of 20 durations are shorter, scenario time.", examples=["7min"]
    )
    floor: Duration = Field(
        default=0, description="No duration is shorter, scenario time.", examples=["30s"]
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.median > self.p95:
            raise refuse("the 95th percentile is below the median", "write median <= p95")
        return self

    def inverse(self, _epoch: datetime) -> Inverse:
        """Of the distribution, ns."""
        return quantiles.lognormal(self.median, self.p95, self.floor)


class Gamma(Timed):
    """A sum of steps that take equally long on average; a shape of 1 is the exponential law."""

    law: Literal["gamma"] = Field(description="The kind of law.")
    mean: Duration = Field(gt=0, description="Mean duration, scenario time.", examples=["4min"])
    shape: Number = Field(
        ge=0.1, le=10_000, description="Number of steps, need not be whole; no unit.", examples=[4]
    )
    floor: Duration = Field(
        default=0, description="No duration is shorter, scenario time.", examples=["30s"]
    )

    def inverse(self, _epoch: datetime) -> Inverse:
        """Of the distribution, ns."""
        return quantiles.gamma(self.shape, self.mean, self.floor)


class Empirical(Timed):
    """One of the durations seen before."""

    law: Literal["empirical"] = Field(description="The kind of law.")
    values: tuple[Duration, ...] = Field(
        min_length=1,
        description="Durations seen, scenario time.",
        examples=[["3min", "5min", "11min"]],
    )
    weights: tuple[Annotated[Number, Field(gt=0)], ...] | None = Field(
        default=None,
        description="How often each was seen, no unit; all equally often if left out.",
        examples=[[1, 1, 2]],
    )

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.values):
            raise refuse("values and weights differ in number", "write one weight per value")
        return self

    def inverse(self, _epoch: datetime) -> Inverse:
        """Of the distribution, ns."""
        weights = self.weights or (1.0,) * len(self.values)
        return quantiles.empirical(self.values, weights)


Law = Annotated[
    Constant | Recorded | Uniform | Triangular | Lognormal | Gamma | Empirical,
    Field(discriminator="law"),
]


def sampler(law: Law, epoch: datetime) -> Callable[[float], int]:
    """What turns uniform draws into draws of a law: at least 0, in ns, whole milliseconds.

    Args:
        law: the law.
        epoch: scenario time zero, by which recorded times of day are read.

    Returns:
        The duration below which a share of all draws lies, for a share strictly between 0 and 1.
    """
    inverse = law.inverse(epoch)

    def drawn_ns(share: float) -> int:
        milliseconds = round(inverse(share) / NS_PER_MS)
        return milliseconds * NS_PER_MS if milliseconds > 0 else 0

    return drawn_ns


def duration_ns(law: Law, share: float, epoch: datetime) -> int:
    """The duration below which a share of all draws of a law lies, as ``sampler`` has it."""
    return sampler(law, epoch)(share)
