"""Who is owed what: every pair of alert and planned subscriber whose planned filter matches.

Rule of the module: pairs are numbered once and for all, those of one holder and topic one after
the other in order of sequence, so that a receipt finds its pair by one look-up and one addition.
A *holder* is a subscriber (its number, from 0) or a shared subscription (-1, -2, …), which is owed
one copy for the whole group, whichever member gets it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.errors import InternalError
from simulator.measure.columns import Int64s, Table
from simulator.measure.plan import (
    PlannedSubscriber,
    ScheduledAlert,
    SubscriberKind,
    filter_matches,
)
from simulator.measure.receipts import NO_TIME

NOWHERE: Final = -1
_SHARED: Final = "$share/"

PAIR_COLUMNS: Final = {
    "alert": (np.int32, 0),
    "holder": (np.int32, 0),
    "qos": (np.int8, 0),
    "paths": (np.uint8, 1),  # copies that a broker may send: one for each matching filter
    "owed": (np.bool_, 1),
    "received_ns": (np.int64, NO_TIME),
    "uncertainty_ns": (np.int64, 0),
    "handled_ns": (np.int64, NO_TIME),
    "flags": (np.int32, 0),
    "member": (np.int32, NOWHERE),  # who received it
    "arrival": (np.int64, NOWHERE),  # position among all receipts: not seen while negative
    "copies": (np.uint32, 0),
}


@dataclass(slots=True)
class Group:
    """A shared subscription: one name, one filter, several members."""

    name: str
    members: list[int] = field(default_factory=list)


class Expectation:
    """The left side of the first equation, as a table of pairs.

    Args:
        schedule: every alert of the run, numbered from 0.
    """

    def __init__(self, schedule: Sequence[ScheduledAlert]) -> None:
        self.alerts = tuple(schedule)
        self.pairs = Table(PAIR_COLUMNS)
        self.subscribers: list[PlannedSubscriber] = []
        self.groups: list[Group] = []
        self._group_holders: dict[str, int] = {}
        self._group_bases: dict[tuple[int, int], int] = {}
        topics: dict[str, list[int]] = {}
        for number, alert in enumerate(self.alerts):
            if alert.number != number:
                raise InternalError(f"alert {alert.number} stands at place {number}")
            topics.setdefault(alert.topic, []).append(number)
        self.topics = tuple(topics)
        self.topic_alerts = [np.array(numbers, np.int64) for numbers in topics.values()]
        self.topic_of = np.zeros(len(self.alerts), np.int64)
        self.ordinal = np.zeros(len(self.alerts), np.int64)
        for topic, numbers in enumerate(self.topic_alerts):
            self.topic_of[numbers] = topic
            self.ordinal[numbers] = np.arange(len(numbers))
        self.intended_ns = np.array([alert.intended_ns for alert in self.alerts], np.int64)
        self._published = np.array([alert.qos for alert in self.alerts], np.int8)
        self._matches: dict[str, npt.NDArray[np.bool_]] = {}
        self._state_matches: dict[str, npt.NDArray[np.bool_]] = {}
        self._layers = [self._empty_layer(0)]

    @property
    def layers(self) -> list[Int64s]:
        """First pairs by (subscriber, topic), NOWHERE if none.

        Layer 0 is the subscriber's own; the others are of shared subscriptions it is a member of.
        """
        return [layer[: len(self.subscribers)] for layer in self._layers]

    def group_name(self, holder: int) -> str:
        """Name and filter of a shared subscription, as subscribed."""
        return self.groups[-1 - holder].name

    def members(self, holder: int) -> list[int]:
        """Numbers of the subscribers that may receive for a holder."""
        return self.groups[-1 - holder].members if holder < 0 else [holder]

    def add(self, subscriber: PlannedSubscriber) -> None:
        """Expect what the subscriber's filters ask for.

        Raises:
            InternalError: if its number is not the next one.
        """
        number = len(self.subscribers)
        if subscriber.number != number:
            raise InternalError(f"subscriber {subscriber.number} stands at place {number}")
        self.subscribers.append(subscriber)
        self._make_room(number)
        own = [(text, qos) for text, qos in subscriber.filters if not text.startswith(_SHARED)]
        shared = [(text, qos) for text, qos in subscriber.filters if text.startswith(_SHARED)]
        paths = np.zeros(len(self.topics), np.int64)
        granted = np.full(len(self.topics), NOWHERE, np.int64)
        for text, qos in dict(own).items():
            matched = self._matching(text)
            paths += matched
            granted = np.maximum(granted, np.where(matched, qos, NOWHERE))
        asked = granted != NOWHERE
        if subscriber.kind is SubscriberKind.FOREIGN:  # it reports states by the same identifier
            paths += np.any([self._matching_state(text) for text, _ in own], axis=0)
        for topic in np.flatnonzero(asked):
            self._layers[0][number, topic] = self._extend(
                number, int(topic), int(granted[topic]), int(paths[topic]), subscriber.joins_ns
            )
        for text, qos in dict(shared).items():
            self._join(subscriber, text, qos)

    def _join(self, subscriber: PlannedSubscriber, text: str, qos: int) -> None:
        holder = self._group_holders.get(text)
        if holder is None:
            self.groups.append(Group(text))
            holder = self._group_holders[text] = -len(self.groups)
        self.groups[-1 - holder].members.append(subscriber.number)
        for topic in np.flatnonzero(self._matching(text)):
            base = self._group_bases.get((holder, int(topic)))
            if base is None:
                base = self._extend(holder, int(topic), qos, 1, subscriber.joins_ns)
                self._group_bases[holder, int(topic)] = base
            else:
                self._widen(base, int(topic), qos, subscriber.joins_ns)
            self._layer_with_room(subscriber.number, int(topic))[subscriber.number, topic] = base

    def _widen(self, base: int, topic: int, qos: int, joins_ns: int | None) -> None:
        """A further member: the best QoS and the earliest start of any of them count."""
        numbers = self.topic_alerts[topic]
        rows = slice(base, base + len(numbers))
        best = np.minimum(self._published[numbers], qos)
        self.pairs["qos"][rows] = np.maximum(self.pairs["qos"][rows], best)
        self.pairs["owed"][rows] |= self._owed(numbers, joins_ns)

    def _extend(self, holder: int, topic: int, qos: int, paths: int, joins_ns: int | None) -> int:
        numbers = self.topic_alerts[topic]
        return self.pairs.extend(
            len(numbers),
            alert=numbers,
            holder=holder,
            qos=np.minimum(self._published[numbers], qos),
            paths=min(paths, np.iinfo(np.uint8).max),
            owed=self._owed(numbers, joins_ns),
        )

    def _owed(self, numbers: Int64s, joins_ns: int | None) -> npt.NDArray[np.bool_]:
        if joins_ns is None:
            return np.ones(len(numbers), np.bool_)
        return self.intended_ns[numbers] >= joins_ns

    def _matching(self, text: str) -> npt.NDArray[np.bool_]:
        known = self._matches.get(text)
        if known is None:
            known = np.array([filter_matches(text, topic) for topic in self.topics], np.bool_)
            self._matches[text] = known
        return known

    def _matching_state(self, text: str) -> npt.NDArray[np.bool_]:
        known = self._state_matches.get(text)
        if known is None:
            states = [self.alerts[numbers[0]].state_topic for numbers in self.topic_alerts]
            known = np.array([filter_matches(text, topic) for topic in states], np.bool_)
            self._state_matches[text] = known
        return known

    def _layer_with_room(self, number: int, topic: int) -> Int64s:
        for layer in self._layers[1:]:
            if layer[number, topic] == NOWHERE:
                return layer
        self._layers.append(self._empty_layer(len(self._layers[0])))
        return self._layers[-1]

    def _make_room(self, number: int) -> None:
        """Double the look-up tables when a subscriber no longer fits."""
        for index, layer in enumerate(self._layers):
            if number >= len(layer):
                wider = self._empty_layer(max(64, 2 * len(layer)))
                wider[: len(layer)] = layer
                self._layers[index] = wider

    def _empty_layer(self, rows: int) -> Int64s:
        return np.full((rows, len(self.topics)), NOWHERE, np.int64)
