"""The server: a socket, uvicorn around the application, and how both end.

Rule of the module: the socket is taken before anything is started, so that a second service on the
same port is told at once. The first signal lets pages go and ends runs in order; a second one ends
them at once.
"""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from simulator.errors import AlertsimError, ConfigurationError, InternalError
from simulator.service.app import create_app
from simulator.service.options import ServiceOptions
from simulator.service.parts import parts_of
from simulator.service.service import Service

_BACKLOG: Final = 512
_GRACE_S: Final = 3


def bound(options: ServiceOptions) -> socket.socket:
    """A socket that listens where it was asked for.

    Raises:
        ConfigurationError: if the address is in use or cannot be used.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((options.host, options.port))
        listening.listen(_BACKLOG)  # two that are only bound would both be let through
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                "something else listens there, perhaps another alertsim serve",
                field="--port",
                value=f"{options.host}:{options.port}",
                remedy="choose another port, or --port 0 for a free one",
            ) from None
        raise ConfigurationError(
            f"cannot listen there: {error.strerror or error}",
            field="--host",
            value=f"{options.host}:{options.port}",
            remedy="give an address of this host, for example 127.0.0.1, and a port above 1023",
        ) from None
    return listening


class _Server(uvicorn.Server):
    """Uvicorn without its own signals, which says when it is up."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are handled around it."""
        yield


async def serve(
    service: Service, listening: socket.socket, ready: Callable[[str, Service], None]
) -> None:
    """Serve until a signal.

    Args:
        service: not started yet.
        listening: from :func:`bound`; closed at the end.
        ready: called once everything is up, with the address of the page.

    Raises:
        AlertsimError: if the service does not come up.
    """
    for part in parts_of(service):
        service.add(part)
    app = create_app(service)
    # A start that fails is told below, a request that fails by the doors.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    failed = _failures(app)
    port = listening.getsockname()[1]
    address = f"http://{service.options.shown_host}:{port}/"
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="on",
            http="h11",
            ws="none",
            loop="asyncio",
            timeout_graceful_shutdown=_GRACE_S,
            backlog=_BACKLOG,
        ),
        lambda: ready(address, service),
    )
    loop = asyncio.get_running_loop()

    def ask() -> None:
        if server.should_exit:
            structlog.get_logger().warning("ending at once")
            service.kill()
        server.should_exit = True
        service.close_feeds()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    try:
        with contextlib.suppress(SystemExit):  # it ends the process where a start fails
            await server.serve(sockets=[listening])
    finally:
        listening.close()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    if failed:
        error = failed[0]
        raise error if isinstance(error, AlertsimError) else InternalError(str(error))
    if not server.started:
        raise InternalError("the server did not start")


def _failures(app: FastAPI) -> list[BaseException]:
    """Where the error of a start that failed is kept: uvicorn only logs it."""
    failed: list[BaseException] = []
    inner = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def noted(each: FastAPI):  # type: ignore[no-untyped-def]  # noqa: ANN202  # starlette's
        try:
            async with inner(each) as state:
                yield state
        except BaseException as error:
            failed.append(error)
            raise

    app.router.lifespan_context = noted
    return failed
