"""Offset between two monotonic clocks, as an interval that always holds the truth.

Rule of the module: stamps come in, an interval comes out; no averages, no fits. With
``offset(t) = our clock - their clock`` at our instant ``t``, causality alone gives two kinds of
evidence, each exact at one instant of *our* clock because a monotonic clock never goes back:

- they stamped ``c``, and afterwards something of theirs reached us at ``a``:
  their clock then read at least ``c``, so ``offset(a) ≤ a - c``;
- we stamped ``s``, and afterwards something of ours reached them, stamped ``c``:
  their clock at ``s`` read at most ``c``, so ``offset(s) ≥ s - c``.

A clock request and response (RFC 5905 section 8, with ``t1``, ``t4`` theirs and ``t2``, ``t3``
ours) is one of each: ``t3 - t4 ≤ offset ≤ t2 - t1``. So is a receipt: our alert left at ``sent``
and reached them at ``received``; their receipt left after ``handled`` and reached us at its
arrival. Delays need not be symmetric. The width of the interval is at least the smallest delay
there plus the smallest delay back: nothing tighter is known, so nothing tighter is claimed.

Evidence from another instant is widened by the greatest rate at which two clocks may part
(``drift_ppm``): the one assumption here, see ``config/clocks.json``. A clock that is stepped or
frozen (a suspended machine), or stamps that are invented, show as an empty interval: then there is
no offset, and no one-way figure.
"""

from dataclasses import dataclass
from typing import Final

_PARTS: Final = 1_000_000
_KEEP: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetBound:
    """Our clock minus theirs lies in ``[low_ns, high_ns]`` during the whole window asked for."""

    low_ns: int
    high_ns: int

    @property
    def width_ns(self) -> int:
        """How much is not known."""
        return self.high_ns - self.low_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEstimate:
    """What is known about a foreign clock, for people.

    Attributes:
        at_ns: the instant, on our clock, at which the interval is narrowest.
        bound: the offset there.
        drift_low_ppm: their clock gains at least this on ours, mean of the window, parts per
            million; the assumed bound if the window is too short to tell more.
        drift_high_ppm: at most this.
    """

    at_ns: int
    bound: OffsetBound
    drift_low_ppm: float
    drift_high_ppm: float


