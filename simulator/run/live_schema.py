"""The shape of live events: what each line of ``run --events`` holds.

Rule of the module: closed models of what :mod:`simulator.run.live` writes, from which the JSON
Schema is made; nothing is written through them, so that a run never waits for a check. A test
holds every line of real runs against them.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from simulator.measure.running import BUCKETS_NS
from simulator.measure.summary import Counts

Nanoseconds = Annotated[str, Field(pattern="^-?(0|[1-9][0-9]{0,19})$")]
Share = Annotated[int, Field(ge=0)]
Segment = Literal["send", "transit", "handling", "delivery"]


class Told(BaseModel):
    """What all parts share: closed, so that a name that is not described is found."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LiveEvent(Told):
    """What every line has."""

    n: int = Field(ge=1, description="From 1, without gaps as written.")
    at_unix_ns: Nanoseconds = Field(description="When it was told, nanoseconds since 1970 (UTC).")
    dropped: int | None = Field(
        default=None,
        ge=1,
        description="Lines left out before this one; missing if there were none.",
    )


class Place(Told):
    """A prefecture that is warned."""

    slug: str = Field(description="Its name in topics.")
    code: str = Field(description="JIS X 0401 code, two digits.")
    name_en: str = Field(description="English name.")
    name_ja: str = Field(description="Japanese name.")
    warned_ns: Nanoseconds = Field(description="First alert (scenario).")
    believed_arrival_ns: Nanoseconds | None = Field(description="As believed at issue (scenario).")
    true_arrival_ns: Nanoseconds | None = Field(description="True arrival (scenario); null: none.")


class ChainEvent(Told):
    """Something that happens in the simulated chain, or in truth."""

    number: int = Field(ge=0, description="Index in the timeline.")
    at_ns: Nanoseconds = Field(description="When (scenario, from the epoch).")
    kind: Literal["truth", "belief", "stage", "alert", "mark"] = Field(description="What it is.")
    name: str = Field(description="launch, sensing, passage …")
    launch: str | None = Field(description="Id of the launch.")
    prefecture: str | None = Field(description="Slug, where it is of one prefecture.")
    started_ns: Nanoseconds | None = Field(description="When a stage began (scenario).")
    about_ns: Nanoseconds | None = Field(description="The instant that it speaks of (scenario).")
    assumption: bool = Field(description="Whether the figure behind it is assumed.")
    note: str = Field(description="One sentence; may be empty.")


class PlannedMessage(Told):
    """An alert to be sent."""

    number: int = Field(ge=0, description="Index among the timeline's alerts.")
    at_ns: Nanoseconds = Field(description="Planned issue (scenario, from the epoch).")
    prefecture: str = Field(description="Slug.")
    event: str = Field(description="launch, passage, correction …")
    msg_type: str = Field(description="CAP msgType.")
    in_force: bool = Field(description="Whether people are to stay sheltered after it.")
    headline_en: str = Field(description="English headline, marked EXERCISE.")
    headline_ja: str = Field(description="Japanese headline, marked 【訓練】.")


class PeopleCurve(Told):
    """People of one prefecture."""

    alerted: Share = Field(description="People who live where an alert was issued.")
    warned: list[Share] = Field(description="Of them, warned by each instant of at_s.")


class PeopleWarned(PeopleCurve):
    """People warned by time: a figure of the model, never a measurement."""

    launch_ns: Nanoseconds = Field(description="First launch (scenario).")
    at_s: list[int] = Field(description="Seconds after the first launch (scenario).")
    by_prefecture: dict[str, PeopleCurve] = Field(description="The same by slug.")


