"""Kinds of values in a scenario: durations, instants, names, prefectures.

Rule of the module: text with a unit comes in, integer nanoseconds go out; the written form is kept
or can be made again, so that a resolved scenario is a scenario. Bare numbers are refused: a ``10``
has meant seconds, minutes and milliseconds to three people.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from simulator.errors import InputError
from simulator.units import NS_PER_US, format_duration, parse_duration
from simulator.world.geography import municipalities, prefecture, prefectures

_DURATION_REMEDY: Final = "write a number and its unit (ns, us, ms, s, min, h), for example 90s"
_INSTANT_REMEDY: Final = (
    'write a quoted time of day such as "07:50", a duration from the epoch such as 11min, '
    'or a date and time such as "2022-11-03T07:50:00+09:00"'
)
_EPOCH_REMEDY: Final = 'write date, time and offset: "2022-11-03T07:39:00+09:00"'
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_SOURCE_PATTERN: Final = r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"
_MUNICIPALITY: Final = re.compile(r"[0-9]{5}")
_NAME_PATTERN: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class ChannelName(StrEnum):
    """The ways to a person, in the order in which results list them."""

    CELL_BROADCAST = "cell-broadcast"
    APP = "app"
    LOUDSPEAKER = "loudspeaker"
    INDOOR_RECEIVER = "indoor-receiver"
    TELEVISION = "television"
    RADIO = "radio"


def refuse(
    message: str, remedy: str, path: tuple[int | str, ...] | None = None
) -> PydanticCustomError:
    """The error of a field, with a remedy and, where pydantic cannot know it, its path."""
    # Braces in a pydantic template stand for the context, so the message goes in through it.
    return PydanticCustomError(
        "scenario", "{message}", {"message": message, "remedy": remedy, "path": path}
    )


def _read_duration(value: object) -> int:
    if not isinstance(value, str):
        raise refuse("a duration needs a unit", _DURATION_REMEDY)
    try:
        return parse_duration(value)
    except ValueError as error:
        raise refuse(str(error), _DURATION_REMEDY) from None


def _read_positive(value: object) -> int:
    duration = _read_duration(value)
    if duration < 0:
        raise refuse("a duration cannot be negative here", "write it without the minus sign")
    return duration


Duration = Annotated[
    int,
    BeforeValidator(_read_positive),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "examples": ["250ms", "90s", "10min", "1h 30min"],
            "pattern": r"^\s*\d.*(ns|us|ms|s|min|h)$",
        }
    ),
]


@dataclass(frozen=True, slots=True)
class Instant:
    """A point of scenario time as written: of the epoch's day, from the epoch, or absolute.

    Attributes:
        text: as written: ``07:50``, ``07:50:30``, ``11min``, ``-5min`` or an ISO 8601 date and
            time with its offset.
    """

    text: str

    @property
    def is_time_of_day(self) -> bool:
        """Whether it is written as ``07:50``, of the epoch's date."""
        return _TIME_OF_DAY.fullmatch(self.text) is not None

    def offset_ns(self, epoch: datetime) -> int:
        """Scenario time: nanoseconds from the epoch, negative before it."""
        return _offset_ns(self.text, epoch, epoch.utcoffset())


@lru_cache(maxsize=4096)
def _offset_ns(text: str, epoch: datetime, _offset: timedelta | None) -> int:
    """Kept, because every replication asks for the same few.

    Two epochs are equal that name the same instant in different time zones, where the same time of
    day is another instant: the offset from UTC tells them apart.
    """
    if match := _TIME_OF_DAY.fullmatch(text):
        midnight = epoch.replace(hour=0, minute=0, second=0, microsecond=0)
        clock = timedelta(hours=int(match[1]), minutes=int(match[2]), seconds=int(match[3] or 0))
        return _nanoseconds(midnight + clock - epoch)
    if "T" in text:
        return _nanoseconds(datetime.fromisoformat(text) - epoch)
    return parse_duration(text)


def _nanoseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1) * NS_PER_US


