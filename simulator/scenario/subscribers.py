"""Populations of subscribers: who listens, how, and when they are away.

Rule of the module: closed, frozen models, as in ``schema``, of which they are the part that says
who receives; the chain knows nothing of it, so a timeline never changes with its audience. When
something happens is scenario time, which a run's speed scales; how long a device waits between two
attempts or two readings is wall time, which nothing scales.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from simulator.scenario.laws import Closed, Flag
from simulator.scenario.values import Duration, Name, PrefectureList, When, refuse
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S

MOST_SUBSCRIBERS: Final = 1_000_000
MOST_OUTAGES: Final = 10_000
LONGEST_WAIT_NS: Final = 10 * NS_PER_MIN
AREA: Final = "{prefecture}"
_BRANCHES: Final = ("alerts", "state")
_FILTER_REMEDY: Final = (
    "write what stands behind the root and v1, for example alerts/{prefecture}/+, "
    "alerts/+/launch or state/{prefecture}"
)


def _read_filter(text: str) -> str:
    levels = text.split("/")
    if levels[0] not in _BRANCHES or len(levels) == 1:
        raise refuse("not a filter on alerts or states", _FILTER_REMEDY)
    for index, level in enumerate(levels):
        last = index == len(levels) - 1
        if not level or ("#" in level and (level != "#" or not last)):
            raise refuse("not an MQTT topic filter", _FILTER_REMEDY)
        if ("+" in level and level != "+") or ("{" in level and level != AREA) or "$" in level:
            raise refuse("not an MQTT topic filter", _FILTER_REMEDY)
    return text


def _read_wait(value: int) -> int:
    if not NS_PER_MS <= value <= LONGEST_WAIT_NS:
        raise refuse("outside 1ms to 10min", "write for example 500ms or 5s")
    return value


def _distinct(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise refuse("the same filter twice is one subscription", "write two that overlap")
    return value


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, int) else value


Members = Annotated[int, Strict(), Field(ge=1, le=MOST_SUBSCRIBERS)]
Filter = Annotated[str, AfterValidator(_read_filter)]
Filters = Annotated[
    tuple[Filter, ...], Field(min_length=2, max_length=16), AfterValidator(_distinct)
]
Qos = Literal[0, 1, 2]
QosList = Annotated[
    tuple[Qos, ...],
    BeforeValidator(_one_or_several, json_schema_input_type=Qos | tuple[Qos, ...]),
    Field(min_length=1, max_length=12),
]
Wait = Annotated[Duration, AfterValidator(_read_wait)]


class Backoff(Closed):
    """How long a device waits before it tries again; wall time, as devices do not know of speed."""

    first: Wait = Field(
        default=NS_PER_S,
        description="Longest wait before the first attempt, wall time; it doubles with each.",
        examples=["1s"],
        validate_default=False,
    )
    longest: Wait = Field(
        default=30 * NS_PER_S,
        description="Longest wait of all, wall time.",
        examples=["30s"],
        validate_default=False,
    )
    jitter: Flag = Field(
        default=True,
        description="True: each wait is drawn from the upper half of what is allowed, so that "
        "those who fell together do not come back together. False: a reconnect storm.",
        examples=[False],
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.first > self.longest:
            raise refuse("the first wait is longer than the longest", "write longest at least so")
        return self


class Group(Closed):
    """What all groups of subscribers may say."""

    id: Name = Field(description="Its name, unique among the groups.", examples=["phones"])
    count: Members | None = Field(
        default=None,
        description="How many, no unit; either this or share.",
        examples=[50],
    )
    share: Annotated[float, Strict(), Field(gt=0, le=1)] | None = Field(
        default=None,
        description="How many, as a share of the run's --subscribers (300 if not given), 0 to 1; "
        "what all shares leave over is steady.",
        examples=[0.2],
    )
    prefectures: PrefectureList | None = Field(
        default=None,
        description="Where they stand; left out: in all alerted prefectures, by population.",
        examples=[["miyagi"]],
    )
    qos: QosList | None = Field(
        default=None,
        description="QoS they ask for, 0 to 2; several take turns; left out: the run's.",
        examples=[[0, 1, 2]],
    )
    protocol: Literal["3.1.1", "5", "mixed"] | None = Field(
        default=None,
        description="MQTT version, quoted; mixed takes turns; left out: the run's --protocol.",
        examples=["5"],
    )
    session: Literal["clean", "persistent"] | None = Field(
        default=None,
        description="Whether the broker keeps a session for who is away; left out: the run's "
        "--session.",
        examples=["persistent"],
    )
    state: Flag = Field(
        default=False,
        description="True: they subscribe to the retained state of their prefecture too.",
        examples=[True],
    )


class Steady(Group):
    """There from before the first message to the end."""

    kind: Literal["steady"] = Field(description="The kind of group.")


class Late(Group):
    """Joins while the scenario plays.

    It is owed what is sent after it joined; what it gets before that is the retained state, whose
    figure is the age of the alert and no latency.
    """

    kind: Literal["late"] = Field(description="The kind of group.")
    joins_from: When = Field(
        description="When the first may join: a time as of a launch, scenario time.",
        examples=["07:51"],
    )
    joins_until: When = Field(
        description="When the last has joined; each draws its time evenly, scenario time.",
        examples=["07:58"],
    )
    state: Flag = Field(
        default=True,
        description="True: they subscribe to the retained state of their prefecture too.",
        examples=[True],
    )


class Flapping(Group):
    """Loses its connection again and again, without a word to the broker, and comes back.

    During an outage nothing gets through; attempts to return go on in the device's own rhythm, and
    the first one after the outage succeeds. Together and without jitter that is a reconnect storm.
    """

    kind: Literal["flapping"] = Field(description="The kind of group.")
    first_outage: When = Field(
        description="When the first outage begins, scenario time.", examples=["07:52"]
    )
    outage: Duration = Field(description="How long each lasts, scenario time.", examples=["20s"])
    every: Duration = Field(
        default=0,
        description="From one outage to the next, scenario time; needed if there are several.",
        examples=["2min"],
    )
    outages: Annotated[int, Strict(), Field(ge=1, le=MOST_OUTAGES)] = Field(
        default=1, description="How many outages, no unit.", examples=[3]
    )
    together: Flag = Field(
        default=True,
        description="True: all of the group at the same moment, as when a network fails. False: "
        "each at a moment of its own, drawn evenly from the time up to the next outage (for a "
        "single one: from its length).",
        examples=[False],
    )
    backoff: Backoff = Field(
        default_factory=Backoff,
        description="How a device waits between attempts.",
        examples=[{"first": "500ms", "longest": "10s", "jitter": False}],
    )


class Offline(Group):
    """Leaves once, in order, and returns: a device that is switched off.

    With a persistent session and QoS 1 or 2 what was sent meanwhile is queued for it and counted
    apart; with a clean session or QoS 0 it is missed.
    """

    kind: Literal["offline"] = Field(description="The kind of group.")
    leaves: When = Field(description="When it leaves, scenario time.", examples=["07:45"])
    returns: When = Field(description="When it returns, scenario time.", examples=["07:56"])
    spread: Duration = Field(
        default=0,
        description="Each leaves and returns up to so much later, drawn evenly, scenario time.",
        examples=["30s"],
    )
    session: Literal["clean", "persistent"] | None = Field(
        default="persistent",
        description="Whether the broker keeps a session for who is away.",
        examples=["clean"],
    )


class Slow(Group):
    """Reads its socket only now and then, as a device that sleeps between two looks.

    What arrived meanwhile waits in the host's buffers. The time at which each message reached them
    is known only as far as the receive stamps tell; each figure carries that uncertainty.
    """

    kind: Literal["slow"] = Field(description="The kind of group.")
    reads_every: Wait = Field(
        description="Time between two readings, wall time, 1ms to 10min.", examples=["2s"]
    )


class Overlapping(Group):
    """Holds several filters that match the same message.

    Each message is expected once. A broker may send one copy or one for each filter (MQTT 3.1.1 and
    5, section 3.3.5): further ones are duplicates with the cause overlap.
    """

    kind: Literal["overlapping"] = Field(description="The kind of group.")
    filters: Filters = Field(
        default=("alerts/{prefecture}/+", "alerts/{prefecture}/#"),
        description="Topic filters behind root and version; {prefecture} is each one's own.",
        examples=[["alerts/{prefecture}/+", "alerts/+/launch"]],
    )


class Shared(Group):
    """A shared subscription: each message goes to one member of it, and is expected once."""

    kind: Literal["shared"] = Field(description="The kind of group.")
    across: Literal["prefecture", "all"] = Field(
        default="prefecture",
        description="prefecture: the members in each prefecture share its messages. all: all "
        "members share the messages of all prefectures.",
        examples=["all"],
    )


class Geographic(Group):
    """One in each municipality of the alerted prefectures, as its receiver; the largest first."""

    kind: Literal["geographic"] = Field(description="The kind of group.")
    count: Members | None = Field(
        default=None,
        description="Only in so many municipalities, those with most inhabitants, no unit; left "
        "out: in all that have any.",
        examples=[100],
    )


AnyGroup = Annotated[
    Steady | Late | Flapping | Offline | Slow | Overlapping | Shared | Geographic,
    Field(discriminator="kind"),
]
MODELS: Final[tuple[type[Group], ...]] = (
    Steady,
    Late,
    Flapping,
    Offline,
    Slow,
    Overlapping,
    Shared,
    Geographic,
)
