from typing import Any

import pytest

from simulator.measure.measured import Measured
from simulator.measure.overlap import find_overlap
from simulator.measure.plan import Session


def played(kit: Any, first_s: float, *, repetition: int = 0) -> Measured:
    """Two alerts on one topic, one second apart; the first is received after ``first_s``."""
    alerts = [kit.alert(0), kit.alert(1, at_s=1, repetition=repetition)]
    ledger = kit.ledger(alerts, [kit.sub(0)])
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 1, 9 * kit.S), kit.row(0, 0, round(first_s * kit.S))))
    return Measured(kit.close(ledger))


def test_a_delivery_that_outlives_its_wait_overlaps_and_a_slower_speed_is_named(kit: Any) -> None:
    found = find_overlap(played(kit, 2.5), speed=600.0)

    assert found is not None
    assert found.deliveries == 1, "the last alert of a topic has nothing to run into"
    assert found.highest_speed == 240  # 600 s of the scenario in the 2.5 s it took
    assert "up to 240" in found.note


def test_the_named_speed_is_rounded_down_so_that_it_holds(kit: Any) -> None:
    found = find_overlap(played(kit, 1.7), speed=600.0)

    assert found is not None
    assert found.highest_speed == 352  # 352.94
    assert found.highest_speed * 1.7 <= 600


@pytest.mark.parametrize(("first_s", "speed"), [(1.0, 600.0), (2.5, 1.0)])
def test_in_time_or_at_the_speed_of_life_nothing_overlaps(
    kit: Any, first_s: float, speed: float
) -> None:
    assert find_overlap(played(kit, first_s), speed=speed) is None


def test_the_gap_between_two_playings_does_not_scale(kit: Any) -> None:
    # One second between the playings, of which 0.4 s are the fixed gap: 360 s of the scenario
    # must last 2.5 - 0.4 s.
    found = find_overlap(played(kit, 2.5, repetition=1), speed=600.0, gap_ns=400_000_000)

    assert found is not None
    assert found.highest_speed == 171  # 171.4


def test_where_only_the_gap_is_too_short_no_speed_helps(kit: Any) -> None:
    found = find_overlap(played(kit, 2.5, repetition=1), speed=600.0, gap_ns=kit.S)

    assert found is not None
    assert found.highest_speed is None
    assert "at any speed" in found.note


def test_a_queued_delivery_waited_for_its_subscriber_and_not_for_the_speed(kit: Any) -> None:
    ledger = kit.ledger(
        [kit.alert(0), kit.alert(1, at_s=1)], [kit.sub(0, session=Session.PERSISTENT)]
    )
    kit.send(ledger, 0, 1)
    ledger.connection(kit.change(0, kit.Change.OFFLINE, -1))
    ledger.connection(kit.change(0, kit.Change.CONNECTED, 4, session_present=True))
    ledger.receipts(kit.batch(kit.row(0, 0, 5 * kit.S)))

    assert find_overlap(Measured(kit.close(ledger)), speed=600.0) is None
