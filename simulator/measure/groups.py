"""Groups: what became of each group of subscribers that the scenario declares, and why it was owed.

Rule of the module: counts are the ledger's; live, retained and queued figures stand apart, since
an age is no latency and a queued message waited for its subscriber; what a plan asked for (joins,
absences) stands beside what was observed.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import numpy as np

from simulator.measure.account import Account
from simulator.measure.columns import Bools, Int64s
from simulator.measure.measured import Measured
from simulator.measure.outcomes import Population
from simulator.measure.plan import Conduct, PlannedGroup, PlannedSubscriber, filter_matches
from simulator.measure.receipts import NO_TIME, ConnectionChange
from simulator.measure.sampling import MEDIAN, P99, nearest_rank, too_few
from simulator.measure.segments import Segment
from simulator.measure.summary_parts import (
    Counts,
    GroupAbsences,
    GroupFigure,
    GroupStates,
    GroupSummary,
    PopulationWord,
)
from simulator.units import NS_PER_S

_FRESH: Final[tuple[tuple[Population, PopulationWord], ...]] = (
    (Population.LIVE, "live"),
    (Population.QUEUED, "queued"),
)


def group_summaries(measured: Measured, groups: Sequence[PlannedGroup]) -> tuple[GroupSummary, ...]:
    """One summary for each group, in the order of the scenario.

    Args:
        measured: the samples, and the account behind them.
        groups: as planned; the subscribers bear their names.
    """
    account = measured.account
    members: dict[str, list[PlannedSubscriber]] = {group.name: [] for group in groups}
    for subscriber in account.evidence.expectation.subscribers:
        if subscriber.group in members:
            members[subscriber.group].append(subscriber)
    summaries = []
    for group in groups:
        here = members[group.name]
        pairs = account.of_subscribers([member.number for member in here])
        summaries.append(
            GroupSummary(
                name=group.name,
                kind=group.kind,
                members=group.members,
                why=group.why,
                counts=Counts(**asdict(account.tally_of([member.number for member in here]))),
                figures=_figures(measured, pairs[measured.pairs], here),
                absences=_absences(account, here),
                states=_states(account, here),
            )
        )
    return tuple(summaries)


def _figures(
    measured: Measured, rows: Bools, members: Sequence[PlannedSubscriber]
) -> tuple[GroupFigure, ...]:
    found = []
    for population, word in _FRESH:
        here = rows & measured.of_population(population)
        delivery = measured.samples(Segment.DELIVERY, here)
        if len(delivery):
            handling = measured.samples(Segment.HANDLING, here)
            found.append(
                _figure(
                    word,
                    delivery.values_ns,
                    uncertainty_ns=delivery.uncertainty_max_ns,
                    handling_ns=handling.values_ns,
                )
            )
    states = _retained(measured.account, members)
    if len(states):
        alert, received = states[:, 1], states[:, 2]
        ages = received - measured.account.evidence.expectation.intended_ns[alert]
        found.append(_figure("retained", ages, uncertainty_ns=int(states[:, 3].max())))
    return tuple(found)


def _figure(
    word: PopulationWord,
    values_ns: Int64s,
    *,
    uncertainty_ns: int,
    handling_ns: Int64s | None = None,
) -> GroupFigure:
    ordered = np.sort(values_ns)
    handled = None if handling_ns is None or not len(handling_ns) else np.sort(handling_ns)
    return GroupFigure(
        population=word,
        n=len(ordered),
        min_ns=int(ordered[0]),
        median_ns=nearest_rank(ordered, MEDIAN),
        p99_ns=None if too_few(len(ordered), P99) else nearest_rank(ordered, P99),
        max_ns=int(ordered[-1]),
        uncertainty_max_ns=uncertainty_ns,
        handling_median_ns=None if handled is None else nearest_rank(handled, MEDIAN),
        handling_max_ns=None if handled is None else int(handled[-1]),
    )


def _retained(account: Account, members: Sequence[PlannedSubscriber]) -> Int64s:
    """Receipt rows of retained states that came to these members, with a time."""
    rows: Int64s = account.counted.state.retained_rows()
    ours = np.isin(rows[:, 0], np.array([member.number for member in members], np.int64))
    kept: Int64s = rows[ours & (rows[:, 2] != NO_TIME)]
    return kept


def _absences(account: Account, members: Sequence[PlannedSubscriber]) -> GroupAbsences | None:
    """How often members left and came back; None if no member's plan says that they do."""
    planned = [
        (member, member.conduct)
        for member in members
        if member.conduct is not None
        and (member.conduct.absences or member.conduct.joins_ns is not None)
    ]
    if not planned or not account.alerts:
        return None
    start_ns = min(alert.intended_ns for alert in account.alerts)
    left = resumed = 0
    connects: list[int] = []
    delays: list[int] = []
    due = 0
    for member, conduct in planned:
        events = account.evidence.events.get(member.number, ())
        left += sum(event.change is ConnectionChange.OFFLINE for event in events)
        back = [
            e.at_ns
            for e in events
            if e.change is ConnectionChange.CONNECTED and e.at_ns >= start_ns
        ]
        connects += back
        resumed += sum(e.session_present for e in events)
        up = np.array(
            [e.at_ns for e in events if e.change is ConnectionChange.SUBSCRIBED], np.int64
        )
        for planned_ns in _returns(conduct, start_ns):
            due += 1
            place = int(np.searchsorted(up, planned_ns))
            if place < len(up):
                delays.append(int(up[place]) - planned_ns)
    ordered = np.sort(np.array(delays, np.int64))
    return GroupAbsences(
        left=left,
        returns_due=due,
        returned=len(ordered),
        resumed=resumed,
        most_connects_per_s=_densest(connects),
        back_median_ns=nearest_rank(ordered, MEDIAN) if len(ordered) else None,
        back_max_ns=int(ordered[-1]) if len(ordered) else None,
    )


