"""What goes when the store grows too large.

Rule of the module: pure. The oldest complete things go first, then, only if that is not enough, the
oldest that ended early; never one that plays or waits, is marked to be kept, or is not ours.
Nothing goes while the store is within its bounds.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["run", "experiment"]
State = Literal["complete", "incomplete", "busy", "unknown"]

_ORDER: Final = ("complete", "incomplete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One thing in the store.

    Attributes:
        kind: run or experiment.
        name: of its directory.
        state: complete, incomplete (it ended early), busy (somebody writes it) or unknown (damaged,
            or of another version: not ours to judge).
        ended_ns: when it last changed, wall ns since the Unix epoch: its age.
        size_bytes: of everything in it.
        kept: whether somebody marked it to be kept.
    """

    kind: Kind
    name: str
    state: State
    ended_ns: int
    size_bytes: int
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is kept.

    Attributes:
        most: runs, and experiments as many again; at least 1.
        most_bytes: of everything together.
    """

    most: int
    most_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One thing that goes.

    Attributes:
        stored: which.
        why: one sentence.
    """

    stored: Stored
    why: str


def removals(things: Collection[Stored], bounds: Bounds) -> tuple[Removal, ...]:
    """What goes, in order, so that the rest is within the bounds, as far as the rule allows.

    Args:
        things: everything in the store, in any order.
        bounds: how much is kept.
    """
    found: list[Removal] = []
    kinds: tuple[Kind, ...] = ("run", "experiment")
    for kind in kinds:
        mine = [each for each in things if each.kind == kind]
        excess = max(0, len(mine) - bounds.most)
        why = f"more than {bounds.most:,} {kind}s are kept"
        found += [Removal(stored=each, why=why) for each in _oldest(mine)[:excess]]
    gone = {removal.stored for removal in found}
    rest = [each for each in things if each not in gone]
    size_bytes = sum(each.size_bytes for each in rest)
    why = f"the store is larger than {bounds.most_bytes:,} bytes"
    for each in _oldest(rest):
        if size_bytes <= bounds.most_bytes:
            break
        if each.size_bytes:
            size_bytes -= each.size_bytes
            found.append(Removal(stored=each, why=why))
    return tuple(found)


def _oldest(things: Iterable[Stored]) -> list[Stored]:
    """What may go, in the order in which it does."""
    may = [each for each in things if each.state in _ORDER and not each.kept]
    return sorted(may, key=lambda each: (_ORDER.index(each.state), each.ended_ns, each.name))
