from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulator.errors import InternalError, UnbalancedLedgerError
from simulator.measure.account import Account, Tally
from simulator.measure.outcomes import Outcome
from simulator.measure.plan import Session
from simulator.model.timeline import AlertEvent

ROOT = "alertsim/v1"


def outcomes(account: Account) -> dict[str, int]:
    """The non-zero outcomes, by name."""
    total = account.total()
    names = [outcome.name.lower() for outcome in Outcome]
    return {name: getattr(total, name) for name in names if getattr(total, name)}


def only_row(account: Account) -> dict[str, Any]:
    (columns,) = account.rows()
    assert len(columns["outcome"]) == 1
    return {name: column[0] for name, column in columns.items()}


# --- what was seen ------------------------------------------------------------------------------


def test_a_first_copy_in_time_is_delivered_and_a_control_is_owed_nothing(kit: Any) -> None:
    control = kit.sub(1, prefecture="okinawa", kind=kit.Kind.CONTROL)
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0), control])
    assert (ledger.owed, ledger.seen, ledger.sent_alerts, ledger.waiting()) == (1, 0, 0, 0)
    kit.send(ledger, 0)
    assert (ledger.sent_alerts, ledger.waiting()) == (1, 1)
    ledger.receipts(kit.batch(kit.row(0, 0)))
    assert (ledger.seen, ledger.waiting()) == (1, 0)

    account = kit.close(ledger)

    assert account.total() == Tally(expected=1, delivered=1, receipts=1)
    assert account.by_kind() == {
        "swarm": Tally(expected=1, delivered=1, receipts=1),
        "control": Tally(),
    }


@pytest.mark.parametrize(
    ("received_s", "outcome", "cause"),
    [
        (10.0, "delivered", ""),  # the limit itself is still in time
        (10.000000001, "late", ""),
        (99.1, "late", "after-drain"),
    ],
)
def test_late_is_after_the_limit_or_after_the_drain(
    kit: Any, received_s: float, outcome: str, cause: str
) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0, round(received_s * kit.S))))

    row = only_row(kit.close(ledger))

    assert (row["outcome"], row["cause"], row["population"]) == (outcome, cause, "live")


def test_a_quick_copy_after_the_drain_is_late_too(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0, at_s=99.5)], [kit.sub(0)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0, round(99.6 * kit.S))))

    assert outcomes(kit.close(ledger)) == {"late": 1}


def test_a_receipt_proves_the_sending_whose_report_is_missing(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0), kit.sub(1)])
    ledger.receipts(kit.batch(kit.row(0, 0)))

    assert outcomes(kit.close(ledger)) == {"delivered": 1, "lost": 1}


def test_an_unsent_alert_is_not_sent_whoever_was_there(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0), kit.alert(1, at_s=5)], [kit.sub(0)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0)))

    assert outcomes(kit.close(ledger)) == {"delivered": 1, "not_sent": 1}


def test_owed_and_not_seen_is_lost(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    kit.send(ledger, 0)
    ledger.acknowledged(0, kit.T0 + kit.MS)  # to the publisher: not a delivery

    account = kit.close(ledger)

    assert outcomes(account) == {"lost": 1}
    assert account.causes_of(Outcome.LOST) == {"no-receipt": 1}


def test_a_loss_before_an_undrained_end_says_that_it_was_cut_short(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0), kit.alert(1, at_s=95)], [kit.sub(0)])
    kit.send(ledger, 0, 1)

    account = kit.close(ledger, at_s=100, drained=False)

    assert account.causes_of(Outcome.LOST) == {"no-receipt": 1, "cut-short": 1}


def test_queued_is_a_first_copy_on_a_resumed_session_of_what_was_sent_before(kit: Any) -> None:
    alerts = [kit.alert(n, at_s=n * 10) for n in range(3)]
    ledger = kit.ledger(alerts, [kit.sub(0, session=Session.PERSISTENT)])
    kit.send(ledger, 0, 1, 2)
    for event in (
        kit.change(0, kit.Change.CONNECTED, -2, session_present=True),
        kit.change(0, kit.Change.SUBSCRIBED, -1),
        kit.change(0, kit.Change.OFFLINE, 5),
        kit.change(0, kit.Change.CONNECTED, 15, session_present=True),
        kit.change(0, kit.Change.SUBSCRIBED, 15.1),
    ):
        ledger.connection(event)
    ledger.receipts(
        kit.batch(
            kit.row(0, 0),  # on a resumed session too, but sent while it was there: live
            # The kernel stamped the block that held CONNACK and message before the CONNACK was
            # read: the user-space stamp decides.
            kit.row(0, 1, round(14.9 * kit.S), handled_ns=round(15.2 * kit.S)),
            kit.row(0, 2, 21 * kit.S),
        )
    )

    account = kit.close(ledger)
    (columns,) = account.rows()

    assert columns["outcome"].tolist() == ["delivered", "queued", "delivered"]
    assert columns["population"].tolist() == ["live", "queued", "live"]
    assert set(account.by_population()) == {"live", "queued"}


