"""Summarise: from the account to the summary that everything else is printed from.

Rule of the module: nothing is measured here that is not in the account, and no figure is computed
twice: tables, curves and thresholds select from the same samples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.errors import ExitCode
from simulator.measure.account import Account
from simulator.measure.describe import (
    foreign_clients,
    ledger_summary,
    marks,
    prefecture_timelines,
    publisher_summary,
    stamp_quality,
)
from simulator.measure.groups import group_summaries
from simulator.measure.instrument import InstrumentLog, Limits, judge_instrument
from simulator.measure.latency import latency_curves, latency_over_time, latency_table
from simulator.measure.lead_time import lead_time_rows
from simulator.measure.measured import Measured
from simulator.measure.observations import Scene, lateness_ns, observe
from simulator.measure.order import order_of
from simulator.measure.overlap import find_overlap
from simulator.measure.plan import PlannedGroup
from simulator.measure.sampling import Resampler
from simulator.measure.summary import (
    BrokerSummary,
    Completeness,
    ForeignClock,
    InstrumentSummary,
    OrderSummary,
    Overlap,
    ProcessSummary,
    Provenance,
    RunFacts,
    RunVerdict,
    Summary,
    ThresholdResult,
)
from simulator.model.timeline import Timeline
from simulator.thresholds import (
    Judgement,
    Number,
    Threshold,
    Thresholds,
    Unit,
    Verdict,
    as_incomplete,
    judge,
    not_judged,
    overall,
    worst_exit,
)

_UNJUDGED = frozenset({ExitCode.ABORTED, ExitCode.INTERNAL})
_BY_VERDICT = {
    Verdict.PASS: ExitCode.PASS,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    Verdict.FAIL: ExitCode.THRESHOLD_FAILED,
    Verdict.NOT_JUDGED: ExitCode.PASS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the run itself ended, apart from thresholds.

    Attributes:
        code: PASS for an orderly end, else ABORTED, BROKER or INTERNAL.
        reason: one sentence; empty for an orderly end.
    """

    code: ExitCode = ExitCode.PASS
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What only the publisher's side knows.

    Attributes:
        payload_format: ``json`` or ``cap-xml``.
        payload_max_bytes: largest payload.
        gap_ns: wall ns between two playings of the timeline.
        client: what published, ``wire`` or ``aiomqtt``.
        notes: what a reader must know about its stamps, sentences.
    """

    payload_format: str = "json"
    payload_max_bytes: int = 0
    gap_ns: int = 0
    client: str = "wire"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the instrument knows about itself and about other clocks.

    Attributes:
        domain: clock domain of the run.
        log: health reports of every process.
        limits: by which the instrument is judged.
        overflows: everything bounded that overflowed, by name.
        foreign_clocks: clocks of clients in other domains.
        steal_share: processor time that the hypervisor gave to others, 0 to 1; None if unknown.
        broker_cpu_share: CPU time of a broker that we started over wall time; None if unknown.
    """

    domain: str = ""
    log: InstrumentLog = field(default_factory=InstrumentLog)
    limits: Limits = field(default_factory=Limits)
    overflows: Mapping[str, int] = field(default_factory=dict)
    foreign_clocks: Sequence[ForeignClock] = ()
    steal_share: float | None = None
    broker_cpu_share: float | None = None


def summarise(
    account: Account,
    timeline: Timeline,
    thresholds: Thresholds,
    *,
    run: RunFacts,
    broker: BrokerSummary,
    provenance: Provenance,
    ending: Ending | None = None,
    sending: Sending | None = None,
    surroundings: Surroundings | None = None,
    groups: Sequence[PlannedGroup] = (),
) -> Summary:
    """Say everything about a run.

    Args:
        account: the closed, balanced account.
        timeline: what was played.
        thresholds: what to judge, defaults included; a default on a duration is left out if
            nobody was owed anything. A delivery that is known only up to its round trip is judged
            as the interval from 0 to it (see measure.observations).
        run: which run.
        broker: what it went through.
        provenance: how to get it again.
        ending: how it ended; an orderly end if None.
        sending: the publisher's side.
        surroundings: instrument and clocks.
        groups: groups of subscribers that the scenario declares.

    Returns:
        The summary, with verdict and exit code.
    """
    ending = ending or Ending()
    sending = sending or Sending()
    surroundings = surroundings or Surroundings()
    measured = Measured(account)
    order, states = order_of(account.evidence), account.final_states()
    scene = Scene(
        measured=measured,
        order=order,
        precision_ns=run.lead_precision_ns,
    )
    overlap = find_overlap(measured, run.speed, sending.gap_ns)
    instrument = _instrument(account, surroundings)
    judgements = [
        _judged(threshold, scene, ending, overlap, bottleneck=instrument.bottleneck)
        for threshold in _applicable(thresholds, account)
    ]
    return Summary(
        run=run,
        verdict=_verdict(judgements, ending, overlap, bottleneck=instrument.bottleneck),
        completeness=Completeness(
            state="complete" if ending.code is ExitCode.PASS else "incomplete",
            reason=ending.reason,
        ),
        thresholds=tuple(_result(judgement) for judgement in judgements),
        ledger=ledger_summary(account),
        groups=group_summaries(measured, groups),
        timeline=prefecture_timelines(account, timeline),
        marks=marks(timeline),
        latency=latency_table(measured, Resampler(run.seed)),
        curves=latency_curves(measured),
        over_time=latency_over_time(measured),
        lead_times=lead_time_rows(measured, run.lead_precision_ns),
        order=OrderSummary(
            streams=order.streams,
            reordered=order.reordered,
            gaps=order.gaps,
            gap_streams=order.gap_streams,
            followed=states.followed,
            stale_withdrawn=len(states.withdrawn),
            stale_unaware=len(states.unaware),
            overtaken=len(states.overtaken),
        ),
        clocks=stamp_quality(
            account,
            domain=surroundings.domain,
            log=surroundings.log,
            foreign=surroundings.foreign_clocks,
        ),
        instrument=instrument,
        broker=broker,
        publisher=publisher_summary(
            account, sending.payload_format, sending.payload_max_bytes, lateness_ns(account)
        ).model_copy(update={"client": sending.client, "notes": sending.notes}),
        foreign_clients=foreign_clients(account, surroundings.domain, surroundings.foreign_clocks),
        provenance=provenance,
    )