class Plan(LiveEvent):
    """The first line: what will be played."""

    type: Literal["plan"] = Field(description="What this line is.")
    schema_version: str = Field(alias="schema", description="Version of the form of live events.")
    exercise: Literal[True] = Field(description="Always true: nothing here is real.")
    run: str = Field(description="Run id.")
    scenario: str = Field(description="Id of the scenario.")
    title: str = Field(description="Its title.")
    seed: int = Field(description="Seed of every random stream.")
    speed: float = Field(gt=0, description="Scenario seconds per wall second.")
    repeat: int = Field(ge=1, description="How often the timeline is played.")
    subscribers: int = Field(ge=0, description="Simulated subscribers, without controls.")
    root: str = Field(description="First topic level.")
    epoch: str = Field(description="Scenario time zero, ISO 8601 with offset.")
    first_ns: Nanoseconds = Field(description="First alert (scenario).")
    last_ns: Nanoseconds = Field(description="Last alert (scenario).")
    prefectures: list[Place] = Field(description="Those that are warned.")
    events: list[ChainEvent] = Field(description="The timeline, in order.")
    alerts: list[PlannedMessage] = Field(description="In order of issue.")
    people: PeopleWarned | None = Field(description="Null where no launch warns anybody.")


class Phase(LiveEvent):
    """The run came to another part of its work."""

    type: Literal["phase"] = Field(description="What this line is.")
    name: str = Field(description="broker, connect, probe, wait, publish, drain, write …")
    detail: str = Field(description="A few words; may be empty.")


class BrokerUp(LiveEvent):
    """The broker answers."""

    type: Literal["broker"] = Field(description="What this line is.")
    addresses: dict[str, str] = Field(description="URL by MQTT version.")
    websocket: str | None = Field(description="URL for browsers, where the broker has one.")


class Directory(LiveEvent):
    """Where the run is kept."""

    type: Literal["directory"] = Field(description="What this line is.")
    path: str = Field(description="The run directory.")


class Begun(LiveEvent):
    """From here on: scenario now = first_ns + (wall now - start_unix_ns) x speed."""

    type: Literal["begun"] = Field(description="What this line is.")
    start_unix_ns: Nanoseconds = Field(description="First intended send, since 1970 (wall).")
    first_ns: Nanoseconds = Field(description="First alert (scenario).")
    last_ns: Nanoseconds = Field(description="Last alert (scenario).")
    repeat: int = Field(ge=1, description="How often the timeline is played.")
    period_ns: Nanoseconds = Field(description="Between two playings (wall); 0 if played once.")


class SentAlert(LiveEvent):
    """An alert was written to the publisher's socket."""

    type: Literal["sent"] = Field(description="What this line is.")
    alert: int = Field(ge=0, description="Its number in the plan.")
    repetition: int = Field(ge=0, description="Which playing, from 0.")
    identifier: str = Field(description="CAP identifier.")
    prefecture: str = Field(description="Slug.")
    event: str = Field(description="launch, passage, correction …")
    late_ns: Nanoseconds = Field(description="Sent minus intended (wall).")


class LatencySoFar(Told):
    """Delivery latency so far, quantiles of the buckets below."""

    n: int = Field(ge=1, description="Live deliveries.")
    p50_ns: Nanoseconds = Field(description="Median (wall).")
    p90_ns: Nanoseconds = Field(description="90th percentile (wall).")
    p99_ns: Nanoseconds = Field(description="99th percentile (wall).")
    max_ns: Nanoseconds | None = Field(description="Largest (wall).")


class SegmentTally(Told):
    """One segment of one group, from the start of the run."""

    n: int = Field(ge=0, description="Deliveries.")
    sum_ns: Nanoseconds = Field(description="Their sum (wall).")
    buckets: list[Share] = Field(
        min_length=len(BUCKETS_NS) + 1,
        max_length=len(BUCKETS_NS) + 1,
        description="Deliveries up to each bound and above the last, not cumulative; bounds in "
        f"seconds: {', '.join(f'{bound / 1e9:g}' for bound in BUCKETS_NS)}.",
    )


