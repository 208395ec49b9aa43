"""Parts of the summary: the ledger, the timeline and everything measured.

Rule of the module: closed, frozen models and nothing else; see measure.summary, which is where
others import them from.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PopulationWord = Literal["live", "retained", "queued"]
SegmentWord = Literal["send", "transit", "handling", "delivery", "end-to-end", "age", "round-trip"]


class Part(BaseModel):
    """A closed, frozen piece of the summary."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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


class GroupFigure(Part):
    """Measured figures of one group: latencies of what came live or queued, ages of states."""

    population: PopulationWord = Field(description="live, retained or queued.")
    n: int = Field(description="Deliveries behind it, or retained states.")
    min_ns: int = Field(description="Smallest delivery latency, or age (wall, ns).")
    median_ns: int = Field(description="Middle one (wall, ns).")
    p99_ns: int | None = Field(description="99th percentile (wall, ns); null if n is too small.")
    max_ns: int = Field(description="Largest (wall, ns).")
    uncertainty_max_ns: int = Field(description="Largest stamp uncertainty (wall, ns).")
    handling_median_ns: int | None = Field(
        description="From the socket to the match, middle (wall, ns); null for an age."
    )
    handling_max_ns: int | None = Field(description="The same, largest (wall, ns).")


class GroupAbsences(Part):
    """Who joined, left and returned by plan."""

    left: int = Field(description="How often a member left by plan.")
    returns_due: int = Field(description="How often a member was to join or return.")
    returned: int = Field(description="How often it was subscribed again after that.")
    resumed: int = Field(description="How often the broker had kept the session.")
    most_connects_per_s: int = Field(description="Most connects within one second (wall).")
    back_median_ns: int | None = Field(
        description="From the planned attempt to being subscribed, middle (wall, ns)."
    )
    back_max_ns: int | None = Field(description="The same, largest (wall, ns).")


class GroupStates(Part):
    """Members that joined later, and the retained state that they were to find."""

    joined: int = Field(description="Members that join by plan and ask for the state.")
    due: int = Field(description="Of them, those who came while a warning was in force.")
    seen: int = Field(description="Of these, those who received the retained state.")


class GroupSummary(Part):
    """One group of subscribers of the scenario: what it was owed, why, and what became of it."""

    name: str = Field(description="Name in the scenario; others and controls are in no group.")
    kind: str = Field(description="steady, late, flapping, offline, slow, …; control.")
    members: int = Field(description="How many subscribers.")
    why: str = Field(description="What they are owed, and why, one sentence.")
    counts: Counts = Field(description="Its part of the ledger.")
    figures: tuple[GroupFigure, ...] = Field(description="Live, queued and retained apart.")
    absences: GroupAbsences | None = Field(description="Null where nobody joins or leaves.")
    states: GroupStates | None = Field(description="Null where nobody joins and asks for states.")


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

    outcome: str = Field(
        description="late, queued, lost …, unexpected; duplicate, gap, out-of-order, stale, "
        "overtaken, qos-lowered."
    )
    cause: str = Field(description="Why, as far as known; may be empty.")
    client: str = Field(description="MQTT client id or shared-subscription group.")
    identifier: str = Field(description="CAP identifier of the alert; empty if unknown.")
    prefecture: str = Field(description="Prefecture of the alert; empty if unknown.")
    event: str = Field(description="Event of the alert; empty if unknown.")
    latency_ns: int | None = Field(description="Received minus intended (wall, ns), if received.")
    intended_ns: str = Field(
        default="", description="Intended send (wall, monotonic ns); empty if unknown."
    )


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
    duplicates_flagged: int = Field(
        default=0, description="Duplicates with the DUP flag; the others came without it."
    )
    loss_causes: dict[str, int] = Field(description="What is known about the lost pairs.")
    late_causes: dict[str, int] = Field(
        default={}, description="after-drain: came when the drain was over."
    )
    state: StateCounts = Field(description="Copies on state topics.")
    early: int = Field(description="Deliveries to clients that registered only afterwards.")
    untimed: int = Field(description="Deliveries without a usable time.")
    qos_lowered: int = Field(
        default=0,
        description="First copies that came below the effective QoS; foreign clients and "
        "overlapping filters left out.",
    )
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
    low_ns: int | None = Field(
        default=None, description="95 % interval over bursts, low (wall, ns)."
    )
    high_ns: int | None = Field(
        default=None, description="95 % interval over bursts, high (wall, ns)."
    )
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
    mean_low_ns: int | None = Field(description="95 % interval of the mean, low (wall, ns).")
    mean_high_ns: int | None = Field(description="95 % interval of the mean, high (wall, ns).")
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
    followed: int = Field(
        default=0, description="Pairs of subscriber and prefecture with something owed and sent."
    )
    stale_withdrawn: int = Field(
        default=0, description="Of them, left believing in an alert that had been withdrawn."
    )
    stale_unaware: int = Field(
        default=0, description="Of them, left not knowing of an alert in force."
    )
    overtaken: int = Field(
        default=0,
        description="Of them, reached by an older message after the newest, which says otherwise: "
        "wrong for a receiver that goes by arrival and not by sequence.",
    )
