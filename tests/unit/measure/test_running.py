"""Deliveries as they come in: a view of the ledger that never changes it."""

from typing import Any

from simulator.measure.plan import Session
from simulator.measure.running import BUCKETS_NS, SEGMENTS
from simulator.model.timeline import AlertEvent


def test_before_anything_came_there_is_nothing_to_show(kit: Any) -> None:
    seen = kit.ledger([kit.alert(0)], [kit.sub(0)]).running()

    assert (seen.n, seen.quantiles_ns, seen.max_ns, seen.due) == (0, {}, None, 0)
    assert seen.groups == seen.clients == ()


def test_first_copies_are_counted_by_group_and_segment(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, prefecture="niigata", event=AlertEvent.PASSAGE)]
    subs = [kit.sub(0), kit.sub(1), kit.sub(2, prefecture="niigata", qos=0)]
    ledger = kit.ledger(alerts, subs)
    ledger.running()
    kit.send(ledger, 0, 1, late_ns=kit.MS)
    ledger.receipts(
        kit.batch(
            kit.row(0, 0, 3 * kit.MS, handled_ns=4 * kit.MS),
            kit.row(1, 0, 3 * kit.MS),
            kit.row(2, 1, 20 * kit.S),
        )
    )

    seen = ledger.running()

    assert (seen.n, seen.due, seen.late, seen.duplicates, seen.unexpected) == (3, 3, 1, 0, 0)
    assert seen.max_ns == 20 * kit.S
    groups = {(each.prefecture, each.event, each.qos): each.segments for each in seen.groups}
    assert groups.keys() == {("miyagi", "launch", 1), ("niigata", "passage", 0)}
    miyagi = groups["miyagi", "launch", 1]
    assert tuple(miyagi) == SEGMENTS
    assert {name: tally.sum_ns for name, tally in miyagi.items()} == {
        "send": 2 * kit.MS,
        "transit": 4 * kit.MS,
        "handling": kit.MS + 100,
        "delivery": 6 * kit.MS,
    }
    # A bound holds what lies exactly on it; beyond all bounds lies the last cell.
    assert miyagi["send"].buckets[BUCKETS_NS.index(kit.MS)] == 2
    assert groups["niigata", "passage", 0]["delivery"].buckets[-1] == 1


def test_quantiles_are_right_within_a_cell(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(number) for number in range(100)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(*(kit.row(n, 0, (n + 1) * kit.MS) for n in range(100))))

    seen = ledger.running()

    assert seen.quantiles_ns[99] <= seen.max_ns == 100 * kit.MS
    for percent, true_ms in ((50, 50), (90, 90), (99, 99)):
        assert true_ms * kit.MS <= seen.quantiles_ns[percent] <= 1.045 * true_ms * kit.MS


def test_only_groups_that_changed_are_told_again_and_whole(kit: Any) -> None:
    ledger = kit.ledger(
        [kit.alert(0), kit.alert(1, prefecture="niigata")],
        [kit.sub(0), kit.sub(1, prefecture="niigata"), kit.sub(2)],
    )
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(1, 1)))
    assert len(ledger.running().groups) == 2
    assert ledger.running().groups == ()

    ledger.receipts(kit.batch(kit.row(2, 0)))

    (changed,) = ledger.running().groups
    assert (changed.prefecture, changed.segments["delivery"].n) == ("miyagi", 2)


def test_a_receipt_quicker_than_the_report_of_its_sending_waits_for_it(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    ledger.receipts(kit.batch(kit.row(0, 0)))
    assert (ledger.running().n, ledger.running().due) == (0, 0)

    kit.send(ledger, 0)

    assert (ledger.running().n, ledger.running().due) == (1, 1)
    assert ledger.running().n == 1


def test_foreign_clients_show_their_last_and_worst_latency(kit: Any) -> None:
    foreign = kit.sub(1, kind=kit.Kind.FOREIGN)
    ledger = kit.ledger([kit.alert(n, at_s=n) for n in range(3)], [kit.sub(0), foreign])
    kit.send(ledger, 0, 1, 2)
    ledger.receipts(
        kit.batch(kit.row(1, 0, 9 * kit.MS), kit.row(0, 0), kit.row(1, 1, kit.S + kit.MS))
    )
    ledger.receipts(kit.batch(kit.row(1, 2, None)))  # it did not say when

    (client,) = ledger.running().clients

    assert (client.number, client.last_ns, client.worst_ns) == (1, kit.MS, 9 * kit.MS)
    assert ledger.running().n == 3


def test_copies_that_are_not_first_or_not_owed_are_told_beside(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0), kit.sub(1, prefecture="niigata")])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(0, 0), kit.row(1, 0)))

    seen = ledger.running()

    assert (seen.n, seen.duplicates, seen.unexpected) == (1, 1, 1)
    assert kit.close(ledger).total().duplicates == 1


def test_what_was_kept_for_a_client_that_was_away_is_counted_apart(kit: Any) -> None:
    subs = [kit.sub(0, session=Session.PERSISTENT), kit.sub(1)]
    ledger = kit.ledger([kit.alert(0)], subs)
    ledger.connection(kit.change(0, kit.Change.CONNECTED, -2))
    ledger.connection(kit.change(0, kit.Change.OFFLINE, -1))
    kit.send(ledger, 0)
    ledger.connection(kit.change(0, kit.Change.CONNECTED, 15, session_present=True))
    ledger.receipts(kit.batch(kit.row(0, 0, 15 * kit.S + kit.MS)))

    first = ledger.running()

    assert (first.queued, first.n, first.late, first.max_ns, first.groups) == (1, 0, 0, None, ())
    ledger.receipts(kit.batch(kit.row(1, 0, 3 * kit.MS)))
    seen = ledger.running()
    assert (seen.queued, seen.n, seen.max_ns) == (1, 1, 3 * kit.MS)
    assert kit.close(ledger).total().queued == 1
