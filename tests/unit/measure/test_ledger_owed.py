"""Who is owed what: late registrations, groups, many subscribers, effective QoS."""

from typing import Any

import numpy as np

from simulator.measure.account import Tally
from simulator.measure.outcomes import Outcome
from simulator.measure.plan import Session
from tests.unit.measure.reading import outcomes

ROOT = "alertsim/v1"


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
