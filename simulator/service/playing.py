"""One run that waits or plays: its record, its process, its events.

Rule of the module: an event is handed to pages as it came; a line that is none is counted and left
out. However the process ends, the record says how.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from simulator.errors import ExitCode
from simulator.service.feed import Feed
from simulator.service.fold import Event, Fold, FoldError
from simulator.service.frames import Frame, frame
from simulator.service.process import CommandProcess
from simulator.service.records import RunInfo, RunRecord, ScenarioName, State, outcome_of

Heard = Callable[[str, Event], None]


@dataclass(slots=True, kw_only=True)
class Playing:
    """A run of this service, from its order to its end.

    Attributes:
        record: what is kept of it.
        fold: its events so far, folded.
        feed: tells them to pages.
        process: its process, once it is started.
        called: its turn has come.
        stopping: somebody asked for its end.
        lost: lines that were no events.
    """

    record: RunRecord
    fold: Fold = field(default_factory=Fold)
    process: CommandProcess | None = None
    stopping: bool = False
    lost: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)
    called: bool = False
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(self._snapshot)

    def _snapshot(self) -> Frame:
        return frame("snapshot", self.fold.snapshot(), self.fold.number)

    @property
    def run(self) -> str:
        """Run id."""
        return self.record.run

    @property
    def state(self) -> State:
        """As the service shows it, while there is no directory that says more."""
        if self.record.state == "ended":
            return unplayed(self.record)
        if self.stopping:
            return "stopping"
        if not self.called:
            return "queued"
        return "starting" if self.fold.last("begun") is None else "running"

    def hear(self, line: bytes) -> Event | None:
        """Take a line of the process; the event, or None if it is none."""
        try:
            event = self.fold.add(line)
        except FoldError as error:
            self.lost += 1
            if self.lost == 1:
                structlog.get_logger().warning("no event", run=self.run, reason=str(error))
            return None
        self.feed.publish(frame(event["type"], line, event["n"]))
        return event

    def tell_end(self, exit_code: int, reason: str) -> None:
        """Tell pages an end that the process did not live to tell."""
        if self.fold.last("end") is not None:
            return
        end: dict[str, Any] = {
            "type": "end",
            "n": self.fold.number + 1,
            "exit_code": exit_code,
            "outcome": outcome_of(exit_code),
            "reason": reason,
            "sentence": "",
            "directory": None,
            "report": None,
            "ledger": None,
        }
        self.hear(_dumped(end))

    def info(self, *, waiting: int | None = None) -> RunInfo:
        """As the service shows it."""
        return info_of(self.record, self.state, waiting=waiting)


def unplayed(record: RunRecord) -> State:
    """State of a run that ended and left no directory: it was stopped, or it failed."""
    return "incomplete" if record.exit_code == ExitCode.ABORTED else "failed"


def laid_over(found: RunInfo, record: RunRecord) -> RunInfo:
    """What a directory says of a run of this service, with what only the record knows."""
    code = record.exit_code if found.exit_code is None else found.exit_code
    return found.model_copy(
        update={
            "name": record.order.name,
            "created": record.created,
            "ended": found.ended or record.ended,
            "sentence": record.sentence,
            "reason": record.reason or found.reason,
            "exit_code": code,
            "outcome": outcome_of(code),
            "root": found.root or record.root,
        }
    )


def info_of(record: RunRecord, state: State, *, waiting: int | None = None) -> RunInfo:
    """A run of which there is only the record."""
    order = record.order
    return RunInfo(
        run=record.run,
        name=order.name,
        state=state,
        outcome=outcome_of(record.exit_code),
        exit_code=record.exit_code,
        reason=record.reason,
        sentence=record.sentence,
        scenario=ScenarioName(id=record.scenario, title=record.title),
        speed=order.speed,
        subscribers=order.subscribers,
        seed=order.seed,
        repeat=order.repeat,
        root=record.root,
        created=record.created,
        started=record.started,
        ended=record.ended,
        waiting=waiting,
    )


def _dumped(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
