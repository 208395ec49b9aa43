"""Routes about runs: start, list, watch, stop, delete, and their files."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from simulator.service.orders import RunOrder
from simulator.service.problems import ProblemError, documented
from simulator.service.records import RunInfo, State
from simulator.service.service import Service
from simulator.service.store import FILES
from simulator.service.stream import WATCHED, EventStream, LastId, seen, the_last

REPORT_CSP: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-scripts allow-downloads allow-popups allow-modals"
)
RunName = Annotated[
    str,
    InPath(
        max_length=128,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Run id.",
        examples=["20261122t142400-3f9a"],
    ),
]
FileName = Literal[
    "report.html",
    "summary.json",
    "manifest.json",
    "timeline.jsonl",
    "deliveries.parquet",
    "latency.hlog",
    "baseline.json",
]


class RunList(BaseModel):
    """Runs, the newest first."""

    model_config = ConfigDict(frozen=True)

    runs: tuple[RunInfo, ...] = Field(description="Those asked for.")
    total: int = Field(description="How many there are of the states asked for.")


def runs_router(service: Service) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["runs"])
    _add_lists(router, service)
    _add_orders(router, service)
    _add_events(router, service)
    _add_files(router, service)
    return router


def _add_lists(router: APIRouter, service: Service) -> None:
    runs = service.runs

    @router.get("/api/v1/runs", summary="List runs")
    async def listed(
        state: Annotated[
            list[State] | None, Query(description="Only these states; all if not given.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
        offset: Annotated[int, Query(ge=0, le=2**31, description="How many to leave out.")] = 0,
    ) -> RunList:
        """Runs that wait, play, or are kept as directories, the newest first."""
        found = await runs.everything()
        wanted = [each for each in found if state is None or each.state in state]
        return RunList(runs=tuple(wanted[offset : offset + limit]), total=len(wanted))

    @router.get("/api/v1/runs/{run}", summary="One run", responses=documented(404))
    async def one(run: RunName) -> RunInfo:
        """Its state, how it ended, and which files it has."""
        return await runs.info(run)


def _add_orders(router: APIRouter, service: Service) -> None:
    runs = service.runs

    @router.post(
        "/api/v1/runs",
        status_code=201,
        summary="Start a run",
        responses={**documented(422, 503, 507), 201: {"description": "It plays, or waits."}},
    )
    async def start(order: RunOrder, response: Response) -> RunInfo:
        """Start an exercise; it waits if as many as may play do so already."""
        info = await runs.order(order)
        response.headers["location"] = f"/api/v1/runs/{info.run}"
        return info

    @router.delete(
        "/api/v1/runs/{run}",
        status_code=204,
        summary="Delete a run",
        responses=documented(404, 409),
    )
    async def delete(run: RunName) -> None:
        """Remove its directory and everything kept of it; refused while it waits or plays."""
        await runs.delete(run)

    @router.post(
        "/api/v1/runs/{run}/stop",
        status_code=202,
        summary="Stop a run",
        responses=documented(404, 409),
    )
    async def stop(run: RunName) -> RunInfo:
        """Ask it to end in order, with a report of what was measured; 409 if it has ended."""
        return await runs.stop_run(run)


def _add_events(router: APIRouter, service: Service) -> None:
    runs = service.runs

    @router.get(
        "/api/v1/runs/{run}/events",
        summary="Watch a run",
        response_class=EventStream,
        responses=WATCHED,
    )
    async def watch(run: RunName, last_event_id: LastId = None) -> Response:
        """Server-sent events: a `snapshot` of everything so far, then each event as it happens.

        `id` is the number of the event, `event` its type, `data` the event. A reader that is too
        slow loses `progress` first and is told so by `dropped`; if it lost more it gets another
        `snapshot`. The stream ends after `end`. Of a run that has ended there is one `snapshot`,
        and 204 for a reader that has seen it.
        """
        last = seen(last_event_id)
        playing = runs.playing(run)
        if playing is None:
            return the_last(await service.run_snapshot(await runs.info(run)), last)
        if playing.record.state == "ended" and last == playing.fold.number:
            return Response(status_code=204)
        return EventStream(playing.feed, last)


def _add_files(router: APIRouter, service: Service) -> None:
    @router.get(
        "/api/v1/runs/{run}/files/{name}",
        summary="A file of a run",
        response_class=FileResponse,
        responses={
            **documented(404),
            200: {
                "description": "The file.",
                "content": {kind.partition(";")[0]: {} for kind in FILES.values()},
            },
        },
    )
    def file(
        run: RunName, name: Annotated[FileName, InPath(description="Name of the file.")]
    ) -> FileResponse:
        """Report, summary, manifest, timeline, deliveries or histogram, as far as they exist."""
        path = service.store.file(run, name)
        if path is None:
            raise ProblemError(
                404,
                "no-such-file",
                "the run has no such file",
                field="name",
                value=name,
                remedy=f"see files in /api/v1/runs/{run}",
            )
        headers = {"cache-control": "no-cache"}
        if name == "report.html":
            headers["content-security-policy"] = REPORT_CSP
        return FileResponse(path, media_type=FILES[name], headers=headers, stat_result=path.lstat())