def test_a_queued_copy_after_the_drain_stays_queued(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0, session=Session.PERSISTENT)])
    kit.send(ledger, 0)
    ledger.connection(kit.change(0, kit.Change.OFFLINE, -1))
    ledger.connection(kit.change(0, kit.Change.CONNECTED, 99.5, session_present=True))
    ledger.receipts(kit.batch(kit.row(0, 0, round(99.6 * kit.S))))

    assert outcomes(kit.close(ledger)) == {"queued": 1}


def test_a_reconnect_without_a_kept_session_queues_nothing(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0, session=Session.PERSISTENT)])
    kit.send(ledger, 0)
    ledger.connection(kit.change(0, kit.Change.OFFLINE, -1))
    ledger.connection(kit.change(0, kit.Change.CONNECTED, 1, session_present=False))
    ledger.receipts(kit.batch(kit.row(0, 0, 2 * kit.S, flags=kit.Flag.SESSION)))

    assert outcomes(kit.close(ledger)) == {"delivered": 1}


def test_a_copy_without_any_time_is_delivered_and_counted_as_untimed(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0, None)))

    account = kit.close(ledger)

    assert outcomes(account) == {"delivered": 1}
    assert account.untimed() == 1
    row = only_row(account)
    assert (row["received_ns"], row["handled_ns"], row["delivery_ns"]) == (None, None, None)
    assert row["send_ns"] == 1000


# --- duplicates ---------------------------------------------------------------------------------


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


# --- what should not have come ------------------------------------------------------------------


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


# --- states, beside the equations ---------------------------------------------------------------


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


# --- who is owed what ---------------------------------------------------------------------------


def test_a_client_that_joins_is_owed_only_what_is_intended_from_then_on(kit: Any) -> None:
    alerts = [kit.alert(n, at_s=n * 10) for n in range(3)]
    ledger = kit.ledger(alerts, [])
    foreign = kit.sub(0, kind=kit.Kind.FOREIGN, joins_ns=kit.T0 + 10 * kit.S)
    ledger.add_subscriber(foreign)
    kit.send(ledger, 0, 1, 2)
    ledger.receipts(kit.batch(kit.row(0, 1, 10 * kit.S + 5)))

    account = kit.close(ledger)

    assert account.total() == Tally(expected=2, delivered=1, lost=1, receipts=1)
    assert account.of_subscriber(0) == account.total()


def test_a_receipt_from_before_a_client_registered_proves_that_it_was_owed(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0, joins_ns=kit.T0 + kit.S)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0)))

    account = kit.close(ledger)

    assert account.total() == Tally(expected=1, delivered=1, receipts=1)
    assert np.count_nonzero(account.early) == 1


def test_a_shared_subscription_is_owed_once_for_the_group(kit: Any) -> None:
    shared = ((f"$share/sirens/{ROOT}/alerts/miyagi/+", 1),)
    alerts = [kit.alert(0, qos=2), kit.alert(1, at_s=1, qos=2), kit.alert(2, at_s=2, qos=2)]
    members = [
        kit.sub(0, filters=((shared[0][0], 0),), joins_ns=kit.T0 + kit.S),
        kit.sub(1, filters=shared),
    ]
    ledger = kit.ledger(alerts, members)
    kit.send(ledger, 0, 1, 2)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(1, 1), kit.row(0, 1)))

    account = kit.close(ledger)
    (columns,) = account.rows()

    assert account.total() == Tally(expected=3, delivered=2, lost=1, receipts=3, duplicates=1)
    assert columns["client"] == ["client-0", "client-1", shared[0][0]]
    assert columns["subscriber"] == [0, 1, None]
    assert columns["qos"].tolist() == [1, 1, 1], "the best any member was granted"
    assert account.by_kind()["swarm"].expected == 3


def test_a_member_with_its_own_subscription_is_owed_both(kit: Any) -> None:
    own = f"{ROOT}/alerts/miyagi/+"
    both = kit.sub(0, filters=((own, 1), (f"$share/a/{own}", 1), (f"$share/b/{own}", 1)))
    ledger = kit.ledger([kit.alert(0)], [both, kit.sub(1, filters=((f"$share/a/{own}", 1),))])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(*[kit.row(0, 0)] * 3, kit.row(1, 0)))

    account = kit.close(ledger)

    assert account.total() == Tally(expected=3, delivered=3, receipts=4, duplicates=1)


def test_a_lost_copy_of_a_group_is_judged_by_the_member_that_was_owed_most(kit: Any) -> None:
    shared = ((f"$share/sirens/{ROOT}/alerts/miyagi/+", 1),)
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0, filters=shared), kit.sub(1, filters=shared)])
    kit.send(ledger, 0)
    ledger.connection(kit.change(0, kit.Change.OFFLINE, -1))

    assert outcomes(kit.close(ledger)) == {"lost": 1}


