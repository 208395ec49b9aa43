"""Durations and instants as integer nanoseconds, and their written forms.

Rule of the room: text comes in, ``int`` nanoseconds go out, and back. No floats are kept, no clock
is read. A duration without a unit is refused, because a bare ``10`` has meant seconds, minutes and
milliseconds to three people.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
NS_PER_MIN: Final = 60 * NS_PER_S
NS_PER_H: Final = 60 * NS_PER_MIN

UNITS_NS: Final = {
    "ns": 1,
    "us": NS_PER_US,
    "ms": NS_PER_MS,
    "s": NS_PER_S,
    "min": NS_PER_MIN,
    "h": NS_PER_H,
}

JST: Final = timezone(timedelta(hours=9), "JST")

_READABLE: Final = (("s", NS_PER_S), ("ms", NS_PER_MS), ("µs", NS_PER_US))
_TERM = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|min|h)(?![a-z])")
_LONGEST_NS: Final = 366 * 24 * NS_PER_H


def parse_duration(text: str) -> int:
    """Read a duration such as ``250ms``, ``10min`` or ``1h 30min`` as nanoseconds.

    Args:
        text: one or more numbers, each with a unit (ns, us, ms, s, min, h); a leading minus
            negates the whole.

    Returns:
        Integer nanoseconds, exact.

    Raises:
        ValueError: if a unit is missing or unknown, or the duration exceeds 366 days.
    """
    stripped = text.strip()
    sign = -1 if stripped.startswith("-") else 1
    body = stripped.removeprefix("-").strip()
    total = Decimal(0)
    position = 0
    for match in _TERM.finditer(body):
        if body[position : match.start()].strip():
            break
        total += Decimal(match[1]) * UNITS_NS[match[2]]
        position = match.end()
    if not body or body[position:].strip():
        raise ValueError(
            f"{text!r} is not a duration: write a number and a unit, one of "
            f"{', '.join(UNITS_NS)}, for example 250ms, 90s or 10min"
        )
    if total != total.to_integral_value():
        raise ValueError(f"{text!r} is finer than one nanosecond")
    if total > _LONGEST_NS:
        raise ValueError(f"{text!r} is longer than 366 days")
    return sign * int(total)


def format_duration(duration_ns: int) -> str:
    """Write nanoseconds in the largest units that stay exact: the inverse of parse_duration.

    >>> format_duration(660_000_000_000)
    '11min'
    """
    if duration_ns == 0:
        return "0s"
    sign, rest = ("-", -duration_ns) if duration_ns < 0 else ("", duration_ns)
    terms: list[str] = []
    for unit in ("h", "min", "s", "ms", "us", "ns"):
        count, rest = divmod(rest, UNITS_NS[unit])
        if count:
            terms.append(f"{count}{unit}")
    return sign + " ".join(terms)


def format_seconds(duration_ns: int, *, signed: bool = False) -> str:
    """Write nanoseconds for a reader: three significant figures, unit chosen by size.

    >>> format_seconds(-120_000_000_000, signed=True)
    '-120 s'
    """
    magnitude = abs(duration_ns)
    unit, limit = next((pair for pair in _READABLE if magnitude >= pair[1]), ("ns", 1))
    value = magnitude / limit
    whole, tenths = 100, 10
    text = f"{value:.0f}" if value >= whole or limit == 1 else f"{value:.3g}"
    if unit == "s" and whole > value >= tenths:
        text = f"{value:.1f}"
    sign = "-" if duration_ns < 0 else "+" if signed else ""
    return f"{sign}{text} {unit}"


def format_clock(epoch: datetime, offset_ns: int) -> str:
    """Local time of day at an offset from an epoch, to the second: ``07:50:00``."""
    moment = epoch + timedelta(microseconds=offset_ns // NS_PER_US)
    return moment.strftime("%H:%M:%S")


def cap_time(moment: datetime) -> str:
    """CAP 1.2 dateTime: no fraction and never ``Z`` (OASIS CAP 1.2 section 3.3.2).

    Raises:
        ValueError: for a naive datetime.
    """
    if moment.utcoffset() is None:
        raise ValueError("a CAP time needs a time zone")
    text = moment.replace(microsecond=0).isoformat()
    return text.removesuffix("+00:00") + "-00:00" if text.endswith("+00:00") else text


def wall_datetime(unix_ns: int, zone: timezone = UTC) -> datetime:
    """Unix nanoseconds as an aware datetime, truncated to whole microseconds."""
    seconds, fraction = divmod(unix_ns, NS_PER_S)
    return datetime.fromtimestamp(seconds, zone) + timedelta(microseconds=fraction // NS_PER_US)
