"""What tests with foreign clients share: a registry at work, and a drill played at it."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from simulator.clock import SystemClock, clock_domain
from simulator.delivery.aio_publisher import open_publisher
from simulator.delivery.brokers.base import Broker
from simulator.delivery.messages import (
    Acknowledged,
    Notice,
    Play,
    Published,
    PublishOrder,
    Sent,
)
from simulator.delivery.registry import ForeignClient, ForeignRegistry
from simulator.delivery.registry_service import RegistryService

CLOCK = SystemClock()
MakePlay = Callable[..., Play]


@asynccontextmanager
async def on_duty(
    broker: Broker, identifiers: dict[str, int], registered: list[ForeignClient]
) -> AsyncIterator[RegistryService]:
    """A registry at work, as a run has it."""

    def register(client: ForeignClient) -> int:
        registered.append(client)
        return len(registered) - 1

    registry = ForeignRegistry(
        root="alertsim",
        domain=clock_domain(),
        identifiers=identifiers,
        register=register,
        clock=CLOCK,
    )
    service = RegistryService(
        registry,
        endpoint=broker.endpoint("3.1.1"),
        root="alertsim",
        client_id="registry",
        clock=CLOCK,
    )
    serving = asyncio.ensure_future(service.run())
    ready = asyncio.ensure_future(service.ready.wait())
    try:
        await asyncio.wait((ready, serving), timeout=5, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        assert service.ready.is_set()
        yield service
    finally:
        ready.cancel()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


@contextmanager
def running(*command: str) -> Iterator["subprocess.Popen[str]"]:
    """A foreign client in a session of its own, ended with all its children."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


async def play_on(
    broker: Broker,
    make_play: MakePlay,
    registry: ForeignRegistry | None = None,
    **settings: object,
) -> Play:
    """Play a drill with states; the registry learns when each alert was sent."""

    def emit(record: Sent | Acknowledged | Published | Notice) -> None:
        if registry and isinstance(record, Sent):
            registry.note_sent(record.alert, record.sent_ns)

    order = PublishOrder(
        endpoint=broker.endpoint("3.1.1"),
        context=make_play(**settings).context,
        prefectures=("miyagi", "yamagata", "niigata"),
        client="publisher",
    )
    async with open_publisher(order, clock=CLOCK, emit=emit) as publisher:
        play = make_play(**settings)
        await publisher.play(play)
    return play


async def reach(get: Callable[[], int], at_least: int) -> None:
    """Wait until a foreign client, which tells us nothing, has come so far."""
    async with asyncio.timeout(10):
        while get() < at_least:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)
