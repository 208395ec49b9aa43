"""Describe: parts of the summary that are counted or quoted, not computed.

Rule of the module: from the account and the timeline to the models of the summary, one function a
part; lists are bounded, and what a bound leaves out is a number beside them.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from simulator.measure.account import Account, Tally
from simulator.measure.columns import Int64s
from simulator.measure.instrument import InstrumentLog
from simulator.measure.order import disorder_of
from simulator.measure.outcomes import Outcome, Unexpected
from simulator.measure.plan import PlannedSubscriber, SubscriberKind
from simulator.measure.receipts import EXACT_NS, NO_TIME, ConnectionChange, ConnectionEvent
from simulator.measure.receipts import ReceiptFlag as Flag
from simulator.measure.rows import Columns, delivery_columns, stray_columns
from simulator.measure.sampling import MEDIAN, P99, nearest_rank, too_few
from simulator.measure.segments import segments_of
from simulator.measure.summary import (
    AlertShown,
    ClockSummary,
    Counts,
    Example,
    ForeignClient,
    ForeignClock,
    GroupCounts,
    LedgerSummary,
    MarkShown,
    PrefectureTimeline,
    PublisherSummary,
    StageShown,
    StateCounts,
)
from simulator.model.timeline import EventKind, PlannedAlert, Timeline
from simulator.units import format_clock

EXAMPLES: Final = 5  # of each bad outcome
_BAD: Final = (
    Outcome.LOST,
    Outcome.LATE,
    Outcome.QUEUED,
    Outcome.EXPIRED,
    Outcome.MISSED_OFFLINE,
    Outcome.UNDETERMINED,
    Outcome.NOT_SENT,
)


def ledger_summary(account: Account) -> LedgerSummary:
    """Counts of the whole run and of its parts, with examples."""
    examples, bad = _examples(account)
    state = account.counted.state
    return LedgerSummary(
        total=_counts(account.total()),
        by_prefecture=_groups(account.by_prefecture()),
        by_event=_groups(account.by_event()),
        by_population=_groups(account.by_population()),
        by_kind=_groups(account.by_kind()),
        by_qos=_groups(account.by_qos()),
        duplicate_causes=account.duplicate_causes(),
        unexpected_causes=account.unexpected_causes(),
        duplicates_flagged=account.counted.flagged,
        loss_causes=account.causes_of(Outcome.LOST),
        late_causes=account.causes_of(Outcome.LATE),
        state=StateCounts(
            retained=state.retained,
            live=state.live,
            cleared=state.cleared,
            wrong_area=state.wrong_area,
            foreign=state.foreign,
            malformed=state.malformed,
        ),
        early=int(np.count_nonzero(account.early)),
        untimed=account.untimed(),
        qos_lowered=int(np.count_nonzero(account.lowered())),
        examples=(*examples, *troubles(account)),
        examples_left_out=bad - len(examples),
        unexpected_rows_left_out=account.counted.unexpected.left_out,
    )


def _counts(tally: Tally) -> Counts:
    return Counts(
        expected=tally.expected,
        delivered=tally.delivered,
        late=tally.late,
        queued=tally.queued,
        expired=tally.expired,
        missed_offline=tally.missed_offline,
        undetermined=tally.undetermined,
        lost=tally.lost,
        not_sent=tally.not_sent,
        receipts=tally.receipts,
        duplicates=tally.duplicates,
        unexpected=tally.unexpected,
    )


def _groups(tallies: dict[str, Tally]) -> tuple[GroupCounts, ...]:
    return tuple(GroupCounts(name=name, counts=_counts(part)) for name, part in tallies.items())


def _examples(account: Account) -> tuple[tuple[Example, ...], int]:
    """A few of each bad outcome, and how many there are in all."""
    shown: list[Example] = []
    bad = account.counted.unexpected.total
    for outcome in _BAD:
        pairs = np.flatnonzero(account.outcome == outcome)
        bad += len(pairs)
        some = pairs[:EXAMPLES]
        columns = delivery_columns(
            account.evidence, some, account.outcome[some], account.cause[some]
        )
        shown += _shown(columns, len(some))
    strays = account.counted.unexpected.strays()
    for reason in Unexpected:
        some_strays = strays.at(np.flatnonzero(strays.reasons == reason)[:EXAMPLES])
        shown += _shown(stray_columns(account.evidence, some_strays), len(some_strays.rows))
    return tuple(shown), bad


def troubles(account: Account) -> tuple[Example, ...]:
    """A few pairs of each kind of trouble that is no outcome: they are counted with the order."""
    disorder, states = disorder_of(account.evidence), account.final_states()
    copies = account.evidence.expectation.pairs["copies"]
    twice = np.flatnonzero(copies > 1)
    kinds = (
        ("duplicate", twice, [f"{count} copies" for count in copies[twice[:EXAMPLES]]]),
        ("gap", disorder.missing, ["a later one came"]),
        ("out-of-order", disorder.reordered, ["a later one came first"]),
        ("stale", states.withdrawn, ["still believes in the alert that this ends"]),
        ("stale", states.unaware, ["does not know that this is in force"]),
        ("overtaken", states.overtaken, ["an older message came after this one"]),
        ("qos-lowered", np.flatnonzero(account.lowered()), ["came below the QoS owed"]),
    )
    shown: list[Example] = []
    for word, pairs, reasons in kinds:
        some = pairs[:EXAMPLES]
        columns = delivery_columns(
            account.evidence, some, account.outcome[some], account.cause[some]
        )
        shown += [
            one.model_copy(update={"outcome": word, "cause": reasons[row % len(reasons)]})
            for row, one in enumerate(_shown(columns, len(some)))
        ]
    return tuple(shown)


def _shown(columns: Columns, count: int) -> list[Example]:
    return [
        Example(
            outcome=str(columns["outcome"][row]),
            cause=str(columns["cause"][row]),
            client=str(columns["client"][row]),
            identifier=str(columns["identifier"][row]),
            prefecture=str(columns["prefecture"][row]),
            event=str(columns["event"][row]),
            latency_ns=_whole(columns["delivery_ns"][row]),
            intended_ns=_stamp(columns["intended_ns"][row]),
        )
        for row in range(count)
    ]


def _whole(value: int | np.int64 | None) -> int | None:
    return None if value is None else int(value)


def _stamp(value: int | np.int64 | None) -> str:
    return "" if value is None else str(int(value))


def prefecture_timelines(account: Account, timeline: Timeline) -> tuple[PrefectureTimeline, ...]:
    """What each prefecture was told, in scenario time, with what became of it."""
    expected, received = _by_planned(account)
    return tuple(
        PrefectureTimeline(
            prefecture=prefecture,
            alerts=tuple(
                _alert(alert, timeline, expected, received)
                for alert in timeline.alerts
                if alert.prefecture == prefecture
            ),
        )
        for prefecture in timeline.prefectures
    )


def _by_planned(account: Account) -> tuple[dict[int, int], dict[int, int]]:
    """Deliveries owed and received by the timeline's alert number, all playings together."""
    alert = account.evidence.expectation.pairs["alert"]
    count = len(account.alerts)
    owed = np.bincount(alert[account.expected], minlength=count)
    seen = np.bincount(alert[account.seen], minlength=count)
    expected: dict[int, int] = {}
    received: dict[int, int] = {}
    for scheduled in account.alerts:
        number = scheduled.planned.number
        expected[number] = expected.get(number, 0) + int(owed[scheduled.number])
        received[number] = received.get(number, 0) + int(seen[scheduled.number])
    return expected, received


