"""Groups of subscribers in all forms of a report, and nothing of them where there are none."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulator.measure.summary import (
    Counts,
    GroupAbsences,
    GroupFigure,
    GroupStates,
    GroupSummary,
    Summary,
)
from simulator.report import group_tables, words
from simulator.report.html import page
from simulator.report.layout import table_text
from simulator.report.markdown import markdown_report
from simulator.report.source import ReportSource
from simulator.report.text import text_report
from simulator.units import NS_PER_MS

SourceOf = Callable[[str], ReportSource]
TABLES = (group_tables.owed, group_tables.counts, group_tables.figures, group_tables.absences)


def counts(**terms: int) -> Counts:
    return Counts(**(dict.fromkeys(Counts.model_fields, 0) | terms))


def figure(population: str, **fields: int | None) -> GroupFigure:
    given = {
        "population": population,
        "n": 3,
        "min_ns": NS_PER_MS,
        "median_ns": 2 * NS_PER_MS,
        "p99_ns": None,
        "max_ns": 3 * NS_PER_MS,
        "uncertainty_max_ns": 4_000,
        "handling_median_ns": 5 * NS_PER_MS,
        "handling_max_ns": 6 * NS_PER_MS,
    }
    return GroupFigure.model_validate(given | fields)


PHONES = GroupSummary(
    name="phones",
    kind="late",
    members=3,
    why="join between 07:52:00 and 07:58:00: owed what is sent after that",
    counts=counts(expected=3, delivered=2, queued=1, receipts=3),
    figures=(figure("live"), figure("retained", handling_median_ns=None, handling_max_ns=None)),
    absences=GroupAbsences(
        left=1,
        returns_due=4,
        returned=4,
        resumed=2,
        most_connects_per_s=3,
        back_median_ns=7 * NS_PER_MS,
        back_max_ns=None,
    ),
    states=GroupStates(joined=3, due=2, seen=1),
)
PAGERS = PHONES.model_copy(
    update={
        "name": "pagers",
        "counts": counts(expected=2, missed_offline=2),
        "figures": (),
        "states": None,
    }
)
CONTROLS = PAGERS.model_copy(
    update={"name": "controls", "absences": None, "counts": counts(), "why": "owed nothing"}
)


@pytest.fixture
def source(source_of: SourceOf) -> ReportSource:
    found = source_of("complete")
    assert found.summary is not None
    groups = (PHONES, PAGERS, CONTROLS)
    return replace(found, summary=found.summary.model_copy(update={"groups": groups}))


@pytest.fixture
def summary(source: ReportSource) -> Summary:
    assert source.summary is not None
    return source.summary


def test_a_run_without_groups_has_no_such_tables(source_of: SourceOf) -> None:
    plain = source_of("complete")
    assert plain.summary is not None
    assert [table_text(table(plain.summary)) for table in TABLES] == [""] * 4
    for text in (text_report(plain), markdown_report(plain), page(plain)):
        assert "Groups of subscribers" not in text


def test_each_group_stands_with_its_reason(summary: Summary) -> None:
    rows = group_tables.owed(summary).rows
    assert [row[:3] for row in rows] == [
        ("phones", "late", "3"),
        ("pagers", "late", "3"),
        ("controls", "late", "3"),
    ]
    assert rows[2][3] == "owed nothing"
    assert group_tables.reasons(summary)[2] == "controls (3 subscribers, late): owed nothing."


def test_the_ledger_by_group_explains_who_missed(summary: Summary) -> None:
    table = group_tables.counts(summary)
    assert table.head == ("group", "expected", "delivered", "queued", "missed offline")
    assert table.rows == (
        ("phones", "3", "2", "1", "0"),
        ("pagers", "2", "0", "0", "2"),
        ("controls", "0", "0", "0", "0"),
    )
    assert "gone by plan" in table.notes[0]
    only = summary.model_copy(update={"groups": (PHONES,)})
    assert group_tables.counts(only).notes == ()


def test_ages_stand_apart_from_latencies(summary: Summary) -> None:
    table = group_tables.figures(summary)
    assert [row[:4] for row in table.rows] == [
        ("phones", "live", "delivery", "3"),
        ("phones", "retained", "age on arrival", "3"),
    ]
    assert table.rows[0][4:] == ("1 ms", "2 ms", words.DASH, "3 ms", "4 µs", "5 ms", "6 ms")
    assert table.rows[1][9:] == (words.DASH, words.DASH)
    assert "is no latency" in table.notes[0]


def test_absences_and_states_stand_side_by_side(summary: Summary) -> None:
    assert group_tables.absences(summary).rows == (
        ("phones", "1", "4", "4", "2", "3", "7 ms", words.DASH, "2", "1"),
        ("pagers", "1", "4", "4", "2", "3", "7 ms", words.DASH, words.DASH, words.DASH),
    )


def test_every_form_of_the_report_has_them(source: ReportSource) -> None:
    for text in (text_report(source), markdown_report(source), page(source)):
        for part in (
            "Groups of subscribers, and what each is owed",
            "The ledger by group",
            "Live, queued and retained, by group",
            "Joins, absences and returns by plan",
            "join between 07:52:00 and 07:58:00",
        ):
            assert part in text.replace("\\", ""), part


def test_a_terminal_gets_fewer_columns(summary: Summary) -> None:
    table = group_tables.narrow(group_tables.figures(summary), (0, 3, 5))
    assert table.head == ("group", "n", "p50")
    assert table.rows[0] == ("phones", "3", "2 ms")
    assert table.numeric == {1, 2}
