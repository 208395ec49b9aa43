"""Formats that other programs read: each is read back by its own reader."""

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from lxml import etree
from prometheus_client import Metric
from prometheus_client.openmetrics import parser
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.errors import OutputError
from simulator.measure.summary import Summary
from simulator.report import csv_rows
from simulator.report.deliveries import SCHEMA
from simulator.report.hlog import TaggedLatencies, read_latency_log
from simulator.report.run_directory import RunDirectory
from simulator.report.source import ReportSource, read_source
from simulator.report.writing import Report, regenerate, write_histogram
from tests.unit.report.made_run import START, make_run

RunOf = Callable[[str], Path]
SourceOf = Callable[[str], ReportSource]
KINDS = ["complete", "trouble", "hostile", "repeated", "aborted", "killed"]
JUNIT = etree.XMLSchema(etree.parse(Path(__file__).parents[2] / "data" / "junit.xsd"))


@pytest.fixture
def copy_of(run_of: RunOf, tmp_path: Path) -> RunOf:
    """A run of a kind that may be written to."""
    return lambda kind: shutil.copytree(run_of(kind), tmp_path / kind)


@pytest.fixture
def report(source_of: SourceOf) -> Callable[[str], Report]:
    def made(kind: str) -> Report:
        source = source_of(kind)
        return Report(page=source.path / "report.html", source=source)

    return made


def read(text: str) -> Iterable[Metric]:
    found: Iterable[Metric] = parser.text_string_to_metric_families(text + "\n")  # type: ignore[no-untyped-call]
    return found


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in read(text)}


