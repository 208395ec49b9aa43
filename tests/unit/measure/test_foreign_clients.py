"""How often a client that is not ours came back."""

from typing import Any

import pytest

from simulator.measure.describe import foreign_clients
from simulator.measure.receipts import ConnectionChange

UP, GONE = ConnectionChange.CONNECTED, ConnectionChange.CLOSED


@pytest.mark.parametrize(
    ("changes", "returns"),
    [([], 0), ([UP], 0), ([UP, GONE], 0), ([UP, GONE, UP], 1), ([UP, GONE, UP, GONE, UP], 2)],
)
def test_returns_are_counted(kit: Any, *, changes: list[ConnectionChange], returns: int) -> None:
    filters = (("alertsim/v1/alerts/miyagi/+", 1),)
    client = kit.sub(0, kind=kit.Kind.FOREIGN, prefecture="", filters=filters)
    ledger = kit.ledger([kit.alert(0)], [client])
    for place, change in enumerate(changes):
        ledger.connection(kit.change(0, change, place))

    (found,) = foreign_clients(kit.close(ledger), "here", ())
    assert found.returns == returns
