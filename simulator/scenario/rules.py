"""Truth against belief: when a closing message is wrong, and when a warning stays in force.

Rule of the module: small pure functions of what is said and of what really happened; whoever finds
out, and when, is the model's.
"""

from typing import Final

from simulator.scenario.schema import Outcome

_WHAT_IS_TRUE: Final[dict[Outcome, tuple[str | None, ...]]] = {
    Outcome.PASSED: ("passage", "not-falling", None),
    Outcome.FELL_IN_SEA: ("fell-in-sea", "not-coming", "not-falling"),
    Outcome.VANISHED: ("fell-in-sea", "not-coming", "not-falling"),
    Outcome.FELL_ON_LAND: ("fell-on-land", None),
    Outcome.INTERCEPTED: ("intercepted", None),
    Outcome.FALSE_ALARM: (),
}
_DANGER_REMAINS: Final = (Outcome.FELL_ON_LAND, Outcome.INTERCEPTED)
_STAYS_IN_FORCE: Final = ("intercepted", "fell-on-land")


def says_wrong(closing: str | None, outcome: Outcome | None) -> bool:
    """Whether a closing message contradicts what really happened.

    Args:
        closing: what the message says; None: there is none, so the belief is that something
            arrives.
        outcome: how the flight really ended; None: as believed.
    """
    return outcome is not None and closing not in _WHAT_IS_TRUE[outcome]


def danger_remains(outcome: Outcome | None) -> bool:
    """Whether people have to stay in shelter after what really happened."""
    return outcome in _DANGER_REMAINS


def stays_in_force(closing: str | None, outcome: Outcome | None) -> bool:
    """Whether a warning stays in force after its closing message and its correction.

    Args:
        closing: what the closing message says, None if there is none.
        outcome: how the flight really ended; None: as believed.
    """
    if says_wrong(closing, outcome):
        return danger_remains(outcome)
    return closing is None or closing in _STAYS_IN_FORCE
