"""One experiment that waits or plays: its record, its process, who looks on.

Rule of the module: it is asked to end once, and ended by force if it does not hear.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from simulator.service.experiments_model import ExperimentRecord, State
from simulator.service.experiments_said import STOPPED, WHOLE
from simulator.service.feed import Feed
from simulator.service.frames import Frame
from simulator.service.process import CommandProcess

GRACE_S: Final = 20.0


@dataclass(slots=True, kw_only=True)
class Live:
    """An experiment that waits or plays.

    Attributes:
        record: what is kept of it.
        snapshot: one frame that says everything so far.
        process: its process, once it is started.
        stopping: somebody asked for its end.
        ending: asks its process for the end, then insists.
        number: of the last frame that was told.
        feed: tells it to pages.
    """

    record: ExperimentRecord
    snapshot: Callable[[], Frame]
    process: CommandProcess | None = None
    stopping: bool = False
    ending: asyncio.Task[int] | None = None
    number: int = 0
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(self.snapshot)

    def insist(self) -> None:
        """End its process in order, and by force if it does not hear: what is finished is kept."""
        if self.process is not None and self.ending is None:
            self.ending = asyncio.create_task(self.process.stop(GRACE_S), name="stop experiment")

    def kill(self) -> None:
        """End its process at once."""
        self.stopping = True
        if self.process is not None:
            self.process.kill()


def state_of(record: ExperimentRecord, *, stopping: bool) -> State:
    """As the service shows it."""
    if record.state == "queued":
        return "queued"
    if record.state == "started":
        return "stopping" if stopping else "running"
    if record.exit_code in WHOLE:
        return "complete"
    return "incomplete" if record.exit_code == STOPPED else "failed"
