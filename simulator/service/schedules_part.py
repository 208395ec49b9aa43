"""Schedules as a part of the service: a keeper over its runs, and routes over the keeper.

Rule of the module: wiring only.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from fastapi import APIRouter
from pydantic import ValidationError

from simulator.errors import ConfigurationError
from simulator.resources import scenario_names
from simulator.service.options import ServiceOptions
from simulator.service.orders import RunOrder, check_order
from simulator.service.scenarios import check_text, shipped_scenario
from simulator.service.schedules import LOOP_NAME, Keeper
from simulator.service.schedules_model import Schedule, described
from simulator.service.schedules_routes import router
from simulator.service.schedules_store import ScheduleStore
from simulator.service.schedules_times import Skip
from simulator.service.service import Service

_FAILED = frozenset({104, 106, 107})


class _Runs:
    """The service's runs as schedules need them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def check(self, order: RunOrder) -> None:
        check_order(order, self._service.options.max_subscribers)
        if order.scenario_yaml is None:
            await asyncio.to_thread(shipped_scenario, order.scenario or "")
        else:
            await asyncio.to_thread(check_text, order.scenario_yaml)

    async def start(self, order: RunOrder, schedule: str) -> str:
        named = order if order.name else order.model_copy(update={"name": schedule})
        return (await self._service.runs.order(named)).run

    def plays(self, run: str) -> bool:
        found = self._service.runs.playing(run)
        return found is not None and found.record.state != "ended"

    def failed(self, run: str) -> bool:
        found = self._service.runs.playing(run)
        return found is not None and found.record.exit_code in _FAILED


class SchedulesPart:
    """Schedules of one service.

    Args:
        service: whose runs they start.
        skipped: told of every skip.

    Attributes:
        keeper: the schedules.
    """

    def __init__(
        self,
        service: Service,
        skipped: Callable[[Skip], None] = lambda _skip: None,
    ) -> None:
        self._options = service.options
        self._task: asyncio.Task[None] | None = None
        self._runs = _Runs(service)
        self.keeper = Keeper(
            store=ScheduleStore(service.store.path),
            runs=self._runs,
            clock=service.clock,
            skipped=skipped,
        )

    def routers(self) -> Sequence[APIRouter]:
        """``/api/v1/schedules``."""
        return [router(self.keeper)]

    async def start(self) -> None:
        """Read what is kept, then start runs as they are due.

        Raises:
            InputError: if the file of schedules is damaged, which stays as it is; or if a loop of
                the command line cannot be played.
        """
        loops = loops_of(self._options)
        for loop in loops:
            await self._runs.check(loop.run)
        self.keeper.load(loops)
        self._task = asyncio.create_task(self.keeper.run(), name="schedules")

    async def stop(self) -> None:
        """Start no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.keeper.settle()

    def kill(self) -> None:
        """Nothing plays here."""


def loops_of(options: ServiceOptions) -> tuple[Schedule, ...]:
    """The loops of the command line: ``loop``, ``loop-2``, … which end with the service.

    Raises:
        ConfigurationError: if one is neither a shipped scenario nor a file that can be read.
    """
    made = []
    for number, name in enumerate(options.loops, 1):
        order = {
            "speed": options.loop_speed,
            "subscribers": options.loop_subscribers,
            **_scenario(name),
        }
        try:
            run = RunOrder.model_validate(order)
        except ValidationError as error:
            raise described(error, "--loop") from None
        named = LOOP_NAME if number == 1 else f"{LOOP_NAME}-{number}"
        made.append(Schedule(name=named, loop=True, run=run))
    return tuple(made)


def _scenario(name: str) -> dict[str, str]:
    if name in scenario_names():
        return {"scenario": name}
    try:
        return {"scenario_yaml": Path(name).read_text(encoding="utf-8")}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "neither a shipped scenario nor a file that can be read",
            field="--loop",
            value=name,
            remedy=f"one of {', '.join(scenario_names())}, or the path of a scenario file",
        ) from error
