"""JSON Schema of the payload: what a receiver may rely on.

Rule of the module: derived from the constants that the encoder checks, so that the two cannot part.
Open for additions (a later 1.x may add names), closed in what the exercise promise says.
"""

from typing import Any

from simulator.alerts.alert import (
    CATEGORIES,
    CERTAINTIES,
    MAX_REFERENCES,
    MAX_STAGES,
    MSG_TYPES,
    ORIGIN,
    ORIGINS,
    PAYLOAD_VERSION,
    RESPONSES,
    SENT_PATTERN,
    SEVERITIES,
    SLUG_PATTERN,
    STATUSES,
    TIME_PATTERN,
    URGENCIES,
)
from simulator.alerts.cloudevents import DATA_SCHEMA, SOURCE, SPEC_VERSION, TYPE
from simulator.alerts.marks import (
    AUDIENCE,
    ENGLISH_MARK,
    JAPANESE_MARK,
    NOTE_MARK,
    RESTRICTION,
    SCOPE,
    SENDER,
)
from simulator.model.timeline import AlertEvent

Schema = dict[str, Any]

_LINE: Schema = {"type": "string", "minLength": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
_NANOSECONDS: Schema = {"type": "string", "pattern": "^-?(0|[1-9][0-9]{0,19})$"}


def payload_json_schema() -> Schema:
    """JSON Schema (2020-12) of the CloudEvents payload on the alert and state topics."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": DATA_SCHEMA,
        "title": "alertsim alert",
        "description": "CloudEvents 1.0, structured JSON; CAP 1.2 in data; exercises only.",
        **_object(
            {
                "specversion": {"const": SPEC_VERSION},
                "id": _described(
                    _slug(), "equal to data.identifier: {run}-{prefecture}-{sequence}"
                ),
                "source": {"type": "string", "pattern": f"^{SOURCE}", "format": "uri"},
                "type": {"const": TYPE},
                "subject": _described(_LINE, "{prefecture}/{event}"),
                "time": _described(
                    {"type": "string", "format": "date-time", "pattern": _whole(TIME_PATTERN)},
                    "planned instant of the exercise, wall time, UTC",
                ),
                "datacontenttype": {"const": "application/json"},
                "dataschema": {"type": "string", "format": "uri"},
                "data": _data(),
            }
        ),
    }


def _data() -> Schema:
    return _object(
        {
            "identifier": _slug(),
            "sender": {"const": SENDER},
            "sent": _cap_time(),
            "status": _described({"enum": list(STATUSES)}, "never any other"),
            "msgType": {"enum": list(MSG_TYPES)},
            "scope": {"const": SCOPE},
            "restriction": {"const": RESTRICTION},
            "note": _marked(NOTE_MARK),
            "references": _described(
                {"type": "string", "pattern": _references()},
                "sender,identifier,sent of earlier messages, separated by spaces",
            ),
            "info": {
                "type": "array",
                "prefixItems": [_info("ja-JP", JAPANESE_MARK), _info("en-US", ENGLISH_MARK)],
                "items": False,
                "minItems": 2,
            },
            "simulation": _simulation(),
        },
        optional=("references",),
    )


def _info(language: str, mark: str) -> Schema:
    return _object(
        {
            "language": {"const": language},
            "category": {"type": "array", "items": {"enum": list(CATEGORIES)}, "minItems": 1},
            "event": _marked(mark),
            "responseType": {"type": "array", "items": {"enum": list(RESPONSES)}, "minItems": 1},
            "urgency": {"enum": list(URGENCIES)},
            "severity": {"enum": list(SEVERITIES)},
            "certainty": {"enum": list(CERTAINTIES)},
            "audience": {"const": AUDIENCE},
            "eventCode": _pairs(),
            "effective": _cap_time(),
            "onset": _cap_time(),
            "expires": _cap_time(),
            "headline": _marked(mark),
            "description": _marked(mark),
            "instruction": _marked(mark),
            "parameter": _described(
                _pairs(), f"{ORIGIN}: where the wording comes from: {', '.join(ORIGINS)}"
            ),
            "area": {
                "type": "array",
                "items": _object({"areaDesc": _LINE, "geocode": _pairs()}),
                "minItems": 1,
            },
        },
        optional=("onset", "instruction"),
    )


def _simulation() -> Schema:
    stage = _object(
        {
            "name": _LINE,
            "started_ns": _scenario("when the stage began"),
            "ended_ns": _scenario("when it ended"),
            "assumption": _described(
                {"type": "boolean"}, "true where the figure behind it is assumed, not published"
            ),
        }
    )
    return _object(
        {
            "version": {"type": "string", "pattern": f"^{PAYLOAD_VERSION.split('.')[0]}\\."},
            "run": _slug(),
            "scenario": _slug(),
            "epoch": _described(_LINE, "ISO 8601 of scenario time zero"),
            "seed": _described(_NANOSECONDS, "seed of the replication, decimal text"),
            "replication": _described(_COUNT, "which playing of the timeline, from 0"),
            "prefecture": _slug(),
            "event": {"enum": [event.value for event in AlertEvent]},
            "sequence": _described(
                _COUNT, "position among the messages to this prefecture in this run, from 1"
            ),
            "launch": _described(_LINE, "id of the launch"),
            "cause": _described(_COUNT, "number of the timeline event that caused the message"),
            "at_ns": _scenario("planned issue"),
            "intended_ns": _wall("planned issue"),
            "composed_ns": _wall("when the message was built"),
            "clock": _described(_LINE, "clock domain of intended_ns and composed_ns"),
            "speed": _described(
                {"type": "number", "exclusiveMinimum": 0}, "scenario seconds per wall second"
            ),
            "believed_arrival_ns": _scenario("arrival that the chain believed in at issue"),
            "stated_ns": _scenario("time of day quoted in the text"),
            "historical_channel": _described(
                _LINE, "how the message travelled in history when it was not J-ALERT"
            ),
            "reason": _described(_LINE, "why it was sent"),
            "stages": {"type": "array", "items": stage, "maxItems": MAX_STAGES},
            "stages_omitted": _described(_COUNT, "earlier stages left out for size"),
        },
        optional=("launch", "believed_arrival_ns", "stated_ns", "historical_channel", "reason"),
    )


def _object(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _scenario(what: str) -> Schema:
    return _described(_NANOSECONDS, f"{what}: scenario time, nanoseconds from epoch, decimal text")


def _wall(what: str) -> Schema:
    return _described(
        _NANOSECONDS, f"{what}: wall time, nanoseconds of the clock domain, decimal text"
    )


def _whole(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _slug() -> Schema:
    return {"type": "string", "pattern": _whole(SLUG_PATTERN)}


def _cap_time() -> Schema:
    return {"type": "string", "pattern": _whole(SENT_PATTERN)}


def _marked(mark: str) -> Schema:
    return {"type": "string", "pattern": f"^{mark}"}


def _references() -> str:
    entry = f"{SENDER.replace('.', '[.]')},{SLUG_PATTERN},{SENT_PATTERN}"
    return _whole(f"{entry}(?: {entry}){{0,{MAX_REFERENCES - 1}}}")


def _pairs() -> Schema:
    pair = _object({"valueName": _LINE, "value": _LINE})
    return {"type": "array", "items": pair, "minItems": 1}
