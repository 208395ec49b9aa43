"""How deliveries come in while a run goes on: counts and latencies for whoever watches it.

Rule of the module: a view, never an account. Figures are of first copies seen so far, with the
stamps as they were reported; what is lost, late for good or judged is said by the account alone.
Latencies are of the live population: what was kept for a client that was away is counted apart.
Quantiles here are those of a histogram whose cells are 4.4 % wide.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.measure.columns import Int64s
from simulator.measure.expectation import Expectation
from simulator.measure.outcomes import Population
from simulator.measure.plan import SubscriberKind
from simulator.measure.receipts import NO_TIME
from simulator.units import NS_PER_MS, NS_PER_US

BUCKETS_NS: Final = tuple(
    tenths * NS_PER_MS // 10
    for tenths in (
        *(5, 10, 20, 50, 100, 200, 500),
        *(1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000),
    )
)
SEGMENTS: Final = ("send", "transit", "handling", "delivery")

_BOUNDS: Final = np.array(BUCKETS_NS, np.int64)
_WIDTH: Final = len(BUCKETS_NS) + 1
_CELLS_PER_OCTAVE: Final = 16
_OCTAVES: Final = 37  # from 1 µs to 137 s; what lies outside counts in the outermost cells
_CELLS: Final = _CELLS_PER_OCTAVE * _OCTAVES


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTally:
    """Latencies of one segment.

    Attributes:
        n: how many.
        sum_ns: their sum, wall ns.
        buckets: how many lie at or below each bound of ``BUCKETS_NS`` and above the one before;
            the last counts those above all bounds.
    """

    n: int
    sum_ns: int
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTally:
    """First copies of one prefecture's messages of one event at one QoS.

    Attributes:
        prefecture: slug.
        event: what the messages say.
        qos: that was owed, 0 to 2.
        segments: tally by name of the segment.
    """

    prefecture: str
    event: str
    qos: int
    segments: Mapping[str, SegmentTally]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTally:
    """What a foreign client has reported.

    Attributes:
        number: its subscriber number.
        last_ns: latency of its last first copy whose stamp is comparable, wall ns; None: none was.
        worst_ns: the longest of them.
    """

    number: int
    last_ns: int | None
    worst_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where the deliveries of a run stand.

    Attributes:
        n: live first copies whose latency is known.
        quantiles_ns: delivery latency by percent (50, 90, 99), wall ns; empty without any.
        max_ns: the longest; None without any.
        due: first copies owed of what was sent so far.
        late: first copies later than the run's ``late_after``, queued ones left out.
        queued: first copies that the broker kept until their client came back.
        duplicates: further copies.
        unexpected: copies that nobody was owed.
        groups: tallies of those groups that changed since the last look, whole.
        clients: foreign clients that have reported anything.
    """

    n: int
    quantiles_ns: Mapping[int, int]
    max_ns: int | None
    due: int
    late: int
    queued: int
    duplicates: int
    unexpected: int
    groups: tuple[GroupTally, ...]
    clients: tuple[ClientTally, ...]


@dataclass(slots=True)
class _Client:
    last_ns: int | None = None
    worst_ns: int | None = None


