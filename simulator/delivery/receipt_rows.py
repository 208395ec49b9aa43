"""From receipts that foreign clients report to rows for the ledger.

Rule of the module: pure bookkeeping. A receipt becomes a row in one of three ways:

- its clock domain is ours: its own stamps, once the publisher's stamp is known;
- its clock is another one: its stamps placed on our clock with their uncertainty, when the run
  settles and all evidence about that clock is in (:mod:`simulator.measure.offsets`), unless that
  uncertainty is beyond a limit;
- it has no comparable stamps, or its stamps contradict what must have happened: the arrival of the
  receipt, flagged ``ROUND_TRIP``; the reception lies between our sending and that arrival.

No row lies before its alert was sent: a receipt that reached us earlier is invented, and refused.
So is one of an alert of which nobody can say that it was sent: neither the publisher nor a
subscriber of our own.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from simulator.alerts.contract import ClockRequest, ReceiptPayload
from simulator.measure.offsets import OffsetEstimator, place
from simulator.measure.receipts import UNKNOWN, ReceiptBatch, ReceiptFlag

MAX_PENDING: Final = 200_000
"""Receipts kept between two takes, and until the run settles; more are counted and dropped."""

_DOMAINS_PER_CLIENT: Final = 4

Row = tuple[int, int, int, int, int, int]


@dataclass(slots=True, kw_only=True)
class Reporter:
    """A client that reports receipts.

    Attributes:
        client: its MQTT client id.
        number: its subscriber number in the ledger.
        joined_ns: when it registered; alerts sent before are not owed to it.
        returned: whether it came back to a persistent session.
        offsets: what is known about its clocks, by domain.
        answered: number and t3 of the last clock request answered.
        one_way: receipts placed on our clock.
        beyond: receipts whose uncertainty was beyond the limit.
        reported: receipts of known alerts, second copies included.
    """

    client: str
    number: int
    joined_ns: int = 0
    returned: bool = False
    offsets: dict[str, OffsetEstimator] = field(default_factory=dict)
    answered: tuple[int, int] | None = None
    one_way: int = 0
    beyond: int = 0
    reported: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A receipt on its way to a row; ``clock`` is empty if its stamps cannot be compared."""

    reporter: Reporter
    number: int
    alert: int
    identifier: str
    clock: str
    received_ns: int
    handled_ns: int
    at_ns: int
    flags: int


