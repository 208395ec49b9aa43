"""Channels: what a profile of ``config/channels`` may say, as closed, frozen models.

Rule of the module: nothing is drawn or computed here. Every figure names its sources, or says that
it is an assumption and gives the range it could as well have been taken from. Shares are fractions
from 0 to 1; durations are scenario time. A channel that a profile leaves out does not exist in its
time: before 2014 no carrier broadcast these alerts.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, Strict, model_validator

from simulator.scenario.chain import Source
from simulator.scenario.laws import (
    Closed,
    Constant,
    Empirical,
    Flag,
    Gamma,
    Lognormal,
    Number,
    Provenance,
    Triangular,
    Uniform,
)
from simulator.scenario.values import ChannelName, Line, Name, PrefectureSlug, refuse

CHANNELS_SCHEMA: Final = "1.0"
_ROUNDING: Final = 1e-6

Fraction = Annotated[Number, Field(ge=0, le=1)]
Span = tuple[Fraction, Fraction]
Count = Annotated[int, Strict()]

DelayLaw = Annotated[
    Constant | Uniform | Triangular | Lognormal | Gamma | Empirical, Field(discriminator="law")
]


class Activity(StrEnum):
    """What a person does when the alert comes; everybody does exactly one of them."""

    ASLEEP = "asleep"
    TELEVISION = "television"
    RADIO = "radio"
    COMMUTING = "commuting"
    OUTDOORS = "outdoors"
    INDOORS = "indoors"


class Share(Provenance):
    """A share of people, homes, towns or cases."""

    share: Fraction = Field(description="From 0 to 1, no unit.", examples=[0.85])
    range: Span | None = Field(
        default=None,
        description="For an assumption: the least and most that it could as well be.",
        examples=[[0.8, 0.92]],
    )


class Part(Closed):
    """The share of the people who do one thing."""

    share: Fraction = Field(description="From 0 to 1, no unit.", examples=[0.9])
    range: Span | None = Field(
        default=None,
        description="For an assumption: the least and most that it could as well be.",
        examples=[[0.8, 0.95]],
    )


class Heard(Part):
    """The share who notice, and how quickly they do."""

    notice: Name | None = Field(
        default=None,
        description="Which of the notices: how long it takes to hear and understand; needed where "
        "the share is not 0.",
        examples=["at-hand"],
    )


class Near(Provenance):
    """The share of phone owners whose phone is near enough to be heard, by what they do."""

    asleep: Part = Field(description="Asleep.", examples=[{"share": 0.8}])
    television: Part = Field(description="Watching television.", examples=[{"share": 0.9}])
    radio: Part = Field(description="Listening to the radio.", examples=[{"share": 0.9}])
    commuting: Part = Field(description="On the way to work or school.", examples=[{"share": 1}])
    outdoors: Part = Field(description="Outdoors.", examples=[{"share": 0.9}])
    indoors: Part = Field(description="Awake indoors.", examples=[{"share": 0.9}])


class Hearing(Provenance):
    """The share of the people a channel gets to who notice it, by what they do."""

    asleep: Heard = Field(default=Heard(share=0), description="Asleep: who wakes up.")
    television: Heard = Field(default=Heard(share=0), description="Watching television.")
    radio: Heard = Field(default=Heard(share=0), description="Listening to the radio.")
    commuting: Heard = Field(default=Heard(share=0), description="On the way to work or school.")
    outdoors: Heard = Field(default=Heard(share=0), description="Outdoors.")
    indoors: Heard = Field(default=Heard(share=0), description="Awake indoors.")


class Notice(Closed):
    """How long a person takes from the first sound or picture to knowing what it says."""

    id: Name = Field(description="Its name.", examples=["at-hand"])
    delay: DelayLaw = Field(description="How long it takes, scenario time.")


class Stage(Closed):
    """One step on the way of a channel; the delays of its stages add up."""

    id: Name = Field(description="Its name, unique in the channel.", examples=["siren"])
    delay: DelayLaw = Field(description="How long it takes, scenario time.")
    share: Share | None = Field(
        default=None, description="Share of people whom this step delays; everybody if left out."
    )


class Lag(Closed):
    """A delay that only the people of some towns have."""

    share: Share = Field(description="Share of towns.")
    delay: DelayLaw = Field(description="How much later all of the town is, scenario time.")


class Failure(Provenance):
    """How many municipal receivers stay silent: a rate for each replication, from a beta law."""

    a: Count = Field(ge=1, le=1000, description="First parameter, no unit.", examples=[2])
    b: Count = Field(ge=1, le=1000, description="Second parameter, no unit.", examples=[78])
    range: Span | None = Field(
        default=None,
        description="For an assumption: the least and most that the mean rate could as well be.",
        examples=[[0.005, 0.05]],
    )


class Municipal(Closed):
    """What loudspeakers and indoor receivers of a town share: the receiver that starts them."""

    stages: tuple[Stage, ...] = Field(default=(), description="From issue to the town's starter.")
    old: Lag | None = Field(default=None, description="Towns with a slow receiver or starter.")
    mixed: Lag | None = Field(
        default=None, description="Towns that speak digital and analogue one after the other."
    )
    failure: Failure = Field(description="Receivers that stay silent.")


class Carrier(Closed):
    """A mobile network."""

    id: Name = Field(description="Its name.", examples=["docomo"])
    share: Share = Field(description="Share of lines, virtual operators on it included.")
    silent: Share = Field(description="Probability that it sends nothing at all in an alert.")
    offset: DelayLaw = Field(description="How much later the whole network is, in an alert.")


class Phones(Closed):
    """Who has a phone, and where it is."""

    held: Share = Field(description="Share of people with a mobile phone of any kind.")
    capable: Share = Field(description="Share of these phones that can show the broadcast.")
    near: Near = Field(description="Share of them near enough to be heard.")


class Reaching(Closed):
    """What all channels have: stages and hearing."""

    stages: tuple[Stage, ...] = Field(
        default=(), description="Steps from the issue (or the town's starter) to the person."
    )
    hears: Hearing = Field(description="Who notices.")


class CellBroadcast(Reaching):
    """A message to every phone in the area, by network."""

    carriers: tuple[Carrier, ...] = Field(
        min_length=1, description="The networks; their shares are scaled to add up to 1."
    )


class App(Reaching):
    """A push message of an app, here over MQTT."""

    owners: Share = Field(description="Share of phone owners whose app passes these alerts on.")


class Media(Reaching):
    """Television or radio."""


class PrefectureShare(Closed):
    """A share of towns that is known for one prefecture."""

    id: PrefectureSlug = Field(description="The prefecture.", examples=["miyagi"])
    share: Share = Field(description="Share of its towns.")


class Installed(Closed):
    """How many towns have the system."""

    elsewhere: Share = Field(description="Share of towns where nothing better is known.")
    prefectures: tuple[PrefectureShare, ...] = Field(default=(), description="Known shares.")


class TownSize(Closed):
    """How well a system is heard in towns of at least so many people."""

    id: Name = Field(description="Its name.", examples=["rural"])
    people_from: Count = Field(ge=0, description="Inhabitants, at least.", examples=[50_000])
    share: Share = Field(description="Share of people outdoors who can make it out.")


class Loudspeaker(Reaching):
    """Outdoor loudspeakers of a town."""

    installed: Installed = Field(description="Which towns have them.")
    audible: tuple[TownSize, ...] = Field(min_length=1, description="How far they carry.")

    @model_validator(mode="after")
    def _sizes_cover_all_towns(self) -> Self:
        sizes = [size.people_from for size in self.audible]
        if sizes[0] != 0 or sizes != sorted(set(sizes)):
            raise refuse(
                "the town sizes leave a gap", "start with people_from: 0 and go up from there"
            )
        return self


class Homes(Closed):
    """Towns where a certain share of homes has a receiver."""

    id: Name = Field(description="Its name.", examples=["most"])
    towns: Fraction = Field(description="Share of towns.", examples=[0.15])
    homes: Fraction = Field(description="Share of the homes of such a town.", examples=[0.9])


class Coverage(Provenance):
    """How indoor receivers are spread over towns."""

    people_to: Count = Field(
        ge=0, description="Towns of more inhabitants have none.", examples=[200_000]
    )
    classes: tuple[Homes, ...] = Field(
        min_length=1, description="Kinds of towns of at most so many inhabitants."
    )
    range: Span | None = Field(
        default=None,
        description="For an assumption: the least and most that the mean share of homes could as "
        "well be.",
        examples=[[0.15, 0.35]],
    )

    @model_validator(mode="after")
    def _covers_all_towns(self) -> Self:
        if abs(sum(entry.towns for entry in self.classes) - 1) > _ROUNDING:
            raise refuse("the shares of towns do not add up to 1", "write towns: so that they do")
        return self

    @property
    def mean(self) -> float:
        """Mean share of homes over these towns."""
        return sum(entry.towns * entry.homes for entry in self.classes)


class IndoorReceiver(Reaching):
    """Receivers that a town has put into homes."""

    coverage: Coverage = Field(description="How many homes have one.")


class Channels(Closed):
    """The channels of a time; one left out does not exist."""

    model_config = ConfigDict(populate_by_name=True)

    cell_broadcast: CellBroadcast | None = Field(
        default=None, alias="cell-broadcast", description="Broadcast to all phones of the area."
    )
    app: App | None = Field(default=None, description="Push message of an app.")
    loudspeaker: Loudspeaker | None = Field(default=None, description="Outdoor loudspeakers.")
    indoor_receiver: IndoorReceiver | None = Field(
        default=None, alias="indoor-receiver", description="Receivers in homes."
    )
    television: Media | None = Field(default=None, description="Television.")
    radio: Media | None = Field(default=None, description="Radio.")

    def all(self) -> dict[ChannelName, Reaching]:
        """The channels that exist, in the order of results."""
        found = {name: getattr(self, name.value.replace("-", "_")) for name in ChannelName}
        return {name: channel for name, channel in found.items() if channel is not None}


class Days(Closed):
    """How days off differ from the weekday of the hourly table."""

    saturday: Constant = Field(description="How much later everything is on a Saturday.")
    holiday: Constant = Field(description="How much later on a Sunday or public holiday.")
    commuting_off: Share = Field(description="Commuters on a day off, as a share of a weekday's.")


class ChannelProfile(Closed):
    """Who can be told how, in one time."""

    schema_version: Literal["1.0"] = Field(
        alias="schema", description="Version of this format, quoted.", examples=["1.0"]
    )
    id: Name = Field(description="Name of the profile.", examples=["j-alert-2022"])
    title: Line = Field(description="One line for people.", examples=["J-ALERT, 2022"])
    description: Annotated[str, Field(max_length=5000)] = Field(
        default="", description="What it rests on."
    )
    fictional: Flag = Field(
        default=False,
        description="True where nothing in it claims to be so: figures then need neither source "
        "nor range.",
    )
    sources: tuple[Source, ...] = Field(default=(), description="What figures refer to.")
    days: Days = Field(description="How days off differ.")
    notices: tuple[Notice, ...] = Field(min_length=1, description="How quickly people notice.")
    phones: Phones = Field(description="Who has a phone, and where.")
    municipal: Municipal = Field(description="What starts a town's own channels.")
    channels: Channels = Field(description="The channels.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        from simulator.reach.checks import check  # noqa: PLC0415  # checks reads these models

        check(self)
        return self
