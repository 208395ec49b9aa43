"""An account read in a line."""

from typing import Any

from simulator.measure.account import Account
from simulator.measure.outcomes import Outcome


def outcomes(account: Account) -> dict[str, int]:
    """The non-zero outcomes, by name."""
    total = account.total()
    names = [outcome.name.lower() for outcome in Outcome]
    return {name: getattr(total, name) for name in names if getattr(total, name)}


def only_row(account: Account) -> dict[str, Any]:
    (columns,) = account.rows()
    assert len(columns["outcome"]) == 1
    return {name: column[0] for name, column in columns.items()}
