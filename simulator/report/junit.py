"""Thresholds as JUnit XML, so that a pipeline shows each as a test.

Rule of the module: a pass is a test case, a fail a failure; what could not be judged is skipped,
never passed; a run that did not reach its end adds an error of its own.

Format: the common subset of https://github.com/testmoapp/junitxml and of the schema that Jenkins
validates against, junit-10.xsd of https://github.com/jenkinsci/xunit-plugin.
"""

import re
from xml.etree import ElementTree as ET

from simulator.measure.summary import ThresholdResult
from simulator.report import tables, words
from simulator.report.source import ReportSource
from simulator.units import NS_PER_S

# XML 1.0 section 2.2 forbids these even as character references.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(source: ReportSource) -> str:
    """A ``<testsuites>`` document with a case per threshold."""
    summary = source.summary
    results = summary.thresholds if summary else ()
    failed = sum(result.verdict == "fail" for result in results)
    skipped = sum(result.verdict in {"inconclusive", "not-judged"} for result in results)
    duration_s = summary.run.duration_ns / NS_PER_S if summary else 0.0
    counts = {
        "tests": str(len(results) + bool(source.incomplete)),
        "failures": str(failed),
        "errors": str(int(bool(source.incomplete))),
        "skipped": str(skipped),
        "time": f"{duration_s:.3f}",
    }
    # Jenkins' schema knows no "skipped" on the outermost element.
    outer = {key: value for key, value in counts.items() if key != "skipped"}
    root = ET.Element("testsuites", {"name": "alertsim", **outer})
    suite = ET.SubElement(root, "testsuite", {"name": clean(source.timeline.scenario), **counts})
    suite.set("timestamp", clean(source.manifest.started))
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("run", source.manifest.run),
        ("seed", str(source.manifest.seed)),
        ("timeline-digest", source.timeline.digest),
        ("exercise", "true"),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": clean(value)})
    for result in results:
        _case(suite, source.timeline.scenario, result)
    if source.incomplete:
        case = ET.SubElement(
            suite, "testcase", {"classname": clean(source.timeline.scenario), "name": "run"}
        )
        ET.SubElement(case, "error", {"message": clean(source.incomplete), "type": "incomplete"})
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(suite: ET.Element, scenario: str, result: ThresholdResult) -> None:
    name = f"{tables.threshold_metric(result)}: {result.expression}"
    case = ET.SubElement(suite, "testcase", {"classname": clean(scenario), "name": clean(name)})
    value = words.plain_minus(tables.threshold_actual(result))
    message = clean(f"is {value}, n = {result.samples}: {result.reason}")
    if result.verdict == "fail":
        ET.SubElement(case, "failure", {"message": message, "type": "threshold"})
    elif result.verdict != "pass":
        ET.SubElement(case, "skipped", {"message": f"{result.verdict}: {message}"})
    else:
        ET.SubElement(case, "system-out").text = message


def clean(text: str) -> str:
    """Text without the characters that XML cannot hold at all."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
