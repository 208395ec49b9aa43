"""The run's summary: the stable, versioned shape of ``summary.json``.

Rule of the module: closed, frozen models and nothing else. Durations are integer nanoseconds and
every one of them says ``scenario`` or ``wall``; absolute stamps exceed 2**53 and are therefore
decimal strings; an unknown figure is null and has a reason beside it, never a zero.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SUMMARY_SCHEMA = "1.0"
NOTICE = "EXERCISE EXERCISE EXERCISE: simulated alerts, no real event."

VerdictWord = Literal["pass", "fail", "inconclusive", "not-judged"]
PopulationWord = Literal["live", "retained", "queued", "all"]
SegmentWord = Literal["send", "transit", "handling", "delivery", "end-to-end", "age", "round-trip"]


class Part(BaseModel):
    """A closed, frozen piece of the summary."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RunFacts(Part):
    """Which run this was."""

    run: str = Field(description="Run id.")
    scenario: str = Field(description="Scenario id.")
    title: str = Field(description="Scenario title.")
    epoch: str = Field(description="Scenario time zero, ISO 8601 with offset.")
    seed: int = Field(description="Seed of the replication.")
    speed: float = Field(description="Scenario seconds per wall second; scales only waiting.")
    repeat: int = Field(description="How often the timeline was played.", ge=1)
    subscribers: int = Field(description="Planned subscribers of our own, controls included.")
    controls: int = Field(description="Subscribers of them that must receive nothing.")
    late_after_ns: int = Field(description="A first copy later than this is late (wall, ns).")
    timeline_digest: str = Field(description="SHA-256 of the timeline.")
    started: str = Field(description="Wall time of the first intended send, ISO 8601.")
    ended: str = Field(description="Wall time at which the account was closed, ISO 8601.")
    start_monotonic_ns: str = Field(description="Monotonic stamp of the first intended send.")
    start_unix_ns: str = Field(description="Unix time of the first intended send, ns.")
    duration_ns: int = Field(description="First intended send to closing of the account (wall).")
    lead_precision_ns: int = Field(
        default=0, description="Precision of the sources behind issue and arrival (scenario, ±ns)."
    )


class Overlap(Part):
    """Deliveries that arrived after the next alert on their topic was already intended."""

    deliveries: int = Field(description="How many did.")
    highest_speed: float | None = Field(
        description="Highest speed at which none would have; null where speed is not the cause."
    )
    note: str = Field(description="One sentence for a reader.")


class RunVerdict(Part):
    """How the run ended."""

    outcome: VerdictWord = Field(description="All thresholds together.")
    exit_code: int = Field(description="Process exit code (0, 98, 99, 105, 106 or 107).")
    reason: str = Field(description="One sentence for a reader.")
    instrument_bottleneck: bool = Field(description="The instrument, not the path, set the pace.")
    overlap: Overlap | None = Field(default=None, description="Set when the run is overlapped.")


class Completeness(Part):
    """Whether everything planned was played and accounted for."""

    state: Literal["complete", "incomplete"] = Field(description="Complete or not.")
    reason: str = Field(default="", description="Why it is incomplete; empty if complete.")


class ThresholdResult(Part):
    """One pass/fail expression with its actual value."""

    metric: str = Field(description="Metric, for example delivery_latency.")
    tags: dict[str, str] = Field(description="What it was narrowed to, for example population.")
    expression: str = Field(description="Aggregate, operator and bound, as understood.")
    default: bool = Field(description="True if it was not asked for but applies by default.")
    verdict: VerdictWord = Field(description="pass, fail, inconclusive or not-judged.")
    unit: Literal["ns", "count", "share"] = Field(description="Unit of value, low, high and bound.")
    scale: Literal["wall", "scenario", "none"] = Field(
        description="Time scale of ns values; a lead time is scenario, a count is none."
    )
    bound: float = Field(description="The bound of the expression.")
    value: float | None = Field(description="Actual value; null if there is none.")
    low: float | None = Field(description="Lower end after clock and stamp error.")
    high: float | None = Field(description="Upper end after clock and stamp error.")
    samples: int = Field(description="Samples behind the value.")
    reason: str = Field(description="Why this verdict, one sentence.")


