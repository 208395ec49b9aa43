"""The live progress display of a run, on standard error.

Rule of the module: a display for a terminal, a few plain lines where there is none; never on
standard output, so that ``--json`` stays clean.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.measure.plan import ScheduledAlert
from simulator.run.observer import Counts, Silent

if TYPE_CHECKING:
    from rich.progress import TaskID


class Lines(Silent):
    """One line a phase: for logs, pipes and continuous integration."""

    def phase(self, name: str, detail: str = "") -> None:
        """Print the phase."""
        sys.stderr.write(f"{name}: {detail}\n" if detail else f"{name}\n")
        sys.stderr.flush()

    def broker(self, addresses: dict[str, str]) -> None:
        """Print the addresses, so that a foreign client can connect."""
        for version, address in addresses.items():
            self.phase("broker", f"{address} (MQTT {version})")

    def counts(self, counts: Counts) -> None:
        """Too many to print."""

    def sent(self, alert: ScheduledAlert, sent_ns: int) -> None:
        """Print the alert that left."""
        del sent_ns
        planned = alert.planned
        self.phase("sent", f"【訓練】 EXERCISE {planned.event} to {planned.prefecture}")

    def directory(self, path: Path) -> None:
        """Print where the run is written."""
        self.phase("writing", str(path))

    def close(self) -> None:
        """Nothing to take down."""


class Bars(Silent):
    """Progress bars in a terminal: subscriptions, alerts, deliveries."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress: Progress = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=False,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def phase(self, name: str, detail: str = "") -> None:
        """Show the phase above the bars."""
        self._progress.console.print(
            f"{name}: {detail}" if detail else name, markup=False, highlight=False
        )

    def broker(self, addresses: dict[str, str]) -> None:
        """Show the addresses first, so that a foreign client can connect."""
        for version, address in addresses.items():
            self.phase("broker", f"{address} (MQTT {version})")

    def counts(self, counts: Counts) -> None:
        """Move the bars."""
        self._bar("subscriptions", counts.subscribed, counts.subscribers)
        if counts.alerts:
            self._bar("alerts sent", counts.sent, counts.alerts)
        if counts.owed:
            self._bar("deliveries", counts.delivered, counts.owed)

    def sent(self, alert: ScheduledAlert, sent_ns: int) -> None:
        """Name the latest alert beside its bar."""
        del sent_ns
        planned = alert.planned
        if "alerts sent" in self._tasks:
            self._progress.update(
                self._tasks["alerts sent"],
                note=f"【訓練】 EXERCISE {planned.event} → {planned.prefecture}",
            )

    def directory(self, path: Path) -> None:
        """Show where the run is written."""
        self.phase("writing", str(path))

    def close(self) -> None:
        """Take the display down, leaving its last state."""
        self._progress.stop()

    def _bar(self, name: str, done: int, total: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total, note="")
        self._progress.update(self._tasks[name], completed=done, total=total)