def _read_instant(value: object) -> Instant:
    if isinstance(value, Instant):
        return value
    if not isinstance(value, str):
        raise refuse("not a time", _INSTANT_REMEDY)
    text = value.strip()
    try:
        moment = Instant(text)
        moment.offset_ns(_ANY_EPOCH)
    except (ValueError, TypeError, OverflowError):
        raise refuse("not a time", _INSTANT_REMEDY) from None
    return moment


_ANY_EPOCH: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")

When = Annotated[
    Instant,
    BeforeValidator(_read_instant),
    PlainSerializer(lambda instant: instant.text, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["07:50", "11min", "2022-11-03T07:50:00+09:00"]}),
]


def _read_epoch(value: object) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise refuse("not a date and time", _EPOCH_REMEDY) from None
    if moment.utcoffset() is None:
        raise refuse("the offset from UTC is missing", _EPOCH_REMEDY)
    return moment


Epoch = Annotated[
    datetime,
    BeforeValidator(_read_epoch),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str),
]


def _read_prefecture(value: object) -> str:
    if not isinstance(value, str):
        raise refuse(
            "a prefecture is a name or a quoted code", 'write miyagi, or its code in quotes: "04"'
        )
    try:
        return prefecture(value).slug
    except InputError as error:
        raise refuse(error.message, error.remedy) from None


PrefectureSlug = Annotated[
    str,
    BeforeValidator(_read_prefecture),
    WithJsonSchema({"type": "string", "examples": ["miyagi", "04"]}),
]


def _read_prefectures(value: object) -> object:
    if value == "all":
        return [entry.slug for entry in prefectures()]
    if isinstance(value, str):
        raise refuse("a list of prefectures is expected", f"write it as a list: [{value}]")
    return value


def _check_list(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise refuse("no prefecture is named", "name at least one, for example [miyagi]")
    for index, slug in enumerate(value):
        if slug in value[:index]:
            raise refuse(f"{slug} stands twice in the list", "name each prefecture once")
    return value


PrefectureList = Annotated[
    tuple[PrefectureSlug, ...],
    BeforeValidator(_read_prefectures),
    AfterValidator(_check_list),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "all"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]


def _known_municipality(code: str) -> str:
    codes = [town.code for town in municipalities()]
    if code not in codes:
        near = get_close_matches(code, codes, n=3)
        raise refuse(
            f"there is no municipality {code}",
            f"did you mean {', '.join(near)}?" if near else "write a code such as 04100",
        )
    return code


def _read_place(value: object) -> str:
    if isinstance(value, str) and _MUNICIPALITY.fullmatch(value):
        return _known_municipality(value)
    return str(_read_prefecture(value))


def _check_area(value: tuple[str, ...]) -> tuple[str, ...]:
    _check_list(value)
    for code in value:
        if code.isdecimal() and prefecture(code[:2]).slug in value:
            raise refuse(
                f"{code} lies in {prefecture(code[:2]).slug}, which is named as a whole",
                "name the prefecture or its municipalities, not both",
            )
    return value


AreaList = Annotated[
    tuple[Annotated[str, BeforeValidator(_read_place)], ...],
    BeforeValidator(_read_prefectures),
    AfterValidator(_check_area),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "all"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]


def prefectures_in(area: Iterable[str]) -> tuple[str, ...]:
    """The prefectures of an area, each once, whether named as a whole or by municipalities."""
    return tuple(
        dict.fromkeys(prefecture(one[:2]).slug if one.isdecimal() else one for one in area)
    )


def parts_in(area: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Of the prefectures that are named by municipalities only, the codes of these."""
    found: dict[str, tuple[str, ...]] = {}
    for code in area:
        if code.isdecimal():
            slug = prefecture(code[:2]).slug
            found[slug] = (*found.get(slug, ()), code)
    return found


MunicipalityCode = Annotated[str, Field(pattern=r"^[0-9]{5}$"), AfterValidator(_known_municipality)]
Name = Annotated[str, Field(pattern=_NAME_PATTERN, max_length=64)]
SourceId = Annotated[str, Field(pattern=_SOURCE_PATTERN, max_length=64)]
Line = Annotated[str, Field(min_length=1, max_length=500)]
