"""Routes about the service itself: what it is, whether it is well, news of its runs, signing in."""

from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from simulator.service.broker import BrokerInfo
from simulator.service.doors import COOKIE, is_over_tls, is_token, session_of
from simulator.service.problems import ProblemError, documented
from simulator.service.retention import RetentionInfo
from simulator.service.service import Service
from simulator.service.stream import STREAMED, EventStream
from simulator.units import NS_PER_S, wall_datetime

_LEAST_FREE_BYTES: Final = 256 * 1024 * 1024
_SESSION_S: Final = 7 * 24 * 3600


class Limits(BaseModel):
    """What the service takes at most."""

    model_config = ConfigDict(frozen=True)

    runs: int = Field(description="Runs that play at the same time; others wait.")
    waiting: int = Field(description="Runs that may wait.")
    subscribers: int = Field(description="Simulated subscribers of one run.")


class ServiceInfo(BaseModel):
    """What runs here."""

    model_config = ConfigDict(frozen=True)

    exercise: Literal[True] = Field(
        default=True, description="Always true: everything sent is marked as an exercise."
    )
    marking: str = Field(
        default="【訓練】 EXERCISE", description="How everything that is sent and shown is marked."
    )
    name: Literal["alertsim"] = Field(default="alertsim", description="The program.")
    version: str = Field(description="Its version.")
    started: str = Field(description="When the service started, ISO 8601, UTC.")
    broker: BrokerInfo = Field(description="The broker that runs publish to.")
    websocket: str | None = Field(
        description="URL for browser clients (MQTT over WebSocket); null where it has none."
    )
    limits: Limits = Field(description="What it takes at most.")
    playing: int = Field(description="Runs that play.")
    waiting: int = Field(description="Runs that wait.")
    token: bool = Field(description="Whether a token is asked for.")
    retention: RetentionInfo | None = Field(
        default=None, description="What the store holds, and what goes when it is too much."
    )


class Disk(BaseModel):
    """The disk that holds the store."""

    model_config = ConfigDict(frozen=True)

    free_bytes: int = Field(description="Bytes that are free.")
    low: bool = Field(description="Whether that is less than 256 MiB.")


class Health(BaseModel):
    """Whether the service is well."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "degraded"] = Field(
        description="ok; degraded: the broker is down or the disk nearly full."
    )
    exercise: Literal[True] = Field(default=True, description="Always true.")
    version: str = Field(description="Version of alertsim.")
    uptime_s: float = Field(description="Wall seconds since the service started.")
    broker: BrokerInfo = Field(description="The broker.")
    disk: Disk = Field(description="The disk that holds the store.")
    playing: int = Field(description="Runs that play.")
    waiting: int = Field(description="Runs that wait.")


class SignIn(BaseModel):
    """A token, to be exchanged for a cookie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr = Field(max_length=512, description="The token of the service.")


def service_router(service: Service) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["service"])
    _add_about(router, service)
    _add_health(router, service)
    _add_news(router, service)
    _add_session(router, service)
    return router


def _add_about(router: APIRouter, service: Service) -> None:
    @router.get("/api/v1/service", summary="What runs here")
    async def about() -> ServiceInfo:
        """Version, broker addresses and limits."""
        options, broker = service.options, service.broker.info()
        playing, waiting = service.runs.counts()
        return ServiceInfo(
            version=service.version,
            started=wall_datetime(service.started_ns).isoformat(),
            broker=broker,
            websocket=broker.websocket,
            limits=Limits(
                runs=options.max_runs,
                waiting=options.max_waiting,
                subscribers=options.max_subscribers,
            ),
            playing=playing,
            waiting=waiting,
            token=options.token is not None,
            retention=service.retention(),
        )


def _add_health(router: APIRouter, service: Service) -> None:
    @router.get(
        "/healthz",
        summary="Whether it is well",
        responses={503: {"model": Health, "description": "The broker is down or the disk full."}},
    )
    def health(response: Response) -> Health:
        """200 if runs can be played, else 503; the body says why either way."""
        broker = service.broker.info()
        free = service.store.free_bytes()
        disk = Disk(free_bytes=free, low=free < _LEAST_FREE_BYTES)
        well = broker.alive and not disk.low
        playing, waiting = service.runs.counts()
        response.status_code = 200 if well else 503
        response.headers["cache-control"] = "no-store"
        elapsed_ns = service.clock.monotonic_ns() - service.begun_ns
        return Health(
            status="ok" if well else "degraded",
            version=service.version,
            uptime_s=round(elapsed_ns / NS_PER_S, 3),
            broker=broker,
            disk=disk,
            playing=playing,
            waiting=waiting,
        )


def _add_news(router: APIRouter, service: Service) -> None:
    @router.get(
        "/api/v1/events",
        summary="News of runs",
        response_class=EventStream,
        responses=STREAMED,
    )
    async def news() -> Response:
        """Server-sent events about runs and the broker.

        `hello` first and after a gap (list the runs anew then), `run` with a run that is new or
        changed, `deleted`, `broker`, and what schedules and the like tell.
        """
        return EventStream(service.news)


def _add_session(router: APIRouter, service: Service) -> None:
    @router.post(
        "/api/v1/session",
        status_code=204,
        summary="Sign in from a browser",
        responses=documented(401),
    )
    async def sign_in(given: SignIn, request: Request, response: Response) -> None:
        """Exchange the token for a cookie that scripts cannot read, for pages and their links.

        It is kept for a week, and sent over TLS only where it was asked for over TLS.
        """
        token = service.options.token
        if token is None:
            return
        if not is_token(given.token.get_secret_value(), token):
            raise ProblemError(401, "token", "the token is wrong")
        response.set_cookie(
            COOKIE,
            session_of(token),
            max_age=_SESSION_S,
            secure=is_over_tls(request),
            httponly=True,
            samesite="strict",
            path="/",
        )