def _alert(
    alert: PlannedAlert, timeline: Timeline, expected: dict[int, int], received: dict[int, int]
) -> AlertShown:
    return AlertShown(
        number=alert.number,
        event=alert.event.value,
        msg_type=alert.msg_type.value,
        issue_ns=alert.at_ns,
        issue_clock=format_clock(timeline.epoch, alert.at_ns),
        believed_arrival_ns=alert.believed_arrival_ns,
        true_arrival_ns=alert.true_arrival_ns,
        historical_channel=alert.historical_channel,
        reason=alert.reason,
        stages=tuple(
            StageShown(
                name=stage.name,
                started_ns=stage.started_ns,
                ended_ns=stage.ended_ns,
                assumption=stage.assumption,
            )
            for stage in alert.stages
        ),
        expected=expected.get(alert.number, 0),
        received=received.get(alert.number, 0),
    )


def marks(timeline: Timeline) -> tuple[MarkShown, ...]:
    """Truth, belief, and what happened beside the chain."""
    return tuple(
        MarkShown(
            kind=event.kind.value,
            name=event.name,
            at_ns=event.at_ns,
            at_clock=format_clock(timeline.epoch, event.at_ns),
            note=event.told,
            assumption=event.assumption,
            sources=event.sources,
        )
        for event in timeline.events
        if event.kind in {EventKind.TRUTH, EventKind.BELIEF, EventKind.MARK}
    )


