"""The run's summary: the stable, versioned shape of ``summary.json``.

Rule of the module: closed, frozen models and nothing else. Durations are integer nanoseconds and
every one of them says ``scenario`` or ``wall``; absolute stamps exceed 2**53 and are therefore
decimal strings; an unknown figure is null and has a reason beside it, never a zero.
"""

from typing import Any, Literal

from pydantic import Field

from simulator.experiment.comparison import ComparisonSummary
from simulator.measure.summary_parts import (
    AlertShown,
    Counts,
    Curve,
    CurvePoint,
    Example,
    GroupAbsences,
    GroupCounts,
    GroupFigure,
    GroupStates,
    GroupSummary,
    LatencyRow,
    LeadTimeRow,
    LedgerSummary,
    MarkShown,
    OrderSummary,
    Part,
    PopulationWord,
    PrefectureTimeline,
    Quantile,
    SegmentWord,
    StageShown,
    StateCounts,
    TimeBin,
)

__all__ = [
    "NOTICE",
    "SUMMARY_SCHEMA",
    "AlertShown",
    "BrokerSummary",
    "ClockSummary",
    "Completeness",
    "Counts",
    "Curve",
    "CurvePoint",
    "Example",
    "ForeignClient",
    "ForeignClock",
    "GroupAbsences",
    "GroupCounts",
    "GroupFigure",
    "GroupStates",
    "GroupSummary",
    "InstrumentSummary",
    "LatencyRow",
    "LeadTimeRow",
    "LedgerSummary",
    "MarkShown",
    "OrderSummary",
    "Overlap",
    "Part",
    "PopulationWord",
    "PrefectureTimeline",
    "ProcessSummary",
    "Provenance",
    "PublisherSummary",
    "Quantile",
    "RunFacts",
    "RunVerdict",
    "SegmentWord",
    "StageShown",
    "StateCounts",
    "Summary",
    "ThresholdResult",
    "TimeBin",
    "VerdictWord",
    "summary_json_schema",
]

SUMMARY_SCHEMA = "1.0"
NOTICE = "EXERCISE EXERCISE EXERCISE: simulated alerts, no real event."

VerdictWord = Literal["pass", "fail", "inconclusive", "not-judged"]


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
    value: float | None = Field(description="Actual value; null where only an interval is known.")
    low: float | None = Field(description="Lower end after clock and stamp error.")
    high: float | None = Field(description="Upper end after clock and stamp error.")
    samples: int = Field(description="Samples behind the value.")
    reason: str = Field(description="Why this verdict, one sentence.")


class ForeignClock(Part):
    """What is known about the clock of a client in another domain."""

    client: str = Field(description="MQTT client id.")
    domain: str = Field(description="Its clock domain.")
    offset_ns: int | None = Field(description="Its clock minus ours (wall, ns); null if refused.")
    error_ns: int | None = Field(description="Bound on the error of the offset (wall, ns).")
    drift_low_ppm: float | None = Field(
        default=None,
        description="It gains at least this on ours, mean of the run (parts per million).",
    )
    drift_high_ppm: float | None = Field(default=None, description="It gains at most this.")
    one_way: int = Field(default=0, description="Deliveries with a one-way figure of this clock.")
    refused: int = Field(
        default=0, description="One-way figures refused: their bound was beyond the limit."
    )
    reason: str = Field(description="Why there is no offset, or what was refused; else empty.")


class ClockSummary(Part):
    """Quality of the stamps."""

    domain: str = Field(description="Clock domain of the run.")
    kernel_stamps: int = Field(description="Receipts stamped by the kernel.")
    user_stamps: int = Field(description="Receipts stamped after the read, in user space.")
    missing_stamps: int = Field(description="Reads for which the kernel gave no stamp.")
    uncertainty_median_ns: int | None = Field(description="Middle stamp uncertainty (wall, ns).")
    uncertainty_max_ns: int | None = Field(description="Largest stamp uncertainty (wall, ns).")
    uncertain: int = Field(description="Receipts whose stamp uncertainty is 50 us or more.")
    conversion_error_ns: int = Field(description="Bound on kernel-to-monotonic conversion (wall).")
    steps: int = Field(description="Steps of the wall clock seen.")
    slewed_ns: int = Field(
        default=0, description="Smaller changes of the wall clock, followed, added up (wall, ns)."
    )
    estimates: int = Field(
        default=0, description="How often the kernel-to-monotonic conversion was estimated anew."
    )
    foreign: tuple[ForeignClock, ...] = Field(description="Clients in other domains.")


class ProcessSummary(Part):
    """Health of one process of the instrument."""

    name: str = Field(description="publisher, worker-N or run.")
    cpu_share: float = Field(description="CPU time over wall time while measuring.")
    loop_lag_max_ns: int = Field(description="Longest turn of its loop (wall, ns).")
    reads: int = Field(description="Socket reads.")
    messages: int = Field(description="PUBLISH packets read.")
    batch_max: int = Field(default=0, description="Most PUBLISH packets that one read brought.")
    rss_bytes: int = Field(description="Largest resident memory seen.")


class InstrumentSummary(Part):
    """The instrument looks at itself."""

    bottleneck: bool = Field(description="It was the bottleneck.")
    reasons: tuple[str, ...] = Field(description="Which limits were exceeded, by what.")
    limits: dict[str, float] = Field(description="The limits it was judged by.")
    processes: tuple[ProcessSummary, ...] = Field(description="Each process.")
    overflows: dict[str, int] = Field(description="Everything bounded that overflowed.")
    steal_share: float | None = Field(
        default=None,
        description="Processor time that the hypervisor gave to others, 0 to 1; null if unknown.",
    )
    broker_cpu_share: float | None = Field(
        default=None,
        description="CPU time of a broker that we started over wall time; null if unknown.",
    )


class BrokerSummary(Part):
    """What was between publisher and subscribers."""

    kind: str = Field(description="embedded, mosquitto, amqtt or external.")
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
    lateness_p99_ns: int | None = Field(description="99th percentile (wall, ns), if n allows.")
    lateness_max_ns: int | None = Field(description="Largest (wall, ns).")
    client: str = Field(default="wire", description="What published: wire or aiomqtt.")
    notes: tuple[str, ...] = Field(
        default=(), description="What a reader must know about its stamps, sentences."
    )


class ForeignClient(Part):
    """A client that is not ours, registered by its retained status."""

    client: str = Field(description="MQTT client id.")
    filters: tuple[str, ...] = Field(description="Topic filters it declared.")
    session: str = Field(description="clean or persistent.")
    clock: str = Field(description="one host, estimated, or round trip only.")
    returns: int = Field(
        default=0,
        description="How often it came back after going offline; often: two clients with one id?",
    )
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
    groups: tuple[GroupSummary, ...] = Field(
        default=(), description="Groups of subscribers; empty if the scenario declares none."
    )
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
    baseline: ComparisonSummary | None = Field(
        default=None,
        description="How it compares with a baseline run (side 0; this run is side 1), where one "
        "was asked for. Filled in what --json prints; the run directory keeps it in "
        "baseline.json.",
    )


def summary_json_schema() -> dict[str, Any]:
    """JSON Schema of ``summary.json``."""
    return Summary.model_json_schema()
