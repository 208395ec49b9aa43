"""The service as one object: store, broker, runs, what is told, and the parts that hook in.

Rule of the module: composition and life only. It starts what it holds in order and ends it in the
opposite one; a part (schedules, metrics, retention, experiments) adds routes, hears live events,
and is started and ended with the rest.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import structlog
from fastapi import APIRouter

from simulator.clock import Clock, SystemClock
from simulator.run.provenance import alertsim_version
from simulator.service.broker import BrokerKeeper
from simulator.service.feed import Feed
from simulator.service.fold import Fold
from simulator.service.frames import Frame, frame
from simulator.service.options import ServiceOptions
from simulator.service.problems import ProblemError
from simulator.service.records import RunInfo
from simulator.service.retention import RetentionInfo
from simulator.service.runs import Runs
from simulator.service.store import Store


class Part(Protocol):
    """Something beside the core of the service."""

    def routers(self) -> Sequence[APIRouter]:
        """Its routes; asked for once, before the start."""
        ...

    async def start(self) -> None:
        """The store is open, the broker up, runs can be ordered."""
        ...

    async def stop(self) -> None:
        """The service ends; the other parts and the runs end at the same time."""
        ...

    def kill(self) -> None:
        """Whatever of it still plays ends at once."""
        ...


class Service:
    """Everything behind the routes.

    Args:
        options: how it is set up.
        clock: where time comes from.

    Attributes:
        store: run directories and the service's own files.
        broker: that runs publish to.
        runs: queued, playing, kept.
        news: told to every page that lists runs.
        parts: what hooked in; see :meth:`add`.
        retention: what the store holds, as the part that keeps it within its bounds tells it.
        more_feeds: what pages listen to beside news and runs; parts add theirs.
    """

    def __init__(self, options: ServiceOptions, clock: Clock | None = None) -> None:
        self.options = options
        self.clock = clock or SystemClock()
        self.version = alertsim_version()
        self.started_ns, self.begun_ns = self.clock.wall_ns(), self.clock.monotonic_ns()
        self.store = Store(options.store, self.clock)
        self.broker = BrokerKeeper(options.broker, self.clock, self._broker_changed)
        self.runs = Runs(options, self.store, self.broker, self.clock, self._run_changed)
        self.news = Feed(self._hello, keep=0)
        self.parts: list[Part] = []
        self.retention: Callable[[], RetentionInfo | None] = lambda: None
        self.more_feeds: list[Callable[[], list[Feed]]] = []
        self._untold: dict[str, None] = {}
        self._telling: asyncio.Task[None] | None = None

    def add(self, part: Part) -> None:
        """Let a part hook in, before the app is made."""
        self.parts.append(part)

    async def start(self) -> None:
        """Open the store, bring the broker up, take up the queue, start the parts.

        Raises:
            AlertsimError: if any of it fails; what was started is ended.
        """
        self.store.open()
        try:
            await self.broker.start()
            await self.runs.start()
            for part in self.parts:
                await part.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End what plays, all of it at the same time, then the broker; what fails is logged."""
        self.close_feeds()
        # In this order they are asked, so that schedules start nothing that runs then refuse.
        stops = [*(part.stop for part in reversed(self.parts)), self.runs.stop]
        await asyncio.gather(*map(_ended, stops))
        await _ended(self.broker.stop)
        self.store.close()

    def kill(self) -> None:
        """End what plays at once: somebody asked for the end a second time."""
        self.runs.kill()
        for part in self.parts:
            part.kill()

    def feeds(self) -> list[Feed]:
        """Everything that pages listen to."""
        more = (each for feeds in self.more_feeds for each in feeds())
        return [self.news, *self.runs.feeds(), *more]

    def close_feeds(self) -> None:
        """Let every page go."""
        for feed in self.feeds():
            feed.close()

    def tell(self, kind: str, document: Any) -> None:  # noqa: ANN401  # any JSON
        """Tell every page that lists runs: one word, and something that JSON can say."""
        text = json.dumps({"type": kind} | document, ensure_ascii=False, separators=(",", ":"))
        self.news.publish(frame(kind, text.encode()))

    async def run_snapshot(self, info: RunInfo) -> Frame:
        """What pages were told of a run that is over; of one that told nothing, how it ended."""
        kept = await asyncio.to_thread(self.store.snapshot, info.run)
        if kept is not None:
            return frame("snapshot", kept[1], kept[0], last=True)
        fold = Fold()
        if info.exit_code is not None or info.state == "incomplete":
            end = {
                "type": "end",
                "n": 1,
                "exit_code": info.exit_code,
                "outcome": info.outcome or "error",
                "reason": info.reason,
                "sentence": info.sentence,
                "directory": None,
                "report": None,
                "ledger": None,
            }
            fold.add(json.dumps(end, ensure_ascii=False).encode())
        return frame("snapshot", fold.snapshot(), fold.number, last=True)

    def _hello(self) -> Frame:
        """The first word, and the one after a gap: whoever hears it lists the runs anew."""
        return frame("hello", b'{"type":"hello","exercise":true}')

    def _broker_changed(self) -> None:
        self.tell("broker", {"broker": self.broker.info().model_dump(mode="json")})
        self.runs.pump()

    def _run_changed(self, run: str) -> None:
        self._untold[run] = None
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_runs(), name="news")

    async def _tell_runs(self) -> None:
        # One after the other: what is told last is what is so.
        while self._untold:
            run = next(iter(self._untold))
            del self._untold[run]
            await self._tell_run(run)

    async def _tell_run(self, run: str) -> None:
        try:
            info = await self.runs.info(run)
        except ProblemError:
            self.tell("deleted", {"run": run})
        except Exception as error:  # noqa: BLE001  # the news of others are told all the same
            structlog.get_logger().error("a run cannot be told of", run=run, reason=repr(error))
        else:
            self.tell("run", {"run": info.model_dump(mode="json")})


async def _ended(stop: Callable[[], Awaitable[None]]) -> None:
    try:
        await stop()
    except Exception as error:  # noqa: BLE001  # the others must end all the same
        structlog.get_logger().error("something does not end", reason=repr(error))
