"""The wording of each event in Japanese and English, and its CAP content.

Rule of the module: words and codes come from ``config/alert_texts.json`` and ``config/cap.json``,
each with its source; the marks of an exercise come from the code. Official Japanese sentences stand
word for word; translations and texts of our own say that they are.
"""

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final

from simulator.alerts.marks import ENGLISH_MARK, JAPANESE_MARK
from simulator.alerts.parts import Wording
from simulator.model.timeline import AlertEvent
from simulator.resources import config_text

# Mark, gap between sentences, and how a time of day is written.
_STYLE: Final = MappingProxyType(
    {
        "ja": (JAPANESE_MARK, "", "{hour}時{minute}分"),
        "en": (f"{ENGLISH_MARK}: ", " ", "{hour:02}:{minute:02}"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapContent:
    """What CAP says about an event, whatever the language.

    Attributes:
        code: catalogue code 128 to 136; None for texts of our own.
        response: responseType.
        urgency: CAP urgency.
        severity: CAP severity.
        certainty: CAP certainty.
    """

    code: str | None
    response: str
    urgency: str
    severity: str
    certainty: str


def variant(event: AlertEvent, *, in_force: bool) -> str:
    """Key of an event's texts and content: a correction says what remains after it."""
    if event is AlertEvent.CORRECTION and in_force:
        return f"{event.value}-in-force"
    return event.value


@cache
def cap_settings() -> MappingProxyType[str, Any]:
    """The whole of ``config/cap.json``."""
    return MappingProxyType(json.loads(config_text("cap.json")))


@cache
def cap_content(key: str) -> CapContent:
    """CAP content of an event.

    Args:
        key: from ``variant``.
    """
    entry = cap_settings()["events"][key]
    return CapContent(
        code=entry["code"],
        response=entry["response"],
        urgency=entry["urgency"],
        severity=entry["severity"],
        certainty=entry["certainty"],
    )


@cache
def _texts() -> MappingProxyType[str, Any]:
    return MappingProxyType(json.loads(config_text("alert_texts.json"))["events"])


@lru_cache(maxsize=1024)
def wordings(
    key: str, place: tuple[str, str], time_of_day: tuple[int, int] | None, reason: str
) -> tuple[Wording, Wording]:
    """The Japanese and the English wording of an event.

    Args:
        key: from ``variant``.
        place: Japanese and English name of the prefecture.
        time_of_day: hour and minute that the text quotes, if its event has a place for it.
        reason: one sentence to add to the description in its own language; empty for none.
    """
    entry = _texts()[key]
    foreign = not reason.isascii()
    return (
        _wording(entry["ja"], "ja", place[0], time_of_day, reason if foreign else ""),
        _wording(entry["en"], "en", place[1], time_of_day, "" if foreign else reason),
    )


def _wording(
    entry: dict[str, Any],
    language: str,
    place: str,
    time_of_day: tuple[int, int] | None,
    reason: str,
) -> Wording:
    mark, gap, clock = _STYLE[language]
    description, origin = entry["description"], entry["text"]
    if time_of_day is not None and "stated" in entry:
        hour, minute = time_of_day
        stated = entry["stated"]
        description = stated["description"].format(time=clock.format(hour=hour, minute=minute))
        origin = stated["text"]
    if reason:
        description = f"{description}{gap}{reason}"
    instruction = entry["instruction"]
    return Wording(
        event=f"{mark}{entry['event']}",
        headline=f"{mark}{entry['headline'].format(place=place)}",
        description=f"{mark}{description}",
        instruction=None if instruction is None else f"{mark}{instruction}",
        place=place,
        origin=origin,
    )