class Counts(Part):
    """The ledger's counts. Both equations hold for the total.

    expected = delivered + late + queued + expired + missed_offline + undetermined + lost + not_sent
    receipts = (delivered + late + queued) + duplicates + unexpected
    """

    expected: int = Field(description="Alert times planned subscriber whose filter matches.")
    delivered: int = Field(description="First copy in time.")
    late: int = Field(description="First copy after late_after, or after the drain.")
    queued: int = Field(description="First copy after reconnecting to a persistent session.")
    expired: int = Field(description="Owed to an offline session, expired before it returned.")
    missed_offline: int = Field(description="Clean session or QoS 0, not connected when sent.")
    undetermined: int = Field(description="Sent while it was in doubt who was listening.")
    lost: int = Field(description="Owed and not seen.")
    not_sent: int = Field(description="The run ended first.")
    receipts: int = Field(description="Copies received on alert topics.")
    duplicates: int = Field(description="Further copies of something already received.")
    unexpected: int = Field(description="Wrong area, foreign or malformed.")


class GroupCounts(Part):
    """Counts of one group: a prefecture, an event, a subscriber kind, a QoS."""

    name: str = Field(description="Name of the group.")
    counts: Counts = Field(description="Its counts.")


class StateCounts(Part):
    """Copies on retained-state topics: beside the ledger, not in its equations."""

    retained: int = Field(description="Retained copies, given to whoever subscribed later.")
    live: int = Field(description="State changes received as they were published.")
    cleared: int = Field(description="Empty payloads: the state was cleared.")
    wrong_area: int = Field(description="States of prefectures the subscriber did not ask for.")
    foreign: int = Field(description="Well formed, but not of this run, or altered.")
    malformed: int = Field(description="Not an alertsim payload.")


class Example(Part):
    """One delivery that did not go as it should, to look at."""

    outcome: str = Field(description="late, queued, lost …, duplicate or unexpected.")
    cause: str = Field(description="Why, as far as known; may be empty.")
    client: str = Field(description="MQTT client id or shared-subscription group.")
    identifier: str = Field(description="CAP identifier of the alert; empty if unknown.")
    prefecture: str = Field(description="Prefecture of the alert; empty if unknown.")
    event: str = Field(description="Event of the alert; empty if unknown.")
    latency_ns: int | None = Field(description="Received minus intended (wall, ns), if received.")


class LedgerSummary(Part):
    """Every expected delivery, accounted for."""

    total: Counts = Field(description="The whole run.")
    by_prefecture: tuple[GroupCounts, ...] = Field(description="By prefecture of the alert.")
    by_event: tuple[GroupCounts, ...] = Field(description="By event of the alert.")
    by_population: tuple[GroupCounts, ...] = Field(
        description="Received pairs by population: live, retained, queued."
    )
    by_kind: tuple[GroupCounts, ...] = Field(description="By subscriber kind.")
    by_qos: tuple[GroupCounts, ...] = Field(description="By effective QoS.")
    duplicate_causes: dict[str, int] = Field(description="redelivery, overlap, broker.")
    unexpected_causes: dict[str, int] = Field(description="wrong-area, foreign, malformed.")
    loss_causes: dict[str, int] = Field(description="What is known about the lost pairs.")
    state: StateCounts = Field(description="Copies on state topics.")
    early: int = Field(description="Deliveries to clients that registered only afterwards.")
    untimed: int = Field(description="Deliveries without a usable time.")
    examples: tuple[Example, ...] = Field(description="Some of each bad outcome.")
    examples_left_out: int = Field(description="Further bad outcomes, all in deliveries.parquet.")
    unexpected_rows_left_out: int = Field(description="Unexpected rows beyond the bound kept.")


class StageShown(Part):
    """A simulated stage: shown beside the measured segments, never added to them."""

    name: str = Field(description="sensing, assessment, decision, issue …")
    started_ns: int = Field(description="Start (scenario, ns from the epoch).")
    ended_ns: int = Field(description="End (scenario, ns from the epoch).")
    assumption: bool = Field(description="True where the figure is assumed, not published.")


