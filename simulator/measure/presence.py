"""Presence: whether a subscriber was there when an alert was sent, as far as can be known.

Rule of the module: the observed changes of one connection come in, a verdict on each unseen pair
goes out, by the definitions of DESIGN section 5. A subscriber of which no change was ever observed
counts as connected throughout, because the run publishes only after every SUBACK.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simulator.measure.columns import Int64s
from simulator.measure.outcomes import Cause, Outcome
from simulator.measure.receipts import NO_TIME, ConnectionChange, ConnectionEvent


class State(IntEnum):
    """What is known about a connection at one instant."""

    CONNECTED = 0
    DOUBT = 1  # between the last proof of life and the observed close
    SUBSCRIBING = 2  # between CONNECT and SUBACK
    OFFLINE = 3
    LEAVING = 4  # connected still, but gone by plan before a delivery had its time


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """One subscriber's connection over the run, as steps.

    Attributes:
        at_ns: when each step begins, never falling; the first is before everything.
        states: State of each step.
        connects_ns: when each CONNECTED was observed, never falling.
        kept: for each CONNECTED, whether the broker had kept the session.
        from_start: connected before the first observed change.
    """

    at_ns: Int64s
    states: npt.NDArray[np.int8]
    connects_ns: Int64s
    kept: npt.NDArray[np.bool_]
    from_start: bool

    @classmethod
    def of(cls, events: Sequence[ConnectionEvent], delivery_ns: int = 0) -> "Presence":
        """Read the observed changes, in the order in which they were observed.

        Args:
            events: CONNECTED, SUBSCRIBED, CLOSED and OFFLINE.
            delivery_ns: how long a delivery may take and still be in time, wall ns: who leaves
                earlier than that by plan has not proved that it did not come.
        """
        from_start = not events or events[0].change is not ConnectionChange.CONNECTED
        state = State.CONNECTED if from_start else State.OFFLINE
        steps: list[tuple[int, State]] = [(np.iinfo(np.int64).min, state)]
        connects: list[tuple[int, bool]] = []
        for event in events:
            at_ns = max(event.at_ns, steps[-1][0])
            match event.change:
                case ConnectionChange.CONNECTED:
                    connects.append((at_ns, event.session_present))
                    steps.append((at_ns, State.SUBSCRIBING))
                case ConnectionChange.SUBSCRIBED:
                    steps.append((at_ns, State.CONNECTED))
                case ConnectionChange.OFFLINE:
                    steps += _leaving(steps, at_ns, delivery_ns)
                case _:
                    if steps[-1][1] is not State.OFFLINE:
                        steps.append((_doubt_from(event, steps[-1][0], at_ns), State.DOUBT))
                    steps.append((at_ns, State.OFFLINE))
        return cls(
            at_ns=np.array([at for at, _ in steps], np.int64),
            states=np.array([step for _, step in steps], np.int8),
            connects_ns=np.array([at for at, _ in connects], np.int64),
            kept=np.array([kept for _, kept in connects], np.bool_),
            from_start=from_start,
        )

    def state_at(self, at_ns: Int64s) -> npt.NDArray[np.int8]:
        """State at each instant; at the instant of a change, the state after it."""
        states: npt.NDArray[np.int8] = self.states[
            np.searchsorted(self.at_ns, at_ns, side="right") - 1
        ]
        return states

    def resumed_ns(self, seen_ns: Int64s) -> Int64s:
        """When the connection that each receipt came on had resumed a kept session, else NO_TIME.

        Args:
            seen_ns: user-space time of each receipt: a kernel stamp may lie before the moment at
                which the CONNACK in the same block was read.
        """
        if not len(self.connects_ns):
            return np.full(len(seen_ns), NO_TIME, np.int64)
        last = np.searchsorted(self.connects_ns, seen_ns, side="right") - 1
        return np.where((last >= 0) & self.kept[last], self.connects_ns[last], NO_TIME)


def _leaving(
    steps: Sequence[tuple[int, State]], at_ns: int, delivery_ns: int
) -> list[tuple[int, State]]:
    """The end of a connection that the plan closed."""
    since_ns, state = steps[-1]
    if state is not State.CONNECTED or not delivery_ns:
        return [(at_ns, State.OFFLINE)]
    return [(max(since_ns, at_ns - delivery_ns), State.LEAVING), (at_ns, State.OFFLINE)]


def _doubt_from(event: ConnectionEvent, previous_ns: int, at_ns: int) -> int:
    """The last proof of life, or, where none was kept, the change before the close."""
    if event.last_alive_ns == NO_TIME:
        return previous_ns
    return min(max(event.last_alive_ns, previous_ns), at_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What decides about unseen pairs besides presence.

    Attributes:
        persistent: the subscriber asked for a session that outlives its connection.
        expiry_ns: MQTT message expiry from the time of sending, wall ns; None: never.
        closed_ns: when the account was closed, monotonic ns.
    """

    persistent: bool
    expiry_ns: int | None
    closed_ns: int


