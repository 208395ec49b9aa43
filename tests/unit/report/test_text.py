"""The terminal report stands in the order people need it, aligned and without surprises."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulator.report.html import page
from simulator.report.layout import Table, display_width, printable, table_text, wrapped
from simulator.report.markdown import markdown_report
from simulator.report.source import ReportSource
from simulator.report.text import text_report
from tests.unit.report.conftest import HOSTILE

SourceOf = Callable[[str], ReportSource]


def test_the_report_stands_in_the_order_of_the_promise(source_of: SourceOf) -> None:
    text = text_report(source_of("complete"))
    order = [
        "【訓練】 EXERCISE  3 November 2022, as it is on record",
        "Messages per prefecture",
        "Every expected delivery, accounted for",
        "Latency from the planned instant",
        "Lead time",
        "VERDICT: Passed (exit 0)",
        f"Run       {source_of('complete').path}",
    ]
    positions = [text.index(part) for part in order]
    assert positions == sorted(positions)


def test_every_quantile_has_its_n_beside_it(source_of: SourceOf) -> None:
    lines = text_report(source_of("complete")).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("Latency"))
    assert lines[start + 1].split()[:5] == ["population", "segment", "n", "alerts", "bursts"]
    rows = [line.split() for line in lines[start + 3 : start + 8]]
    assert [row[0] for row in rows] == ["live"] * 5
    assert all("900" in row for row in rows)
    assert all(row.count("-") == 2 for row in rows)  # p99 and p99.9: 900 are too few


def test_lead_times_are_signed_and_per_prefecture(source_of: SourceOf) -> None:
    lines = text_report(source_of("complete")).splitlines()
    found = [line.split() for line in lines if "  predicted arrival" in line]
    assert [line[0] for line in found] == ["Miyagi", "Yamagata", "Niigata"]
    assert all(line[3:5] == ["-120.0", "s"] for line in found)
    assert all("± 60 s" in line for line in lines if "predicted arrival" in line)


def test_no_line_is_wider_than_a_wide_terminal(source_of: SourceOf) -> None:
    for kind in ("complete", "trouble", "repeated"):
        for line in text_report(source_of(kind)).splitlines():
            assert display_width(line) <= 110 or line.startswith(("Run ", "Report "))


@pytest.mark.parametrize("kind", ["aborted", "killed"])
def test_an_incomplete_run_says_so_first(source_of: SourceOf, kind: str) -> None:
    text = text_report(source_of(kind))
    assert text.splitlines()[3].startswith("INCOMPLETE RUN: ")
    assert "INCOMPLETE" not in text_report(source_of("complete"))


def test_a_killed_run_counts_its_rows(source_of: SourceOf) -> None:
    text = text_report(source_of("killed"))
    assert "200 rows of deliveries so far:" in text
    assert "delivered: 200" in text


def test_control_characters_never_reach_the_terminal(source_of: SourceOf) -> None:
    source = source_of("hostile")
    assert source.summary is not None
    shouting = source.summary.run.model_copy(update={"title": "a\x1b[2Jb\rc\u202ed"})
    text = text_report(replace(source, summary=source.summary.model_copy(update={"run": shouting})))
    assert not set("\x1b\r\u202e") & set(text)
    assert "a\N{REPLACEMENT CHARACTER}[2Jb" in text
    assert HOSTILE not in text  # it holds a control character


def test_columns_are_aligned_by_how_wide_characters_are() -> None:
    table = Table(
        caption="c", head=("名", "n"), rows=(("宮城県", "1"), ("x", "12")), numeric=frozenset({1})
    )
    lines = table_text(table).splitlines()
    assert lines[3:] == ["  宮城県   1", "  x       12"]
    assert display_width("宮城県") == 6
    assert display_width("e\u0301") == 1


def test_a_table_without_rows_is_nothing() -> None:
    assert table_text(Table(caption="c", head=("a",), rows=())) == ""


def test_sentences_are_wrapped_at_spaces() -> None:
    lines = wrapped("T", ["one two three four", "x" * 30], width=12)
    assert lines == ["T", "  one two", "    three", "    four", "  " + "x" * 30]
    assert printable("a\tb") == "a\N{REPLACEMENT CHARACTER}b"


def test_a_weaker_stamp_is_told_beside_the_latency_table_in_every_form(
    source_of: SourceOf,
) -> None:
    source = source_of("complete")
    assert source.summary is not None
    sender = source.summary.publisher.model_copy(
        update={"client": "aiomqtt", "notes": ("Sent is stamped early.",)}
    )
    told = replace(source, summary=source.summary.model_copy(update={"publisher": sender}))

    for form in (text_report, markdown_report, page):
        with_note, without = form(told), form(source)
        assert "Sent is stamped early." in with_note
        assert "Sent is stamped early." not in without
        after = with_note[with_note.index("Sent is stamped early.") :]
        assert "VERDICT" in after or form is not text_report
    assert "<td>aiomqtt</td>" in page(told)


def test_reports_that_were_not_believed_are_counted_by_reason(source_of: SourceOf) -> None:
    source = source_of("trouble")
    assert source.summary is not None
    assert "were refused" not in text_report(source)
    instrument = source.summary.instrument.model_copy(
        update={"overflows": {"foreign: unknown id": 7, "queue of parts": 2}}
    )
    changed = source.summary.model_copy(update={"instrument": instrument})
    lines = text_report(replace(source, summary=changed)).splitlines()
    start = lines.index("Reports of clients that are not ours that were refused")
    assert lines[start + 3].split() == ["unknown", "id", "7"]
    assert "queue of parts" not in lines[start + 4]
