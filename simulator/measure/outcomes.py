"""The words of the ledger, and their codes in its columns.

Rule of the module: the position of a word in its tuple is its code in a column of small integers;
codes never leave the process, words do.
"""

from enum import IntEnum
from typing import Final


class Outcome(IntEnum):
    """What became of one expected delivery; the terms of the first equation."""

    DELIVERED = 0
    LATE = 1
    QUEUED = 2
    EXPIRED = 3
    MISSED_OFFLINE = 4
    UNDETERMINED = 5
    LOST = 6
    NOT_SENT = 7

    @property
    def word(self) -> str:
        """As written for people: ``missed-offline``."""
        return self.name.lower().replace("_", "-")


RECEIVED: Final = (Outcome.DELIVERED, Outcome.LATE, Outcome.QUEUED)
UNOWED: Final = -1  # not expected and not seen: no row at all


class Cause(IntEnum):
    """What more is known about an outcome."""

    NONE = 0
    NO_RECEIPT = 1  # connected all the while, nothing came
    DYING_CONNECTION = 2  # sent between the last proof of life and the observed close
    SESSION_DISCARDED = 3  # the broker did not keep the session
    AWAY_AT_END = 4  # the session had not returned when the account was closed
    CUT_SHORT = 5  # the account was closed before the delivery had its time
    SUBSCRIBING = 6  # sent between CONNECT and SUBACK
    NO_SESSION = 7  # no session had been made when it was sent
    AFTER_DRAIN = 8  # late because it came after the drain
    LEAVING = 9  # sent shortly before its subscriber left by plan: gone before it had its time

    @property
    def word(self) -> str:
        """As written for people; empty for none."""
        return "" if self is Cause.NONE else self.name.lower().replace("_", "-")


class Duplicate(IntEnum):
    """Why a further copy came."""

    REDELIVERY = 0  # flagged DUP, or sent again after a reconnect
    OVERLAP = 1  # one copy per overlapping filter
    BROKER = 2  # no reason that the subscriber knows of

    @property
    def word(self) -> str:
        """As written for people."""
        return self.name.lower()


class Unexpected(IntEnum):
    """Why a copy should not have come."""

    WRONG_AREA = 0
    FOREIGN = 1
    MALFORMED = 2

    @property
    def word(self) -> str:
        """As written for people."""
        return self.name.lower().replace("_", "-")


class Population(IntEnum):
    """Which figures belong together."""

    LIVE = 0
    RETAINED = 1
    QUEUED = 2

    @property
    def word(self) -> str:
        """As written for people."""
        return self.name.lower()
