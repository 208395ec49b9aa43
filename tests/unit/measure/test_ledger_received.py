"""Which alerts somebody received: proof that they were sent."""

from typing import Any


def test_alerts_that_somebody_received_are_known_by_number(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0), kit.alert(1), kit.alert(2)], [kit.sub(0), kit.sub(1)])
    assert ledger.received_alerts() == frozenset()

    ledger.receipts(kit.batch(kit.row(0, 2), kit.row(1, 2), kit.row(1, 0)))
    assert ledger.received_alerts() == {0, 2}
