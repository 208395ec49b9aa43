"""Single losses and returns of subscribers in the structured log.

Rule of the module: bounded. A broker that drops ten thousand connections writes a few hundred
lines and one that says how many more there were; the ledger has them all.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from simulator.measure.plan import PlannedSubscriber
from simulator.measure.receipts import ConnectionChange, ConnectionEvent
from simulator.run.observer import Log
from simulator.units import NS_PER_MS

MOST_LINES: Final = 100  # of each kind


class Journal:
    """Writes what happens to connections.

    Args:
        log: a structlog logger.
        bound: lines of each kind at most, so that planned leaves do not hide a loss.
    """

    def __init__(self, log: Log, bound: int = MOST_LINES) -> None:
        self._log = log
        self._bound = bound
        self._lines: Counter[str] = Counter()
        self._away: dict[int, int] = {}

    @property
    def left_out(self) -> int:
        """Changes that were not written."""
        return sum(max(0, lines - self._bound) for lines in self._lines.values())

    def note(self, event: ConnectionEvent, subscribers: Sequence[PlannedSubscriber]) -> None:
        """Write a loss, a planned leave, or a return; the first connection is no event."""
        number = event.subscriber
        client = subscribers[number].client if 0 <= number < len(subscribers) else str(number)
        match event.change:
            case ConnectionChange.CLOSED:
                self._away[number] = event.at_ns
                self._write("connection lost", client=client, reason=event.reason)
            case ConnectionChange.OFFLINE:
                self._away[number] = event.at_ns
                self._write("connection closed by plan", client=client)
            case ConnectionChange.SUBSCRIBED if number in self._away:
                away_ns = event.at_ns - self._away.pop(number)
                self._write("connection is back", client=client, away_ms=away_ns // NS_PER_MS)

    def close(self) -> None:
        """Say how much was left out."""
        if self.left_out:
            self._log.info("further connection changes were not logged", count=self.left_out)

    def _write(self, event: str, **values: object) -> None:
        self._lines[event] += 1
        if self._lines[event] <= self._bound:
            self._log.info(event, **values)