class ReceiptRows:
    """Turns receipts into rows.

    Args:
        domain: our clock domain.
        drift_ppm: greatest relative rate of two clocks.
        bound_limit_ns: largest uncertainty with which another clock's stamp is a one-way figure.
        refuse: called with a reason and an example for whatever is not believed.
    """

    def __init__(
        self,
        *,
        domain: str,
        drift_ppm: int,
        bound_limit_ns: int,
        refuse: Callable[[str, str], None],
    ) -> None:
        self._domain = domain
        self._drift_ppm = drift_ppm
        self._bound_limit_ns = bound_limit_ns
        self._refuse = refuse
        self._sent: dict[int, int] = {}
        self._rows: list[Row] = []
        self._waiting: list[_Pending] = []
        self._estimated: list[_Pending] = []
        self.count = 0

    @property
    def held(self) -> int:
        """Deliveries owed and reported that become rows only in :meth:`settle`."""
        return len(
            {
                (pending.number, pending.alert)
                for pending in self._estimated
                if self._sent.get(pending.alert, 0) >= pending.reporter.joined_ns
            }
        )

    def note_sent(self, alert: int, sent_ns: int) -> None:
        """The publisher's stamp of one alert: no reception can lie before it."""
        self._sent.setdefault(alert, sent_ns)

    def add(self, reporter: Reporter, receipt: ReceiptPayload, *, alert: int, at_ns: int) -> None:
        """Take in one receipt.

        Args:
            reporter: who reports.
            receipt: what it reports.
            alert: number of the alert it names; UNKNOWN if there is none of that id.
            at_ns: when the receipt reached us.
        """
        if len(self._rows) + len(self._waiting) + len(self._estimated) >= MAX_PENDING:
            self._refuse("receipts beyond the limit", reporter.client)
            return
        self.count += 1
        reporter.reported += alert != UNKNOWN
        received_ns = receipt.received_ns or 0
        pending = _Pending(
            reporter=reporter,
            number=reporter.number,
            alert=alert,
            identifier=receipt.id,
            clock=self._comparable(reporter, receipt) if alert != UNKNOWN else "",
            received_ns=received_ns,
            handled_ns=received_ns if receipt.handled_ns is None else receipt.handled_ns,
            at_ns=at_ns,
            flags=_flags(receipt, returned=reporter.returned, foreign=alert == UNKNOWN),
        )
        if alert == UNKNOWN:
            self._rows.append(self._round_trip(pending))
        elif pending.clock in {"", self._domain}:
            self._waiting.append(pending)
        else:
            offsets = reporter.offsets[pending.clock]
            offsets.reached_us(theirs_ns=pending.handled_ns, ours_ns=at_ns)
            self._estimated.append(pending)

    def hear_request(
        self, reporter: Reporter, clock: str, request: ClockRequest, *, t2_ns: int, t3_ns: int
    ) -> None:
        """Keep what a clock request tells about the client's clock.

        Args:
            reporter: who asks.
            clock: its clock domain.
            request: what it sent.
            t2_ns: when the request reached us.
            t3_ns: immediately before we answer it.
        """
        offsets = None if clock == self._domain else self._offsets(reporter, clock)
        if offsets is None:
            return
        offsets.reached_us(theirs_ns=request.t1_ns, ours_ns=t2_ns)
        number, answered_ns = reporter.answered or (-1, 0)
        if request.t4_ns is not None and reporter.answered and number == request.n - 1:
            offsets.reached_them(ours_ns=answered_ns, theirs_ns=request.t4_ns)
        if number != request.n:  # of a repeated request, the first answer may be the one it means
            reporter.answered = (request.n, t3_ns)

    def take(self) -> ReceiptBatch:
        """Rows that became final since the last call.

        A receipt by MQTT may overtake the publisher's stamp in its pipe, so all of them wait for
        it; those of another clock wait for :meth:`settle`.
        """
        still: list[_Pending] = []
        for pending in self._waiting:
            if pending.alert in self._sent:
                self._finish(pending)
            else:
                still.append(pending)
        self._waiting = still
        return self._flush()

    def settle(self, proved: Collection[int] = ()) -> ReceiptBatch:
        """The rest, at the end, when every ``sent`` stamp that will come has come.

        Args:
            proved: alerts that somebody of our own received: they were sent, stamp or not.
        """
        for pending in self._estimated:
            sent_ns = self._sent.get(pending.alert)
            if sent_ns is not None and pending.at_ns >= sent_ns:
                offsets = pending.reporter.offsets[pending.clock]
                offsets.reached_them(ours_ns=sent_ns, theirs_ns=pending.received_ns)
        for pending in (*self._estimated, *self._waiting):
            if pending.alert in self._sent or pending.alert in proved:
                self._finish(pending)
            else:
                self._refuse("receipt of an alert not known to be sent", _example(pending))
        self._estimated, self._waiting = [], []
        return self._flush()

    def _flush(self) -> ReceiptBatch:
        rows, self._rows = self._rows, []
        return ReceiptBatch.from_rows(rows)

    def _finish(self, pending: _Pending) -> None:
        """Make it a row, if it is possible at all."""
        if pending.at_ns < self._sent.get(pending.alert, pending.at_ns):
            self._refuse("receipt before its alert was sent", _example(pending))
        elif not pending.clock:
            self._rows.append(self._round_trip(pending))
        elif pending.clock == self._domain:
            self._rows.append(self._own_clock(pending))
        else:
            self._rows.append(self._estimate(pending))

    def _own_clock(self, pending: _Pending) -> Row:
        received_ns, handled_ns = pending.received_ns, pending.handled_ns
        sent_ns = self._sent.get(pending.alert)
        if sent_ns is None:  # only that it was sent is known, not when
            return self._round_trip(pending)
        if not sent_ns <= received_ns <= handled_ns <= pending.at_ns:
            self._impossible(pending)
            return self._round_trip(pending)
        return _row(pending, received_ns, 0, handled_ns)

    def _estimate(self, pending: _Pending) -> Row:
        sent_ns = self._sent.get(pending.alert)
        if sent_ns is None:
            return self._round_trip(pending)
        window_end = max(sent_ns, pending.at_ns)
        bound = pending.reporter.offsets[pending.clock].over(sent_ns, window_end)
        placed = bound and place(
            bound,
            received_ns=pending.received_ns,
            handled_ns=pending.handled_ns,
            sent_ns=sent_ns,
            arrival_ns=pending.at_ns,
        )
        if not placed:
            self._impossible(pending)
            return self._round_trip(pending)
        if placed.uncertainty_ns > self._bound_limit_ns:
            pending.reporter.beyond += 1
            self._refuse("one-way figure: the clock's bound is too wide", _example(pending))
            return self._round_trip(pending)
        pending.reporter.one_way += 1
        return _row(pending, placed.received_ns, placed.uncertainty_ns, placed.handled_ns)

    def _round_trip(self, pending: _Pending) -> Row:
        at_ns = pending.at_ns
        uncertainty_ns = max(0, at_ns - self._sent.get(pending.alert, at_ns))
        flags = pending.flags | ReceiptFlag.ROUND_TRIP
        return (pending.number, pending.alert, at_ns, uncertainty_ns, at_ns, flags)

    def _comparable(self, reporter: Reporter, receipt: ReceiptPayload) -> str:
        """Clock domain of the receipt's stamps; empty if there is nothing to compare."""
        if receipt.received_ns is None or receipt.clock is None:
            return ""
        if receipt.clock == self._domain or self._offsets(reporter, receipt.clock):
            return receipt.clock
        return ""

    def _offsets(self, reporter: Reporter, domain: str) -> OffsetEstimator | None:
        if domain not in reporter.offsets:
            if len(reporter.offsets) >= _DOMAINS_PER_CLIENT:
                self._refuse("clock domains beyond the limit", reporter.client)
                return None
            reporter.offsets[domain] = OffsetEstimator(drift_ppm=self._drift_ppm)
        return reporter.offsets[domain]

    def _impossible(self, pending: _Pending) -> None:
        self._refuse("impossible stamp", _example(pending))


def _example(pending: _Pending) -> str:
    return f"{pending.reporter.client}: {pending.identifier}"


def _row(pending: _Pending, received_ns: int, uncertainty_ns: int, handled_ns: int) -> Row:
    flags = pending.flags | ReceiptFlag.USER_STAMP
    return (pending.number, pending.alert, received_ns, uncertainty_ns, handled_ns, flags)


def _flags(receipt: ReceiptPayload, *, returned: bool, foreign: bool) -> int:
    flags = ReceiptFlag(0)
    if receipt.retain:
        flags |= ReceiptFlag.RETAIN | ReceiptFlag.STATE  # alerts are never retained, states are
    if receipt.dup:
        flags |= ReceiptFlag.DUP
    if returned:
        flags |= ReceiptFlag.SESSION
    if foreign:
        flags |= ReceiptFlag.FOREIGN
    return int(flags)
