"""Belief: what each subscriber was left believing about each prefecture it was owed alerts of.

Rule of the module: evidence comes in, pair numbers go out. A subscriber goes by the newest message
that it received, by sequence; before the first it believes that nothing is in force. It is *stale*
if a newer message was sent, was owed to it and never came, and says otherwise: it believes in an
alert that has been *withdrawn*, or is *unaware* of one in force. It was *overtaken* if it did
receive the newest message and then an older one that says otherwise, because MQTT keeps the order
of one topic and client only (MQTT 5 section 4.6): a receiver that goes by arrival and not by
sequence is left with a wrong state then. Members of shared subscriptions are left out: none of them
is owed all messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.measure.columns import Bools, Int64s
from simulator.measure.settling import Evidence, sent_at_all

_NOTHING: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalStates:
    """Who was left with which state, one pair for each subscriber and prefecture.

    Attributes:
        followed: how many subscribers and prefectures had something owed and sent.
        withdrawn: newest pairs of those who believe in an alert that is no longer in force.
        unaware: newest pairs of those who do not know of an alert in force.
        overtaken: newest pairs of those whom an older message reached last.
    """

    followed: int
    withdrawn: Int64s
    unaware: Int64s
    overtaken: Int64s

    @property
    def stale(self) -> int:
        """Subscribers and prefectures with a wrong state at the end."""
        return len(self.withdrawn) + len(self.unaware)


def final_states(evidence: Evidence, informed: Mapping[tuple[int, str], int]) -> FinalStates:
    """Compare what was owed last with what was received last.

    Args:
        evidence: what was reported.
        informed: the newest alert, by number, whose state a subscriber received on a state topic,
            by subscriber and prefecture.
    """
    expectation = evidence.expectation
    table = expectation.pairs
    places = dict.fromkeys(alert.planned.prefecture for alert in expectation.alerts)
    codes = {name: code for code, name in enumerate(places)}
    place = np.array([codes[a.planned.prefecture] for a in expectation.alerts], np.int64)
    in_force = np.array([*(a.planned.in_force for a in expectation.alerts), False], np.bool_)
    alert = table["alert"].astype(np.int64)
    rows = np.flatnonzero((table["holder"] >= 0) & sent_at_all(evidence)[alert])
    alert = alert[rows]
    key = table["holder"][rows].astype(np.int64) * len(codes) + place[alert]
    size = len(expectation.subscribers) * len(codes)
    seen = table["arrival"][rows] >= 0
    owed = table["owed"][rows] | seen
    newest = _latest(size, key[owed], alert[owed])
    heard = _latest(size, key[seen], alert[seen])
    known = heard.copy()
    for (subscriber, prefecture), number in informed.items():
        at = subscriber * len(codes) + codes[prefecture]
        known[at] = max(known[at], number)
    missed = (newest > known) & (in_force[newest] != in_force[known])
    arrival = table["arrival"][rows]
    latest = _latest(size, key[seen], arrival[seen])
    final = np.full(size, _NOTHING, np.int64)
    came_last = seen & (arrival == latest[key])
    final[key[came_last]] = alert[came_last]
    overtaken = (newest == heard) & (final >= 0) & (in_force[final] != in_force[newest])

    def pairs_of(chosen: Bools) -> Int64s:
        found: Int64s = rows[owed & chosen[key] & (alert == newest[key])]
        return found

    return FinalStates(
        followed=int(np.count_nonzero(newest >= 0)),
        withdrawn=pairs_of(missed & ~in_force[newest]),
        unaware=pairs_of(missed & in_force[newest]),
        overtaken=pairs_of(overtaken),
    )


def _latest(size: int, key: Int64s, values: Int64s) -> Int64s:
    """The largest value by key; _NOTHING where there is none, which picks "not in force"."""
    largest = np.full(size, _NOTHING, np.int64)
    np.maximum.at(largest, key, values)
    return largest
