"""When members of a group join, leave and return."""

from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter

from simulator.delivery.absences import MOST_ABSENCES, Pace, absences_of, conduct_of
from simulator.delivery.backoff import Backoff
from simulator.errors import ScenarioError
from simulator.measure.plan import Absence, Conduct
from simulator.randomness import Stream, Streams
from simulator.scenario.subscribers import AnyGroup
from simulator.units import NS_PER_H, NS_PER_MIN, NS_PER_S

EPOCH = datetime.fromisoformat("2026-01-15T10:00:00+09:00")
GROUP: TypeAdapter[AnyGroup] = TypeAdapter(AnyGroup)
STEADY = Backoff(first_ns=NS_PER_S, longest_ns=4 * NS_PER_S, jitter=False)


def pace(**fields: Any) -> Pace:
    """Messages from 10:01 to 10:11."""
    return Pace(epoch=EPOCH, first_ns=NS_PER_MIN, last_ns=11 * NS_PER_MIN, **fields)


def group(**fields: Any) -> AnyGroup:
    return GROUP.validate_python({"id": "a", "count": 1, **fields})


def stream(name: str = "a/0", seed: int = 1) -> Stream:
    return Streams(seed).stream(name)


def offline(**fields: Any) -> AnyGroup:
    return group(kind="offline", **{"leaves": "10:02", "returns": "10:04"} | fields)


def flapping(**fields: Any) -> AnyGroup:
    given = {"first_outage": "10:02", "outage": "1min", "every": "3min", "outages": 2}
    backoff = {"backoff": {"first": "1s", "longest": "4s", "jitter": False}}
    return group(kind="flapping", **given | backoff | fields)


def conduct(of: AnyGroup, at: Pace | None = None, name: str = "a/0") -> Conduct:
    found = conduct_of(of, at or pace(), stream(name))
    assert found is not None
    return found


def spans(found: Conduct) -> list[tuple[float, float]]:
    return [(a.leaves_ns / NS_PER_S, a.returns_ns / NS_PER_S) for a in found.absences]


@pytest.mark.parametrize("kind", ["steady", "overlapping", "shared", "geographic"])
def test_who_is_simply_there_has_no_conduct(kind: str) -> None:
    assert conduct_of(group(kind=kind), pace(), stream()) is None


def test_a_slow_reader_reads_in_wall_time_at_any_speed() -> None:
    slow = group(kind="slow", reads_every="2s")
    assert conduct(slow, pace(speed=Fraction(600))) == Conduct(reads_every_ns=2 * NS_PER_S)


def test_an_absence_counts_from_the_first_message_and_shrinks_with_the_speed() -> None:
    assert spans(conduct(offline())) == [(60, 180)]
    assert spans(conduct(offline(), pace(speed=Fraction(60)))) == [(1, 3)]


def test_a_spread_moves_both_ends_alike_and_each_member_its_own_way() -> None:
    spread = offline(spread="1min")
    found = [spans(conduct(spread, name=f"a/{place}"))[0] for place in range(20)]
    assert len(set(found)) == 20
    assert all(back - left == pytest.approx(120) and 60 <= left < 120 for left, back in found)
    assert found == [spans(conduct(spread, name=f"a/{place}"))[0] for place in range(20)]


def test_late_joiners_are_spread_evenly_over_their_time() -> None:
    late = group(kind="late", joins_from="10:02", joins_until="10:04")
    joins = [conduct(late, name=f"a/{place}").joins_ns or 0 for place in range(400)]
    assert min(joins) >= 60 * NS_PER_S
    assert max(joins) < 180 * NS_PER_S
    assert sum(joins) / 400 / NS_PER_S == pytest.approx(120, abs=6)


def test_every_playing_has_its_absences_and_joins_happen_once() -> None:
    twice = pace(speed=Fraction(60), repeat=2, gap_ns=NS_PER_S)
    assert spans(conduct(offline(), twice)) == [(1, 3), (12, 14)]
    late = conduct(group(kind="late", joins_from="10:02", joins_until="10:02"), twice)
    assert (late.joins_ns, late.absences) == (NS_PER_S, ())


def test_absences_that_meet_are_one_and_past_ones_none() -> None:
    twice = pace(speed=Fraction(60), repeat=2)
    assert spans(conduct(offline(returns="10:14"), twice)) == [(1, 23)]
    early = conduct(flapping(first_outage="10:00", outage="30s", every="2min"))
    assert spans(early) == [(60, 91)]


