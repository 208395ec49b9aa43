"""What a run tells whoever watches it: the command line's progress display, a test, a service.

Rule of the module: plain records and a protocol; the run never waits for its observer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from simulator.measure.plan import ScheduledAlert
from simulator.measure.running import Running
from simulator.model.timeline import Timeline
from simulator.run.request import RunRequest, RunResult


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A foreign client as a watcher sees it.

    Attributes:
        client: its MQTT client id.
        online: by its own status.
        received: receipts that it reported.
        last_ns: latency of the last, wall ns; None if none is comparable.
        worst_ns: the longest, wall ns; None if none is comparable.
    """

    client: str
    online: bool
    received: int
    last_ns: int | None
    worst_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A look at a run that goes on.

    Attributes:
        running: deliveries so far; None before the first alert is planned on the wall clock.
        clients: foreign clients.
        reconnects: connections of our own subscribers that were not their first.
    """

    running: Running | None
    clients: tuple[Watched, ...]
    reconnects: int


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

    def sent(self, alert: ScheduledAlert, sent_ns: int) -> None:
        """An alert was written to the broker at this instant, monotonic ns."""
        ...

    def directory(self, path: Path) -> None:
        """The run directory exists."""
        ...

    def planned(self, request: RunRequest, timeline: Timeline) -> None:
        """The model was played; this is what will be sent."""
        ...

    def begun(self, start_unix_ns: int, schedule: tuple[ScheduledAlert, ...]) -> None:
        """Everybody is subscribed; the first alert is intended at this wall time, Unix ns."""
        ...

    def look(self, view: Callable[[], View]) -> None:
        """A few times a second; whoever wants to see more than counts calls ``view``."""
        ...

    def ended(self, result: RunResult) -> None:
        """The run is over and written."""
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

    def sent(self, alert: ScheduledAlert, sent_ns: int) -> None:
        """An entry at info."""
        self._log.info("alert sent", identifier=alert.identifier, topic=alert.topic)
        self._next.sent(alert, sent_ns)

    def directory(self, path: Path) -> None:
        """An entry at info."""
        self._log.info("run directory made", path=str(path))
        self._next.directory(path)

    def planned(self, request: RunRequest, timeline: Timeline) -> None:
        """The plan stands in the run directory."""
        self._next.planned(request, timeline)

    def begun(self, start_unix_ns: int, schedule: tuple[ScheduledAlert, ...]) -> None:
        """An entry at info."""
        self._log.info("sending begins", alerts=len(schedule), start_unix_ns=start_unix_ns)
        self._next.begun(start_unix_ns, schedule)

    def look(self, view: Callable[[], View]) -> None:
        """Progress is no event."""
        self._next.look(view)

    def ended(self, result: RunResult) -> None:
        """Logged by whoever plays."""
        self._next.ended(result)


class Silent:
    """An observer that hears nothing; others leave out what they do not care for."""

    def phase(self, name: str, detail: str = "") -> None:
        """Nothing."""

    def broker(self, addresses: dict[str, str]) -> None:
        """Nothing."""

    def counts(self, counts: Counts) -> None:
        """Nothing."""

    def sent(self, alert: ScheduledAlert, sent_ns: int) -> None:
        """Nothing."""

    def directory(self, path: Path) -> None:
        """Nothing."""

    def planned(self, request: RunRequest, timeline: Timeline) -> None:
        """Nothing."""

    def begun(self, start_unix_ns: int, schedule: tuple[ScheduledAlert, ...]) -> None:
        """Nothing."""

    def look(self, view: Callable[[], View]) -> None:
        """Nothing."""

    def ended(self, result: RunResult) -> None:
        """Nothing."""
