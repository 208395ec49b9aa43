from typing import Any

import pytest

from simulator.measure.describe import ledger_summary
from simulator.measure.receipts import ReceiptFlag as Flag

ALERTS = "alertsim/v1/alerts/miyagi/+"
WIDE = "alertsim/v1/alerts/#"


def lowered(kit: Any, flags: int, *, published: int = 1, **of_subscriber: Any) -> int:
    """How many of one delivery came below the QoS owed, by the summary."""
    ledger = kit.ledger([kit.alert(0, qos=published)], [kit.sub(0, **of_subscriber)])
    kit.send(ledger, 0)
    ledger.receipts(kit.batch(kit.row(0, 0, flags=flags)))
    found = ledger_summary(kit.close(ledger))
    examples = [one for one in found.examples if one.outcome == "qos-lowered"]
    assert len(examples) == found.qos_lowered
    return found.qos_lowered


@pytest.mark.parametrize(
    ("flags", "published", "asked", "count"),
    [
        (0, 1, 1, 1),
        (Flag.QOS_1, 1, 1, 0),
        (Flag.QOS_1, 2, 2, 1),
        (Flag.QOS_2, 1, 2, 0),  # more than owed is no loss
        (0, 0, 1, 0),
        (0, 1, 0, 0),
    ],
)
def test_a_first_copy_below_the_effective_qos_is_counted(
    kit: Any, flags: int, published: int, asked: int, count: int
) -> None:
    assert lowered(kit, flags, published=published, qos=asked) == count


def test_nothing_is_claimed_where_several_filters_match(kit: Any) -> None:
    assert lowered(kit, 0, filters=((ALERTS, 1), (WIDE, 0))) == 0


def test_foreign_clients_do_not_tell_the_qos(kit: Any) -> None:
    assert lowered(kit, 0, kind=kit.Kind.FOREIGN) == 0


def test_a_member_of_a_shared_subscription_is_owed_it_too(kit: Any) -> None:
    shared = ((f"$share/g/{ALERTS}", 1),)
    assert lowered(kit, 0, filters=shared) == 1
    assert lowered(kit, Flag.QOS_1, filters=shared) == 0


def test_what_did_not_come_and_further_copies_are_not_counted(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0), kit.alert(1)], [kit.sub(0)])
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 0, flags=Flag.QOS_1), kit.row(0, 0)))
    assert ledger_summary(kit.close(ledger)).qos_lowered == 0