def publisher_summary(
    account: Account, payload_format: str, payload_max_bytes: int, lateness_ns: Int64s
) -> PublisherSummary:
    """The sending side: how much, how late."""
    evidence = account.evidence
    ordered = np.sort(lateness_ns)
    return PublisherSummary(
        planned=len(account.alerts),
        sent=len(ordered),
        acknowledged=int(np.count_nonzero(evidence.acknowledged_ns != NO_TIME)),
        qos=max((alert.qos for alert in account.alerts), default=0),
        payload_format=payload_format,
        payload_max_bytes=payload_max_bytes,
        lateness_median_ns=nearest_rank(ordered, MEDIAN) if len(ordered) else None,
        lateness_p99_ns=None if too_few(len(ordered), P99) else nearest_rank(ordered, P99),
        lateness_max_ns=int(ordered[-1]) if len(ordered) else None,
    )


def stamp_quality(
    account: Account, *, domain: str, log: InstrumentLog, foreign: Sequence[ForeignClock]
) -> ClockSummary:
    """How good the receive stamps of first copies are."""
    table = account.evidence.expectation.pairs
    back_and_forth = (table["flags"] & int(Flag.ROUND_TRIP)) != 0
    stamped = account.seen & (table["received_ns"] != NO_TIME) & ~back_and_forth
    uncertainty = np.sort(segments_of(account.evidence, np.flatnonzero(stamped)).uncertainty_ns)
    user = int(np.count_nonzero((table["flags"][stamped] & int(Flag.USER_STAMP)) != 0))
    count = len(uncertainty)
    return ClockSummary(
        domain=domain,
        kernel_stamps=count - user,
        user_stamps=user,
        missing_stamps=log.stamps_missing,
        uncertainty_median_ns=nearest_rank(uncertainty, MEDIAN) if count else None,
        uncertainty_max_ns=int(uncertainty[-1]) if count else None,
        uncertain=int(np.count_nonzero(uncertainty >= EXACT_NS)),
        conversion_error_ns=log.clock_error_ns,
        steps=log.clock_steps,
        slewed_ns=log.clock_slewed_ns,
        estimates=log.clock_estimates,
        foreign=tuple(foreign),
    )


def foreign_clients(
    account: Account, domain: str, clocks: Sequence[ForeignClock]
) -> tuple[ForeignClient, ...]:
    """Every registered client that is not ours, with its part of the ledger."""
    estimated = {clock.client for clock in clocks if clock.offset_ns is not None}
    return tuple(
        ForeignClient(
            client=subscriber.client,
            filters=tuple(text for text, _ in subscriber.filters),
            session=subscriber.session.value,
            clock=_clock_word(subscriber, domain, estimated),
            returns=_returns(account.evidence.events.get(subscriber.number, ())),
            counts=_counts(account.of_subscriber(subscriber.number)),
        )
        for subscriber in account.evidence.expectation.subscribers
        if subscriber.kind is SubscriberKind.FOREIGN
    )


def _returns(events: Sequence[ConnectionEvent]) -> int:
    return max(0, sum(event.change is ConnectionChange.CONNECTED for event in events) - 1)


def _clock_word(subscriber: PlannedSubscriber, domain: str, estimated: set[str]) -> str:
    if subscriber.clock is not None and subscriber.clock == domain:
        return "one host"
    return "estimated" if subscriber.client in estimated else "round trip only"
