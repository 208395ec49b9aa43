"""Generate the reference pages from the models, or check that they are up to date.

python docs/generate.py            write
python docs/generate.py --check    exit 1 and name what is stale
"""

import json
import sys
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from reference_files import metrics_page, mqtt_page, run_directory_page
from reference_service import http_api_page, live_events_page

from simulator.cli.app import app
from simulator.cli.help import examples_of
from simulator.cli.schemas import SchemaKind, schema_of
from simulator.errors import ExitCode
from simulator.measure.summary import SUMMARY_SCHEMA, Summary
from simulator.run.asyncapi import asyncapi_text
from simulator.scenario import scenario_reference_markdown, scenario_schema_text
from simulator.settings import RunSettings
from simulator.thresholds.catalogue import AGGREGATES, METRICS
from simulator.units import format_duration

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"

# The scenario's stands beside the scenarios, where editors look for it.
_SCHEMAS: tuple[SchemaKind, ...] = (
    "payload",
    "summary",
    "manifest",
    "live-events",
    "experiment",
    "comparison",
    "history",
)

_EXIT_TEXT = {
    ExitCode.PASS: "every threshold passed",
    ExitCode.INCONCLUSIVE: "a threshold could not be judged: too few samples, clock error, "
    "overlap, or the instrument was the bottleneck",
    ExitCode.THRESHOLD_FAILED: "a threshold failed",
    ExitCode.BAD_INPUT: "bad scenario, configuration or command line; nothing was sent",
    ExitCode.ABORTED: "aborted; thresholds were not judged",
    ExitCode.BROKER: "the broker was unreachable, or was lost during the run",
    ExitCode.INTERNAL: "a defect of alertsim, or an unbalanced ledger",
}


def pages() -> dict[Path, str]:
    """Every generated file with its content."""
    return {
        REFERENCE / "scenario.md": scenario_reference_markdown(),
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "thresholds.md": thresholds_page(),
        REFERENCE / "commands.md": commands_page(),
        REFERENCE / "exit-codes.md": exit_codes_page(),
        REFERENCE / "summary.md": summary_page(),
        REFERENCE / "run-directory.md": run_directory_page(),
        REFERENCE / "metrics.md": metrics_page(),
        REFERENCE / "mqtt.md": mqtt_page(),
        REFERENCE / "http-api.md": http_api_page(),
        REFERENCE / "live-events.md": live_events_page(),
        REFERENCE / "asyncapi.yaml": asyncapi_text(),
        ROOT / "scenarios" / "scenario.schema.json": scenario_schema_text(),
        **{REFERENCE / "schemas" / f"{kind}.json": schema_text(kind) for kind in _SCHEMAS},
    }


def schema_text(kind: SchemaKind) -> str:
    """A JSON Schema as a file."""
    return json.dumps(schema_of(kind), ensure_ascii=False, indent=1) + "\n"


