"""Markdown and JUnit say the same as the page, in forms other programs read."""

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from simulator.measure.summary import Summary
from simulator.report.junit import clean, junit_report
from simulator.report.layout import Table
from simulator.report.markdown import escaped, markdown_report, table_markdown
from simulator.report.source import ReportSource

SourceOf = Callable[[str], ReportSource]


def judged(source: ReportSource, *verdicts: str) -> ReportSource:
    """The run with its thresholds judged otherwise."""
    assert source.summary is not None
    results = tuple(
        result.model_copy(update={"verdict": verdict})
        for result, verdict in zip(source.summary.thresholds, verdicts, strict=True)
    )
    summary: Summary = source.summary.model_copy(update={"thresholds": results})
    return replace(source, summary=summary)


def cases(source: ReportSource) -> list[ET.Element]:
    root = ET.fromstring(junit_report(source))  # noqa: S314  (our own document)
    return list(root.iter("testcase"))


def test_each_threshold_is_a_test_case(source_of: SourceOf) -> None:
    found = cases(source_of("complete"))
    assert [case.get("name") for case in found] == [
        "lost: count==0",
        "unexpected: count==0",
        "delivery_latency{population=live}: max<5s",
    ]
    assert all(case.get("classname") == "tohoku-2022-11-03" for case in found)
    assert [child.tag for case in found for child in case] == ["system-out"] * 3


def test_only_a_pass_passes(source_of: SourceOf) -> None:
    source = judged(source_of("complete"), "fail", "inconclusive", "not-judged")
    assert [case[0].tag for case in cases(source)] == ["failure", "skipped", "skipped"]
    root = ET.fromstring(junit_report(source))  # noqa: S314
    counts = {"tests": "3", "failures": "1", "errors": "0", "time": ""}
    assert root.attrib | {"time": ""} == {"name": "alertsim", **counts}
    assert root[0].attrib | {"time": ""} == {
        "name": "tohoku-2022-11-03",
        "timestamp": source.manifest.started,
        "skipped": "2",
        **counts,
    }


@pytest.mark.parametrize("kind", ["aborted", "killed"])
def test_a_run_that_did_not_reach_its_end_is_an_error(source_of: SourceOf, kind: str) -> None:
    errors = [case for case in cases(source_of(kind)) if case.find("error") is not None]
    assert [case.get("name") for case in errors] == ["run"]


def test_what_xml_cannot_hold_is_replaced(source_of: SourceOf) -> None:
    timeline = replace(source_of("complete").timeline, scenario='a\x00b<&"')
    found = cases(replace(source_of("complete"), timeline=timeline))
    assert found[0].get("classname") == 'a\ufffdb<&"'
    assert clean("ok\n\ud800\x1b") == "ok\n\ufffd\ufffd"


def test_markdown_says_the_verdict_first(source_of: SourceOf) -> None:
    text = markdown_report(source_of("trouble"))
    assert text.index("**Did it pass?** Failed") < text.index("### Thresholds")
    assert "| lost | 10 | 1.11 % |" in text
    assert "| paho-1 |" in text
    assert text.rstrip().endswith("alertsim run tohoku-2022-11-03 --speed 600 --seed 7")


@pytest.mark.parametrize("kind", ["aborted", "killed"])
def test_markdown_of_an_incomplete_run_is_loud(source_of: SourceOf, kind: str) -> None:
    assert "**INCOMPLETE RUN:**" in markdown_report(source_of(kind))


def test_a_hostile_title_adds_no_markup(source_of: SourceOf) -> None:
    text = markdown_report(source_of("hostile"))
    assert "\\<script\\>" in text
    assert not re.search(r"(?<!\\)<script", text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for caption in text.split("### ")[1:]:
        widths = {
            len(re.findall(r"(?<!\\)\|", line))
            for line in caption.splitlines()
            if line.startswith("|")
        }
        assert len(widths) == 1
    assert len(rows) > 20


def test_cells_and_rules_of_a_markdown_table() -> None:
    table = Table(
        caption="A|B",
        head=("x", "n"),
        rows=(("a|b\nc", "1"),),
        numeric=frozenset({1}),
        notes=("z",),
    )
    assert table_markdown(table) == ("### A\\|B\n\n| x | n |\n| --- | ---: |\n| a\\|b c | 1 |\n\nz")
    assert table_markdown(replace(table, rows=())) == ""
    assert escaped("[x](y) *z*") == "\\[x\\](y) \\*z\\*"