class RunningDeliveries:
    """Follows a ledger: told of first copies as they are recorded, looked at a few times a second.

    Args:
        expectation: of the ledger; its pairs hold the stamps.
        late_after_ns: of the run, wall ns.
    """

    def __init__(self, expectation: Expectation, late_after_ns: int) -> None:
        self._expectation = expectation
        self._late_after_ns = late_after_ns
        self._fresh: list[Int64s] = []
        self._cells = np.zeros(_CELLS, np.int64)
        self._late = 0
        self._queued = 0
        self._max_ns: int | None = None
        self._groups: dict[tuple[str, str, int], int] = {}
        self._buckets = np.zeros((0, len(SEGMENTS), _WIDTH), np.int64)
        self._sums = np.zeros((0, len(SEGMENTS)), np.int64)
        self._clients: dict[int, _Client] = {}

    def add(self, pairs: Int64s) -> None:
        """First copies of these pairs have been recorded."""
        if len(pairs):
            self._fresh.append(pairs)

    def look(
        self,
        sent_ns: Int64s,
        *,
        population_of: Callable[[Int64s], npt.NDArray[np.int8]],
        duplicates: int,
        unexpected: int,
    ) -> Running:
        """Take in what came since the last look.

        Args:
            sent_ns: when each alert was written, monotonic ns; NO_TIME if that is not known yet.
            population_of: the population of each of these pairs, all with a first copy.
            duplicates: counted by the ledger.
            unexpected: counted by the ledger.
        """
        table = self._expectation.pairs
        fresh = np.concatenate([np.zeros(0, np.int64), *self._fresh])
        alert = table["alert"][fresh]
        known = sent_ns[alert] != NO_TIME
        # A receipt may be quicker than the publisher's own report of the sending.
        self._fresh = [] if known.all() else [fresh[~known]]
        fresh, alert = fresh[known], alert[known]
        changed = self._take(fresh, sent_ns[alert], population_of(fresh)) if len(fresh) else ()
        due = table["owed"] & (sent_ns != NO_TIME)[table["alert"]]
        return Running(
            n=int(self._cells.sum()),
            quantiles_ns=self._quantiles(),
            max_ns=self._max_ns,
            due=int(np.count_nonzero(due)),
            late=self._late,
            queued=self._queued,
            duplicates=duplicates,
            unexpected=unexpected,
            groups=changed,
            clients=tuple(
                ClientTally(
                    number=number,
                    last_ns=client.last_ns,
                    worst_ns=client.worst_ns,
                )
                for number, client in self._clients.items()
            ),
        )

    def _take(
        self, pairs: Int64s, sent_ns: Int64s, population: npt.NDArray[np.int8]
    ) -> tuple[GroupTally, ...]:
        self._queued += int(np.count_nonzero(population == Population.QUEUED))
        live = population == Population.LIVE
        pairs, sent_ns = pairs[live], sent_ns[live]
        table = self._expectation.pairs
        alert = table["alert"][pairs]
        received_ns, handled_ns = table["received_ns"][pairs], table["handled_ns"][pairs]
        intended_ns = self._expectation.intended_ns[alert]
        stamped = received_ns != NO_TIME
        delivery_ns = received_ns - intended_ns
        self._note_clients(table["member"][pairs], stamped, delivery_ns)
        shown = delivery_ns[stamped]
        if len(shown):
            self._cells += np.bincount(_cell(shown), minlength=_CELLS)
            self._late += int(np.count_nonzero(shown > self._late_after_ns))
            longest_ns = int(shown.max())
            self._max_ns = longest_ns if self._max_ns is None else max(longest_ns, self._max_ns)
        group = self._group_of(alert, table["qos"][pairs])
        handled = stamped & (handled_ns != NO_TIME)
        for segment, (values, chosen) in enumerate(
            (
                (sent_ns - intended_ns, np.ones(len(pairs), np.bool_)),
                (received_ns - sent_ns, stamped),
                (handled_ns - received_ns, handled),
                (delivery_ns, stamped),
            )
        ):
            at = np.searchsorted(_BOUNDS, values[chosen], side="left")
            np.add.at(self._buckets[:, segment], (group[chosen], at), 1)
            np.add.at(self._sums[:, segment], group[chosen], values[chosen])
        names = list(self._groups)
        return tuple(self._tally(names[index], index) for index in np.unique(group).tolist())

    def _group_of(self, alert: Int64s, qos: Int64s) -> Int64s:
        """Row of each pair's group; a new group gets a new row."""
        alerts = self._expectation.alerts
        kinds, inverse = np.unique(
            np.stack([alert.astype(np.int64), qos.astype(np.int64)]), axis=1, return_inverse=True
        )
        rows = np.array(
            [
                self._groups.setdefault(
                    (alerts[number].planned.prefecture, alerts[number].planned.event.value, level),
                    len(self._groups),
                )
                for number, level in kinds.T.tolist()
            ],
            np.int64,
        )
        missing = len(self._groups) - len(self._sums)
        if missing:
            self._buckets = np.pad(self._buckets, ((0, missing), (0, 0), (0, 0)))
            self._sums = np.pad(self._sums, ((0, missing), (0, 0)))
        found: Int64s = rows[inverse.reshape(-1)]
        return found

    def _tally(self, name: tuple[str, str, int], row: int) -> GroupTally:
        prefecture, event, qos = name
        segments = {
            segment: SegmentTally(
                n=int(self._buckets[row, at].sum()),
                sum_ns=int(self._sums[row, at]),
                buckets=tuple(self._buckets[row, at].tolist()),
            )
            for at, segment in enumerate(SEGMENTS)
        }
        return GroupTally(prefecture=prefecture, event=event, qos=qos, segments=segments)

    def _note_clients(self, member: Int64s, stamped: Int64s, delivery_ns: Int64s) -> None:
        """Keep what foreign clients reported, one by one: they are few."""
        subscribers = self._expectation.subscribers
        first = next(
            (each.number for each in subscribers if each.kind is SubscriberKind.FOREIGN),
            len(subscribers),
        )
        for at in np.flatnonzero(member >= first).tolist():
            client = self._clients.setdefault(int(member[at]), _Client())
            if stamped[at]:
                client.last_ns = int(delivery_ns[at])
                client.worst_ns = max(client.last_ns, client.worst_ns or client.last_ns)

    def _quantiles(self) -> dict[int, int]:
        total = int(self._cells.sum())
        if self._max_ns is None:
            return {}
        reached = np.cumsum(self._cells)
        # The upper end of a cell can lie above everything in it.
        return {
            percent: min(
                self._max_ns, _upper_ns(int(np.searchsorted(reached, -(-percent * total // 100))))
            )
            for percent in (50, 90, 99)
        }


def _cell(values_ns: Int64s) -> Int64s:
    microseconds = np.maximum(values_ns, NS_PER_US) / NS_PER_US
    cells = np.floor(np.log2(microseconds) * _CELLS_PER_OCTAVE).astype(np.int64)
    found: Int64s = np.minimum(cells, _CELLS - 1)
    return found


def _upper_ns(cell: int) -> int:
    return round(NS_PER_US * 2 ** ((cell + 1) / _CELLS_PER_OCTAVE))