def judge_unseen(
    presence: Presence, sent_ns: Int64s, qos: npt.NDArray[np.int8], terms: Terms
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """What became of pairs that were sent and never seen.

    Args:
        presence: of the subscriber.
        sent_ns: when each was sent, monotonic ns.
        qos: effective QoS of each.
        terms: session, expiry, end.

    Returns:
        Outcome and Cause codes.
    """
    state = presence.state_at(sent_ns)
    outcome = np.full(len(sent_ns), Outcome.LOST, np.int8)
    cause = np.full(len(sent_ns), Cause.NO_RECEIPT, np.int8)

    def settle(rows: npt.NDArray[np.bool_], what: Outcome, why: Cause) -> None:
        outcome[rows] = what
        cause[rows] = why

    kept_for = terms.persistent & (qos > 0)
    offline, doubt = state == State.OFFLINE, state == State.DOUBT
    settle(doubt, Outcome.LOST, Cause.DYING_CONNECTION)
    settle(doubt & (qos == 0), Outcome.UNDETERMINED, Cause.DYING_CONNECTION)
    settle(offline & ~kept_for, Outcome.MISSED_OFFLINE, Cause.NONE)
    leaving = state == State.LEAVING
    settle(leaving & ~kept_for, Outcome.MISSED_OFFLINE, Cause.LEAVING)
    before = np.searchsorted(presence.connects_ns, sent_ns, side="right")
    subscribing = state == State.SUBSCRIBING
    if subscribing.any():
        resumed = presence.kept[np.maximum(before, 1) - 1]
        settle(subscribing & ~(kept_for & resumed), Outcome.UNDETERMINED, Cause.SUBSCRIBING)
    away = kept_for & (offline | doubt | leaving)
    if away.any():
        owed = _settle_away(presence, sent_ns[away], before[away], terms)
        outcome[away], cause[away] = owed
    return outcome, cause


def _settle_away(
    presence: Presence, sent_ns: Int64s, before: npt.NDArray[np.intp], terms: Terms
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Pairs owed to a session whose client was away: expired, lost, or never owed.

    Args:
        presence: of the subscriber.
        sent_ns: when each was sent, monotonic ns.
        before: how many CONNECTED had been observed before it.
        terms: session, expiry, end.
    """
    count = len(presence.connects_ns)
    returns = before < count
    nth = np.minimum(before, max(count - 1, 0))
    returned_ns = np.where(returns, presence.connects_ns[nth] if count else 0, terms.closed_ns)
    kept = returns & presence.kept[nth] if count else returns
    outcome = np.full(len(sent_ns), Outcome.LOST, np.int8)
    cause = np.full(len(sent_ns), Cause.NO_RECEIPT, np.int8)
    cause[~returns] = Cause.AWAY_AT_END
    cause[returns & ~kept] = Cause.SESSION_DISCARDED
    if terms.expiry_ns is not None:
        expired = returned_ns >= sent_ns + terms.expiry_ns
        outcome[expired] = Outcome.EXPIRED
        cause[expired] = Cause.NONE
    unmade = ~kept & (before == 0) & (not presence.from_start)
    outcome[unmade] = Outcome.MISSED_OFFLINE
    cause[unmade] = Cause.NO_SESSION
    return outcome, cause
