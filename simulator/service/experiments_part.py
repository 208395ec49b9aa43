"""Experiments as a part of the service: ``/api/v1/experiments``.

Rule of the module: requests in, models and files out; what is decided is decided below.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from simulator.service.experiments import Experiments
from simulator.service.experiments_model import ID_PATTERN, ExperimentInfo, ExperimentOrder
from simulator.service.experiments_store import FILES, ExperimentStore
from simulator.service.frames import frame
from simulator.service.problems import ProblemError, documented
from simulator.service.retention_rule import Stored
from simulator.service.routes_runs import REPORT_CSP
from simulator.service.service import Service
from simulator.service.stream import WATCHED, EventStream, LastId, seen, the_last

_Id = Annotated[
    str,
    InPath(
        pattern=ID_PATTERN,
        max_length=20,
        description="Id of the experiment.",
        examples=["20261122t142400-3f9a"],
    ),
]
_FileName = Literal[
    "report.html",
    "summary.json",
    "report.md",
    "experiment.json",
    "replications.parquet",
    "municipalities.csv",
]


class ExperimentList(BaseModel):
    """Experiments, the newest first."""

    model_config = ConfigDict(frozen=True)

    experiments: tuple[ExperimentInfo, ...] = Field(description="Those asked for.")
    total: int = Field(description="How many there are.")


class ExperimentsPart:
    """Experiments of one service.

    Args:
        service: in whose store they are kept.
        ended: called when one has ended.

    Attributes:
        experiments: the experiments.
    """

    def __init__(self, service: Service, ended: Callable[[], None] = lambda: None) -> None:
        self._service = service
        self._ended = ended
        self._store = ExperimentStore(service.store.path)
        self.experiments = Experiments(self._store, service.clock, self._run_folder, self._changed)
        service.more_feeds.append(self.experiments.feeds)

    def _run_folder(self, run: str) -> Path | None:
        found = self._service.store.directory(run)
        return None if found is None else found.absolute()

    def _changed(self, name: str, info: ExperimentInfo | None) -> None:
        if info is None:
            self._service.tell("experiment-deleted", {"experiment": name})
        else:
            self._service.tell("experiment", {"experiment": info.model_dump(mode="json")})
            if info.exit_code is not None:
                self._ended()

    def on_end(self, ended: Callable[[], None]) -> None:
        """Call this when one has ended."""
        self._ended = ended

    def stored(self, kept: frozenset[str], size: Callable[[Path], int]) -> list[Stored]:
        """All of them, with their sizes, for retention. Blocks."""
        return self._store.stored(kept, size)

    async def delete(self, name: str) -> None:
        """Remove one.

        Raises:
            ProblemError: if it is busy or not there.
        """
        await self.experiments.delete(name)

    async def start(self) -> None:
        """Take up what an earlier service left."""
        await self.experiments.start()

    async def stop(self) -> None:
        """End what plays."""
        await self.experiments.stop()

    def kill(self) -> None:
        """End at once what plays."""
        self.experiments.kill()

    def routers(self) -> Sequence[APIRouter]:
        """``/api/v1/experiments``."""
        routes = APIRouter(prefix="/api/v1/experiments", tags=["experiments"])
        experiments = self.experiments

        @routes.get("", summary="List experiments")
        async def listed(
            limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
        ) -> ExperimentList:
            """Replications, sweeps and comparisons of this service, the newest first."""
            found = await experiments.listed()
            return ExperimentList(experiments=tuple(found[:limit]), total=len(found))

        @routes.post(
            "", status_code=201, summary="Play an experiment", responses=documented(404, 503, 507)
        )
        async def play(order: ExperimentOrder, response: Response) -> ExperimentInfo:
            """It waits if one plays already: one at a time, at low priority."""
            info = await experiments.order(order)
            response.headers["location"] = f"/api/v1/experiments/{info.id}"
            return info

        @routes.get("/{id}", summary="One experiment", responses=documented(404))
        async def one(id: _Id) -> ExperimentInfo:  # noqa: A002  # the name in the address
            return experiments.info(id)

        @routes.post(
            "/{id}/stop",
            status_code=202,
            summary="Stop an experiment",
            responses=documented(404, 409),
        )
        async def stop(id: _Id) -> ExperimentInfo:  # noqa: A002
            """Ask it to end in order; finished replications are kept."""
            return await experiments.stop_one(id)

        @routes.post(
            "/{id}/continue",
            status_code=202,
            summary="Continue an experiment",
            responses=documented(404, 409, 503),
        )
        async def resume(id: _Id) -> ExperimentInfo:  # noqa: A002
            """Go on with one that was stopped, from its finished replications."""
            return await experiments.resume(id)

        @routes.delete(
            "/{id}",
            status_code=204,
            summary="Delete an experiment",
            responses=documented(404, 409),
        )
        async def delete(id: _Id) -> None:  # noqa: A002
            """Remove its directory; refused while it waits or plays."""
            await experiments.delete(id)

        self._add_watching(routes)
        return [routes]

    def _add_watching(self, routes: APIRouter) -> None:
        experiments = self.experiments

        @routes.get(
            "/{id}/events",
            summary="Watch an experiment",
            response_class=EventStream,
            responses=WATCHED,
        )
        async def watch(id: _Id, last_event_id: LastId = None) -> Response:  # noqa: A002
            """Server-sent events, each with the whole of it as ``experiment``.

            `snapshot` first, then `state`, `progress` and at last `end`, after which the stream
            ends; of one that has ended only the `snapshot`, and 204 for a reader that has seen it.
            """
            feed = experiments.feed(id)
            if feed is not None:
                return EventStream(feed)
            info = experiments.info(id)
            body = b'{"type":"snapshot","experiment":%s}' % info.model_dump_json().encode()
            return the_last(frame("snapshot", body, last=True), seen(last_event_id))

        @routes.get(
            "/{id}/files/{name}",
            summary="A file of an experiment",
            response_class=FileResponse,
            responses={
                **documented(404),
                200: {
                    "description": "The file.",
                    "content": {kind.partition(";")[0]: {} for kind in FILES.values()},
                },
            },
        )
        async def file(
            id: _Id,  # noqa: A002
            name: Annotated[_FileName, InPath(description="Name of the file.")],
        ) -> FileResponse:
            """Page, summary, Markdown, table and people by municipality, as far as they exist."""
            path = await asyncio.to_thread(self._store.file, id, name)
            if path is None:
                raise ProblemError(
                    404, "no-such-file", "the experiment has no such file", field="name",
                    value=name, remedy=f"see files in /api/v1/experiments/{id}",
                )  # fmt: skip
            headers = {"cache-control": "no-cache"}
            if name == "report.html":
                headers["content-security-policy"] = REPORT_CSP
            return FileResponse(
                path, media_type=FILES[name], headers=headers, stat_result=path.lstat()
            )