def test_at_a_speed_at_which_an_outage_takes_no_time_there_is_none() -> None:
    fast = pace(speed=Fraction(10**15))
    assert spans(conduct(offline(), fast)) == []


def test_together_all_leave_at_once_and_without_jitter_they_return_at_once() -> None:
    found = {tuple(spans(conduct(flapping(), name=f"a/{place}"))) for place in range(10)}
    assert found == {((60, 123), (240, 303))}  # tries after 1, 3, 7, 11 … 63 s


def test_with_jitter_they_return_one_by_one_but_never_during_the_outage() -> None:
    jitter = flapping(backoff={"first": "1s", "longest": "4s", "jitter": True})
    found = [conduct(jitter, name=f"a/{place}") for place in range(50)]
    backs = [each.absences[0].returns_ns for each in found]
    assert len(set(backs)) == 50
    assert min(backs) >= 120 * NS_PER_S
    assert max(backs) <= 124 * NS_PER_S
    assert all(each.abrupt and each.jitter for each in found)


def test_each_in_its_own_time_leaves_somewhere_before_the_next_outage() -> None:
    apart = flapping(together=False)
    leaves = [spans(conduct(apart, name=f"a/{place}"))[0][0] for place in range(50)]
    assert len(set(leaves)) == 50
    assert all(60 <= at < 240 for at in leaves)
    single = flapping(together=False, outages=1, every="0s")
    assert all(60 <= spans(conduct(single, name=f"a/{p}"))[0][0] < 120 for p in range(20))


def test_the_rhythm_of_a_device_is_wall_time() -> None:
    # At 600 an outage of a minute is 0.1 s; the first attempt comes a second after the loss.
    assert spans(conduct(flapping(outages=1), pace(speed=Fraction(600)))) == [(0.1, 1.1)]


def test_an_attempt_in_the_next_outage_fails_too() -> None:
    outages = [(0, 500_000_000), (900_000_000, 2_000_000_000), (2_500_000_000, 2_900_000_000)]
    assert absences_of(outages, STEADY, stream()) == (
        Absence(leaves_ns=0, returns_ns=3 * NS_PER_S),
    )


def test_an_attempt_at_the_very_end_of_an_outage_succeeds() -> None:
    assert absences_of([(0, NS_PER_S)], STEADY, stream()) == (
        Absence(leaves_ns=0, returns_ns=NS_PER_S),
    )


@pytest.mark.parametrize("jitter", [False, True])
def test_an_outage_of_hours_ends_with_an_attempt_soon_after_it(jitter: bool) -> None:
    impatient = Backoff(first_ns=1_000_000, longest_ns=1_000_000, jitter=jitter)
    (absence,) = absences_of([(0, 20 * NS_PER_H)], impatient, stream())
    assert 0 <= absence.returns_ns - 20 * NS_PER_H <= 1_000_000


@pytest.mark.parametrize(
    ("of", "field", "value"),
    [
        (offline(leaves="10:12", returns="10:13"), "leaves", "10:12"),
        (offline(leaves="-5min", returns="30s"), "leaves", "-5min"),
        (flapping(first_outage="10:12"), "first_outage", "10:12"),
        (group(kind="late", joins_from="10:12", joins_until="10:13"), "joins_from", "10:12"),
    ],
)
def test_what_lies_outside_the_messages_is_refused(of: AnyGroup, field: str, value: str) -> None:
    with pytest.raises(ScenarioError, match="outside the scenario's time") as caught:
        conduct(of)
    assert caught.value.field == f"subscribers.a.{field}"
    assert caught.value.value == value
    assert "from 10:01:00 to 10:11:00" in caught.value.remedy


def test_too_many_outages_over_all_playings_are_refused() -> None:
    with pytest.raises(ScenarioError, match=f"more than {MOST_ABSENCES}") as caught:
        conduct(flapping(outages=11, every="2min"), pace(repeat=10_000))
    assert "--repeat" in caught.value.remedy


def test_the_last_step_is_the_last_return_or_join() -> None:
    assert Conduct().last_ns == 0
    assert Conduct(joins_ns=-5).last_ns == 0
    assert Conduct(joins_ns=5).last_ns == 5
    assert Conduct(absences=(Absence(leaves_ns=1, returns_ns=7),)).last_ns == 7