class AlertShown(Part):
    """One message of one prefecture, in scenario time."""

    number: int = Field(description="Index among the timeline's alerts.")
    event: str = Field(description="launch, passage, correction …")
    msg_type: str = Field(description="CAP msgType.")
    issue_ns: int = Field(description="Planned issue (scenario, ns from the epoch).")
    issue_clock: str = Field(description="Planned issue as local time of day, 07:50:00.")
    believed_arrival_ns: int | None = Field(description="Arrival believed at issue (scenario).")
    true_arrival_ns: int | None = Field(description="True arrival (scenario); null: none.")
    historical_channel: str | None = Field(description="How it travelled in history, if other.")
    reason: str = Field(description="Why it was sent, for corrections; may be empty.")
    stages: tuple[StageShown, ...] = Field(description="Simulated stages passed, in order.")
    expected: int = Field(description="Deliveries owed, all repetitions.")
    received: int = Field(description="First copies received, all repetitions.")


class PrefectureTimeline(Part):
    """What one prefecture was told, and when."""

    prefecture: str = Field(description="Slug.")
    alerts: tuple[AlertShown, ...] = Field(description="In order of issue.")


class MarkShown(Part):
    """Something that happened that is not a message: truth, belief, a mark beside the chain."""

    kind: str = Field(description="truth, belief or mark.")
    name: str = Field(description="What happened.")
    at_ns: int = Field(description="When (scenario, ns from the epoch).")
    at_clock: str = Field(description="When, as local time of day.")
    note: str = Field(description="One sentence; may be empty.")
    assumption: bool = Field(description="True where the figure is assumed, not published.")
    sources: tuple[str, ...] = Field(description="Identifiers of the scenario's sources.")


class Quantile(Part):
    """A quantile, if the sample is large enough to have one."""

    percent: float = Field(description="50, 90, 99, 99.9", gt=0, lt=100)
    value_ns: int | None = Field(description="The quantile (wall, ns); null with a reason.")
    low_ns: int | None = Field(default=None, description="95 % interval over bursts, lower end.")
    high_ns: int | None = Field(default=None, description="95 % interval over bursts, upper end.")
    reason: str = Field(default="", description="Why there is no value, or no interval.")


class LatencyRow(Part):
    """A row of the latency table; null prefecture, event or qos means all of them."""

    population: PopulationWord = Field(description="live, retained or queued.")
    segment: SegmentWord = Field(
        description="send, transit, handling; delivery = send + transit; end-to-end = all three; "
        "age for retained copies; round-trip for clients without a comparable clock."
    )
    prefecture: str | None = Field(default=None, description="Narrowed to a prefecture.")
    event: str | None = Field(default=None, description="Narrowed to an event.")
    qos: int | None = Field(default=None, description="Narrowed to an effective QoS.")
    n: int = Field(description="Deliveries with this segment.")
    alerts: int = Field(description="Alerts behind them.")
    bursts: int = Field(description="Bursts behind them: the independent samples.")
    negatives: int = Field(description="Values below zero: kept here, not in histograms.")
    out_of_range: int = Field(description="Values that the histogram cannot hold.")
    uncertainty_max_ns: int = Field(description="Largest stamp uncertainty among them (wall, ns).")
    min_ns: int | None = Field(description="Smallest (wall, ns).")
    mean_ns: int | None = Field(description="Mean, rounded to ns (wall).")
    mean_low_ns: int | None = Field(description="95 % interval of the mean over bursts, low.")
    mean_high_ns: int | None = Field(description="95 % interval of the mean over bursts, high.")
    max_ns: int | None = Field(description="Largest (wall, ns).")
    quantiles: tuple[Quantile, ...] = Field(description="p50, p90, p99 and p99.9.")


class CurvePoint(Part):
    """One point of a percentile curve."""

    percent: float = Field(description="0 to 100.")
    value_ns: int = Field(description="Latency at that percentile (wall, ns).")


class Curve(Part):
    """The percentile curve of a population and segment, drawn only as far as n allows."""

    population: PopulationWord = Field(description="live, retained or queued.")
    segment: SegmentWord = Field(description="Segment.")
    n: int = Field(description="Deliveries behind it.")
    points: tuple[CurvePoint, ...] = Field(description="At most 200, rising.")


