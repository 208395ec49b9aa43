from typing import Any

import pytest

from simulator.measure.belief import FinalStates
from simulator.measure.summary import Summary
from simulator.model.timeline import AlertEvent


def states(kit: Any, arrivals: list[tuple[int, int]], **more: Any) -> FinalStates:
    """Warned, told again, then told that it is over: three alerts on three topics."""
    alerts = [
        kit.alert(0),
        kit.alert(1, at_s=1, event=AlertEvent.TAKE_SHELTER),
        kit.alert(2, at_s=2, event=AlertEvent.CORRECTION, in_force=False),
    ]
    ledger = kit.ledger(alerts, [kit.sub(0, **more)])
    kit.send(ledger, *range(3))
    for subscriber, alert in arrivals:
        ledger.receipts(kit.batch(kit.row(subscriber, alert, alert * kit.S + kit.MS)))
    found: FinalStates = kit.close(ledger).final_states()
    return found


def counts(found: FinalStates) -> tuple[int, int, int, int]:
    return (
        found.followed,
        len(found.withdrawn),
        len(found.unaware),
        len(found.overtaken),
    )


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [
        ([(0, 0), (0, 1), (0, 2)], (1, 0, 0, 0)),
        ([(0, 0), (0, 1)], (1, 1, 0, 0)),
        ([(0, 0)], (1, 1, 0, 0)),
        ([(0, 2)], (1, 0, 0, 0)),
        ([], (1, 0, 0, 0)),  # it believes in nothing, and nothing is in force
        ([(0, 0), (0, 2), (0, 1)], (1, 0, 0, 1)),
        ([(0, 1), (0, 0), (0, 2)], (1, 0, 0, 0)),
    ],
)
def test_a_missed_correction_leaves_a_wrong_state(
    kit: Any, arrivals: list[tuple[int, int]], expected: tuple[int, int, int, int]
) -> None:
    found = states(kit, arrivals)
    assert counts(found) == expected
    assert found.stale == expected[1] + expected[2]


def test_the_pair_that_is_named_is_of_the_newest_message(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, at_s=1, in_force=False)]
    ledger = kit.ledger(alerts, [kit.sub(0), kit.sub(1)])
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(0, 1, kit.S), kit.row(1, 0)))
    account = kit.close(ledger)
    (pair,) = account.final_states().withdrawn
    table = account.evidence.expectation.pairs
    assert (table["holder"][pair], table["alert"][pair]) == (1, 1)


def test_an_alert_in_force_that_never_came_leaves_nobody_warned(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0), kit.sub(1)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(1, 0)))
    assert counts(kit.close(ledger).final_states()) == (2, 0, 1, 0)


def test_what_was_not_sent_or_not_owed_leaves_no_state(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0), kit.alert(1, at_s=1, in_force=False)], [kit.sub(0)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0)))
    assert counts(kit.close(ledger).final_states()) == (1, 0, 0, 0)
    assert counts(states(kit, [], joins_ns=kit.T0 + 90 * kit.S)) == (0, 0, 0, 0)


def test_members_of_a_shared_subscription_have_no_state_of_their_own(kit: Any) -> None:
    shared = (("$share/g/alertsim/v1/alerts/miyagi/+", 1),)
    assert counts(states(kit, [(0, 0)], filters=shared)) == (0, 0, 0, 0)


def test_prefectures_are_apart(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, at_s=1, prefecture="akita", in_force=False)]
    both = (("alertsim/v1/alerts/#", 1),)
    ledger = kit.ledger(alerts, [kit.sub(0, filters=both)])
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 0)))
    assert counts(kit.close(ledger).final_states()) == (2, 0, 0, 0)


def test_a_state_on_the_state_topic_informs(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, at_s=1, in_force=False)]
    filters = (("alertsim/v1/alerts/miyagi/+", 1), ("alertsim/v1/state/miyagi", 1))
    ledger = kit.ledger(alerts, [kit.sub(number, filters=filters) for number in range(3)])
    kit.send(ledger, 0, 1)
    state = kit.Flag.STATE | kit.Flag.RETAIN
    ledger.receipts(
        kit.batch(
            kit.row(0, 0),
            kit.row(1, 0),
            kit.row(0, 1, 2 * kit.S, flags=state),
            kit.row(0, 0, 2 * kit.S, flags=state),
            kit.row(1, 0, 2 * kit.S, flags=state),
        )
    )
    found = kit.close(ledger).final_states()
    assert counts(found) == (3, 1, 0, 0)


def test_without_alerts_there_is_no_state(kit: Any) -> None:
    assert counts(kit.close(kit.ledger([], [kit.sub(0)])).final_states()) == (0, 0, 0, 0)


def test_a_summary_without_these_figures_can_still_be_read() -> None:
    fields = Summary.model_fields["order"].annotation
    assert fields is not None
    old = fields(streams=1, reordered=0, gaps=0, gap_streams=0)
    assert (old.followed, old.stale_withdrawn, old.stale_unaware, old.overtaken) == (0, 0, 0, 0)