class _Ceiling:
    """Upper bounds, each exact at one instant: the lowest of them, widened by drift, holds.

    Bounded: at most 128 pieces of evidence are kept. Leaving one out only widens the interval.
    """

    def __init__(self, drift_ppm: int) -> None:
        self._drift_ppm = drift_ppm
        self._evidence: list[tuple[int, int]] = []  # (instant on our clock, bound at it)

    def add(self, at_ns: int, bound_ns: int) -> None:
        if any(b + self._drift(at_ns - s) <= bound_ns for s, b in self._evidence):
            return
        self._evidence = [
            (s, b) for s, b in self._evidence if bound_ns + self._drift(at_ns - s) > b
        ]
        self._evidence.append((at_ns, bound_ns))
        if len(self._evidence) > _KEEP:
            self._evidence.sort()
            halves = zip(self._evidence[::2], self._evidence[1::2], strict=False)
            tail = self._evidence[-1:] if len(self._evidence) % 2 else []
            self._evidence = [min(pair, key=lambda item: item[1]) for pair in halves] + tail

    def over(self, from_ns: int, to_ns: int) -> int | None:
        """A bound that holds at every instant of the window; None without evidence."""
        return min(
            (b + self._drift(max(abs(from_ns - s), abs(to_ns - s))) for s, b in self._evidence),
            default=None,
        )

    def instants(self, from_ns: int, to_ns: int) -> list[int]:
        """When there is evidence within the window."""
        return [at_ns for at_ns, _ in self._evidence if from_ns <= at_ns <= to_ns]

    def _drift(self, distance_ns: int) -> int:
        return -(-abs(distance_ns) * self._drift_ppm // _PARTS)


class OffsetEstimator:
    """Collects evidence about one foreign clock.

    Args:
        drift_ppm: greatest relative rate of the two clocks, parts per million, at least 0.
    """

    def __init__(self, *, drift_ppm: int) -> None:
        if drift_ppm < 0:
            raise ValueError(f"drift_ppm must be at least 0, not {drift_ppm}")
        self._drift_ppm = drift_ppm
        self._high = _Ceiling(drift_ppm)
        self._low = _Ceiling(drift_ppm)  # of the negated offset

    def reached_us(self, *, theirs_ns: int, ours_ns: int) -> None:
        """They stamped ``theirs_ns``, then something of theirs reached us at ``ours_ns``.

        Request: ``t1`` and ``t2``. Receipt: its last stamp and its arrival.
        """
        self._high.add(ours_ns, ours_ns - theirs_ns)

    def reached_them(self, *, ours_ns: int, theirs_ns: int) -> None:
        """We stamped ``ours_ns``, then something of ours reached them at ``theirs_ns``.

        Response: ``t3`` and ``t4``. Alert: ``sent`` and ``received``.
        """
        self._low.add(ours_ns, theirs_ns - ours_ns)

    def over(self, from_ns: int, to_ns: int) -> OffsetBound | None:
        """The offset during a window of our clock.

        Args:
            from_ns: start of the window on our clock.
            to_ns: end of the window, not before its start.

        Returns:
            None while one side has no evidence, or if the evidence contradicts itself (a clock was
            stepped, or the stamps are not of a monotonic clock).
        """
        high, low = self._high.over(from_ns, to_ns), self._low.over(from_ns, to_ns)
        if high is None or low is None or -low > high:
            return None
        return OffsetBound(low_ns=-low, high_ns=high)

    def estimate(self, from_ns: int, to_ns: int) -> ClockEstimate | None:
        """The narrowest interval within a window, and how fast the clocks part.

        The mean rate between two instants follows from the intervals at both, whatever happened in
        between.

        Args:
            from_ns: start of the window on our clock.
            to_ns: end of the window, not before its start.

        Returns:
            None where :meth:`over` knows nothing.
        """
        best = self._narrowest(from_ns, to_ns)
        if best is None:
            return None
        low_ppm, high_ppm = float(-self._drift_ppm), float(self._drift_ppm)
        middle_ns = (from_ns + to_ns) // 2
        early = self._narrowest(from_ns, middle_ns)
        late = self._narrowest(middle_ns, to_ns)
        if early and late and late[0] > early[0]:
            passed_ns = late[0] - early[0]
            # Theirs gains what the offset loses; clocks count whole ns: one is lost at either end.
            gained_least = early[1].low_ns - late[1].high_ns - 2
            gained_most = early[1].high_ns - late[1].low_ns + 2
            low_ppm = max(low_ppm, gained_least * _PARTS / passed_ns)
            high_ppm = min(high_ppm, gained_most * _PARTS / passed_ns)
        return ClockEstimate(
            at_ns=best[0], bound=best[1], drift_low_ppm=low_ppm, drift_high_ppm=high_ppm
        )

    def _narrowest(self, from_ns: int, to_ns: int) -> tuple[int, OffsetBound] | None:
        found: tuple[int, OffsetBound] | None = None
        instants = {*self._high.instants(from_ns, to_ns), *self._low.instants(from_ns, to_ns)}
        for at_ns in sorted(instants | {from_ns, to_ns}):
            bound = self.over(at_ns, at_ns)
            if bound is not None and (found is None or bound.width_ns < found[1].width_ns):
                found = at_ns, bound
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A foreign reception placed on our clock.

    Attributes:
        received_ns: the latest instant it can have been, on our clock.
        uncertainty_ns: the true instant lies in ``[received_ns - uncertainty_ns, received_ns]``.
        handled_ns: ``received_ns`` plus the time their clock counted until it was handled.
    """

    received_ns: int
    uncertainty_ns: int
    handled_ns: int


def place(
    bound: OffsetBound, *, received_ns: int, handled_ns: int, sent_ns: int, arrival_ns: int
) -> Placed | None:
    """Place a receipt's stamps on our clock.

    The reception also lies between our sending and the arrival of its receipt, whatever the
    offset: the interval is cut accordingly.

    Args:
        bound: offset over the window from ``sent_ns`` to ``arrival_ns``.
        received_ns: their stamp of the reception.
        handled_ns: their stamp of the handling, not before ``received_ns``.
        sent_ns: our stamp of the alert's sending.
        arrival_ns: our stamp of the receipt's arrival.

    Returns:
        None if nothing is left: the stamps contradict what must have happened.
    """
    earliest = max(sent_ns, received_ns + bound.low_ns)
    latest = min(arrival_ns, received_ns + bound.high_ns)
    if earliest > latest:
        return None
    return Placed(
        received_ns=latest,
        uncertainty_ns=latest - earliest,
        handled_ns=latest + (handled_ns - received_ns),
    )
