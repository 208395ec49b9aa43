"""CloudEvents 1.0 in structured JSON mode: the default payload.

Rule of the module: pure. CAP elements stand directly in ``data``, everything of ours in
``data.simulation``. No extension attribute is used: brokers and libraries disagree about their
types. Standard: CloudEvents 1.0.2 and its JSON event format, https://github.com/cloudevents/spec.
"""

import json
from typing import Any, Final

from simulator.alerts.alert import AlertMessage, document
from simulator.alerts.rebuild import message_from

SPEC_VERSION: Final = "1.0"
TYPE: Final = "invalid.alertsim.alert.v1"
SOURCE: Final = "https://alertsim.invalid/runs/"
DATA_SCHEMA: Final = "https://alertsim.invalid/schemas/alert-1.0.json"

_encode: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
).encode


def envelope(message: AlertMessage) -> dict[str, Any]:
    """The CloudEvent as a dictionary, in the order it is written."""
    time, cap, simulation = document(message)
    return {
        "specversion": SPEC_VERSION,
        "id": cap["identifier"],
        "source": SOURCE + simulation["run"],
        "type": TYPE,
        "subject": f"{simulation['prefecture']}/{simulation['event']}",
        "time": time,
        "datacontenttype": "application/json",
        "dataschema": DATA_SCHEMA,
        "data": {**cap, "simulation": simulation},
    }


def encode_json(message: AlertMessage) -> bytes:
    """The message as UTF-8 JSON.

    Raises:
        ValueError: if it could not stand in an exercise message.
    """
    return _encode(envelope(message)).encode()


def decode_json(payload: bytes) -> AlertMessage:
    """The inverse of ``encode_json``, strict.

    Raises:
        ValueError: if the payload is not UTF-8 JSON, repeats a name, or is anything that
            ``encode_json`` could not have meant.
    """
    event = parse_json(payload)
    try:
        data = dict(event["data"])
        simulation = data.pop("simulation")
        message = message_from(event["time"], data, simulation)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an alertsim event: {error!r:.120}") from error
    if envelope(message) != event:
        raise ValueError("not an alertsim event: its envelope is not ours")
    return message


def parse_json(payload: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """Strict JSON: UTF-8 without byte order mark, no repeated name, no NaN, bounded depth.

    Raises:
        ValueError: otherwise.
    """
    try:
        return json.loads(
            payload.decode("utf-8"), object_pairs_hook=_unrepeated, parse_constant=_refuse
        )
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers may pick different values of a repeated "status".
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated")
    return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
