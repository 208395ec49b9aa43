"""What a run tells whoever watches it: the command line's progress display, a test, a service.

Rule of the module: plain records and a protocol; the run never waits for its observer.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from simulator.measure.plan import ScheduledAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How far a run is.

    Attributes:
        subscribed: subscribers whose every subscription is acknowledged.
        subscribers: subscribers planned.
        sent: alerts written to the broker.
        alerts: alerts planned.
        delivered: first copies seen.
        owed: first copies expected in the whole run.
    """

    subscribed: int = 0
    subscribers: int = 0
    sent: int = 0
    alerts: int = 0
    delivered: int = 0
    owed: int = 0


class Log(Protocol):
    """The part of a structlog logger that is used here."""

    def info(self, event: str, /, **values: object) -> object:
        """Write an entry of the ordinary course."""
        ...


class Observer(Protocol):
    """Hears of a run's progress. Every method returns at once."""

    def phase(self, name: str, detail: str = "") -> None:
        """A phase of the run began, such as ``connect``, ``probe`` or ``publish``."""
        ...

    def broker(self, addresses: dict[str, str]) -> None:
        """The broker is up; addresses by MQTT version, as URLs."""
        ...

    def counts(self, counts: Counts) -> None:
        """Progress, a few times a second at most."""
        ...

    def sent(self, alert: ScheduledAlert) -> None:
        """An alert was sent."""
        ...

    def directory(self, path: Path) -> None:
        """The run directory exists."""
        ...


class Logged:
    """Writes a log entry for what it hears, then tells the next observer.

    Args:
        following: who else hears it.
        log: a structlog logger.
    """

    def __init__(self, following: Observer, log: Log) -> None:
        self._next = following
        self._log = log

    def phase(self, name: str, detail: str = "") -> None:
        """An entry at info."""
        self._log.info("phase", phase=name, detail=detail)
        self._next.phase(name, detail)

    def broker(self, addresses: dict[str, str]) -> None:
        """An entry at info."""
        self._log.info("broker is up", addresses=addresses)
        self._next.broker(addresses)

    def counts(self, counts: Counts) -> None:
        """Progress is no event."""
        self._next.counts(counts)

    def sent(self, alert: ScheduledAlert) -> None:
        """An entry at info."""
        self._log.info("alert sent", identifier=alert.identifier, topic=alert.topic)
        self._next.sent(alert)

    def directory(self, path: Path) -> None:
        """An entry at info."""
        self._log.info("run directory made", path=str(path))
        self._next.directory(path)


class Silent:
    """An observer that hears nothing."""

    def phase(self, name: str, detail: str = "") -> None:
        """Nothing."""

    def broker(self, addresses: dict[str, str]) -> None:
        """Nothing."""

    def counts(self, counts: Counts) -> None:
        """Nothing."""

    def sent(self, alert: ScheduledAlert) -> None:
        """Nothing."""

    def directory(self, path: Path) -> None:
        """Nothing."""
