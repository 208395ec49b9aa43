"""Copies beyond the first, what should not have come, and states beside the equations."""

from typing import Any

from simulator.measure.account import Tally
from tests.unit.measure.reading import only_row

ROOT = "alertsim/v1"


def test_copies_of_overlapping_filters_are_overlap_and_one_more_is_the_brokers(kit: Any) -> None:
    filters = ((f"{ROOT}/alerts/miyagi/+", 0), (f"{ROOT}/alerts/#", 1))
    ledger = kit.ledger([kit.alert(0, qos=2)], [kit.sub(0, filters=filters)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(0, 0), kit.row(0, 0)))
    ledger.receipts(kit.batch(kit.row(0, 0, flags=kit.Flag.DUP)))
    ledger.receipts(kit.batch(kit.row(0, 0, flags=kit.Flag.SESSION)))

    account = kit.close(ledger)

    assert account.total() == Tally(expected=1, delivered=1, receipts=5, duplicates=4)
    assert account.duplicate_causes() == {"redelivery": 2, "overlap": 1, "broker": 1}
    row = only_row(account)
    assert (row["copies"], row["qos"]) == (5, 1)  # the best granted QoS, below the published one


def test_the_same_filter_twice_is_one_subscription(kit: Any) -> None:
    text = f"{ROOT}/alerts/miyagi/+"
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0, filters=((text, 0), (text, 1)))])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(0, 0)))

    assert kit.close(ledger).duplicate_causes()["broker"] == 1


def test_copies_in_one_batch_and_in_several_are_counted_alike(kit: Any) -> None:
    rows = [kit.row(s, a, n) for n, (s, a) in enumerate([(0, 0), (1, 0), (0, 0), (1, 1), (0, 0)])]
    alerts = [kit.alert(0), kit.alert(1, at_s=1)]
    totals = []
    for size in (1, 2, 5):
        ledger = kit.ledger(alerts, [kit.sub(0), kit.sub(1)])
        kit.send(ledger, 0, 1)
        for start in range(0, len(rows), size):
            ledger.receipts(kit.batch(*rows[start : start + size]))
        account = kit.close(ledger)
        totals.append(account.total())
        first = next(account.rows())
        assert first["received_ns"][0] == kit.T0, "the first copy is the one that is kept"
    assert totals == [totals[0]] * 3
    assert totals[0].duplicates == 2


def test_wrong_area_foreign_and_malformed_are_unexpected(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, prefecture="niigata")]
    ledger = kit.ledger(alerts, [kit.sub(0)])
    kit.send(ledger, 0, 1)
    ledger.receipts(
        kit.batch(
            kit.row(0, 0),
            kit.row(0, 1),  # niigata's alert
            kit.row(0, -1, flags=kit.Flag.FOREIGN | kit.Flag.QOS_1),
            kit.row(0, -1),  # not of any known alert
            kit.row(0, 2),
            kit.row(9, 0),  # of no known subscriber
            kit.row(0, 0, flags=kit.Flag.FOREIGN),  # our identifier, but altered
            kit.row(0, -1, None, flags=kit.Flag.MALFORMED | kit.Flag.QOS_2),
        )
    )

    account = kit.close(ledger)

    assert account.total() == Tally(expected=1, delivered=1, receipts=8, unexpected=7)
    assert account.unexpected_causes() == {"wrong-area": 1, "foreign": 5, "malformed": 1}
    assert account.by_prefecture()["niigata"] == Tally(receipts=1, unexpected=1)
    assert account.by_kind()["swarm"].unexpected == 6
    assert account.of_subscriber(0).unexpected == 6
    assert {level: tally.unexpected for level, tally in account.by_qos().items()} == {
        "0": 5,
        "1": 1,
        "2": 1,
    }
    rows = [columns for columns in account.rows() if columns["outcome"][0] == "unexpected"]
    assert rows[0]["cause"].tolist()[:2] == ["wrong-area", "foreign"]
    assert rows[0]["prefecture"].tolist() == ["niigata", *[""] * 6]
    assert rows[0]["client"][4] == ""
    assert rows[0]["received_ns"][6] is None


def test_a_control_that_receives_is_wrong_area(kit: Any) -> None:
    control = kit.sub(0, prefecture="okinawa", kind=kit.Kind.CONTROL)
    ledger = kit.ledger([kit.alert(0)], [control])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0)))

    account = kit.close(ledger)

    assert account.by_kind() == {"control": Tally(receipts=1, unexpected=1)}


def test_states_are_counted_beside_the_equations(kit: Any) -> None:
    flag = kit.Flag
    filters = ((f"{ROOT}/alerts/miyagi/+", 1), (f"{ROOT}/state/miyagi", 1))
    alerts = [kit.alert(0), kit.alert(1, prefecture="niigata")]
    ledger = kit.ledger(alerts, [kit.sub(0, filters=filters)])
    kit.send(ledger, 0, 1)
    ledger.receipts(
        kit.batch(
            kit.row(0, 0, flags=flag.STATE),
            kit.row(0, 0, 5 * kit.S, flags=flag.STATE | flag.RETAIN),
            kit.row(0, -1, flags=flag.STATE | flag.CLEARED),
            kit.row(0, -1, flags=flag.CLEARED | flag.MALFORMED),  # cleared is never malformed
            kit.row(0, 1, flags=flag.STATE),  # the state of a prefecture not asked for
            kit.row(0, 1, flags=flag.STATE | flag.RETAIN),  # and again
            kit.row(0, -1, flags=flag.STATE),
            kit.row(7, 0, flags=flag.STATE),
            kit.row(0, 0, flags=flag.STATE | flag.FOREIGN),
            kit.row(0, -1, flags=flag.STATE | flag.MALFORMED),
        )
    )

    account = kit.close(ledger)
    state = account.counted.state

    assert account.total() == Tally(expected=1, lost=1)
    assert (state.live, state.retained, state.cleared) == (1, 1, 2)
    assert (state.wrong_area, state.foreign, state.malformed) == (2, 3, 1)
    assert len(state.retained_rows()) == 1
    assert state.left_out == 0


def test_a_batch_of_states_and_alerts_is_taken_apart(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    kit.send(ledger, 0)
    ledger.receipts(
        kit.batch(kit.row(0, -1, flags=kit.Flag.CLEARED | kit.Flag.STATE), kit.row(0, 0))
    )

    assert kit.close(ledger).total() == Tally(expected=1, delivered=1, receipts=1)


def test_a_foreign_client_reports_states_under_the_alerts_name(kit: Any) -> None:
    foreign = {"kind": kit.Kind.FOREIGN, "prefecture": ""}
    only_state = kit.sub(0, filters=((f"{ROOT}/state/+", 1),), **foreign)
    both = kit.sub(1, filters=((f"{ROOT}/#", 1),), **foreign)
    ledger = kit.ledger([kit.alert(0)], [only_state, both])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(1, 0), kit.row(1, 0)))

    account = kit.close(ledger)

    assert account.total() == Tally(expected=1, delivered=1, receipts=2, duplicates=1)
    assert account.duplicate_causes()["overlap"] == 1
    assert account.counted.state.live == 1


def test_a_foreign_client_that_asked_for_neither_is_wrong_area(kit: Any) -> None:
    foreign = kit.sub(
        0, kind=kit.Kind.FOREIGN, prefecture="", filters=((f"{ROOT}/state/niigata", 1),)
    )
    ledger = kit.ledger([kit.alert(0)], [foreign])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0)))

    assert kit.close(ledger).unexpected_causes()["wrong-area"] == 1
