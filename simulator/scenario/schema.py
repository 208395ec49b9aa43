"""The scenario: what a user's file may say, as closed, frozen models.

Rule of the module: every field carries its description, unit, example and default here and nowhere
else; the reference page and the editor schema are generated from them. What a single field cannot
know (whether a source exists, whether a warning would ever end) is checked in ``checks``.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from simulator.scenario.assumptions import Sensing, WarnedArea
from simulator.scenario.chain import Chain, Count, Moment, MomentField, Source
from simulator.scenario.flight import FlightFacts
from simulator.scenario.laws import Closed, Flag
from simulator.scenario.subscribers import AnyGroup
from simulator.scenario.values import (
    AreaList,
    ChannelName,
    Duration,
    Epoch,
    Line,
    MunicipalityCode,
    Name,
    PrefectureList,
    When,
)

SCENARIO_SCHEMA = "1.0"


class Outcome(StrEnum):
    """What a flight really did in the end."""

    PASSED = "passed"
    FELL_IN_SEA = "fell-in-sea"
    VANISHED = "vanished"
    FELL_ON_LAND = "fell-on-land"
    INTERCEPTED = "intercepted"
    FALSE_ALARM = "false-alarm"


class Threat(StrEnum):
    """How urgent a launch looks; waiting launches are assessed in this order."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Truth(Closed):
    """What the flight really did; the chain does not know it."""

    outcome: Outcome = Field(description="How the flight ended.", examples=["vanished"])
    at: MomentField = Field(description="When it ended.", examples=["07:45"])
    arrival: MomentField | None = Field(
        default=None,
        description="When it really arrived over the warned prefectures; only for passed, "
        "fell-on-land and intercepted.",
        examples=["07:28"],
    )


class Escalation(Closed):
    """A second look that predicts an impact nearby: ``take-shelter``."""

    prefectures: PrefectureList = Field(
        description="Where the impact is predicted.", examples=[["hokkaido"]]
    )
    arrival: MomentField | None = Field(
        default=None, description="When the impact is predicted.", examples=["08:00"]
    )


class Belief(Closed):
    """What the chain thinks the flight does; every message follows from it.

    What is listed here goes before what follows from a flight.
    """

    event: Literal["launch", "take-shelter"] | None = Field(
        default=None,
        description="What the first message says: a missile was launched, or it is coming down "
        "nearby; left out: what follows from the flight, else launch.",
        examples=["launch"],
    )
    prefectures: AreaList | None = Field(
        default=None,
        description='Warned prefectures, by name or quoted JIS code; or "all". A quoted five-digit '
        "code warns one municipality: its prefecture gets the message, its people count. Left "
        "out: those that follow from the predicted flight.",
        examples=[["miyagi", "yamagata", "niigata"]],
    )
    arrival: MomentField | None = Field(
        default=None,
        description="Predicted passage or arrival over the warned prefectures; left out: as the "
        "predicted flight has it for each, if there is one.",
        examples=["07:48"],
    )
    outcome: (
        Literal[
            "passage", "fell-in-sea", "not-coming", "not-falling", "intercepted", "fell-on-land"
        ]
        | None
    ) = Field(
        default=None,
        description="What the closing message will say; none: the warning ends by correction or "
        "all-clear, or it follows from the flight.",
        examples=["passage"],
    )
    escalation: Escalation | None = Field(
        default=None,
        description="A later prediction of an impact nearby.",
        examples=[{"prefectures": ["hokkaido"]}],
    )


class Faults(Closed):
    """What goes wrong in the chain with one launch."""

    by_mistake: Flag = Field(
        default=False,
        description="True where nothing was sensed and nobody decided: the alert goes out at the "
        "time of the launch, as in a drill that is taken for the real thing.",
        examples=[True],
    )
    wrong_area: AreaList | None = Field(
        default=None,
        description="Prefectures, or municipalities by quoted five-digit code, that the first "
        "message warns besides, by a fault of the system; no closing message reaches them, they "
        "are told when the fault is found.",
        examples=[["tokyo"]],
    )