class TimeBin(Part):
    """Delivery latency of one stretch of the run."""

    start_ns: int = Field(description="Since the first intended send (wall, ns).")
    end_ns: int = Field(description="Since the first intended send (wall, ns).")
    n: int = Field(description="Live deliveries intended in it.")
    min_ns: int = Field(description="Smallest delivery latency (wall, ns).")
    median_ns: int = Field(description="Middle delivery latency (wall, ns).")
    max_ns: int = Field(description="Largest delivery latency (wall, ns).")


class LeadTimeRow(Part):
    """Lead time of one prefecture: arrival minus (planned issue plus measured latency)."""

    kind: Literal["predicted", "true"] = Field(
        description="predicted: against the arrival believed at issue; true: the true arrival."
    )
    prefecture: str = Field(description="Slug.")
    launch: str | None = Field(description="Launch id.")
    event: str = Field(description="Event of the first warning.")
    applicable: bool = Field(description="False where there is no arrival to count to.")
    reason: str = Field(description="Why it is not applicable, or has no measured term.")
    issue_ns: int = Field(description="Planned issue (scenario, ns from the epoch).")
    arrival_ns: int | None = Field(description="Arrival (scenario, ns from the epoch).")
    model_term_ns: int | None = Field(description="Arrival minus planned issue (scenario, ns).")
    precision_ns: int = Field(description="Precision of the sources (scenario, ±ns).")
    n: int = Field(description="Deliveries measured.")
    alerts: int = Field(description="Alerts behind them.")
    bursts: int = Field(description="Bursts behind them.")
    latency_min_ns: int | None = Field(description="Measured term, smallest (wall, ns).")
    latency_median_ns: int | None = Field(description="Measured term, middle (wall, ns).")
    latency_max_ns: int | None = Field(description="Measured term, largest (wall, ns).")
    lead_min_ns: int | None = Field(
        description="Smallest lead time (scenario, ns; a wall second counts as a scenario second)."
    )
    lead_median_ns: int | None = Field(description="Middle lead time (scenario, ns).")
    lead_max_ns: int | None = Field(description="Largest lead time (scenario, ns).")


class OrderSummary(Part):
    """Sequence of deliveries per subscriber and topic."""

    streams: int = Field(description="Pairs of subscriber and topic with at least one receipt.")
    reordered: int = Field(description="First copies that arrived after a later one.")
    gaps: int = Field(description="Missing messages with a later one received.")
    gap_streams: int = Field(description="Streams with at least one gap.")


class ForeignClock(Part):
    """What is known about the clock of a client in another domain."""

    client: str = Field(description="MQTT client id.")
    domain: str = Field(description="Its clock domain.")
    offset_ns: int | None = Field(description="Its clock minus ours; null if refused.")
    error_ns: int | None = Field(description="Bound on the error of the offset.")
    reason: str = Field(description="Why there is no offset; empty if there is one.")


class ClockSummary(Part):
    """Quality of the stamps."""

    domain: str = Field(description="Clock domain of the run.")
    kernel_stamps: int = Field(description="Receipts stamped by the kernel.")
    user_stamps: int = Field(description="Receipts stamped after the read, in user space.")
    missing_stamps: int = Field(description="Reads for which the kernel gave no stamp.")
    uncertainty_median_ns: int | None = Field(description="Middle stamp uncertainty (wall, ns).")
    uncertainty_max_ns: int | None = Field(description="Largest stamp uncertainty (wall, ns).")
    uncertain: int = Field(description="Receipts whose stamp uncertainty is above zero.")
    conversion_error_ns: int = Field(description="Bound on kernel-to-monotonic conversion (wall).")
    steps: int = Field(description="Steps of the wall clock seen.")
    foreign: tuple[ForeignClock, ...] = Field(description="Clients in other domains.")


class ProcessSummary(Part):
    """Health of one process of the instrument."""

    name: str = Field(description="publisher, worker-N or run.")
    cpu_share: float = Field(description="CPU time over wall time while measuring.")
    loop_lag_max_ns: int = Field(description="Longest turn of its loop (wall, ns).")
    reads: int = Field(description="Socket reads.")
    messages: int = Field(description="PUBLISH packets read.")
    rss_bytes: int = Field(description="Largest resident memory seen.")