class Group(Told):
    """Live deliveries of one prefecture, event and effective QoS."""

    prefecture: str = Field(description="Slug.")
    event: str = Field(description="launch, passage, correction …")
    qos: int = Field(ge=0, le=2, description="Effective QoS.")
    segments: dict[Segment, SegmentTally] = Field(description="By segment.")


class ClientSeen(Told):
    """A client that is not ours."""

    client: str = Field(description="MQTT client id.")
    online: bool = Field(description="By its retained status.")
    received: int = Field(ge=0, description="Receipts that it sent.")
    last_ns: Nanoseconds | None = Field(description="Its last latency (wall); null: unknown.")
    worst_ns: Nanoseconds | None = Field(description="Its largest latency (wall); null: unknown.")


class Progress(LiveEvent):
    """How far it is: at most four times a second, and only if something changed."""

    type: Literal["progress"] = Field(description="What this line is.")
    subscribed: int = Field(ge=0, description="Subscribers whose subscriptions are granted.")
    subscribers: int = Field(ge=0, description="Subscribers, controls included.")
    sent: int = Field(ge=0, description="Alerts sent.")
    alerts: int = Field(ge=0, description="Alerts to be sent, all playings.")
    delivered: int = Field(ge=0, description="First copies received.")
    owed: int = Field(ge=0, description="Deliveries owed in the whole run.")
    due: int = Field(ge=0, description="Of them, of alerts that were sent.")
    late: int = Field(ge=0, description="First copies after late_after, without queued.")
    queued: int = Field(
        default=0, ge=0, description="First copies kept for clients that were away."
    )
    duplicates: int = Field(ge=0, description="Further copies.")
    unexpected: int = Field(ge=0, description="Wrong area, foreign or malformed.")
    latency: LatencySoFar | None = Field(description="Null before the first delivery.")
    groups: list[Group] = Field(description="Groups that changed, whole and cumulative.")
    clients: list[ClientSeen] = Field(description="Clients that are not ours.")
    reconnects: int = Field(ge=0, description="Connections lost and made again.")


class LatencyAtEnd(Told):
    """Delivery latency of the live population, as in the summary."""

    n: int = Field(ge=1, description="Live deliveries.")
    p50_ns: Nanoseconds | None = Field(description="Median (wall); null: too few.")
    p90_ns: Nanoseconds | None = Field(description="90th percentile (wall); null: too few.")
    p99_ns: Nanoseconds | None = Field(description="99th percentile (wall); null: too few.")
    max_ns: Nanoseconds | None = Field(description="Largest (wall).")


class End(LiveEvent):
    """The last line: how the run ended."""

    type: Literal["end"] = Field(description="What this line is.")
    exit_code: int = Field(description="As of the process.")
    outcome: Literal["pass", "fail", "inconclusive", "aborted", "error"] = Field(
        description="The exit code in a word."
    )
    reason: str = Field(description="Why, one sentence.")
    sentence: str = Field(description="Whether it passed, as the report says; may be empty.")
    sentence_ja: str = Field(default="", description="The same in Japanese; may be empty.")
    warned: str = Field(default="", description="Who was warned in time, as the report says.")
    warned_ja: str = Field(default="", description="The same in Japanese; may be empty.")
    latency: LatencyAtEnd | None = Field(
        default=None, description="As in the summary; null if nothing was measured."
    )
    directory: str | None = Field(description="The run directory, if there is one.")
    report: str | None = Field(description="Its report, if there is one.")
    ledger: Counts | None = Field(description="Counts of the whole run, if it was accounted for.")


AnyLiveEvent = Annotated[
    Plan | Phase | BrokerUp | Directory | Begun | SentAlert | Progress | End,
    Field(discriminator="type"),
]
LIVE_EVENT: Final[TypeAdapter[Any]] = TypeAdapter(AnyLiveEvent)


def live_events_json_schema() -> dict[str, Any]:
    """JSON Schema of one line."""
    return LIVE_EVENT.json_schema()
