"""Daytime: what people do at a time of day, from the hourly table of a weekday.

Rule of the module: a date, a time and the shifts of days off come in, shares that add up to 1 go
out. Between full hours the shares change linearly; on days off everything happens later and fewer
people commute. The activity is that of the launch: a chain that is faster by a minute finds the
same people doing the same things, so that faster never warns fewer.
"""

import csv
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

from simulator.errors import InternalError
from simulator.reach.channels import Activity, Days
from simulator.resources import config_text
from simulator.units import JST, NS_PER_H

_HOURS: Final = 24
_PERCENT: Final = 100.0
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_WEEK: Final = 7

Shares = Mapping[Activity, float]


class DayKind(StrEnum):
    """Which rhythm a day follows."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    HOLIDAY = "holiday"


def day_kind(day: date) -> DayKind:
    """Which rhythm a day in Japan follows: Sundays are holidays, and so are public holidays.

    Known are the fixed dates and Mondays of ``config/public_holidays.csv``, and the Monday after
    one that falls on a Sunday; not the equinoxes and holidays made for one year.
    """
    if day.weekday() == _SUNDAY or _is_public(day):
        return DayKind.HOLIDAY
    if day.weekday() == 0 and _is_public(day - timedelta(days=1)):
        return DayKind.HOLIDAY
    return DayKind.SATURDAY if day.weekday() == _SATURDAY else DayKind.WEEKDAY


def shares_at(moment: datetime, days: Days, kind: DayKind | None = None) -> Shares:
    """Share of people who do each thing at a moment.

    Args:
        moment: when, with its offset from UTC; read as Japanese time.
        days: how days off differ.
        kind: the rhythm, or None for that of the date.

    Raises:
        ValueError: for a moment without an offset.
    """
    if moment.utcoffset() is None:
        raise ValueError("a moment needs its offset from UTC")
    local = moment.astimezone(JST)
    rhythm = day_kind(local.date()) if kind is None else kind
    shift_ns = {
        DayKind.WEEKDAY: 0,
        DayKind.SATURDAY: days.saturday.value,
        DayKind.HOLIDAY: days.holiday.value,
    }[rhythm]
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = ((local - midnight).total_seconds() / 3600 - shift_ns / NS_PER_H) % _HOURS
    whole = int(hours)
    found: dict[Activity, float] = {}
    for activity, column in weekday().items():
        found[activity] = column[whole] + (hours - whole) * (
            column[(whole + 1) % _HOURS] - column[whole]
        )
    if rhythm is not DayKind.WEEKDAY:
        found[Activity.COMMUTING] *= days.commuting_off.share
    found[Activity.INDOORS] = 1.0 - sum(found.values())
    return found


@cache
def weekday() -> Mapping[Activity, tuple[float, ...]]:
    """Shares at the full hours of a weekday; who is not listed is awake indoors.

    Raises:
        InternalError: if the shipped table is not one of 24 hours.
    """
    rows = list(csv.DictReader(config_text("hourly_profile.csv").splitlines()))
    listed = [activity for activity in Activity if activity is not Activity.INDOORS]
    table: dict[Activity, tuple[float, ...]] = {
        activity: tuple(float(row[f"{activity}_pct"]) / _PERCENT for row in rows)
        for activity in listed
    }
    totals = [sum(hour) for hour in zip(*table.values(), strict=True)]
    if [row["hour"] for row in rows] != [str(hour) for hour in range(_HOURS)] or max(totals) > 1:
        raise InternalError("hourly_profile.csv is not a table of shares at 24 full hours")
    return MappingProxyType(table)


@cache
def _holidays() -> tuple[dict[str, int | None], ...]:
    rows = csv.DictReader(config_text("public_holidays.csv").splitlines())
    return tuple(
        {field: int(text) if text else None for field, text in row.items() if field != "name"}
        for row in rows
    )


def _is_public(day: date) -> bool:
    monday = (day.day - 1) // _WEEK + 1 if day.weekday() == 0 else None
    return any(
        row["month"] == day.month
        and (row["day"] == day.day or (monday is not None and row["nth_monday"] == monday))
        and (row["from_year"] or 0) <= day.year <= (row["to_year"] or day.year)
        for row in _holidays()
    )
