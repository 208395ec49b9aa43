"""What became of what was owed, and books that add up."""

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
from tests.unit.measure.reading import only_row, outcomes


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
