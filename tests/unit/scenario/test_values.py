from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from simulator.scenario.values import (
    Duration,
    Epoch,
    Instant,
    MunicipalityCode,
    Name,
    PrefectureList,
    SourceId,
    When,
)
from simulator.units import JST, NS_PER_H, NS_PER_MIN, NS_PER_S

EPOCH = datetime(2022, 11, 3, 7, 39, tzinfo=JST)


def _message(kind: Any, value: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    details = caught.value.errors()[0]
    return details["msg"], str(details.get("ctx", {}).get("remedy", ""))


def test_durations_are_text_in_and_nanoseconds_out() -> None:
    adapter: TypeAdapter[int] = TypeAdapter(Duration)
    assert adapter.validate_python("1h 30min") == 90 * NS_PER_MIN
    assert adapter.dump_python(90 * NS_PER_MIN) == "1h 30min"


@pytest.mark.parametrize("value", [10, 1.5, True, None, ["10s"]])
def test_a_bare_number_is_no_duration(value: object) -> None:
    message, remedy = _message(Duration, value)
    assert message == "a duration needs a unit"
    assert "90s" in remedy


def test_an_unknown_unit_is_refused_with_those_there_are() -> None:
    message, remedy = _message(Duration, "10 minutes")
    assert "is not a duration" in message
    assert "min" in remedy


def test_a_negative_duration_is_refused() -> None:
    assert _message(Duration, "-10s") == (
        "a duration cannot be negative here",
        "write it without the minus sign",
    )


@pytest.mark.parametrize(
    ("text", "offset_ns"),
    [
        ("07:50", 11 * NS_PER_MIN),
        ("07:50:30", 11 * NS_PER_MIN + 30 * NS_PER_S),
        ("07:38", -NS_PER_MIN),
        ("00:00", -(7 * NS_PER_H + 39 * NS_PER_MIN)),
        ("11min", 11 * NS_PER_MIN),
        ("-5min", -5 * NS_PER_MIN),
        ("2022-11-03T07:50:00+09:00", 11 * NS_PER_MIN),
        ("2022-11-02T22:50:00Z", 11 * NS_PER_MIN),
        (" 07:50 ", 11 * NS_PER_MIN),
    ],
)
def test_instants_count_from_the_epoch(text: str, offset_ns: int) -> None:
    adapter: TypeAdapter[Instant] = TypeAdapter(When)
    instant = adapter.validate_python(text)
    assert instant.offset_ns(EPOCH) == offset_ns
    assert adapter.dump_python(instant) == text.strip()
    assert adapter.validate_python(instant) is instant


def test_a_time_of_day_belongs_to_the_epochs_own_zone() -> None:
    assert Instant("07:50").offset_ns(EPOCH) == 11 * NS_PER_MIN
    assert Instant("22:50").offset_ns(EPOCH.astimezone(UTC)) == 11 * NS_PER_MIN


@pytest.mark.parametrize(
    "value",
    ["25:00", "7:50", "07:60", "noon", "", "10", 11, None, "2022-11-03T07:50:00", "2022-13-03T0"],
)
def test_what_is_not_a_time_is_refused(value: object) -> None:
    message, remedy = _message(When, value)
    assert message == "not a time"
    assert '"07:50"' in remedy


def test_an_epoch_needs_its_offset() -> None:
    adapter: TypeAdapter[datetime] = TypeAdapter(Epoch)
    assert adapter.validate_python("2022-11-03T07:39:00+09:00") == EPOCH
    assert adapter.validate_python(EPOCH) == EPOCH
    assert adapter.dump_python(EPOCH) == "2022-11-03T07:39:00+09:00"
    assert _message(Epoch, "2022-11-03T07:39:00")[0] == "the offset from UTC is missing"


@pytest.mark.parametrize("value", ["yesterday", 1667428741, "1667428740", None])
def test_what_is_no_date_is_no_epoch(value: object) -> None:
    assert _message(Epoch, value)[0] == "not a date and time"


def test_prefectures_are_named_by_slug_or_quoted_code() -> None:
    adapter: TypeAdapter[tuple[str, ...]] = TypeAdapter(PrefectureList)
    assert adapter.validate_python(["miyagi", "15"]) == ("miyagi", "niigata")
    everywhere = adapter.validate_python("all")
    assert (len(everywhere), everywhere[0], everywhere[-1]) == (47, "hokkaido", "okinawa")


@pytest.mark.parametrize(
    ("value", "message", "remedy"),
    [
        (["miyagy"], "unknown prefecture", "did you mean miyagi?"),
        ([4], "a prefecture is a name or a quoted code", '"04"'),
        (["miyagi", "04"], "miyagi stands twice in the list", "once"),
        ([], "no prefecture is named", "[miyagi]"),
        ("miyagi", "a list of prefectures is expected", "[miyagi]"),
    ],
)
def test_wrong_prefectures_are_refused(value: object, message: str, remedy: str) -> None:
    found = _message(PrefectureList, value)
    assert found[0] == message
    assert remedy in found[1]


@pytest.mark.parametrize("text", ["a", "siren-check", "2022-11-03"])
def test_names(text: str) -> None:
    assert TypeAdapter[str](Name).validate_python(text) == text


@pytest.mark.parametrize("text", ["", "A", "a b", "-a", "a--b", "a_b", "a/b", "x" * 65, "ä"])
def test_names_are_safe_in_topics_and_files(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](Name).validate_python(text)


def test_source_names_may_have_capitals() -> None:
    assert TypeAdapter[str](SourceId).validate_python("MOD-221103b") == "MOD-221103b"
    with pytest.raises(ValidationError):
        TypeAdapter[str](SourceId).validate_python("MOD 2211")


def test_a_time_of_day_is_that_of_the_epochs_own_zone() -> None:
    tokyo = datetime.fromisoformat("2026-01-15T00:00:00+09:00")
    same = tokyo.astimezone(UTC)
    assert tokyo == same
    moment = Instant("15:00")
    assert moment.offset_ns(tokyo) == 15 * 60 * 60 * 10**9
    assert moment.offset_ns(same) == 0


def test_a_municipality_is_one_that_there_is() -> None:
    assert TypeAdapter(MunicipalityCode).validate_python("04100") == "04100"


@pytest.mark.parametrize(
    ("code", "told"), [("04109", "did you mean"), ("99999", "write a code such as 04100")]
)
def test_an_unknown_municipality_is_refused_with_those_near_it(code: str, told: str) -> None:
    message, remedy = _message(MunicipalityCode, code)
    assert message == f"there is no municipality {code}"
    assert told in remedy
