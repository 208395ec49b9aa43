"""The tables about groups of subscribers: what each was owed and why, and what became of it.

Rule of the module: as in ``tables``; empty tables where the scenario declares no groups.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from simulator.measure.summary import GroupCounts, GroupSummary, Summary
from simulator.report import tables, words
from simulator.report.layout import Table

_MISSED: Final = (
    "Missed offline: not connected when it was sent, or gone by plan before a delivery had its "
    "time, with a clean session or at QoS 0."
)
_FIGURES: Final = (
    "A live delivery is a latency; a queued one waited for its subscriber; the age of a retained "
    "state says how old the alert was when somebody came, and is no latency."
)
_ABSENCES: Final = (
    "Back after: from the planned attempt to the acknowledged subscription. States due: who joined "
    "while a warning was in force and asked for the retained state."
)


def owed(summary: Summary) -> Table:
    """Each group with the reason for what it is owed."""
    return Table(
        caption="Groups of subscribers, and what each is owed",
        head=("group", "kind", "members", "owed"),
        rows=tuple(
            (group.name, group.kind, f"{group.members:,}", group.why) for group in summary.groups
        ),
        numeric=frozenset({2}),
    )


def narrow(table: Table, columns: Sequence[int]) -> Table:
    """Some columns of a table, for a terminal."""
    return replace(
        table,
        head=tuple(table.head[column] for column in columns),
        rows=tuple(tuple(row[column] for column in columns) for row in table.rows),
        numeric=frozenset(place for place, column in enumerate(columns) if column in table.numeric),
    )


def reasons(summary: Summary) -> list[str]:
    """The same as sentences, for a terminal that has no room for them in a table."""
    return [
        f"{group.name} ({words.plural(group.members, 'subscriber')}, {group.kind}): {group.why}."
        for group in summary.groups
    ]


def counts(summary: Summary) -> Table:
    """The ledger by group; outcomes that nowhere occurred are left out."""
    if not summary.groups:
        return Table(caption="The ledger by group", head=(), rows=())
    table = tables.groups(
        "The ledger by group",
        "group",
        [GroupCounts(name=group.name, counts=group.counts) for group in summary.groups],
    )
    return replace(table, notes=_caused(summary))


def _caused(summary: Summary) -> tuple[str, ...]:
    if not any(group.counts.missed_offline for group in summary.groups):
        return ()
    return (_MISSED,)


def figures(summary: Summary) -> Table:
    """Live, queued and retained figures of each group, apart."""
    return Table(
        caption="Live, queued and retained, by group (wall)",
        head=(
            "group",
            "population",
            "what",
            "n",
            "min",
            "p50",
            "p99",
            "max",
            "stamp ±",
            "handled after, p50",
            "max",
        ),
        rows=tuple(
            (
                group.name,
                figure.population,
                "age on arrival" if figure.population == "retained" else "delivery",
                f"{figure.n:,}",
                words.measured(figure.min_ns),
                words.measured(figure.median_ns),
                words.measured(figure.p99_ns),
                words.measured(figure.max_ns),
                words.measured(figure.uncertainty_max_ns),
                words.measured(figure.handling_median_ns),
                words.measured(figure.handling_max_ns),
            )
            for group in summary.groups
            for figure in group.figures
        ),
        numeric=frozenset(range(3, 11)),
        notes=(_FIGURES,),
    )


def absences(summary: Summary) -> Table:
    """Who joined, left and returned by plan, and how they came back."""
    return Table(
        caption="Joins, absences and returns by plan",
        head=(
            "group",
            "left",
            "to return",
            "returned",
            "session kept",
            "most connects in 1 s",
            "back after, p50",
            "max",
            "states due",
            "seen",
        ),
        rows=tuple(_absence(group) for group in summary.groups if group.absences is not None),
        numeric=frozenset(range(1, 10)),
        notes=(_ABSENCES,),
    )


def _absence(group: GroupSummary) -> tuple[str, ...]:
    away, states = group.absences, group.states
    if away is None:
        return ()
    return (
        group.name,
        f"{away.left:,}",
        f"{away.returns_due:,}",
        f"{away.returned:,}",
        f"{away.resumed:,}",
        f"{away.most_connects_per_s:,}",
        words.measured(away.back_median_ns),
        words.measured(away.back_max_ns),
        words.DASH if states is None else f"{states.due:,}",
        words.DASH if states is None else f"{states.seen:,}",
    )
