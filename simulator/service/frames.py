"""Frames of server-sent events: bytes that any number of pages get as they are. Pure.

Rule of the module: an event becomes bytes once, however many pages look on.
"""

from dataclasses import dataclass
from typing import Final

HEARTBEAT: Final = b": still here\n\n"
RETRY: Final = b"retry: 2000\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One event as it goes over the wire.

    Attributes:
        number: its id, from 1; 0 if it cannot be resumed after.
        kind: its type.
        data: its bytes, the empty line at the end included.
    """

    number: int
    kind: str
    data: bytes

    @property
    def may_be_dropped(self) -> bool:
        """Whether the next of its kind makes up for it."""
        return self.kind == "progress"


def frame(kind: str, document: bytes, number: int = 0, *, last: bool = False) -> Frame:
    """An event.

    Args:
        kind: its type, one word.
        document: one JSON document without line ends.
        number: its id; 0: none.
        last: nothing will ever follow, so that it has an id even if that is 0: by it the reader
            who asks again is known to have seen it.
    """
    head = b"id: %d\n" % number if number or last else b""
    return Frame(
        number=number,
        kind=kind,
        data=b"%sevent: %s\ndata: %s\n\n" % (head, kind.encode("ascii"), document),
    )
