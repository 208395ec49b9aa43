"""``/api/v1/schedules``: list, add, look at, remove.

Rule of the module: requests in, models out; what is decided is decided by the keeper.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from simulator.service.problems import documented
from simulator.service.schedules import Keeper, Shown
from simulator.service.schedules_model import NAME_PATTERN, Schedule, zone_of
from simulator.units import wall_datetime

_Name = Annotated[
    str, Path(pattern=NAME_PATTERN, max_length=40, description="Name of the schedule.")
]


class ScheduleView(BaseModel):
    """A schedule and how it went."""

    model_config = ConfigDict(frozen=True)

    schedule: Schedule = Field(description="What it is.")
    next_at: datetime | None = Field(
        description="When it is due next, in its zone; null for a loop."
    )
    playing: bool = Field(description="Whether its last run plays or waits for a place.")
    last_run: str | None = Field(description="Id of the run it started last.")
    started: int = Field(description="Runs that it started.")
    skipped: dict[str, int] = Field(
        description="Times at which it did not start a run, by why: still-playing, missed (the "
        "service was away or the clock jumped), refused (no place, full disk, bad order)."
    )
    last_skip: str = Field(description="Why it last did not, one sentence; empty if it always did.")
    kept: bool = Field(
        description="Whether it survives a restart; one from the command line does not."
    )


class ScheduleList(BaseModel):
    """All schedules."""

    schedules: list[ScheduleView] = Field(description="Those from the command line last.")


def router(keeper: Keeper) -> APIRouter:
    """The routes over this keeper."""
    routes = APIRouter(prefix="/api/v1/schedules", tags=["schedules"])

    @routes.get("", summary="List schedules")
    async def listed() -> ScheduleList:
        return ScheduleList(schedules=[_view(shown) for shown in keeper.listed()])

    @routes.post(
        "", status_code=201, summary="Add a schedule", responses=documented(409, 422, 503, 507)
    )
    async def add(schedule: Schedule, response: Response) -> ScheduleView:
        """Play runs in an endless loop, or at the times of a cron expression.

        A schedule never piles up: while its last run plays, it skips, counts and says why.
        """
        shown = await keeper.add(schedule)
        response.headers["location"] = f"/api/v1/schedules/{schedule.name}"
        return _view(shown)

    @routes.get("/{name}", summary="Look at a schedule", responses=documented(404, 422))
    async def one(name: _Name) -> ScheduleView:
        return _view(keeper.get(name))

    @routes.delete(
        "/{name}",
        status_code=204,
        summary="Remove a schedule",
        responses=documented(404, 422, 507),
    )
    async def remove(name: _Name) -> None:
        """A run of it that plays goes on."""
        await keeper.remove(name)

    return routes


def _view(shown: Shown) -> ScheduleView:
    state, schedule = shown.state, shown.schedule
    next_at = None
    if shown.next_ns is not None:
        next_at = wall_datetime(shown.next_ns).astimezone(zone_of(schedule.zone))
    return ScheduleView(
        schedule=schedule,
        next_at=next_at,
        playing=shown.playing,
        last_run=state.last_run,
        started=state.started,
        skipped=state.skipped,
        last_skip=state.last_skip,
        kept=not shown.transient,
    )
