"""Tables say what limits their figures, and where what is not shown can be found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.errors import OutputError
from simulator.measure.summary import Summary
from simulator.report import latency_tables, quality_tables, tables, words
from simulator.report.layout import Table
from simulator.report.pieces import MOST_TABLE_ROWS, data, details
from simulator.report.provenance import command_of, named
from simulator.report.run_directory import RunDirectory
from simulator.report.source import KILLED, ReportSource
from simulator.units import NS_PER_S

SourceOf = Callable[[str], ReportSource]


@pytest.fixture
def summary(source_of: SourceOf) -> Summary:
    found = source_of("complete").summary
    assert found is not None
    return found


def test_negative_and_unplaceable_latencies_are_said(summary: Summary) -> None:
    rows = [
        row.model_copy(update={"negatives": 3, "out_of_range": 2})
        for row in summary.latency
        if latency_tables.is_whole(row)
    ]
    notes = " ".join(latency_tables.latency(rows, "x").notes)
    assert "3 latencies came out negative" in notes
    assert "2 were beyond the range" in notes
    assert "negative" not in " ".join(latency_tables.latency(summary.latency, "x").notes)


def test_a_reason_is_told_of_the_rows_it_is_of(summary: Summary) -> None:
    true = [row for row in summary.lead_times if row.kind == "true"]
    assert tables.lead_times(true).notes == ("True arrival: nothing arrived.",)
    reached = true[0].model_copy(update={"reason": "", "applicable": True})
    assert tables.lead_times([reached, *true[1:]]).notes == (
        "True arrival, 2 of 3 rows: nothing arrived.",
    )


def test_narrowed_rows_say_to_what(summary: Summary) -> None:
    rows = [row for row in summary.latency if not latency_tables.is_whole(row)]
    rows.append(rows[0].model_copy(update={"qos": 1}))
    of = {row[1] for row in latency_tables.latency(rows, "x", where=True).rows}
    assert {"Miyagi", "launch", "Miyagi, QoS 1"} <= of


def test_intervals_stand_only_where_there_are_enough_bursts(source_of: SourceOf) -> None:
    few, many = source_of("complete").summary, source_of("repeated").summary
    assert few is not None
    assert many is not None
    assert latency_tables.intervals(few.latency).rows == ()
    assert len(latency_tables.intervals(many.latency).rows) >= 5
    assert any("fewer than 10 bursts" in n for n in latency_tables.latency(few.latency, "x").notes)
    assert not any("bursts" in n for n in latency_tables.latency(many.latency, "x").notes)


def test_threshold_values_in_the_unit_of_their_metric(summary: Summary) -> None:
    result = summary.thresholds[0]
    share = result.model_copy(update={"unit": "share", "value": 0.0125})
    assert tables.threshold_value(share, share.value) == "1.25 %"
    lead = result.model_copy(update={"unit": "ns", "scale": "scenario"})
    assert tables.threshold_value(lead, 15.0 * NS_PER_S) == "+15.0 s"
    assert tables.threshold_value(result, None) == "\N{EN DASH}"
    assert tables.threshold_value(result, 1234.0) == "1,234"


def test_both_equations_of_the_ledger_add_up_as_shown(source_of: SourceOf) -> None:
    found = source_of("trouble").summary
    assert found is not None
    for table in (tables.expected(found.ledger.total), tables.receipts(found.ledger.total)):
        *parts, total = (int(row[1].replace(",", "")) for row in table.rows)
        assert sum(parts) == total > 0


def test_a_long_table_says_what_it_leaves_out() -> None:
    table = Table(caption="c", head=("a",), rows=(("x",),) * (MOST_TABLE_ROWS + 7))
    made = data(table)
    assert made is not None
    assert made.count("<tr>") == MOST_TABLE_ROWS + 1
    assert "7 further rows stand in summary.json." in made


def test_nothing_is_folded_away_when_there_is_nothing() -> None:
    assert details("label", None) is None


def test_the_command_is_known_without_a_recorded_one(source_of: SourceOf) -> None:
    source = source_of("complete")
    bare = replace(source, manifest=source.manifest.model_copy(update={"command": ()}))
    assert command_of(bare) == "alertsim run"  # the summary's
    assert command_of(replace(bare, summary=None)) == "alertsim run tohoku-2022-11-03 --seed 7"
    quoted = source.manifest.model_copy(update={"command": ("alertsim", "run", "my drill.yaml")})
    assert command_of(replace(source, manifest=quoted)) == "alertsim run 'my drill.yaml'"


def test_settings_are_written_for_people() -> None:
    values = {
        "drain": 10 * NS_PER_S,
        "state": True,
        "kernel_stamps": False,
        "config": None,
        "allow_hosts": ["a", "b"],
        "addresses": {"5": "mqtt://127.0.0.1:1"},
        "empty": {},
    }
    assert named(values) == (
        "drain 10s, state yes, kernel stamps no, allow hosts a b, addresses (5 mqtt://127.0.0.1:1)"
    )


def test_why_a_run_is_incomplete(source_of: SourceOf) -> None:
    source = source_of("complete")
    assert source.incomplete == ""
    cut = source.manifest.model_copy(update={"state": "incomplete", "reason": "disk full"})
    assert replace(source, manifest=cut).incomplete == "disk full"
    assert replace(source, manifest=cut.model_copy(update={"reason": ""})).incomplete == KILLED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_at_the_end_keeps_the_provisional_rows(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_part({"alert": [1], "outcome": ["delivered"]})
    final = directory.path / ".deliveries"
    final.mkdir()
    (final / ".deliveries.parquet.tmp").symlink_to("/dev/full")
    with pytest.raises(OutputError):
        directory.replace_deliveries([{"alert": [1], "outcome": ["late"]}])
    assert not final.exists()
    assert directory.scan_deliveries().collect()["outcome"].to_list() == ["delivered"]


def test_final_rows_replace_provisional_ones(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_part({"alert": [1], "outcome": ["delivered"]})
    directory.replace_deliveries(
        [{"alert": [1], "outcome": ["late"]}, {"alert": [], "outcome": []}]
    )
    assert directory.parts() == []
    assert directory.scan_deliveries().collect()["outcome"].to_list() == ["late"]


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (2e6, 1e6, 2e6, "2 ms"),
        (None, 0.0, 2e6, "at most 2 ms"),
        (None, 1e6, 2e6, "1 ms to 2 ms"),
        (None, None, None, words.DASH),
    ],
)
def test_a_threshold_without_a_value_shows_the_interval_it_was_judged_on(
    summary: Summary, value: float | None, low: float | None, high: float | None, shown: str
) -> None:
    latency = next(r for r in summary.thresholds if r.metric == "delivery_latency")
    result = latency.model_copy(update={"value": value, "low": low, "high": high})

    assert tables.thresholds([result]).rows[0][2] == shown


def test_refused_reports_are_no_overflow(summary: Summary) -> None:
    counted = {"unexpected rows": 2, "foreign: too long": 3}
    instrument = summary.instrument.model_copy(update={"overflows": counted})
    of = summary.model_copy(update={"instrument": instrument})

    overflowed, refused = quality_tables.overflows(of), quality_tables.refused(of)

    assert (overflowed.rows, refused.rows) == ((("unexpected rows", "2"),), (("too long", "3"),))
    assert "refused" in refused.caption
    assert "refused" not in overflowed.caption


def test_the_machine_says_what_is_known_of_it(summary: Summary) -> None:
    assert {row[1] for row in quality_tables.machine(summary).rows} == {words.DASH}
    known = {"steal_share": 0.0123, "broker_cpu_share": 1.5}
    instrument = summary.instrument.model_copy(update=known)
    rows = quality_tables.machine(summary.model_copy(update={"instrument": instrument})).rows
    assert [row[1] for row in rows] == ["150.0 %", "1.2 %"]