def samples(text: str, name: str, **labels: str) -> list[float]:
    return [
        sample.value
        for family in read(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def summary_of(source: ReportSource) -> Summary:
    assert source.summary is not None
    return source.summary


# --- OpenMetrics -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_prometheus_reads_every_run(report: Callable[[str], Report], kind: str) -> None:
    found = families(report(kind).render("openmetrics"))
    assert found["alertsim_run"].samples[0].labels["exercise"] == "true"
    complete = kind not in {"aborted", "killed"}
    assert found["alertsim_run_complete"].samples[0].value == complete
    assert ("alertsim_deliveries" in found) == (kind != "killed")


def test_outcomes_add_up_to_what_was_expected(
    report: Callable[[str], Report], source_of: SourceOf
) -> None:
    text = report("trouble").render("openmetrics")
    total = summary_of(source_of("trouble")).ledger.total
    assert sum(samples(text, "alertsim_deliveries_total")) == total.expected
    assert sum(samples(text, "alertsim_expected_deliveries_total")) == total.expected
    assert sum(samples(text, "alertsim_deliveries_total", outcome="lost")) == total.lost > 0
    assert sum(samples(text, "alertsim_receipts_total")) == total.receipts
    assert samples(text, "alertsim_client_deliveries_total", client="paho-1", outcome="delivered")


def test_latency_is_in_seconds_and_the_buckets_hold_every_delivery(
    report: Callable[[str], Report], source_of: SourceOf
) -> None:
    text = report("repeated").render("openmetrics")
    (row,) = [
        row
        for row in summary_of(source_of("repeated")).latency
        if (row.population, row.segment, row.prefecture, row.event, row.qos)
        == ("live", "delivery", None, None, None)
    ]
    where = {"population": "live", "segment": "delivery"}
    assert samples(text, "alertsim_latency_seconds_count", **where) == [row.n]
    (median,) = samples(text, "alertsim_latency_seconds", quantile="0.5", **where)
    assert median == row.quantiles[0].value_ns / 1e9  # type: ignore[operator]
    name = "alertsim_delivery_latency_seconds"
    buckets = samples(text, f"{name}_bucket", population="live")
    assert buckets == sorted(buckets)
    assert buckets[-1] == row.n == samples(text, f"{name}_count", population="live")[0]
    values = pl.scan_parquet(source_of("repeated").path / "deliveries.parquet").filter(
        population="live"
    )
    within = values.filter(pl.col("delivery_ns") <= 25_000_000).collect().height
    assert samples(text, f"{name}_bucket", population="live", le="0.025") == [within]


def test_thresholds_are_states(report: Callable[[str], Report]) -> None:
    text = report("trouble").render("openmetrics")
    states = samples(text, "alertsim_threshold", threshold="lost: count==0")
    assert sum(states) == 1
    failed = samples(
        text, "alertsim_threshold", threshold="lost: count==0", alertsim_threshold="fail"
    )
    assert failed == [1]


def test_copies_below_the_qos_owed_are_a_counter_in_every_format(source_of: SourceOf) -> None:
    source = source_of("trouble")
    ledger = summary_of(source).ledger.model_copy(update={"qos_lowered": 1_234})
    changed = summary_of(source).model_copy(update={"ledger": ledger})
    made = Report(page=source.path, source=replace(source, summary=changed))
    assert samples(made.render("openmetrics"), "alertsim_qos_lowered_total") == [1_234]
    counted = json.loads(made.render("k6"))["metrics"]["qos_lowered"]
    assert (counted["type"], counted["values"]["count"]) == ("counter", 1_234)


# --- k6 --------------------------------------------------------------------------------------


def test_k6_summary_has_trends_in_milliseconds_counters_and_thresholds(
    report: Callable[[str], Report], source_of: SourceOf
) -> None:
    document = json.loads(report("trouble").render("k6"))
    summary = summary_of(source_of("trouble"))
    metrics = document["metrics"]
    live = metrics["delivery_latency{population:live}"]
    assert (live["type"], live["contains"]) == ("trend", "time")
    (row,) = [
        row
        for row in summary.latency
        if (row.population, row.segment, row.prefecture, row.event, row.qos)
        == ("live", "delivery", None, None, None)
    ]
    assert live["values"]["max"] == row.max_ns / 1e6  # type: ignore[operator]
    assert {"min", "avg", "med", "p(90)", "count"} <= live["values"].keys()
    assert "p(99.9)" not in live["values"]  # too few samples: left out, not made up
    assert metrics["lost"]["values"]["count"] == summary.ledger.total.lost
    assert metrics["lost"]["thresholds"] == {"count==0": {"ok": False, "verdict": "fail"}}
    rate = metrics["received"]["values"]
    assert rate["passes"] + rate["fails"] == summary.ledger.total.expected
    assert document["state"]["testRunDurationMs"] == summary.run.duration_ns / 1e6
    assert document["setup_data"]["exercise"] is True


def test_k6_summary_of_a_killed_run_has_no_metrics(report: Callable[[str], Report]) -> None:
    document = json.loads(report("killed").render("k6"))
    assert document["metrics"] == {}
    assert document["setup_data"]["incomplete"]


def test_a_threshold_on_what_k6_would_not_show_is_a_gauge(source_of: SourceOf) -> None:
    source = source_of("complete")
    (first, *rest) = summary_of(source).thresholds
    lead = first.model_copy(
        update={
            "metric": "predicted_lead_time",
            "tags": {"prefecture": "niigata"},
            "unit": "ns",
            "value": None,
            "high": -120e9,
            "verdict": "inconclusive",
        }
    )
    changed = summary_of(source).model_copy(update={"thresholds": (lead, *rest)})
    made = Report(page=source.path, source=replace(source, summary=changed))
    metric = json.loads(made.render("k6"))["metrics"]["predicted_lead_time{prefecture:niigata}"]
    assert metric["type"] == "gauge"
    assert metric["values"] == {"value": -120_000.0}
    assert metric["thresholds"]["count==0"] == {"ok": False, "verdict": "inconclusive"}


# --- CSV and hlog ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["trouble", "hostile", "killed"])
def test_csv_holds_every_row_of_the_table(
    report: Callable[[str], Report], run_of: RunOf, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "ROW_GROUP", 100)  # in pieces
    pieces = list(report(kind).pieces("csv"))
    table = RunDirectory.open(run_of(kind)).scan_deliveries().collect()
    assert len(pieces) == 1 + -(-table.height // 100)
    rows = list(csv.DictReader(io.StringIO("\n".join(pieces))))
    assert list(rows[0]) == list(SCHEMA) == table.columns
    assert len(rows) == table.height > 100
    for name in ("outcome", "client", "received_ns", "delivery_ns"):
        assert [row[name] for row in rows] == [
            "" if value is None else str(value) for value in table[name]
        ]


def test_hlog_is_the_file_and_a_missing_one_is_refused(copy_of: RunOf, tmp_path: Path) -> None:
    made = regenerate(copy_of("complete"))
    log = tmp_path / "again.hlog"
    log.write_text(made.render("hlog") + "\n")
    again = read_latency_log(log)["live"].histogram
    assert again.equals(read_latency_log(made.page.parent / "latency.hlog")["live"].histogram)
    killed = regenerate(copy_of("killed"))
    with pytest.raises(OutputError, match=r"latency\.hlog: cannot be read"):
        killed.render("hlog")


def test_ages_of_retained_states_stand_in_the_log_too(tmp_path: Path) -> None:
    path = make_run(tmp_path)
    directory = RunDirectory.open(path)
    ages = TaggedLatencies(
        tag="retained",
        intended_ns=np.array([START, START + 7], np.int64),
        latency_ns=np.array([5_000_000, 9_000_000], np.int64),
    )
    write_histogram(directory, summary_of(read_source(path)).run, ages)
    found = read_latency_log(path / "latency.hlog")
    assert found["retained"].histogram.get_total_count() == 2
    assert found["live"].histogram.get_total_count() > 800


# --- on the command line ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "first", "last"),
    [
        ("csv", "outcome,cause,population,", ""),
        ("openmetrics", "# TYPE alertsim_run info", "# EOF"),
        ("k6", "{", "}"),
        ("hlog", "#[Histogram log format version 1.2]", ""),
        ("junit", "<?xml version", "</testsuites>"),
    ],
)
def test_report_prints_nothing_but_what_was_asked_for(
    copy_of: RunOf, form: str, first: str, last: str
) -> None:
    run = copy_of("complete")
    done = CliRunner().invoke(app, ["report", str(run), "--format", form])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith(first)
    assert lines[-1].endswith(last)
    assert done.stdout.endswith("\n")
    if form == "csv":
        table = RunDirectory.open(run).scan_deliveries().collect()
        assert len(lines) == 1 + table.height


# --- JUnit -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_junit_keeps_to_the_schema(report: Callable[[str], Report], kind: str) -> None:
    document = etree.fromstring(report(kind).render("junit").encode())
    JUNIT.assertValid(document)
    counted = [len(list(document.iter(each))) for each in ("testcase", "failure", "error")]
    assert counted == [int(document.get(key)) for key in ("tests", "failures", "errors")]


def test_the_schema_refuses_what_is_none(report: Callable[[str], Report]) -> None:
    document = etree.fromstring(report("complete").render("junit").encode())
    document[0][1].attrib.pop("name")
    assert not JUNIT.validate(document)
