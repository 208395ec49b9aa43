"""The two ways to publish a schedule, behind one face.

Rule of the module: the measured publisher is a process of its own on the wire layer; the aiomqtt
one lives in the run's loop and stamps more weakly (its module says how). The exercise does not know
which it has.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from simulator.clock import Clock
from simulator.delivery.aio_publisher import AioPublisher, open_publisher
from simulator.delivery.children import Child
from simulator.delivery.messages import Play, Probe, PublishOrder, Ready
from simulator.delivery.publisher import publisher_main
from simulator.errors import AlertsimError
from simulator.run.crew import Crew
from simulator.run.watch import Watch

PUBLISHER = "publisher"


class Sender(Protocol):
    """Publishes a run's messages."""

    def probe(self, topic: str, payload: bytes) -> None:
        """Publish one probe message."""
        ...

    def play(self, order: Play) -> None:
        """Publish the schedule; Sent, Acknowledged and Published go to the books."""
        ...


class ProcessSender:
    """The measured publisher: a child process, ended with the crew."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def probe(self, topic: str, payload: bytes) -> None:
        """Publish one probe message."""
        self._child.send(Probe(topic=topic, payload=payload))

    def play(self, order: Play) -> None:
        """Hand the schedule over."""
        self._child.send(order)


class LoopSender:
    """The aiomqtt publisher in the run's own loop."""

    def __init__(self, publisher: AioPublisher, watch: Watch) -> None:
        self._publisher = publisher
        self._watch = watch
        self._tasks: set[asyncio.Task[None]] = set()

    def probe(self, topic: str, payload: bytes) -> None:
        """Publish one probe message."""
        self._start(self._publisher.probe(topic, payload))

    def play(self, order: Play) -> None:
        """Play the schedule beside the run's phases."""
        self._start(self._publisher.play(order))

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._report(work))
        self._tasks.add(task)

    async def _report(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except AlertsimError as error:
            self._watch.fail(error)


@asynccontextmanager
async def open_sender(
    client: str,
    order: PublishOrder,
    *,
    crew: Crew,
    digest: Callable[[str, object], None],
    watch: Watch,
    clock: Clock,
) -> AsyncIterator[Sender]:
    """A sender that is connecting or connected; it says Ready to the books.

    Args:
        client: ``wire`` or ``aiomqtt``.
        order: where, as whom, which states to guard.
        crew: takes the child process in.
        digest: hears what the sender reports.
        watch: hears of failures.
        clock: where time comes from.
    """
    if client == "wire":
        child = await asyncio.to_thread(Child, PUBLISHER, publisher_main, order)
        crew.add(child)
        yield ProcessSender(child)
        return

    def emit(message: object) -> None:
        digest(PUBLISHER, message)
        watch.ring()

    async with open_publisher(order, clock=clock, emit=emit) as publisher:
        emit(Ready(connections=publisher.connections))
        sender = LoopSender(publisher, watch)
        try:
            yield sender
        finally:
            await sender.close()
