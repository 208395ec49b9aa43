"""Which JSON Schemas ``alertsim schema`` prints, and what each describes.

Rule of the module: a schema is made by the room that owns the model; here it gets its dialect, its
version and a name. Nothing is imported before it is asked for.
"""

from typing import Any, Final, Literal, get_args

SchemaKind = Literal[
    "scenario",
    "payload",
    "summary",
    "manifest",
    "live-events",
    "experiment",
    "comparison",
    "history",
    "asyncapi",
]
SCHEMA_KINDS: Final[tuple[SchemaKind, ...]] = get_args(SchemaKind)
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_of(kind: SchemaKind) -> dict[str, Any]:
    """A schema as a JSON object; of ``asyncapi`` the MQTT contract itself.

    Args:
        kind: what it describes.
    """
    if kind == "asyncapi":
        from simulator.run.asyncapi import asyncapi_document

        return asyncapi_document()
    made, version = _made(kind)
    named = {
        "$schema": DIALECT,
        "$id": f"https://alertsim.invalid/schemas/{kind}-{version}.json",
    }
    return {**named, **made, "title": f"alertsim {kind.replace('-', ' ')}"}


def _made(kind: SchemaKind) -> tuple[dict[str, Any], str]:  # noqa: PLR0911  # one for each
    """The schema by its owner, and the version of the form it describes."""
    match kind:
        case "scenario":
            from simulator.scenario import scenario_json_schema
            from simulator.scenario.schema import SCENARIO_SCHEMA

            return scenario_json_schema(), SCENARIO_SCHEMA
        case "payload":
            from simulator.alerts.alert import PAYLOAD_VERSION
            from simulator.alerts.schema import payload_json_schema

            return payload_json_schema(), PAYLOAD_VERSION
        case "manifest":
            from simulator.report.manifest import MANIFEST_SCHEMA, manifest_json_schema

            return manifest_json_schema(), MANIFEST_SCHEMA
        case "live-events":
            from simulator.run.live import SCHEMA
            from simulator.run.live_schema import live_events_json_schema

            return live_events_json_schema(), SCHEMA
        case "experiment":
            from simulator.experiment.summary import (
                EXPERIMENT_SUMMARY_SCHEMA,
                experiment_json_schema,
            )

            return experiment_json_schema(), EXPERIMENT_SUMMARY_SCHEMA
        case "comparison":
            from simulator.experiment.comparison import COMPARISON_SCHEMA, comparison_json_schema

            return comparison_json_schema(), COMPARISON_SCHEMA
        case "history":
            from simulator.measure.history import HISTORY_SCHEMA, history_json_schema

            return history_json_schema(), HISTORY_SCHEMA
        case _:
            from simulator.measure.summary import SUMMARY_SCHEMA, summary_json_schema

            return summary_json_schema(), SUMMARY_SCHEMA
