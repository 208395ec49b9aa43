"""The chain in a scenario: its stages and teams, and the forms in which its figures are written.

Rule of the module: closed, frozen models, as in ``schema``, of which they are the part that says
how the chain works; what it works on is said there.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict

from simulator.scenario.laws import Closed, Law, Provenance
from simulator.scenario.values import Line, Name, SourceId, When

Count = Annotated[int, Strict()]


class Source(Closed):
    """A publication that figures of the scenario come from."""

    id: SourceId = Field(description="Name by which figures refer to it.", examples=["MOD-221103b"])
    title: Line = Field(
        description="Title, as published.", examples=["Ministry of Defence, 2022-11-03"]
    )
    address: Line = Field(
        description="Where to read it.",
        examples=["https://www.mod.go.jp/j/press/news/2022/11/03b.html"],
    )
    grade: Literal["A", "B", "C", "U"] = Field(
        description="A official, B press quoting officials, C secondary, U unverified.",
        examples=["A"],
    )


class Moment(Provenance):
    """A point of scenario time, with where it comes from."""

    time: When = Field(
        description="Quoted time of day of the epoch's date, not before the epoch; or a duration "
        "from it, with a minus sign before it; or a date and time with offset.",
        examples=["07:39"],
    )
    range: tuple[When, When] | None = Field(
        default=None,
        description="For an assumption: the earliest and latest it could as well have been.",
        examples=[["07:41", "07:48"]],
    )


class Teams(Provenance):
    """How many assessment teams are on duty."""

    count: Count = Field(
        ge=1, le=1000, description="Launches assessed at the same time, no unit.", examples=[2]
    )
    range: tuple[Count, Count] | None = Field(
        default=None,
        description="For an assumption: the fewest and most it could as well be.",
        examples=[[1, 4]],
    )


def widened(key: str) -> Callable[[object], object]:
    """Lets a figure without provenance be written as its bare value."""
    return lambda value: value if isinstance(value, dict | Closed) else {key: value}


MomentField = Annotated[
    Moment, BeforeValidator(widened("time"), json_schema_input_type=str | Moment)
]
TeamsField = Annotated[Teams, BeforeValidator(widened("count"), json_schema_input_type=int | Teams)]


class Watch(Closed):
    """How the chain works when a launch is announced: watching, its area and text prepared."""

    waits_for: Literal["satellite", "both"] = Field(
        default="satellite",
        description="Whether early warning from space is enough, the direction being announced, "
        "or radar has to confirm it.",
        examples=["satellite"],
    )
    relay: Law | None = Field(
        default=None,
        description="In place of the chain's own relay; left out: the same.",
        examples=[{"law": "constant", "value": "30s"}],
    )
    assessment: Law | None = Field(
        default=None,
        description="In place of the chain's own assessment; left out: the same.",
        examples=[{"law": "constant", "value": "20s"}],
    )
    decision: Law | None = Field(
        default=None,
        description="In place of the chain's own decision; left out: the same.",
        examples=[{"law": "constant", "value": "15s"}],
    )


class Chain(Closed):
    """The chain from detection to issue: who works, how long each stage takes, by which rules."""

    profile: Name | None = Field(
        default=None,
        description="Shipped set of laws to start from; the stages given here replace its own.",
        examples=["j-alert-2022"],
    )
    teams: TeamsField | None = Field(
        default=None,
        description="Assessment teams; launches beyond their number wait, the highest threat "
        "first.",
        examples=[2],
    )
    policy: Literal["blocks", "prefectures", "prefectures-and-neighbours"] | None = Field(
        default=None,
        description="How the warned area follows from the predicted track, for launches with a "
        "flight: the nine blocks of up to 2017, what lies under the track, or its neighbours too.",
        examples=["prefectures"],
    )
    certainty: Literal["some", "near"] = Field(
        default="some",
        description="When a track may be assessed, for launches with a flight: as soon as it "
        "stands, or only once the powered phase is over (or the track lost), since until then "
        "the predicted impact moves on.",
        examples=["near"],
    )
    on_loss: Literal["extrapolates", "notices"] = Field(
        default="extrapolates",
        description="What the chain makes of a track that ends before the predicted passage or "
        "impact: it goes on with the prediction and has to correct it, or says that nothing is "
        "coming.",
        examples=["notices"],
    )
    announced: Watch | None = Field(
        default=None,
        description="How it works when a launch is announced; left out: as always.",
        examples=[{"assessment": {"law": "constant", "value": "20s"}}],
    )
    satellite: Law | None = Field(
        default=None,
        description="From the launch until early warning from space is at hand; for launches "
        "without a flight.",
        examples=[{"law": "constant", "value": "1min"}],
    )
    radar: Law | None = Field(
        default=None,
        description="From the launch until radar has a track; space alone shows no direction. For "
        "launches without a flight.",
        examples=[{"law": "constant", "value": "3min"}],
    )
    relay: Law | None = Field(
        default=None,
        description="From the last look of the satellite until early warning is at hand; for "
        "launches with a flight.",
        examples=[{"law": "constant", "value": "45s"}],
    )
    forming: Law | None = Field(
        default=None,
        description="From the first sight of a radar until its track is good enough to predict "
        "from; for launches with a flight.",
        examples=[{"law": "constant", "value": "20s"}],
    )
    assessment: Law | None = Field(
        default=None,
        description="Work of one team on one launch, waiting for a free team not included.",
        examples=[{"law": "lognormal", "median": "2min", "p95": "6min"}],
    )
    second_look: Law | None = Field(
        default=None,
        description="More work of one team where the track is lost before area and text are "
        "decided; left out: a lost track changes nothing. Announced launches need none.",
        examples=[{"law": "lognormal", "median": "5min", "p95": "20min"}],
    )
    decision: Law | None = Field(
        default=None,
        description="From the assessment until area and text are decided.",
        examples=[{"law": "triangular", "low": "30s", "mode": "1min", "high": "5min"}],
    )
    issue: Law | None = Field(
        default=None,
        description="From the decision until the message leaves for its prefectures, all at once.",
        examples=[{"law": "uniform", "low": "1s", "high": "30s"}],
    )
    reassessment: Law | None = Field(
        default=None,
        description="From the alert until the team sees that the object comes down nearby.",
        examples=[{"law": "constant", "value": "2min"}],
    )
    confirmation: Law | None = Field(
        default=None,
        description="Work of one team, from the believed end of the flight (or the alert, if "
        "later) until the outcome is taken as confirmed.",
        examples=[{"law": "constant", "value": "10min"}],
    )
    cancellation: Law | None = Field(
        default=None,
        description="Work of one team, from the believed end of the flight (or the alert, if "
        "later) until it is certain that a lost one is not coming; for launches with a flight.",
        examples=[{"law": "constant", "value": "15min"}],
    )
    discovery: Law | None = Field(
        default=None,
        description="From the last message (or the real outcome, if later) until the chain finds "
        "that it was wrong.",
        examples=[{"law": "constant", "value": "30min"}],
    )
    correction: Law | None = Field(
        default=None,
        description="Work of one team, from that discovery until the correction goes out.",
        examples=[{"law": "constant", "value": "20min"}],
    )
    all_clear: Law | None = Field(
        default=None,
        description="From the last message until a warning still in force is lifted.",
        examples=[{"law": "constant", "value": "30min"}],
    )
