"""Heard messages as lines: for people, and as JSON for programs. Pure.

Rule of the module: one record, one line. Every text shown carries the mark of an exercise, because
only marked messages are decoded. What strangers sent is shown escaped, never raw: a terminal obeys
control characters.
"""

import json
from datetime import UTC, tzinfo
from typing import Any, Final

from simulator.alerts.alert import AlertMessage
from simulator.delivery.hearing import Heard, HeardKind
from simulator.delivery.link import LinkChange, LinkState
from simulator.units import NS_PER_MS, NS_PER_S, format_seconds, wall_datetime

JSON_SCHEMA: Final = "1.0"
_MOST_LISTED: Final = 5


def format_human(record: Heard | LinkChange, zone: tzinfo = UTC) -> str:
    """One line for a terminal.

    Args:
        record: what happened.
        zone: time zone of the time of day shown.

    Returns:
        Time of day, prefecture, what it is, how old it was, the text in both languages, and
        whatever is odd about it in brackets.
    """
    if isinstance(record, LinkChange):
        return f"{_time_of_day(record.at_unix_ns, zone)}  {_link(record)}"
    arrival = record.arrival
    head = f"{_time_of_day(arrival.received_unix_ns, zone)}  {record.prefecture or '-':<9}"
    if record.message is not None:
        return f"{head}  {_alert(record, record.message)}"
    if record.kind is HeardKind.CLEARED:
        return f"{head}  cleared: nothing is in force"
    odd = f"{arrival.topic!a}, {len(arrival.payload)} bytes"
    return f"{head}  not an alert of ours ({odd}): {ascii(record.reason)[1:-1]}"


def _alert(record: Heard, message: AlertMessage) -> str:
    said = message.simulation
    line = (
        f"{said.event.value} #{said.sequence}  {_age(record)}  "
        f"{message.japanese.headline} / {message.english.headline}"
    )
    oddities = _oddities(record)
    return f"{line}  [{'; '.join(oddities)}]" if oddities else line


def _age(record: Heard) -> str:
    if record.age_ns is None:
        return "(sender on another clock)"
    age = format_seconds(record.age_ns)
    return age if record.kind is HeardKind.ALERT and not record.arrival.retain else f"{age} old"


def _oddities(record: Heard) -> list[str]:
    found: list[str] = []
    if record.kind is HeardKind.STATE:
        found.append("state in force" if record.arrival.retain else "state")
    if record.duplicate:
        found.append("duplicate" + (", DUP" if record.arrival.dup else ""))
    if record.missed:
        numbers = ", ".join(f"#{number}" for number in record.missed[:_MOST_LISTED])
        more = len(record.missed) - _MOST_LISTED
        found.append(f"missed {numbers}" + (f" and {more} more" if more > 0 else ""))
    if record.overtaken:
        found.append("overtaken by a later one")
    return found


def _link(change: LinkChange) -> str:
    if change.state is LinkState.LISTENING:
        return f"listening: {change.detail}"
    return f"{change.detail}; trying again in {format_seconds(change.retry_in_ns)}"


def _time_of_day(unix_ns: int, zone: tzinfo) -> str:
    moment = wall_datetime(unix_ns).astimezone(zone)
    return f"{moment:%H:%M:%S}.{unix_ns % NS_PER_S // NS_PER_MS:03d}"


def format_json(record: Heard | LinkChange) -> str:
    """One line of JSON. Keys ending in ``_ns`` hold decimal strings."""
    content = _link_content(record) if isinstance(record, LinkChange) else _heard_content(record)
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _link_content(change: LinkChange) -> dict[str, Any]:
    return {
        "record": "link",
        "schema": JSON_SCHEMA,
        "state": change.state.value,
        "at": _iso(change.at_unix_ns),
        "detail": change.detail,
        "retry_in_ns": str(change.retry_in_ns),
    }


def _heard_content(record: Heard) -> dict[str, Any]:
    arrival = record.arrival
    content: dict[str, Any] = {
        "record": record.kind.value,
        "schema": JSON_SCHEMA,
        "received": _iso(arrival.received_unix_ns),
        "received_ns": str(arrival.received_ns),
        "topic": arrival.topic,
        "prefecture": record.prefecture or None,
        "qos": arrival.qos,
        "retain": arrival.retain,
        "dup": arrival.dup,
        "bytes": len(arrival.payload),
    }
    if record.reason:
        content["reason"] = record.reason
    if record.message is not None:
        content |= _message_content(record, record.message)
    return content


def _message_content(record: Heard, message: AlertMessage) -> dict[str, Any]:
    said = message.simulation
    return {
        "id": message.identifier,
        "run": said.run,
        "status": message.status.value,
        "event": said.event.value,
        "msg_type": message.msg_type.value,
        "response": message.response,
        "sequence": said.sequence,
        "duplicate": record.duplicate,
        "missed": list(record.missed),
        "overtaken": record.overtaken,
        "intended_ns": str(said.intended_ns),
        "clock": said.clock,
        "age_ns": None if record.age_ns is None else str(record.age_ns),
        "sent": message.sent,
        "expires": message.expires,
        "references": [reference.identifier for reference in message.references],
        "headline": {"ja": message.japanese.headline, "en": message.english.headline},
        "description": {"ja": message.japanese.description, "en": message.english.description},
        "instruction": {"ja": message.japanese.instruction, "en": message.english.instruction},
    }


def _iso(unix_ns: int) -> str:
    return wall_datetime(unix_ns).isoformat(timespec="microseconds")