def _returns(conduct: Conduct, start_ns: int) -> list[int]:
    """When a member was to connect by plan, monotonic ns."""
    joins = [] if conduct.joins_ns is None else [conduct.joins_ns]
    # What is due before the first send is done then: the plan begins with the run.
    return [
        max(start_ns + at_ns, start_ns)
        for at_ns in (*joins, *(absence.returns_ns for absence in conduct.absences))
    ]


def _densest(at_ns: Sequence[int]) -> int:
    """Most of them within one second, wall time."""
    ordered = np.sort(np.array(at_ns, np.int64))
    within = np.searchsorted(ordered, ordered + NS_PER_S, side="right") - np.arange(len(ordered))
    return int(within.max(initial=0))


def _states(account: Account, members: Sequence[PlannedSubscriber]) -> GroupStates | None:
    """Members that joined while a warning was in force, and how many of them were told of it.

    None if no member joins by plan and asks for the state.
    """
    joined = [
        member
        for member in members
        if member.joins_ns is not None
        and any("/state/" in f"/{text}/" for text, _ in member.filters)
    ]
    if not joined:
        return None
    told = set(_retained(account, joined)[:, 0].tolist())
    due = 0
    seen = 0
    for member in joined:
        connected = [
            event.at_ns
            for event in account.evidence.events.get(member.number, ())
            if event.change is ConnectionChange.CONNECTED
        ]
        if connected and _in_force(account, member, connected[0]):
            due += 1
            seen += member.number in told
    return GroupStates(joined=len(joined), due=due, seen=seen)


def _in_force(account: Account, member: PlannedSubscriber, at_ns: int) -> bool:
    """Whether a warning stood in a state that the member asks for."""
    in_force: dict[str, bool] = {}
    sent_ns = account.evidence.sent_ns
    for alert in account.alerts:
        if NO_TIME != sent_ns[alert.number] < at_ns:
            in_force[alert.state_topic] = alert.planned.in_force
    return any(
        standing and any(filter_matches(text, topic) for text, _ in member.filters)
        for topic, standing in in_force.items()
    )
