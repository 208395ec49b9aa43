"""Recognising our own messages among whatever arrives on an alert topic.

Rule of the module: bytes come in; ``identify`` never raises and never accepts a message that is not
marked as an exercise. Swarm workers import this, so it imports nothing heavy. A worker calls
``identify`` once for each distinct payload and recognises it by its bytes afterwards.
"""

from typing import Any, Final

from simulator.alerts.alert import MAX_PAYLOAD_BYTES, STATUSES, AlertMessage
from simulator.alerts.cap_xml import NAMESPACE, decode_xml, parse_xml
from simulator.alerts.cloudevents import SPEC_VERSION, TYPE, decode_json, parse_json
from simulator.alerts.marks import NOTE_MARK, SENDER

_CAP: Final = f"{{{NAMESPACE}}}"


def identify(payload: bytes) -> str | None:
    """The identifier of one of our messages, without reading all of it.

    Args:
        payload: an MQTT payload, from anybody.

    Returns:
        CloudEvents id or CAP identifier; None if the payload is malformed, too large, or not a
        marked exercise message of alertsim.
    """
    if not payload or len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        return _identify_xml(payload) if payload[:1] == b"<" else _identify_json(payload)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _identify_json(payload: bytes) -> str | None:
    event = parse_json(payload)
    data = event["data"]
    if event["specversion"] != SPEC_VERSION or event["type"] != TYPE or not _is_exercise(data):
        return None
    block = data["simulation"]
    owner = f"{block['run']}-{block['prefecture']}-{block['sequence']}"
    return owner if event["id"] == data["identifier"] == owner else None


def _identify_xml(payload: bytes) -> str | None:
    head: dict[str, Any] = {}
    block: dict[str, Any] = {}
    for child in parse_xml(payload):
        name = child.tag.removeprefix(_CAP)
        if name == "info":
            for pair in child.iterfind(f"{_CAP}parameter"):
                block[pair[0].text or ""] = pair[1].text
        elif name in head:
            # Two readers may pick different values of a repeated status.
            return None
        else:
            head[name] = child.text
    if not _is_exercise(head):
        return None
    owner = "-".join(block[f"simulation.{part}"] for part in ("run", "prefecture", "sequence"))
    return owner if head["identifier"] == owner else None


def _is_exercise(cap: dict[str, Any]) -> bool:
    return (
        cap["status"] in STATUSES
        and cap["sender"] == SENDER
        and str(cap["note"]).startswith(NOTE_MARK)
    )


def decode(payload: bytes) -> AlertMessage:
    """The whole message, strict: what it accepts encodes to the same document.

    Raises:
        ValueError: if the payload is malformed, too large, or not a message of alertsim.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"{len(payload)} bytes; a message has at most {MAX_PAYLOAD_BYTES}")
    return decode_xml(payload) if payload[:1] == b"<" else decode_json(payload)