class ChannelFaults(Closed):
    """What goes wrong on the way to people, for the curves of people warned; messages go out."""

    silent_carriers: tuple[Name, ...] = Field(
        default=(),
        description="Mobile carriers that broadcast none of the messages, as named by the channel "
        "profile.",
        examples=[["rakuten"]],
    )
    silent_receivers: tuple[MunicipalityCode, ...] = Field(
        default=(),
        description="Municipalities whose receiver starts nothing, by quoted five-digit JIS code.",
        examples=[["01610"]],
    )


class CorrectionNotice(Closed):
    """How the correction of this launch travelled and what it says."""

    historical_channel: Name | None = Field(
        default=None,
        description="Channel it took in history where that was not J-ALERT; the simulated message "
        "carries it as a remark.",
        examples=["em-net"],
    )
    only_channels: tuple[ChannelName, ...] | None = Field(
        default=None,
        description="The channels to people that carry it, for the people it gets to; left out: "
        "all of them, an empty list: none.",
        examples=[["television"]],
    )
    reason: Line | None = Field(
        default=None,
        description="Why it was sent, one sentence.",
        examples=["It had vanished over the Sea of Japan."],
    )


class Launch(Closed):
    """One launch: its time, its truth and what the chain believes."""

    id: Name = Field(description="Its name, unique in the scenario.", examples=["icbm"])
    title: Line | None = Field(
        default=None, description="For people.", examples=["ICBM-class missile"]
    )
    at: MomentField = Field(description="When it was launched.", examples=["07:39"])
    threat: Threat = Field(
        default=Threat.HIGH, description="How urgent it looks.", examples=["high"]
    )
    announced: Flag = Field(
        default=False,
        description="True where it was announced beforehand: the chain is watching.",
        examples=[True],
    )
    flight: FlightFacts | None = Field(
        default=None,
        description="Its flight, from which truth and belief follow where they are not listed.",
        examples=[{"site": "sunan", "azimuth_deg": 90, "range_km": 4600, "apogee_km": 1000}],
    )
    truth: Truth | None = Field(
        default=None,
        description="What it really did; left out: what its flight does, else what the chain "
        "believes.",
        examples=[{"outcome": "vanished", "at": "07:45"}],
    )
    belief: Belief | None = Field(
        default=None,
        description="What the chain thinks; left out: what follows from its flight. With neither, "
        "it sees nothing, and nobody is warned.",
        examples=[{"prefectures": ["miyagi"], "arrival": "07:48", "outcome": "passage"}],
    )
    correction: CorrectionNotice | None = Field(
        default=None,
        description="How the correction, if one is due, is sent.",
        examples=[{"historical_channel": "em-net"}],
    )
    faults: Faults | None = Field(
        default=None,
        description="What goes wrong in the chain.",
        examples=[{"wrong_area": ["tokyo"]}],
    )


class Drill(Closed):
    """A test message, once or at regular intervals."""

    id: Name = Field(description="Its name, unique in the scenario.", examples=["siren-check"])
    at: When = Field(description="When the first is sent.", examples=["10s"])
    prefectures: PrefectureList = Field(
        description='Receiving prefectures, by name or quoted JIS code; or "all".',
        examples=[["miyagi"]],
    )
    count: Count = Field(
        default=1, ge=1, le=100_000, description="How many times, no unit.", examples=[3]
    )
    every: Duration = Field(
        default=0, description="Interval between them, scenario time.", examples=["10s"]
    )


class Mark(Closed):
    """Something worth showing that is no message: a press statement, a train that stops."""

    id: Name = Field(
        description="Its name, unique in the scenario.", examples=["minister-statement"]
    )
    at: MomentField = Field(description="When it happened.", examples=["09:00"])
    text: Line = Field(
        description="What happened, one sentence.",
        examples=["The minister says that it vanished over the Sea of Japan."],
    )


class RecordedMessage(Closed):
    """A message of history, to compare the simulated ones with; it is not sent."""

    id: Name = Field(description="Its name, unique in the scenario.", examples=["alert"])
    at: MomentField = Field(description="When it was sent.", examples=["07:50"])
    event: Name = Field(description="What it said, as a kind of message.", examples=["launch"])
    prefectures: PrefectureList = Field(
        description='Receiving prefectures, by name or quoted JIS code; or "all".',
        examples=[["miyagi", "yamagata", "niigata"]],
    )


