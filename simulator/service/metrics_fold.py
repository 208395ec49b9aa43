"""What the runs of this service have come to, as numbers that only grow.

Rule of the module: live events in, totals out; pure. Runs tell cumulative figures, so what is added
is the difference to what the same run told before: a run that is told of twice is counted once. A
label value outside the catalogue is refused and counted, never shown: whoever writes a scenario or
names a client cannot add a time series.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeGuard

from simulator.measure.running import BUCKETS_NS, SEGMENTS
from simulator.service.metrics_catalogue import OUTCOMES, QOS, RUN_OUTCOMES, metrics

BOUNDS: Final = len(BUCKETS_NS) + 1
Series = tuple[str, str, str, str]
_RECEIVED: Final = ("delivered", "late", "queued")
_LONGEST: Final = 20  # digits and sign of a 64-bit integer
_MOST: Final = 2**53  # beyond it a sample is no longer exact
_RECEIPTS: Final = {"first": "delivered", "duplicate": "duplicates", "unexpected": "unexpected"}


@dataclass(slots=True)
class Histogram:
    """Counts in cells, the last beyond all bounds, and their sum.

    Attributes:
        cells: not cumulative.
        sum_ns: of all values, wall ns.
        signed: whether a value below zero was among them, seen by a sum that fell; such a sum is
            no counter and is not shown.
    """

    cells: list[int] = field(default_factory=lambda: [0] * BOUNDS)
    sum_ns: int = 0
    signed: bool = False

    def add(self, cells: Sequence[int], sum_ns: int) -> None:
        """Add counts cell by cell."""
        for at, count in enumerate(cells):
            self.cells[at] += count
        self.sum_ns += sum_ns
        self.signed |= sum_ns < 0

    def copy(self) -> "Histogram":
        """As it is now."""
        return Histogram([*self.cells], self.sum_ns, self.signed)

    def put(self, value_ns: int) -> None:
        """Add one value."""
        at = next((at for at, bound in enumerate(BUCKETS_NS) if value_ns <= bound), BOUNDS - 1)
        self.cells[at] += 1
        self.sum_ns += value_ns
        self.signed |= value_ns < 0


@dataclass(slots=True)
class _Run:
    """What one run has told so far."""

    groups: dict[Series, tuple[list[int], int]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    online: int = 0


class Totals:
    """The fold.

    Attributes:
        latency: by segment, prefecture, QoS and event.
        publish_delay: of every alert sent.
        deliveries: by outcome, of runs that ended.
        expected: deliveries of runs that ended.
        receipts: copies by what they were.
        sent: alerts by prefecture and event.
        reconnects: over all runs.
        runs: ended ones by outcome.
        refused: parts of events that fit no label or are malformed.
        dropped: events that runs dropped.
    """

    def __init__(self) -> None:
        self.latency: dict[Series, Histogram] = {}
        self.publish_delay = Histogram()
        self.deliveries: Counter[str] = Counter()
        self.expected = 0
        self.receipts: Counter[str] = Counter()
        self.sent: Counter[tuple[str, str]] = Counter()
        self.reconnects = 0
        self.runs: Counter[str] = Counter()
        self.refused = 0
        self.dropped = 0
        self._playing: dict[str, _Run] = {}

    @property
    def active(self) -> int:
        """Runs that have begun and not ended."""
        return len(self._playing)

    @property
    def online(self) -> int:
        """Foreign clients online, over runs that play."""
        return sum(run.online for run in self._playing.values())

    def copy(self) -> "Totals":
        """As they are now, to be shown; what runs told last is not in it."""
        twin = Totals()
        twin.latency = {series: each.copy() for series, each in self.latency.items()}
        twin.publish_delay = self.publish_delay.copy()
        twin.deliveries, twin.receipts = self.deliveries.copy(), self.receipts.copy()
        twin.sent, twin.runs = self.sent.copy(), self.runs.copy()
        twin.expected, twin.reconnects = self.expected, self.reconnects
        twin.refused, twin.dropped = self.refused, self.dropped
        twin._playing = {run: _Run(online=known.online) for run, known in self._playing.items()}
        return twin

    def began(self, run: str) -> None:
        """A run plays; told again it changes nothing."""
        self._playing.setdefault(run, _Run())

    def ended(self, run: str, outcome: str) -> None:
        """A run ended, as its process or its last event says; the first to say so is believed.

        Args:
            run: its key.
            outcome: of the catalogue; anything else counts as ``error``.
        """
        if self._playing.pop(run, None) is not None:
            self.runs[outcome if outcome in RUN_OUTCOMES else "error"] += 1

    def event(self, run: str, event: Mapping[str, Any]) -> None:
        """Take one live event in.

        Args:
            run: the run's key, the same until its end; an event of a run that has not begun or has
                ended changes nothing.
            event: as the run wrote it.
        """
        known = self._playing.get(run)
        if known is None:
            return
        dropped = event.get("dropped")
        self.dropped += dropped if _is_count(dropped) else 0
        match event.get("type"):
            case "sent":
                self._sent(event)
            case "progress":
                self._progress(known, event)
            case "end":
                self._ledger(known, event.get("ledger"))
                self.ended(run, str(event.get("outcome")))
            case _:
                pass  # told to pages, counted by nobody

    def _sent(self, event: Mapping[str, Any]) -> None:
        place, what = _known("prefecture", event), _known("event", event)
        if place is None or what is None:
            self.refused += 1
            return
        self.sent[place, what] += 1
        late_ns = _whole(event.get("late_ns"))
        if late_ns is None:
            self.refused += 1
        else:
            self.publish_delay.put(late_ns)

    def _progress(self, run: _Run, event: Mapping[str, Any]) -> None:
        for kind, name in _RECEIPTS.items():
            self.receipts[kind] += self._grown(run, name, event.get(name, 0))
        self.reconnects += self._grown(run, "reconnects", event.get("reconnects", 0))
        clients = event.get("clients")
        if isinstance(clients, list):
            run.online = sum(
                isinstance(client, dict) and client.get("online") is True for client in clients
            )
        groups = event.get("groups")
        for group in groups if isinstance(groups, list) else ():
            self._group(run, group)

    def _grown(self, run: _Run, name: str, value: object) -> int:
        """By how much a cumulative figure grew; one that fell is refused."""
        before = run.told.get(name, 0)
        if not _is_count(value) or value < before:
            self.refused += 1
            return 0
        run.told[name] = value
        return value - before

    def _group(self, run: _Run, group: object) -> None:
        if not isinstance(group, dict) or not isinstance(group.get("segments"), dict):
            self.refused += 1
            return
        place, event = _known("prefecture", group), _known("event", group)
        qos = str(group.get("qos"))
        if place is None or event is None or qos not in QOS:
            self.refused += 1
            return
        for segment, tally in group["segments"].items():
            if segment in SEGMENTS and isinstance(tally, dict):
                self._tally(run, (segment, place, qos, event), tally)
            else:
                self.refused += 1

    def _tally(self, run: _Run, series: Series, tally: Mapping[str, Any]) -> None:
        cells, sum_ns = tally.get("buckets"), _whole(tally.get("sum_ns"))
        before, sum_before_ns = run.groups.get(series, ([0] * BOUNDS, 0))
        if (
            sum_ns is None
            or not isinstance(cells, list)
            or len(cells) != BOUNDS
            or not all(map(_is_count, cells))
            or any(now < then for now, then in zip(cells, before, strict=True))
        ):
            self.refused += 1
            return
        run.groups[series] = (list(cells), sum_ns)
        grown = [now - then for now, then in zip(cells, before, strict=True)]
        if any(grown):
            self.latency.setdefault(series, Histogram()).add(grown, sum_ns - sum_before_ns)

    def _ledger(self, run: _Run, ledger: object) -> None:
        if not isinstance(ledger, dict):
            return
        counts = {str(name): count for name, count in ledger.items() if _is_count(count)}
        for outcome in OUTCOMES:
            name = outcome.replace("-", "_")
            self.refused += name not in counts
            self.deliveries[outcome] += counts.get(name, 0)
            self.expected += counts.get(name, 0)
        # The last progress may have come before the last copy.
        final = counts | {"delivered": sum(counts.get(name, 0) for name in _RECEIVED)}
        for kind, name in _RECEIPTS.items():
            if final.get(name, 0) > run.told.get(name, 0):
                self.receipts[kind] += self._grown(run, name, final[name])


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _whole(text: object) -> int | None:
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def _known(label: str, part: Mapping[str, Any]) -> str | None:
    value = part.get(label)
    return value if isinstance(value, str) and value in _values(label) else None


@cache
def _values(label: str) -> frozenset[str]:
    """The closed list of a label's values."""
    return frozenset(value for metric in metrics() for value in metric.labels.get(label, ()))
