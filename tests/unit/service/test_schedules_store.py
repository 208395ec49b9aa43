import json
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import ConfigurationError, OutputError
from simulator.service.schedules_model import MOST, Schedule, ScheduleState
from simulator.service.schedules_store import (
    SCHEDULES_NAME,
    STATE_NAME,
    Schedules,
    ScheduleStore,
)


def schedule(name: str = "nine", **fields: Any) -> Schedule:
    given = {"name": name, "cron": "0 9 * * *", "run": {"scenario": "drill-minimal"}} | fields
    return Schedule.model_validate(given)


def adding(each: Schedule) -> Any:
    def add(schedules: Schedules) -> None:
        schedules[each.name] = each

    return add


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    store = ScheduleStore(tmp_path)
    assert store.read() == {}
    one, two = schedule(), schedule("loop", cron=None, loop=True, pause="7s")
    store.change(adding(one))
    assert store.change(adding(two)) == {"nine": one, "loop": two}
    assert ScheduleStore(tmp_path).read() == {"nine": one, "loop": two}


def test_defaults_are_written_out_so_that_a_later_version_plays_the_same(tmp_path: Path) -> None:
    ScheduleStore(tmp_path).change(adding(schedule()))
    (kept,) = json.loads((tmp_path / SCHEDULES_NAME).read_text())["schedules"]
    assert (kept["zone"], kept["run"]["subscribers"]) == ("Asia/Tokyo", 300)


def test_an_edit_by_hand_is_kept_by_the_next_change(tmp_path: Path) -> None:
    store = ScheduleStore(tmp_path)
    store.change(adding(schedule()))
    path = tmp_path / SCHEDULES_NAME
    path.write_text(path.read_text().replace("0 9 * * *", "30 10 * * *"))
    assert store.change(adding(schedule("two")))["nine"].cron == "30 10 * * *"


FINE = '{"schema_version": "1.0", "schedules": []}'


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ('{"schema_version": "1.0",\n "schedules": [}', ":2", "not JSON"),
        ("", ":1", "not JSON"),
        (FINE.replace("1.0", "2.0"), "", "unknown schema version"),
        (FINE.replace("[]", '[{"name": "x", "run": {"scenario": "a"}}]'), "", "loop: true or cron"),
        (FINE.replace("[]", '[{"name": "x"}]'), "", "required"),
        (FINE.replace("}", ', "more": 1}'), "", "Extra"),
        ("[]", "", "dictionary"),
        ("[" * 100_000, "", "cannot be read"),
        (" " * (9 * 1024 * 1024), "", "larger than"),
    ],
)
def test_a_damaged_file_says_where_and_stays(
    tmp_path: Path, text: str, where: str, said: str
) -> None:
    path = tmp_path / SCHEDULES_NAME
    path.write_text(text)
    store = ScheduleStore(tmp_path)
    for act in (store.read, lambda: store.change(adding(schedule()))):
        with pytest.raises(ConfigurationError, match=said) as error:
            act()
        assert error.value.where == f"{path}{where}"
        assert "left as it is" in error.value.remedy
    assert path.read_text() == text


def test_text_that_is_no_utf_8_is_damage_too(tmp_path: Path) -> None:
    (tmp_path / SCHEDULES_NAME).write_bytes(b"\xff\xfe{}")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ScheduleStore(tmp_path).read()


def test_names_are_distinct_and_not_too_many(tmp_path: Path) -> None:
    one = schedule().model_dump(mode="json", exclude_none=True)
    path = tmp_path / SCHEDULES_NAME
    path.write_text(json.dumps({"schema_version": "1.0", "schedules": [one, one]}))
    with pytest.raises(ConfigurationError, match="two schedules are called nine"):
        ScheduleStore(tmp_path).read()
    many = [one | {"name": f"s{number}"} for number in range(MOST + 1)]
    path.write_text(json.dumps({"schema_version": "1.0", "schedules": many}))
    with pytest.raises(ConfigurationError, match="at most 100"):
        ScheduleStore(tmp_path).read()


def test_a_change_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    store = ScheduleStore(tmp_path)
    store.change(adding(schedule()))
    before = (tmp_path / SCHEDULES_NAME).read_text()

    def refuse(schedules: Schedules) -> None:
        schedules.clear()
        raise ConfigurationError("no")

    with pytest.raises(ConfigurationError, match="no"):
        store.change(refuse)
    text = "#" * 1_000_000
    big = {f"s{number}": schedule(f"s{number}", run={"scenario_yaml": text}) for number in range(9)}
    with pytest.raises(ConfigurationError, match="larger than"):
        store.change(lambda schedules: schedules.update(big))
    assert (tmp_path / SCHEDULES_NAME).read_text() == before


def test_a_disk_that_takes_nothing_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    store = ScheduleStore(tmp_path)
    store.change(adding(schedule()))
    (tmp_path / f".{SCHEDULES_NAME}.tmp").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left"):
        store.change(adding(schedule("two")))
    assert list(store.read()) == ["nine"]


def test_how_they_went_is_kept(tmp_path: Path) -> None:
    store = ScheduleStore(tmp_path)
    assert store.read_states() == {}
    states = {"nine": ScheduleState(since_ns=1, decided_ns=2, started=3, skipped={"missed": 4})}
    store.write_states(states)
    assert ScheduleStore(tmp_path).read_states() == states


@pytest.mark.parametrize("text", ["{", "[]", '{"nine": {}}', '{"nine": 3}', "[" * 100_000])
def test_a_damaged_record_begins_anew_and_is_kept_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE_NAME).write_text(text)
    store = ScheduleStore(tmp_path)
    assert store.read_states() == {}
    assert (tmp_path / f"{STATE_NAME}.damaged").read_text() == text
    assert store.read_states() == {}