class InstrumentSummary(Part):
    """The instrument looks at itself."""

    bottleneck: bool = Field(description="It was the bottleneck.")
    reasons: tuple[str, ...] = Field(description="Which limits were exceeded, by what.")
    limits: dict[str, float] = Field(description="The limits it was judged by.")
    processes: tuple[ProcessSummary, ...] = Field(description="Each process.")
    overflows: dict[str, int] = Field(description="Everything bounded that overflowed.")


class BrokerSummary(Part):
    """What was between publisher and subscribers."""

    kind: str = Field(description="embedded, mosquitto or external.")
    name: str = Field(description="Software, as far as known.")
    version: str = Field(description="Version, empty if unknown.")
    addresses: dict[str, str] = Field(description="host:port by MQTT version.")
    settings: dict[str, str] = Field(description="Settings that matter for delivery.")
    notes: tuple[str, ...] = Field(description="Known gaps that touched this run.")


class PublisherSummary(Part):
    """The sending side."""

    planned: int = Field(description="Alerts in the schedule.")
    sent: int = Field(description="Alerts written to the socket.")
    acknowledged: int = Field(description="Acknowledged by the broker. Not deliveries.")
    qos: int = Field(description="Publish QoS.")
    payload_format: str = Field(description="json or cap-xml.")
    payload_max_bytes: int = Field(description="Largest payload.")
    lateness_median_ns: int | None = Field(description="Sent minus intended, middle (wall, ns).")
    lateness_p99_ns: int | None = Field(description="99th percentile; null under 1,000 alerts.")
    lateness_max_ns: int | None = Field(description="Largest (wall, ns).")


class ForeignClient(Part):
    """A client that is not ours, registered by its retained status."""

    client: str = Field(description="MQTT client id.")
    filters: tuple[str, ...] = Field(description="Topic filters it declared.")
    session: str = Field(description="clean or persistent.")
    clock: str = Field(description="one host, estimated, or round trip only.")
    counts: Counts = Field(description="Its part of the ledger.")


class Provenance(Part):
    """How to get the same run again."""

    command: str = Field(description="The command line.")
    version: str = Field(description="alertsim version.")
    python: str = Field(description="Python version.")
    packages: dict[str, str] = Field(description="Versions of what matters.")
    host: dict[str, str] = Field(description="Facts about the machine, no names of people.")


class Summary(Part):
    """Everything a report says, in one document."""

    schema_version: Literal["1.0"] = Field(default="1.0", description="Version of this shape.")
    notice: str = Field(default=NOTICE, description="What this is: an exercise.")
    run: RunFacts = Field(description="Which run.")
    verdict: RunVerdict = Field(description="How it ended.")
    completeness: Completeness = Field(description="Whether it ran to its end.")
    thresholds: tuple[ThresholdResult, ...] = Field(description="Pass/fail expressions.")
    ledger: LedgerSummary = Field(description="Every expected delivery.")
    timeline: tuple[PrefectureTimeline, ...] = Field(description="Messages per prefecture.")
    marks: tuple[MarkShown, ...] = Field(description="What else happened.")
    latency: tuple[LatencyRow, ...] = Field(description="Measured segments.")
    curves: tuple[Curve, ...] = Field(description="Percentile curves.")
    over_time: tuple[TimeBin, ...] = Field(description="Live delivery latency over the run.")
    lead_times: tuple[LeadTimeRow, ...] = Field(description="Per prefecture.")
    order: OrderSummary = Field(description="Gaps and reordering.")
    clocks: ClockSummary = Field(description="Quality of the stamps.")
    instrument: InstrumentSummary = Field(description="Health of the instrument.")
    broker: BrokerSummary = Field(description="The broker.")
    publisher: PublisherSummary = Field(description="The sending side.")
    foreign_clients: tuple[ForeignClient, ...] = Field(description="Clients that are not ours.")
    provenance: Provenance = Field(description="How to get it again.")


def summary_json_schema() -> dict[str, Any]:
    """JSON Schema of ``summary.json``."""
    return Summary.model_json_schema()
