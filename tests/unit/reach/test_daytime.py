from datetime import date, datetime

import pytest

from simulator.errors import InternalError
from simulator.reach import daytime
from simulator.reach.channels import Activity, Days
from simulator.reach.daytime import DayKind, day_kind, shares_at, weekday
from simulator.reach.loading import PROFILES, load_profile
from simulator.resources import config_text

DAYS = load_profile("j-alert-2022").days


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2022-10-04", DayKind.WEEKDAY),
        ("2022-11-03", DayKind.HOLIDAY),  # Culture Day, a Thursday
        ("2022-11-05", DayKind.SATURDAY),
        ("2022-11-06", DayKind.HOLIDAY),
        ("2016-02-07", DayKind.HOLIDAY),  # a Sunday
        ("2021-01-11", DayKind.HOLIDAY),  # second Monday of January
        ("2021-01-18", DayKind.WEEKDAY),
        ("2022-10-10", DayKind.HOLIDAY),  # second Monday of October
        ("2024-11-04", DayKind.HOLIDAY),  # the Monday after Culture Day on a Sunday
        ("2018-12-23", DayKind.HOLIDAY),
        ("2018-12-24", DayKind.HOLIDAY),
        ("2019-12-23", DayKind.WEEKDAY),  # no longer the Emperor's birthday
        ("2019-02-23", DayKind.SATURDAY),  # not yet
        ("2017-09-15", DayKind.WEEKDAY),
    ],
)
def test_days_follow_the_calendar(day: str, kind: DayKind) -> None:
    assert day_kind(date.fromisoformat(day)) is kind


def test_at_full_hours_the_shares_are_those_of_the_table() -> None:
    found = shares_at(_at("2022-10-04T07:00+09:00"), DAYS)
    assert found[Activity.ASLEEP] == pytest.approx(0.23)
    assert found[Activity.TELEVISION] == pytest.approx(0.22)
    assert found[Activity.COMMUTING] == pytest.approx(0.11)


def test_between_hours_and_across_midnight_they_are_linear() -> None:
    late = shares_at(_at("2022-10-04T23:30+09:00"), DAYS)
    assert late[Activity.ASLEEP] == pytest.approx((0.50 + 0.84) / 2)
    assert shares_at(_at("2022-10-04T14:30+00:00"), DAYS) == pytest.approx(late)


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("kind", DayKind)
def test_everybody_does_exactly_one_thing(hour: int, kind: DayKind) -> None:
    found = shares_at(_at(f"2022-10-04T{hour:02}:17+09:00"), DAYS, kind)
    assert set(found) == set(Activity)
    assert sum(found.values()) == pytest.approx(1)
    assert min(found.values()) > 0


def test_on_a_holiday_people_are_45_minutes_later_and_fewer_commute() -> None:
    holiday = shares_at(_at("2022-11-03T07:45+09:00"), DAYS)
    earlier = shares_at(_at("2022-10-04T07:00+09:00"), DAYS)
    assert holiday[Activity.ASLEEP] == pytest.approx(earlier[Activity.ASLEEP])
    assert holiday[Activity.COMMUTING] == pytest.approx(0.4 * earlier[Activity.COMMUTING])
    saturday = shares_at(_at("2022-10-08T07:15+09:00"), DAYS)
    assert saturday[Activity.ASLEEP] == pytest.approx(earlier[Activity.ASLEEP])


def test_the_rhythm_can_be_given() -> None:
    moment = _at("2022-11-03T07:45+09:00")
    assert shares_at(moment, DAYS, DayKind.WEEKDAY)[Activity.ASLEEP] < 0.13
    assert shares_at(moment, DAYS, DayKind.HOLIDAY) == shares_at(moment, DAYS)


def test_more_people_sleep_at_night() -> None:
    assert shares_at(_at("2022-10-04T03:00+09:00"), DAYS)[Activity.ASLEEP] > 0.9
    assert shares_at(_at("2022-10-04T15:00+09:00"), DAYS)[Activity.ASLEEP] < 0.1


def test_a_moment_needs_its_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        shares_at(datetime(2022, 10, 4, 7), DAYS)  # noqa: DTZ001


@pytest.mark.parametrize("change", [("0,84", "0,99.5"), ("23,50", "22,50")])
def test_a_table_that_is_not_one_is_our_own_error(
    change: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = config_text("hourly_profile.csv").replace(*change)
    monkeypatch.setattr(daytime, "config_text", lambda _: text)
    weekday.cache_clear()
    try:
        with pytest.raises(InternalError, match="24 full hours"):
            weekday()
    finally:
        weekday.cache_clear()


@pytest.mark.parametrize("name", PROFILES)
def test_all_profiles_say_how_days_off_differ(name: str) -> None:
    days: Days = load_profile(name).days
    assert 0 < days.saturday.value < days.holiday.value