class Scenario(Closed):
    """What happens, to whom, and what is claimed about it."""

    schema_version: Literal["1.0"] = Field(
        alias="schema", description="Version of this format, quoted.", examples=["1.0"]
    )
    extends: str | None = Field(
        default=None,
        description="Shipped scenario, or path of a file from this one, that this is a variant "
        "of: fields given here replace or complete its own; null removes one.",
        examples=["tohoku-2022-11-03"],
    )
    id: Name = Field(
        description="Name of the scenario: lowercase letters, digits, dashes.",
        examples=["tohoku-2022-11-03"],
    )
    title: Line = Field(description="One line for people.", examples=["3 November 2022, replayed"])
    description: Annotated[str, Field(max_length=5000)] = Field(
        default="", description="What it shows and what it rests on.", examples=["A small drill."]
    )
    status: Literal["Exercise", "Test"] = Field(
        default="Exercise",
        description="CAP status of its messages; nothing else can be sent.",
        examples=["Exercise"],
    )
    fictional: Flag = Field(
        default=False,
        description="True where nothing in it claims to have happened: figures then need neither "
        "source nor range, and are all shown as assumed.",
        examples=[True],
    )
    epoch: Epoch = Field(
        description="Scenario time zero, with its offset from UTC.",
        examples=["2022-11-03T07:39:00+09:00"],
    )
    precision: Duration = Field(
        default=0,
        description="How finely the sources tell issue and arrival, either way (scenario time); "
        "shown beside every lead time.",
        examples=["1min"],
        validate_default=False,
    )
    sources: tuple[Source, ...] = Field(
        default=(), description="Publications that figures refer to.", examples=[[]]
    )
    chain: Chain = Field(
        default_factory=Chain,
        description="The chain that turns launches into alerts.",
        examples=[{"profile": "j-alert-2022"}],
    )
    launches: tuple[Launch, ...] = Field(
        default=(), max_length=1000, description="What is launched.", examples=[[]]
    )
    sensing: Sensing | None = Field(
        default=None,
        description="Assumptions about sensors; left out: those of `config/sensing.json`.",
        examples=[{"radar": {"range_km": 2500}}],
    )
    area: WarnedArea | None = Field(
        default=None,
        description="Assumptions about the corridor; left out: those of the chain's policy in "
        "`config/warning_areas.json`.",
        examples=[{"half_width_km": 40}],
    )
    channels: dict[str, Any] | None = Field(
        default=None,
        description="What differs from the channel profile of the scenario's time, laid over it "
        "field by field, entries of lists by their id. Its channels stand here beside days, "
        "notices, phones and municipal.",
        examples=[
            {
                "cell-broadcast": {
                    "stages": [{"id": "network", "delay": {"law": "constant", "value": "2s"}}]
                }
            }
        ],
    )
    channel_faults: ChannelFaults | None = Field(
        default=None,
        description="What goes wrong on the way to people.",
        examples=[{"silent_carriers": ["rakuten"]}],
    )
    tests: tuple[Drill, ...] = Field(
        default=(), max_length=1000, description="Test messages.", examples=[[]]
    )
    marks: tuple[Mark, ...] = Field(
        default=(), max_length=1000, description="Things worth showing beside.", examples=[[]]
    )
    record: tuple[RecordedMessage, ...] = Field(
        default=(),
        max_length=1000,
        description="Messages of history, to compare with; they are not sent.",
        examples=[[]],
    )
    subscribers: Annotated[tuple[AnyGroup, ...], Field(max_length=100)] | None = Field(
        default=None,
        description="Groups of subscribers that a run plays to; left out: --subscribers of them, "
        "all steady.",
        examples=[[{"id": "receivers", "kind": "steady", "count": 50}]],
    )
    thresholds: dict[str, tuple[str, ...]] = Field(
        default={},
        description="What a run must meet, by metric; they add to or replace the defaults.",
        examples=[{"delivery_latency{population=live}": ["p(99)<1s"]}],
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        from simulator.scenario.checks import check  # noqa: PLC0415  # checks reads these models

        check(self)
        return self

    def offset_ns(self, moment: Moment) -> int:
        """Scenario time of a moment, ns from the epoch."""
        return moment.time.offset_ns(self.epoch)

    def resolved(self) -> dict[str, Any]:
        """The scenario as plain data that reads back as the same scenario."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