def _instrument(account: Account, surroundings: Surroundings) -> InstrumentSummary:
    figures = surroundings.log.figures
    limits = surroundings.limits
    verdict = judge_instrument(
        figures, lateness_ns(account), limits, steal_share=surroundings.steal_share
    )
    overflows = dict(surroundings.overflows)
    overflows["unexpected rows"] = account.counted.unexpected.left_out
    overflows["retained copies"] = account.counted.state.left_out
    return InstrumentSummary(
        bottleneck=verdict.bottleneck,
        reasons=verdict.reasons,
        limits={
            "loop_lag_ns": limits.loop_lag_ns,
            "publisher_late_ns": limits.publisher_late_ns,
            "cpu_share": limits.cpu_share,
            "steal_share": limits.steal_share,
        },
        processes=tuple(
            ProcessSummary(
                name=process.name,
                cpu_share=process.cpu_share,
                loop_lag_max_ns=process.loop_lag_max_ns,
                reads=process.reads,
                messages=process.messages,
                batch_max=process.batch_max,
                rss_bytes=process.rss_bytes,
            )
            for process in figures
        ),
        overflows={name: count for name, count in overflows.items() if count},
        steal_share=surroundings.steal_share,
        broker_cpu_share=surroundings.broker_cpu_share,
    )


def _applicable(thresholds: Thresholds, account: Account) -> Thresholds:
    """Without anybody to deliver to, no default on a duration applies: there is nobody to fail."""
    if np.any(account.expected):
        return thresholds
    return tuple(each for each in thresholds if not (each.default and each.timed))


def _judged(
    threshold: Threshold,
    scene: Scene,
    ending: Ending,
    overlap: Overlap | None,
    *,
    bottleneck: bool,
) -> Judgement:
    observation = observe(threshold, scene)
    if ending.code in _UNJUDGED:
        return not_judged(threshold, observation, f"not judged: {ending.reason}")
    judgement = judge(
        threshold,
        observation,
        instrument_limited=bottleneck,
        overlapped=_doubt(overlap),
    )
    if ending.code is ExitCode.PASS:
        return judgement
    return as_incomplete(judgement, f"the run is incomplete: {ending.reason}")


def _doubt(overlap: Overlap | None) -> str:
    """Why latencies may be an effect of the speed; empty where no speed would have helped."""
    if overlap is None or overlap.highest_speed is None:
        return ""
    return f"the run is overlapped; play it at a speed of up to {overlap.highest_speed:g}"


def _verdict(
    judgements: Sequence[Judgement], ending: Ending, overlap: Overlap | None, *, bottleneck: bool
) -> RunVerdict:
    outcome = Verdict.NOT_JUDGED if ending.code in _UNJUDGED else overall(judgements)
    code = worst_exit([ending.code, _BY_VERDICT[outcome]])
    return RunVerdict(
        outcome=outcome.value,
        exit_code=int(code),
        reason=ending.reason or _sentence(judgements, outcome),
        instrument_bottleneck=bottleneck,
        overlap=overlap,
    )


def _sentence(judgements: Sequence[Judgement], outcome: Verdict) -> str:
    """The first threshold that made the outcome, or that all were met."""
    for judgement in judgements:
        if judgement.verdict is outcome and outcome is not Verdict.PASS:
            threshold = judgement.threshold
            return f"{threshold.key}: {threshold.expression}: {judgement.reason}"
    return f"all {len(judgements)} thresholds are met" if judgements else "no thresholds were set"


def _result(judgement: Judgement) -> ThresholdResult:
    threshold, observation = judgement.threshold, judgement.observation
    unit, scale = "count", "none"
    if threshold.timed:
        unit, scale = Unit.NS.value, threshold.definition.scale
    elif threshold.aggregate == "rate":
        unit = "share"
    return ThresholdResult.model_validate(
        {
            "metric": threshold.metric,
            "tags": dict(threshold.tags),
            "expression": threshold.expression,
            "default": threshold.default,
            "verdict": judgement.verdict.value,
            "unit": unit,
            "scale": scale,
            "bound": float(threshold.bound),
            "value": _float(observation.value),
            "low": _float(observation.low),
            "high": _float(observation.high),
            "samples": observation.samples,
            "reason": judgement.reason,
        }
    )


def _float(value: Number | None) -> float | None:
    return None if value is None else float(value)
