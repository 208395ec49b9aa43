"""The HTTP application: routers, doors, problems, the page, the OpenAPI description.

Rule of the module: composition only. What a route does stands in its own module.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from simulator.service import problems
from simulator.service.doors import Doors
from simulator.service.map_data import map_json
from simulator.service.problems import Problem, ProblemError
from simulator.service.routes_runs import runs_router
from simulator.service.routes_scenarios import scenarios_router
from simulator.service.routes_service import service_router
from simulator.service.service import Service

PAGE: Final = Path(__file__).with_name("page")
_TAGS: Final = [
    {"name": "service", "description": "What runs here, and whether it is well."},
    {"name": "scenarios", "description": "What can be played."},
    {"name": "runs", "description": "Exercises: start, watch, stop, list, delete."},
    {"name": "schedules", "description": "Runs that start by themselves: loops and times."},
    {"name": "experiments", "description": "Replications, sweeps and comparisons."},
]
_ABOUT: Final = (
    "Simulates the notification of alerts over real MQTT and measures every delivery. Everything "
    "it sends is marked as an exercise (【訓練】 EXERCISE) and cannot be marked otherwise.\n\n"
    "Whatever is not a success is answered with `application/problem+json` (RFC 9457). Fields that "
    "end in `_ns` are nanoseconds as decimal text. Live events are server-sent events."
)


def create_app(service: Service) -> FastAPI:
    """The application of a service, which starts and ends with it.

    Args:
        service: not started yet; its parts are added.
    """

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(
        title="alertsim",
        version=service.version,
        description=_ABOUT,
        openapi_tags=_TAGS,
        lifespan=life,
        docs_url=None,  # these pages fetch their scripts from other hosts
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    problems.install(app)
    routers = [service_router(service), scenarios_router(service), runs_router(service)]
    for router in (*routers, *(each for part in service.parts for each in part.routers())):
        app.include_router(router)
    _serve_page(app)
    app.add_middleware(Doors, options=service.options)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _serve_page(app: FastAPI) -> None:
    """The live page at ``/``, what it loads under ``/page/``."""

    @app.get("/", include_in_schema=False)
    def index() -> Response:
        page = PAGE / "index.html"
        if not page.is_file():
            raise ProblemError(404, "not-found", "this installation has no live page")
        return FileResponse(page, headers={"cache-control": "no-cache"})

    @app.get("/page/map.json", include_in_schema=False)
    def drawn() -> Response:
        return Response(
            map_json(), media_type="application/json", headers={"cache-control": "no-cache"}
        )

    app.mount("/page", _PageFiles(directory=PAGE, check_dir=False), name="page")


class _PageFiles(StaticFiles):
    """What the page loads; asked for anew each time, so that no two versions mix."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401  # handed on
        """The file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        return response


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, made once, in which every error is a problem."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        license_info=app.license_info,
    )
    parts = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        parts.pop(name, None)
    parts["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schema["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Asked for where the service was started with a token.",
        }
    }
    schema["security"] = [{}, {"token": []}]
    for path in schema["paths"].values():
        for operation in path.values():
            _complete(operation)
    app.openapi_schema = schema
    return schema


def _complete(operation: dict[str, Any]) -> None:
    """What any operation may answer."""
    responses = operation["responses"]
    takes = bool(operation.get("parameters") or operation.get("requestBody"))
    statuses = [401, 403, 421] + ([422] if takes else [])
    if "requestBody" in operation:
        statuses += [400, 413]
    for status, described in problems.documented(*statuses).items():
        if str(status) not in responses or status == 422:  # noqa: PLR2004
            responses[str(status)] = described
