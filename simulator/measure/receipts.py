"""Receipts: what subscribers report, as columns of 64-bit integers.

Rule of the room: a batch is a flat array of rows; rows travel between processes as bytes and are
never pickled one by one. Times are monotonic ns of the receiving process's clock domain.
"""

from array import array
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

import numpy as np
import numpy.typing as npt

COLUMNS: Final = (
    "subscriber",  # PlannedSubscriber.number
    "alert",  # ScheduledAlert.number; UNKNOWN if the message could not be matched to one
    "received_ns",  # at the socket: kernel stamp, or user-space stamp where there is none
    "uncertainty_ns",  # true arrival lies in [received_ns - uncertainty_ns, received_ns]
    "handled_ns",  # when it was matched to its alert
    "flags",  # ReceiptFlag bits
)
WIDTH: Final = len(COLUMNS)
UNKNOWN: Final = -1
NO_TIME: Final = -1
EXACT_NS: Final = 50_000
"""A stamp whose uncertainty is below this is called exact: a packet capture is no better."""


class ReceiptFlag(IntFlag):
    """What else is known about one received PUBLISH."""

    RETAIN = 1  # the retain flag was set: the retained copy of a state
    DUP = 2  # the DUP flag was set
    QOS_1 = 4  # delivered at QoS 1
    QOS_2 = 8  # delivered at QoS 2
    USER_STAMP = 16  # received_ns was taken in user space
    STATE = 32  # arrived on a state topic, not on an alert topic
    MALFORMED = 64  # not an alertsim payload at all
    FOREIGN = 128  # well formed, but not of this run, or altered
    CLEARED = 256  # an empty retained payload: the state was cleared
    ROUND_TRIP = 512  # a foreign client without a comparable clock: times are round trip at our end
    SESSION = 1024  # reported on a connection whose CONNACK said "session present"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptBatch:
    """Rows in order of arrival at one reporter, shape (n, 6), dtype int64, see COLUMNS."""

    rows: npt.NDArray[np.int64]

    @classmethod
    def from_bytes(cls, data: bytes) -> "ReceiptBatch":
        """Wrap the bytes of an ``array('q')`` of rows without copying.

        Raises:
            ValueError: if the length is not a whole number of rows.
        """
        flat = np.frombuffer(data, dtype=np.int64)
        return cls(rows=flat.reshape(-1, WIDTH))

    @classmethod
    def from_rows(cls, rows: list[tuple[int, int, int, int, int, int]]) -> "ReceiptBatch":
        """A batch from tuples, for reporters that see few receipts."""
        flat = array("q", [value for row in rows for value in row])
        return cls.from_bytes(flat.tobytes())


class ConnectionChange(IntEnum):
    """What happened to a subscriber's connection."""

    CONNECTED = 1  # CONNACK read; session_present tells whether the broker kept the session
    SUBSCRIBED = 2  # every SUBACK read and granted
    CLOSED = 3  # the close was observed
    OFFLINE = 4  # closed on purpose by the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionEvent:
    """A change of a subscriber's connection.

    Attributes:
        subscriber: PlannedSubscriber.number.
        change: what happened.
        at_ns: when it was observed, monotonic ns.
        last_alive_ns: for CLOSED, the last proof of life before it (last bytes read), else NO_TIME.
        session_present: for CONNECTED, the CONNACK flag.
        reason: for CLOSED, one word or short sentence.
    """

    subscriber: int
    change: ConnectionChange
    at_ns: int
    last_alive_ns: int = NO_TIME
    session_present: bool = False
    reason: str = ""