def test_an_absent_group_missed_it(kit: Any) -> None:
    shared = ((f"$share/sirens/{ROOT}/alerts/miyagi/+", 1),)
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0, filters=shared), kit.sub(1, filters=shared)])
    kit.send(ledger, 0)
    for member in (0, 1):
        ledger.connection(kit.change(member, kit.Change.OFFLINE, -1))

    assert outcomes(kit.close(ledger)) == {"missed_offline": 1}


def test_many_subscribers_outgrow_the_first_tables(kit: Any) -> None:
    alerts = [kit.alert(n, at_s=n) for n in range(20)]
    ledger = kit.ledger(alerts, [kit.sub(number) for number in range(150)])
    kit.send(ledger, *range(20))
    ledger.receipts(kit.batch(*(kit.row(s, a, a * kit.S) for a in range(20) for s in range(150))))

    assert kit.close(ledger).total() == Tally(expected=3000, delivered=3000, receipts=3000)


def test_effective_qos_decides_what_an_absence_means(kit: Any) -> None:
    subs = [kit.sub(n, qos=n, session=Session.PERSISTENT) for n in (0, 1)]
    ledger = kit.ledger([kit.alert(0)], subs)
    kit.send(ledger, 0)
    for number in (0, 1):
        ledger.connection(kit.change(number, kit.Change.OFFLINE, -1))
    assert ledger.waiting() == 0, "nobody waits for those who are away"
    ledger.connection(kit.change(0, kit.Change.CONNECTED, 20))
    assert ledger.waiting() == 1

    account = kit.close(ledger)

    assert outcomes(account) == {"missed_offline": 1, "lost": 1}
    assert account.by_qos()["0"].missed_offline == 1
    assert account.causes_of(Outcome.LOST) == {"away-at-end": 1}


# --- the books themselves -----------------------------------------------------------------------


def test_nothing_planned_is_a_balanced_account(kit: Any) -> None:
    ledger = kit.ledger([], [])
    ledger.receipts(kit.batch())
    ledger.receipts(kit.batch(kit.row(0, 0)))

    account = kit.close(ledger)

    assert account.total() == Tally(receipts=1, unexpected=1)
    assert (ledger.waiting(), account.by_event(), account.by_kind()) == (0, {}, {})


def test_parts_of_the_account_add_up_to_the_whole(kit: Any) -> None:
    alerts = [
        kit.alert(0),
        kit.alert(1, prefecture="niigata"),
        kit.alert(2, at_s=60, event=AlertEvent.PASSAGE),
    ]
    subs = [kit.sub(0), kit.sub(1, prefecture="niigata", qos=0), kit.sub(2)]
    ledger = kit.ledger(alerts, subs)
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(0, 0), kit.row(1, 1), kit.row(0, 1)))

    account = kit.close(ledger)
    whole = account.total()

    for parts in (account.by_prefecture(), account.by_event(), account.by_kind(), account.by_qos()):
        assert sum(tally.expected for tally in parts.values()) == whole.expected
        assert sum(tally.receipts for tally in parts.values()) == whole.receipts
        assert all(tally.balanced for tally in parts.values())
    assert account.by_event()["passage"].not_sent == 2
    assert account.where(account.seen).expected == 2


def test_rows_are_drained_once_and_exported_whole(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, at_s=1)]
    ledger = kit.ledger(alerts, [kit.sub(0), kit.sub(1)])
    kit.send(ledger, 0)
    assert list(ledger.drain_rows()) == []
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(0, 0), kit.row(1, -1)))
    first = list(ledger.drain_rows())
    ledger.receipts(kit.batch(kit.row(1, 0)))
    second = list(ledger.drain_rows())

    assert [columns["outcome"].tolist() for columns in first] == [["delivered"], ["unexpected"]]
    assert [columns["client"].tolist() for columns in second] == [["client-1"]]
    assert list(ledger.drain_rows()) == []
    account = kit.close(ledger)
    chunks = list(account.rows(chunk=2))
    assert [len(columns["outcome"]) for columns in chunks] == [2, 2, 1]
    words = Counter(word for columns in chunks for word in columns["outcome"])
    assert words == {"delivered": 2, "not-sent": 2, "unexpected": 1}


def test_an_unbalanced_ledger_is_refused(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    ledger.receipts(kit.batch(kit.row(0, 0)))
    account = kit.close(ledger)

    counted = replace(account.counted, receipts=2)
    with pytest.raises(UnbalancedLedgerError, match="does not balance"):
        Account(account.evidence, counted).assert_balanced()
    forgotten = replace(account.counted, duplicates=np.array([1, 0, 0]))
    with pytest.raises(UnbalancedLedgerError):
        Account(account.evidence, forgotten).assert_balanced()


def test_gaps_in_the_numbering_are_defects_of_ours(kit: Any) -> None:
    with pytest.raises(InternalError, match="alert 1"):
        kit.ledger([kit.alert(1)], [])
    with pytest.raises(InternalError, match="subscriber 5"):
        kit.ledger([kit.alert(0)], [kit.sub(5)])
    with pytest.raises(InternalError, match="unknown subscriber 0"):
        kit.ledger([kit.alert(0)], []).connection(kit.change(0, kit.Change.CLOSED, 1))
