from typing import Any

from simulator.measure.order import Order, order_of
from simulator.model.timeline import AlertEvent


def order(kit: Any, arrivals: list[tuple[int, int]], **more: Any) -> Order:
    """Order of receipts given as (subscriber, alert), of four alerts on one topic."""
    alerts = [kit.alert(n, at_s=n) for n in range(4)]
    ledger = kit.ledger(alerts, [kit.sub(0, **more), kit.sub(1, **more)])
    kit.send(ledger, *range(4))
    for subscriber, alert in arrivals:
        ledger.receipts(kit.batch(kit.row(subscriber, alert, alert * kit.S + kit.MS)))
    return order_of(kit.close(ledger).evidence)


def test_in_order_there_is_nothing_to_count(kit: Any) -> None:
    arrivals = [(s, a) for a in range(4) for s in (0, 1)]
    assert order(kit, arrivals) == Order(streams=2, reordered=0, gaps=0, gap_streams=0)


def test_a_message_after_a_later_one_is_reordered(kit: Any) -> None:
    assert order(kit, [(0, 0), (0, 2), (0, 1), (0, 3)]).reordered == 1
    assert order(kit, [(0, 3), (0, 0), (0, 1), (0, 2)]).reordered == 3
    assert order(kit, [(0, 3), (1, 0), (1, 1)]).reordered == 0, "streams are apart"


def test_a_gap_has_a_later_message_behind_it(kit: Any) -> None:
    assert order(kit, [(0, 0), (0, 3), (1, 0)]) == Order(
        streams=2, reordered=0, gaps=2, gap_streams=1
    )
    assert order(kit, [(0, 0), (1, 1)]).gaps == 1, "what is missing at the end is no gap"


def test_topics_are_streams_of_their_own(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, at_s=1, event=AlertEvent.PASSAGE)]
    ledger = kit.ledger(alerts, [kit.sub(0)])
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 1, kit.S), kit.row(0, 0)))

    assert order_of(kit.close(ledger).evidence) == Order(
        streams=2, reordered=0, gaps=0, gap_streams=0
    )


def test_members_of_a_shared_subscription_share_no_order(kit: Any) -> None:
    shared = (("$share/g/alertsim/v1/alerts/miyagi/+", 1),)
    assert order(kit, [(0, 1), (1, 0)], filters=shared).reordered == 0


def test_what_was_not_owed_or_not_sent_leaves_no_gap(kit: Any) -> None:
    alerts = [kit.alert(n, at_s=n) for n in range(3)]
    ledger = kit.ledger(alerts, [kit.sub(0, joins_ns=kit.T0 + kit.S)])
    kit.send(ledger, 0, 2)
    ledger.receipts(kit.batch(kit.row(0, 2, 2 * kit.S)))

    assert order_of(kit.close(ledger).evidence).gaps == 0


def test_without_pairs_there_is_no_order(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [])
    assert order_of(kit.close(ledger).evidence).streams == 0
