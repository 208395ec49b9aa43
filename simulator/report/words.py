"""How figures and names are written for people: one way in every report.

Rule of the module: pure text from values. A missing figure is a dash, never a zero; a scenario
duration is written in minutes and seconds, a measured one in three significant figures.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from simulator.errors import AlertsimError
from simulator.units import NS_PER_H, NS_PER_MIN, NS_PER_S, format_seconds
from simulator.world import geography

DASH: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
MAIN_PERCENTS: Final = (50.0, 90.0, 99.0, 99.9)
MOST_NAMES: Final = 6
_PREDICTED: Final = "predicted "
_EXACT_BELOW_NS: Final = 10 * NS_PER_S

OUTCOMES: Final = {
    "delivered": ("delivered", "first copy in time"),
    "late": ("late", "first copy, but too late"),
    "queued": ("queued", "first copy, kept by the broker until the client came back"),
    "expired": ("expired", "owed to a client that was away, expired before it came back"),
    "missed_offline": ("missed offline", "not connected when it was sent, and nothing kept it"),
    "undetermined": ("undetermined", "sent while it was in doubt who was listening"),
    "lost": ("lost", "owed and not seen"),
    "not_sent": ("not sent", "the run ended first"),
}
RECEIVED: Final = ("delivered", "late", "queued")
SURPLUS: Final = {
    "duplicates": ("duplicates", "further copies of something already received"),
    "unexpected": ("unexpected", "wrong area, foreign or malformed"),
}
VERDICTS: Final = {
    "pass": "Passed",
    "fail": "Failed",
    "inconclusive": "Inconclusive",
    "not-judged": "Not judged",
}
SEGMENTS: Final = {
    "send": "send",
    "transit": "transit",
    "handling": "handling",
    "delivery": "delivery (send + transit)",
    "end-to-end": "end to end (all three)",
    "age": "age on arrival",
    "round-trip": "round trip",
}


def prefecture(slug: str) -> str:
    """English name of a prefecture; an unknown slug as it stands."""
    try:
        return geography.prefecture(slug).name_en
    except (AlertsimError, KeyError, ValueError):
        return slug


def happening(name: str) -> str:
    """What happened, in words: that a passage was predicted is said of that moment."""
    said = name.replace("-", " ")
    return f"{said.removeprefix(_PREDICTED)} predicted" if said.startswith(_PREDICTED) else said


def listed(names: Iterable[str], most: int = MOST_NAMES) -> str:
    """Names as a phrase: ``Miyagi, Yamagata and Niigata``; many are cut and counted.

    Args:
        names: the names, in order.
        most: how many are written out at most.
    """
    words = list(names)
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} more"]
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: ``1 prefecture``, ``3 prefectures``, ``1,200 deliveries``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def people(count: float) -> str:
    """Modelled people in three significant figures: ``4.41 million``, ``306,000``, ``12``."""
    whole = round(count)
    million = 1_000_000
    if whole >= million:
        return f"{count / million:.3g} million"
    size = 10 ** max(len(str(whole)) - 3, 0)
    return f"{round(count / size) * size:,}"


def measured(value_ns: float | None, *, signed: bool = False) -> str:
    """A measured (wall) duration in three significant figures: ``2.71 ms``."""
    if value_ns is None:
        return DASH
    return format_seconds(round(value_ns), signed=signed).replace("-", MINUS)


def span(duration_ns: int | None) -> str:
    """A scenario duration in hours, minutes and seconds: ``11 min``, ``1 h 5 min``, ``90.5 s``."""
    if duration_ns is None:
        return DASH
    sign = MINUS if duration_ns < 0 else ""
    rest = abs(duration_ns)
    terms = []
    for unit, size in (("h", NS_PER_H), ("min", NS_PER_MIN)):
        count, rest = divmod(rest, size)
        if count:
            terms.append(f"{count} {unit}")
    if rest or not terms:
        terms.append(f"{rest / NS_PER_S:.3f}".rstrip("0").rstrip(".") + " s")
    return sign + " ".join(terms)


def rounded(duration_ns: int) -> str:
    """A scenario duration for sentences: from ten seconds on to the second, else as it is."""
    if abs(duration_ns) < _EXACT_BELOW_NS:
        return span(duration_ns)
    return span(round(duration_ns / NS_PER_S) * NS_PER_S)


def lead(value_ns: int | None) -> str:
    """A lead time in signed seconds to a tenth: ``+15.2 s``; the minus is typographic."""
    if value_ns is None:
        return DASH
    text = f"{value_ns / NS_PER_S:+.1f} s"
    return text.replace("-", MINUS)


def precision(value_ns: int) -> str:
    """Precision of published times: ``± 60 s``; nothing if they are exact."""
    return f"± {value_ns / NS_PER_S:g} s" if value_ns else ""


def share(part: int, whole: int) -> str:
    """A share in percent that never rounds up to all or down to none: ``99.99 %``."""
    if not whole:
        return DASH
    if part in {0, whole}:
        return f"{100 * part // whole} %"
    percent = 100 * part / whole
    return f"{min(max(percent, 0.01), 99.99):.2f} %"


def quantile_name(percent: float) -> str:
    """``p50``, ``p99.9``."""
    return f"p{percent:g}"


def moment(iso: str) -> str:
    """An ISO 8601 instant for people: ``2026-11-22 15:04:44 UTC``; other text as it stands."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = at.strftime("%z")
    named = "" if not zone else " UTC" if zone == "+0000" else f" UTC{zone[:3]}:{zone[3:]}"
    return f"{at:%Y-%m-%d %H:%M:%S}{named}"


def plain_minus(text: str) -> str:
    """The typographic minus and dash as ASCII, for terminals and files that are searched."""
    return text.replace(MINUS, "-").replace(DASH, "-")
