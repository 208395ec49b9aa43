"""Reference pages made from what the code writes: MQTT messages, files of a run, metrics.

Rule of the module: names, units and examples come from the code; only what a file is *for* is said
here, and a test compares the list with a real run's directory.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from simulator.measure.receipts import ReceiptFlag
from simulator.measure.row_columns import COLUMNS
from simulator.report.manifest import MANIFEST_NAME, Manifest
from simulator.report.run_directory import (
    BASELINE_NAME,
    DELIVERIES_NAME,
    HISTOGRAM_NAME,
    PARTS_NAME,
    REPORT_NAME,
    SUMMARY_NAME,
    TIMELINE_NAME,
)
from simulator.run.asyncapi import asyncapi_document
from simulator.service.metrics_catalogue import catalogue

_FILES: Final = {
    MANIFEST_NAME: "the scenario as resolved, seed, versions, host, broker, the command that "
    "repeats it; there from the start",
    TIMELINE_NAME: "the plan that was played: one event or alert a line; there from the start",
    f"{PARTS_NAME}/part-NNNNN.parquet": "rows that are final, while the run goes on, at least "
    "every 5 s; gone after a clean end",
    DELIVERIES_NAME: "one row for each expected or unexpected delivery",
    HISTOGRAM_NAME: "HdrHistogram log of delivery latencies, tags `live`, `retained`, `queued`",
    SUMMARY_NAME: "all figures: [stable and versioned](summary.md)",
    REPORT_NAME: "the report for people: one file, opens offline",
    BASELINE_NAME: "the comparison with a baseline, if one was asked for",
}
_SHORT: Final = 20  # lines; longer examples after the first stand in the AsyncAPI description
_MANY: Final = 12  # values that a cell lists
_FLAGS: Final = {
    ReceiptFlag.RETAIN: "the retain flag was set",
    ReceiptFlag.DUP: "the DUP flag was set",
    ReceiptFlag.QOS_1: "delivered at QoS 1",
    ReceiptFlag.QOS_2: "delivered at QoS 2",
    ReceiptFlag.USER_STAMP: "stamped in user space, not by the kernel",
    ReceiptFlag.STATE: "arrived on a state topic",
    ReceiptFlag.MALFORMED: "no payload of alertsim",
    ReceiptFlag.FOREIGN: "well formed, but not of this run, or altered",
    ReceiptFlag.CLEARED: "an empty retained payload",
    ReceiptFlag.ROUND_TRIP: "no clock that can be compared: times are round trip",
    ReceiptFlag.SESSION: "on a connection whose session the broker had kept",
}


def run_directory_page() -> str:
    """Files of a run, columns of the table of deliveries, fields of the manifest."""
    lines = [
        "# Run directory",
        "",
        "Generated from the code that writes it. A file appears under its name only when it is",
        "whole: a killed run leaves a directory that can be read, and says that it is incomplete.",
        "",
        "| file | what it is |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in _FILES.items()),
        "",
        f"## {DELIVERIES_NAME}",
        "",
        "Text columns are strings, all others 64-bit integers. *ns, clock* is an instant on the",
        "run's monotonic clock, of which only differences mean something; *ns* is a wall duration.",
        "A missing figure is null, never zero.",
        "",
        "| column | unit | may be null | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{column.name}` | {column.unit} | {'yes' if column.nullable else ''} "
            f"| {column.meaning} |"
            for column in COLUMNS
        ),
        "",
        "### Bits of `flags`",
        "",
        "| bit | meaning |",
        "|---|---|",
        *(f"| {flag.value} | {_FLAGS[flag]} |" for flag in ReceiptFlag),
        "",
        f"## {MANIFEST_NAME}",
        "",
        "| field | meaning |",
        "|---|---|",
        *(
            f"| `{name}` | {cell(field.description or '')} |"
            for name, field in Manifest.model_fields.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def mqtt_page() -> str:
    """The MQTT contract for people, from the AsyncAPI document."""
    document = asyncapi_document()
    parts = document["components"]
    lines = [
        "# MQTT contract",
        "",
        "Generated from the [AsyncAPI description](asyncapi.yaml), which is generated from the",
        "code. Examples are what the code composes.",
        "",
        *str(document["info"]["description"]).strip().splitlines(),
        "",
        "| topic | messages | |",
        "|---|---|---|",
    ]
    for channel in document["channels"].values():
        named = ", ".join(f"[{name}](#{name.lower()})" for name in channel["messages"])
        lines.append(f"| `{channel['address']}` | {named} | {cell(channel['description'])} |")
    lines += ["", "| in a topic | is |", "|---|---|"]
    for name, parameter in parts["parameters"].items():
        lines.append(f"| `{{{name}}}` | {cell(_parameter(parameter))} |")
    for name, message in parts["messages"].items():
        lines += ["", f"## {name}", "", f"{message['title']}."]
        if "contentType" in message:
            lines[-1] += f" Content type `{message['contentType']}`."
        lines += _fields(message["payload"], parts["schemas"])
        shown = [_example(example) for example in message.get("examples", ())]
        lines += shown[0] if shown else []
        for short in (one for one in shown[1:] if "\n".join(one).count("\n") < _SHORT):
            lines += short
    return "\n".join(lines) + "\n"


def _parameter(parameter: dict[str, Any]) -> str:
    values = parameter.get("enum", ())
    told = str(parameter.get("description", ""))
    return f"{told} One of: {_listed(values)}." if 0 < len(values) <= _MANY else told


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _fields(payload: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    reference = str(payload.get("$ref", ""))
    schema = schemas.get(reference.rpartition("/")[2], {})
    rows = [
        f"| `{name}` | {'yes' if name in schema.get('required', ()) else ''} "
        f"| {cell(str(field.get('description', '')))} |"
        for name, field in schema.get("properties", {}).items()
    ]
    return ["", "| field | required | meaning |", "|---|---|---|", *rows] if rows else []


def _example(example: dict[str, Any]) -> list[str]:
    payload = example["payload"]
    lines = ["", f"Example: {example['name']}", ""]
    if payload == "":
        return [*lines, "(no bytes)"]
    if isinstance(payload, str):
        return [*lines, "```xml", payload, "```"]
    text = json.dumps(payload, ensure_ascii=False, indent=2, default=str)
    return [*lines, "```json", text, "```"]


def metrics_page() -> str:
    """What `/metrics` of the service shows."""
    lines = [
        "# Metrics",
        "",
        "Generated from `simulator/service/metrics_catalogue.py`: what `GET /metrics` of",
        "`alertsim serve` shows. Labels take the values listed and no others, so their number is",
        "bounded. A histogram has the samples `_bucket`, `_sum` and `_count`.",
        "",
        "| metric | type | unit | meaning |",
        "|---|---|---|---|",
    ]
    known = catalogue()
    lines += [
        f"| `{metric['name']}` | {metric['type']} | {metric['unit']} | {cell(metric['help'])} |"
        for metric in known
    ]
    lines += ["", "## Labels", "", "| metric | label | values |", "|---|---|---|"]
    for metric in known:
        for label, values in metric["labels"].items():
            listed = _listed(values[:_MANY]) or "one, of this installation"
            if len(values) > _MANY:
                listed += f" … ({len(values)} in all)"
            lines.append(f"| `{metric['name']}` | `{label}` | {listed} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
