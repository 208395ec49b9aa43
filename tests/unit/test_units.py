from datetime import UTC, datetime, timedelta, timezone

import pytest

from simulator import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", 250_000_000),
        ("10min", 600_000_000_000),
        ("1h 30min", 5_400_000_000_000),
        ("1.5s", 1_500_000_000),
        ("0s", 0),
        ("-5min", -300_000_000_000),
        (" 7 us ", 7_000),
        ("3ns", 3),
        ("366h", 366 * 3_600_000_000_000),
    ],
)
def test_durations_are_exact_nanoseconds(text: str, expected: int) -> None:
    assert units.parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "-", "10", "min", "10 minutes", "10m", "5s 3", "1e3s", "s10", "5sec", "x 5s"]
)
def test_a_duration_without_its_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        units.parse_duration(text)


def test_finer_than_a_nanosecond_is_refused() -> None:
    with pytest.raises(ValueError, match="finer than one nanosecond"):
        units.parse_duration("0.5ns")


def test_longer_than_a_year_is_refused() -> None:
    assert units.parse_duration("8784h") == 366 * 24 * units.NS_PER_H
    with pytest.raises(ValueError, match="longer than 366 days"):
        units.parse_duration("8785h")


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0s"),
        (660_000_000_000, "11min"),
        (-90_000_000_000, "-1min 30s"),
        (3_600_000_000_001, "1h 1ns"),
        (1_002_003, "1ms 2us 3ns"),
    ],
)
def test_durations_are_written_exactly(duration_ns: int, text: str) -> None:
    assert units.format_duration(duration_ns) == text


@pytest.mark.parametrize(
    ("duration_ns", "signed", "text"),
    [
        (-120_000_000_000, True, "-120 s"),
        (120_000_000_000, True, "+120 s"),
        (42_350_000_000, False, "42.4 s"),
        (5_678_000_000, False, "5.68 s"),
        (1_234_000, False, "1.23 ms"),
        (123_456, False, "123 µs"),
        (1_500, False, "1.5 µs"),
        (7, False, "7 ns"),
        (0, False, "0 ns"),
    ],
)
def test_durations_are_rounded_for_readers(duration_ns: int, signed: bool, text: str) -> None:
    assert units.format_seconds(duration_ns, signed=signed) == text


def test_clock_times_count_from_the_epoch() -> None:
    epoch = datetime(2022, 11, 3, 7, 39, tzinfo=units.JST)
    assert units.format_clock(epoch, 660 * units.NS_PER_S) == "07:50:00"
    assert units.format_clock(epoch, -units.NS_PER_S) == "07:38:59"


def test_cap_times_have_no_fraction_and_no_z() -> None:
    moment = datetime(2022, 11, 3, 7, 50, 0, 999_999, tzinfo=units.JST)
    assert units.cap_time(moment) == "2022-11-03T07:50:00+09:00"
    assert units.cap_time(moment.astimezone(UTC)) == "2022-11-02T22:50:00-00:00"


def test_a_cap_time_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        units.cap_time(datetime(2022, 11, 3))  # noqa: DTZ001  # the very thing refused


def test_wall_times_are_truncated_to_microseconds() -> None:
    zone = timezone(timedelta(hours=9))
    moment = units.wall_datetime(1_667_428_740_123_456_789, zone)
    assert moment.isoformat() == "2022-11-03T07:39:00.123456+09:00"
