"""What came of a play, with assertions that say who missed what.

Rule of the module: an assertion names the receiver, the counts, the missing alerts and the likely
cause, in the words of the ledger; it never passes on nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from simulator.api import Run
from simulator.measure.summary import Counts, ForeignClient, Summary
from simulator.testing.said import SentAlert
from simulator.units import format_duration, parse_duration

_HERE: Final = ("delivered", "late", "queued")
_MOST_NAMED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A play that is over.

    Attributes:
        run: the run as a notebook sees it: summary, timeline, tables, report.
        alerts: what was sent, in order.
    """

    run: Run
    alerts: tuple[SentAlert, ...]

    @property
    def receivers(self) -> tuple[str, ...]:
        """Receivers that registered."""
        return tuple(each.client for each in self._summary.foreign_clients)

    def events(self, prefecture: str) -> list[str]:
        """What was sent to a prefecture, in order: ``["launch", "passage", "correction"]``."""
        return [alert.event for alert in self.alerts if alert.prefecture == prefecture]

    def identifiers(self, prefecture: str) -> list[str]:
        """CloudEvents ids of what was sent to a prefecture, in order."""
        return [alert.identifier for alert in self.alerts if alert.prefecture == prefecture]

    def counts(self, receiver: str) -> Counts:
        """A receiver's part of the ledger.

        Raises:
            AssertionError: if it never registered.
        """
        __tracebackhide__ = True
        return self._registered(receiver).counts

    def rows(self, receiver: str) -> list[dict[str, Any]]:
        """A receiver's rows of the table of deliveries, in order of sending."""
        __tracebackhide__ = True
        self._registered(receiver)
        table = self.run.scan_deliveries().filter(pl.col("client") == receiver)
        return table.sort("alert", nulls_last=True).collect().to_dicts()

    def assert_passed(self) -> None:
        """Every threshold was met.

        Raises:
            AssertionError: with the reason of the verdict.
        """
        __tracebackhide__ = True
        verdict = self._summary.verdict
        _check(self.run.passed, f"{verdict.outcome} (exit {verdict.exit_code}): {verdict.reason}")

    def assert_received(self, receiver: str, *, events: Sequence[str] | None = None) -> None:
        """Every alert that was owed to a receiver reached it.

        Args:
            receiver: what it is called in the ledger, its MQTT client id.
            events: look at these only: ``["launch"]``.

        Raises:
            AssertionError: with the missing ones; also if nothing was owed to it.
        """
        __tracebackhide__ = True
        said = self._registered(receiver)
        owed = [row for row in self.rows(receiver) if row["outcome"] != "unexpected"]
        if events is not None:
            owed = [row for row in owed if row["event"] in events]
        _check(
            bool(owed),
            f"receiver {receiver}: nothing was owed to it; it subscribed to "
            f"{', '.join(said.filters) or 'nothing'}; sent were {_listed(self.alerts)}",
        )
        missing = [row for row in owed if row["outcome"] not in _HERE]
        places = ", ".join(dict.fromkeys(row["prefecture"] for row in owed))
        _check(
            not missing,
            f"receiver {receiver}: {len(owed) - len(missing)} of {len(owed)} alerts for {places} "
            f"received; missing {_listed(map(_missed, missing))}",
        )

    def assert_received_once(self, receiver: str) -> None:
        """Every alert that was owed reached the receiver, and none of them twice.

        Raises:
            AssertionError: with what came more than once.
        """
        __tracebackhide__ = True
        self.assert_received(receiver)
        twice = [row for row in self.rows(receiver) if row["copies"] > 1]
        _check(
            not twice,
            f"receiver {receiver}: {len(twice)} alerts came more than once: "
            + _listed(f"{row['event']} to {row['prefecture']} {row['copies']}x" for row in twice),
        )

    def assert_nothing_unexpected(self, receiver: str | None = None) -> None:
        """No receiver (or not this one) reported what was not for it.

        Raises:
            AssertionError: with what was reported.
        """
        __tracebackhide__ = True
        for each in (receiver,) if receiver is not None else self.receivers:
            wrong = [row for row in self.rows(each) if row["outcome"] == "unexpected"]
            told = (f"{row['cause']} {row['event']} {row['prefecture']}".strip() for row in wrong)
            _check(not wrong, f"receiver {each}: {len(wrong)} unexpected: {_listed(told)}")

    def assert_within(self, receiver: str, limit: str) -> None:
        """Every alert reached the receiver within a time after it was planned to be sent.

        Where the receiver's clock is not comparable, the round trip is judged, which is longer.

        Args:
            receiver: its MQTT client id.
            limit: wall time, ``500ms``.

        Raises:
            AssertionError: with the slowest.
        """
        __tracebackhide__ = True
        self.assert_received(receiver)
        limit_ns = parse_duration(limit)
        slow: list[tuple[int, str]] = []
        for row in self.rows(receiver):
            took_ns = row["delivery_ns"] if row["delivery_ns"] is not None else row["round_trip_ns"]
            if took_ns is not None and took_ns > limit_ns:
                slow.append((took_ns, f"{row['event']} to {row['prefecture']}"))
        slow.sort(reverse=True)
        named = _listed(f"{what} after {format_duration(took)}" for took, what in slow)
        _check(
            not slow, f"receiver {receiver}: {len(slow)} alerts took longer than {limit}: {named}"
        )

    @property
    def _summary(self) -> Summary:
        if self.run.summary is None:
            raise AssertionError("a play that came to its end has a summary")
        return self.run.summary

    def _registered(self, receiver: str) -> ForeignClient:
        __tracebackhide__ = True
        for each in self._summary.foreign_clients:
            if each.client == receiver:
                return each
        refused = self._summary.instrument.overflows
        raise AssertionError(
            f"receiver {receiver} never registered; registered were "
            f"{_listed(self.receivers)}. A receiver registers with a retained status on "
            f"…/v1/status/{receiver}, or let alertsim.stand_in speak for it"
            + (f"; refused were {refused}" if refused else "")
        )


def _missed(row: dict[str, Any]) -> str:
    why = f"{row['outcome']}: {row['cause']}" if row["cause"] else row["outcome"]
    return f"{row['event']} to {row['prefecture']} ({why}, {row['identifier']})"


def _listed(things: Iterable[object]) -> str:
    named = [str(thing) for thing in things]
    more = len(named) - _MOST_NAMED
    text = "; ".join(named[:_MOST_NAMED]) or "none"
    return f"{text}; and {more} more" if more > 0 else text


def _check(fine: bool, message: str) -> None:
    __tracebackhide__ = True
    if not fine:
        raise AssertionError(message)