def settings_page() -> str:
    """Run settings: option, environment variable, default, meaning."""
    lines = [
        "# Run settings",
        "",
        "Generated from `simulator/settings.py`. What wins, first to last: the option, the",
        "environment variable, the TOML file given with `--config`, the default. Durations are",
        "text with a unit: `250ms`, `10s`, `2min`.",
        "",
        "| setting | environment | default | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in RunSettings.model_fields.items():
        lines.append(
            f"| `{name}` | `ALERTSIM_{name.upper()}` | {_default(name, field)} "
            f"| {_cell(field.description or '')}{_choices(field.annotation)} |"
        )
    return "\n".join(lines) + "\n"


_DURATIONS = ("gap", "late_after", "drain", "hold", "wait_timeout", "expires_after", "keep_alive")


def _default(name: str, field: FieldInfo) -> str:
    value = field.default
    if name in _DURATIONS:
        return f"`{format_duration(value)}`"
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def _choices(annotation: Any) -> str:  # noqa: ANN401  # an annotation can be anything
    options = [
        str(choice)
        for part in (annotation, *get_args(annotation))
        if get_origin(part) is Literal
        for choice in get_args(part)
    ]
    listed = isinstance(annotation, UnionType) or get_origin(annotation) is Literal
    return f" One of: {', '.join(options)}." if options and listed else ""


def thresholds_page() -> str:
    """The grammar's metrics, tags and aggregates."""
    lines = [
        "# Thresholds",
        "",
        "Generated from `simulator/thresholds/catalogue.py`. An expression is an aggregate, an",
        "operator (`<`, `<=`, `>`, `>=`, `==`, `!=`) and a bound; durations carry a unit. In a",
        "scenario file:",
        "",
        "```yaml",
        "thresholds:",
        '  delivery_latency{population=live}: ["p(99)<1s"]',
        '  lost: ["count==0"]',
        "```",
        "",
        "and on the command line `--threshold 'lost: count==0'`, as often as wanted. Each is",
        "judged on an interval, the value with its clock and stamp error: pass if all of it meets",
        "the bound, fail if none of it does, else inconclusive. A quantile needs n >= 10/(1 - q).",
        "If the instrument was the bottleneck a pass stands and a fail becomes inconclusive.",
        "",
        "| metric | scale | tags | aggregates | meaning |",
        "|---|---|---|---|---|",
    ]
    for metric in METRICS.values():
        tags = "; ".join(
            f"`{tag}`" + (f": {', '.join(values)}" if values else "")
            for tag, values in metric.tags.items()
        )
        aggregates = ", ".join(f"`{name}`" for name in AGGREGATES[metric.unit])
        lines.append(
            f"| `{metric.name}` | {metric.scale} | {tags or 'none'} | {aggregates} "
            f"| {_cell(metric.description)} |"
        )
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command with its options, from the command tree itself."""
    group = typer.main.get_command(app)
    lines = ["# Commands", "", "Generated from the command tree; `alertsim COMMAND --help`.", ""]
    for name, sub in sorted(group.commands.items()):  # type: ignore[attr-defined]
        lines += [f"## alertsim {name}", "", _flat(sub.help), ""]
        lines += ["| parameter | meaning |", "|---|---|"]
        for parameter in sub.params:
            spelled = ", ".join(f"`{option}`" for option in (*parameter.opts,))
            if parameter.param_type_name == "argument":
                spelled = f"`{parameter.metavar or parameter.name.upper()}`"
            lines.append(f"| {spelled} | {_cell(getattr(parameter, 'help', '') or '')} |")
        lines += ["", "```sh", *examples_of(sub.epilog), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def exit_codes_page() -> str:
    """Exit codes in order of precedence."""
    lines = [
        "# Exit codes",
        "",
        "Generated from `simulator/errors.py`. When several apply the first in this table wins.",
        "",
        "| code | meaning |",
        "|---|---|",
    ]
    order = sorted(ExitCode, reverse=True)
    lines += [f"| {int(code)} | {_EXIT_TEXT[code]} |" for code in order]
    return "\n".join(lines) + "\n"


def summary_page() -> str:
    """Every field of summary.json."""
    schema = Summary.model_json_schema()
    lines = [
        "# summary.json",
        "",
        f"Generated from `simulator/measure/summary.py`, schema {SUMMARY_SCHEMA}. Durations are",
        "integer nanoseconds and",
        "say whether they are scenario or wall time; absolute stamps are decimal strings, because",
        "64-bit integers do not survive JavaScript.",
        "",
    ]
    parts = {"Summary": schema, **schema["$defs"]}
    for name, part in parts.items():
        lines += [f"## {name}", "", _flat(part.get("description", "")), ""]
        lines += ["| field | meaning |", "|---|---|"]
        for field, known in part.get("properties", {}).items():
            lines.append(f"| `{field}` | {_cell(known.get('description', ''))} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|")


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    stale = [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"stale: {path.relative_to(ROOT)}; run `make docs`\n")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages()[path], encoding="utf-8")
        sys.stdout.write(f"written: {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
