from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from simulator.clock import ManualClock
from simulator.service.schedules_model import Schedule, ScheduleState
from simulator.service.schedules_times import MOST_COUNTED, Turn, next_due_ns, pause_ns, turn
from simulator.units import NS_PER_S

MINUTE_NS = 60 * NS_PER_S
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
BERLIN = ZoneInfo("Europe/Berlin")
TOKYO = ZoneInfo("Asia/Tokyo")


def at(text: str, zone: ZoneInfo = TOKYO, fold: int = 0) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)
    return int(moment.timestamp()) * NS_PER_S


def schedule(**fields: Any) -> Schedule:
    given = {"name": "s", "cron": "0 9 * * *", "run": {"scenario": "drill-minimal"}} | fields
    return Schedule.model_validate(given)


def state(decided_ns: int, **fields: Any) -> ScheduleState:
    return ScheduleState(since_ns=decided_ns, decided_ns=decided_ns, **fields)


def times(each: Schedule, after_ns: int, count: int, zone: ZoneInfo) -> list[str]:
    found = []
    for _ in range(count):
        due_ns = next_due_ns(each, after_ns)
        assert due_ns is not None
        assert due_ns > after_ns
        after_ns = due_ns
        found.append(datetime.fromtimestamp(due_ns // NS_PER_S, zone).strftime("%d %H:%M %z"))
    return found


def test_the_zone_is_japans_unless_it_says_another() -> None:
    assert next_due_ns(schedule(), at("2026-11-23T08:59:59")) == at("2026-11-23T09:00:00")
    berlin = schedule(zone="Europe/Berlin")
    assert next_due_ns(berlin, at("2026-11-23T10:00:00")) == at("2026-11-23T09:00:00", BERLIN)


def test_due_is_strictly_after() -> None:
    nine_ns = at("2026-11-23T09:00:00")
    assert next_due_ns(schedule(), nine_ns) == nine_ns + DAY_NS
    assert next_due_ns(schedule(), nine_ns - 1) == nine_ns


def test_a_loop_is_never_due_by_the_clock() -> None:
    assert next_due_ns(schedule(cron=None, loop=True), 0) is None


def test_an_hour_left_out_by_summer_time_runs_right_after_the_gap() -> None:
    each = schedule(cron="30 2 * * *", zone="Europe/Berlin")
    found = times(each, at("2026-03-28T12:00:00", BERLIN), 2, BERLIN)
    assert found == ["29 03:00 +0200", "30 02:30 +0200"]


def test_an_hour_that_comes_twice_runs_once() -> None:
    each = schedule(cron="30 2 * * *", zone="Europe/Berlin")
    found = times(each, at("2026-10-24T12:00:00", BERLIN), 2, BERLIN)
    assert found == ["25 02:30 +0200", "26 02:30 +0100"]
    # Somebody adds it between the two half past twos: it is not due at one that has passed.
    after_ns = at("2026-10-25T02:10:00", BERLIN, fold=1)
    assert times(each, after_ns, 1, BERLIN) == ["26 02:30 +0100"]


def test_a_star_follows_real_time_through_both_changes() -> None:
    each = schedule(cron="30 * * * *", zone="Europe/Berlin")
    found = times(each, at("2026-03-29T01:00:00", BERLIN), 3, BERLIN)
    assert found == ["29 01:30 +0100", "29 03:30 +0200", "29 04:30 +0200"]
    found = times(each, at("2026-10-25T02:00:00", BERLIN), 3, BERLIN)
    assert found == ["25 02:30 +0200", "25 02:30 +0100", "25 03:30 +0100"]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC", "Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize("cron", ["*/15 * * * *", "0 0 29 2 *", "5 2 * * SUN", "0 12 1 1 MON"])
def test_the_next_is_always_later(zone: str, cron: str) -> None:
    each = schedule(cron=cron, zone=zone)
    times(each, at("2026-03-28T22:00:00"), 40, ZoneInfo(zone))


class Player:
    """Plays the decisions of a schedule on a clock that moves when told to."""

    def __init__(self, each: Schedule, now: str) -> None:
        self.clock = ManualClock(wall=at(now))
        self.each = each
        self.state = state(self.clock.wall_ns())
        self.started: list[str] = []
        self.skipped: dict[str, int] = {}

    def look(self, *, playing: bool = False) -> Turn:
        found = turn(self.each, self.state, self.clock.wall_ns(), playing=playing)
        self.state = self.state.model_copy(update={"decided_ns": found.decided_ns})
        if found.start:
            due = datetime.fromtimestamp(found.decided_ns // NS_PER_S, TOKYO)
            self.started.append(due.strftime("%d %H:%M"))
        for skip in found.skips:
            self.skipped[skip.reason] = self.skipped.get(skip.reason, 0) + skip.times
        return found

    def pass_time(self, duration_ns: int, *, playing: bool = False) -> None:
        for _ in range(duration_ns // MINUTE_NS):
            self.clock.advance(MINUTE_NS)
            self.look(playing=playing)


def test_each_instant_starts_one_run() -> None:
    player = Player(schedule(cron="*/10 * * * *"), "2026-11-23T08:55:00")
    player.pass_time(30 * MINUTE_NS)
    assert player.started == ["23 09:00", "23 09:10", "23 09:20"]
    assert player.skipped == {}


def test_while_its_run_plays_it_skips_and_says_so() -> None:
    player = Player(schedule(cron="*/10 * * * *"), "2026-11-23T08:55:00")
    player.state = player.state.model_copy(update={"last_run": "run-1"})
    player.pass_time(20 * MINUTE_NS, playing=True)
    assert (player.started, player.skipped) == ([], {"still-playing": 2})
    player.clock.advance(10 * MINUTE_NS)
    (skip,) = player.look(playing=True).skips
    assert "run-1" in skip.why


def test_a_jump_forward_loses_no_run_and_plays_only_the_latest() -> None:
    player = Player(schedule(), "2026-11-23T08:59:00")
    player.clock.step_wall(45 * MINUTE_NS)
    player.look()
    player.look()
    assert player.started == ["23 09:00"]
    player = Player(schedule(cron="*/10 * * * *"), "2026-11-23T08:55:00")
    player.clock.step_wall(50 * MINUTE_NS)
    player.look()
    assert (player.started, player.skipped) == (["23 09:40"], {"missed": 4})


def test_what_is_older_than_its_grace_is_missed() -> None:
    player = Player(schedule(grace="30min"), "2026-11-23T08:59:00")
    player.clock.step_wall(3 * HOUR_NS)
    (skip,) = player.look().skips
    assert (player.started, player.skipped) == ([], {"missed": 1})
    assert "30min" in skip.why or "30 min" in skip.why


def test_a_jump_back_doubles_no_run() -> None:
    player = Player(schedule(), "2026-11-23T08:59:00")
    player.pass_time(2 * MINUTE_NS)
    player.clock.step_wall(-HOUR_NS)
    player.pass_time(2 * HOUR_NS)
    assert (player.started, player.skipped) == (["23 09:00"], {})
    player.pass_time(DAY_NS)
    assert player.started == ["23 09:00", "24 09:00"]


def test_a_clock_that_was_years_ahead_does_not_silence_it() -> None:
    player = Player(schedule(), "2035-01-01T08:00:00")
    player.clock.step_wall(at("2026-11-23T08:00:00") - at("2035-01-01T08:00:00"))
    player.pass_time(2 * HOUR_NS)
    assert player.started == ["23 09:00"]


def test_weeks_away_are_counted_up_to_a_bound_and_the_latest_still_starts() -> None:
    player = Player(schedule(cron="* * * * *"), "2026-10-01T00:00:00")
    player.clock.step_wall(30 * DAY_NS + 30 * NS_PER_S)
    (skip,) = player.look().skips
    assert player.started == ["31 00:00"]
    assert skip.times == MOST_COUNTED - 1
    assert "or more" in skip.why
    assert player.look().start is False


def test_weeks_away_and_nothing_within_the_grace() -> None:
    player = Player(schedule(cron="0 0-20 * * *", grace="1min"), "2026-01-01T00:00:00")
    player.clock.step_wall(at("2026-06-01T12:30:00") - at("2026-01-01T00:00:00"))
    assert player.look().start is False
    player.pass_time(HOUR_NS)
    assert player.started == ["01 13:00"]


def test_a_loop_waits_longer_after_each_failure_up_to_a_bound() -> None:
    each = schedule(cron=None, loop=True, pause="5s")
    waits = [pause_ns(each, state(0, failures=failures)) // NS_PER_S for failures in range(9)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    long = schedule(cron=None, loop=True, pause="10min")
    assert pause_ns(long, state(0, failures=3)) == 600 * NS_PER_S


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cron": None}, "loop: true or cron"),
        ({"loop": True}, "loop: true or cron"),
        ({"cron": "every day"}, "five fields"),
        ({"cron": "* * * * * *"}, "five fields"),
        ({"cron": "61 * * * *"}, "Bad minute"),
        ({"cron": "0 0 31 2 *"}, "day-of-month"),
        ({"cron": "*" * 200}, "100"),
        ({"cron": "," * 90 + " * * * *"}, "Bad minute"),
        ({"zone": "Asia/Atlantis"}, "time zone"),
        ({"zone": "../../etc/passwd"}, "time zone"),
        ({"zone": ""}, "time zone"),
        ({"zone": "\x00"}, "time zone"),
        ({"pause": "0s"}, "at least 1s"),
        ({"grace": "25h"}, "at most 24h"),
        ({"name": "../x"}, "pattern"),
        ({"name": "-x"}, "pattern"),
        ({"run": {}}, "scenario"),
        ({"colour": "red"}, "Extra"),
    ],
)
def test_what_makes_no_schedule_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        schedule(**fields)
