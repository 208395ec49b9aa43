"""Reference pages of the service: its HTTP API and the live events, from the code that speaks them.

Rule of the module: the OpenAPI description and the JSON Schema of live events are read, and nothing
is said here that they do not say. No service is started for it.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from reference_files import cell

from simulator.run.live_schema import live_events_json_schema
from simulator.service.app import create_app
from simulator.service.options import ServiceOptions
from simulator.service.parts import parts_of
from simulator.service.service import Service

_EVERYWHERE: Final = ("401", "403", "421")
Schema = dict[str, Any]


def openapi_document() -> Schema:
    """The OpenAPI description of a service with all its parts."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(ServiceOptions(store=Path(folder) / "store"))
        for part in parts_of(service):
            service.add(part)
        return create_app(service).openapi()


def http_api_page() -> str:
    """Every address of the service, and every record that goes over it."""
    document = openapi_document()
    lines = [
        "# HTTP API",
        "",
        "Generated from the OpenAPI description, which a running service answers at",
        "`/openapi.json`.",
        "",
        *str(document["info"]["description"]).splitlines(),
        "",
        "A page that nobody is signed in to answers 401, a foreign page's request 403, a host name",
        "that is not this host's 421, wherever these make sense.",
        "",
        "| address | what it does | success | otherwise |",
        "|---|---|---|---|",
    ]
    for path, operations in document["paths"].items():
        lines += [
            f"| `{method.upper()} {path}` | {cell(operation.get('summary', ''))} "
            f"| {', '.join(_codes(operation, '2'))} | {', '.join(_codes(operation, '45'))} |"
            for method, operation in operations.items()
        ]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            lines += _operation(method, path, operation)
    lines += ["", "## Records"]
    for name, schema in document["components"]["schemas"].items():
        lines += ["", f"### {name}", "", _told(schema), *_table(schema)]
    return "\n".join(lines) + "\n"


def _codes(operation: Schema, first: str) -> Iterator[str]:
    return (c for c in operation["responses"] if c[0] in first and c not in _EVERYWHERE)


def _operation(method: str, path: str, operation: Schema) -> list[str]:
    lines = ["", f"## {method.upper()} {path}", "", _told(operation)]
    parameters = operation.get("parameters", [])
    if parameters:
        lines += ["", "| parameter | in | meaning |", "|---|---|---|"]
        lines += [f"| `{p['name']}` | {p['in']} | {_told(p)} |" for p in parameters]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        lines += ["", f"Body: `{kind}`, {_link(content.get('schema', {}))}."]
    for code in _codes(operation, "2"):
        for kind, content in operation["responses"][code].get("content", {}).items():
            lines += ["", f"{code}: `{kind}` {_link(content.get('schema', {}))}".rstrip() + "."]
    return lines


def _link(schema: Schema) -> str:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return f"[{name}](#{name.lower()})" if name else str(schema.get("type", ""))


def live_events_page() -> str:
    """Every type of line that `run --events` writes."""
    schema = live_events_json_schema()
    parts = schema["$defs"]
    told = [str(each["$ref"]).rpartition("/")[2] for each in schema["oneOf"]]
    names = {str(parts[name]["properties"]["type"]["const"]): name for name in told}
    lines = [
        "# Live events",
        "",
        "Generated from `simulator/run/live_schema.py`, as is the",
        "[JSON Schema](schemas/live-events.json) of a line. `alertsim run SCENARIO --events FILE`",
        "(or `-` for standard output) tells a run as it happens, one JSON object a line. The",
        "service passes them on as server-sent events. Fields that end in `_ns` are nanoseconds",
        "as decimal text, because 64-bit integers do not survive JavaScript. The run never waits",
        "for whoever reads: what a slow reader leaves behind is dropped, `progress` first, and",
        "counted.",
        "",
        "| type | what it tells |",
        "|---|---|",
    ]
    lines += [f"| [`{kind}`](#{kind}) | {_told(parts[name])} |" for kind, name in names.items()]
    for kind, name in names.items():
        lines += ["", f"## {kind}", "", _told(parts[name]), *_table(parts[name])]
    lines += ["", "## Parts of them"]
    for name, part in parts.items():
        if name not in names.values():
            lines += ["", f"### {name}", "", _told(part), *_table(part)]
    return "\n".join(lines) + "\n"


def _told(schema: Schema) -> str:
    return cell(str(schema.get("description", schema.get("title", ""))))


def _table(schema: Schema) -> list[str]:
    rows = [
        f"| `{name}` | {_type(field)} | {_told(field) if 'description' in field else ''} |"
        for name, field in schema.get("properties", {}).items()
    ]
    return ["", "| field | type | meaning |", "|---|---|---|", *rows] if rows else []


def _type(field: Schema) -> str:
    """The type in a word or two."""
    if "$ref" in field:
        return _link(field)
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type", "any"))
