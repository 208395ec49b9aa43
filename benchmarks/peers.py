"""What stands beside the product: a flood, a bare sleeper, and aiomqtt.

Rule of the module: every function ending in ``_main`` runs in a child process of its own.
"""

import array
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Final

import aiomqtt

from benchmarks.harness import CLOCK
from simulator.delivery.messages import BrokerEndpoint, Ended, Ready, Sent, Stop
from simulator.delivery.vitals import raise_descriptor_limit
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import resolve
from simulator.units import NS_PER_S

_MOST_QUEUED: Final = 1024 * 1024
_FLOOD_NS: Final = 60 * NS_PER_S
_ID_BYTES: Final = 96  # of a payload: its identifier stands there


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodOrder:
    """Messages to publish as fast as the broker takes them, once told to ``Go``."""

    endpoint: BrokerEndpoint
    messages: tuple[tuple[str, bytes], ...]
    qos: int
    keep_alive_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """Everything is written: when the first and the last write began, monotonic ns."""

    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOrder:
    """Clients that read.

    Attributes:
        endpoint: where.
        clients: client ids.
        filters: what each subscribes to.
        qos: of the messages.
        messages: PUBLISH packets that each client will get.
        stamps: report when each message arrived (aiomqtt).
        keep_alive_s: MQTT keep alive.
    """

    endpoint: BrokerEndpoint
    clients: tuple[str, ...]
    filters: tuple[tuple[str, int], ...]
    qos: int
    messages: int
    stamps: bool = False
    keep_alive_s: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAll:
    """A reader got what it expected, or nothing for ten seconds.

    Attributes:
        count: messages.
        last_ns: when the last was read, monotonic ns.
        stamps: an ``array('q')`` of arrival times as bytes, in order of ``beginnings``.
        beginnings: the first bytes of each payload.
        cpu_s: CPU time of a program that the child ran; 0 if it reads itself.
    """

    count: int
    last_ns: int
    stamps: bytes = b""
    beginnings: tuple[bytes, ...] = ()
    cpu_s: float = 0.0


# --- the flood -------------------------------------------------------------------------------


def flood_main(pipe: Pipe, order: FloodOrder) -> None:
    """Publish all messages through one connection, never waiting for an acknowledgement."""
    poller, buffer = Poller(), ReadBuffer()
    connection = Connection(
        ConnectionOrder(
            endpoint=order.endpoint, client="bench-flood", keep_alive_s=order.keep_alive_s
        )
    )
    connection.open(resolve(order.endpoint), CLOCK.monotonic_ns())
    serve = _server(poller, connection, buffer)
    deadline_ns = CLOCK.monotonic_ns() + _FLOOD_NS
    while connection.state is not State.UP:
        serve(deadline_ns)
    pipe.send(Ready(connections=1))
    pipe.recv()
    first_ns = sent_ns = 0
    stamps: list[tuple[int, int, int]] = []
    for number, (topic, payload) in enumerate(order.messages):
        while connection.queued_bytes > _MOST_QUEUED:
            serve(deadline_ns)
        sent_ns = CLOCK.monotonic_ns()
        first_ns = first_ns or sent_ns
        connection.publish(topic, payload, qos=order.qos)
        stamps.append((number, sent_ns, len(payload)))
    while connection.queued_bytes or connection.outgoing:
        serve(deadline_ns)
    for number, at_ns, size in stamps:
        pipe.send(Sent(alert=number, composed_ns=at_ns, sent_ns=at_ns, size_bytes=size))
    pipe.send(Flooded(first_ns=first_ns, last_ns=sent_ns))
    pipe.recv()
    connection.disconnect()
    poller.update(connection, connection)
    pipe.send(Ended(name="flood"))


def _server(poller: Poller, connection: Connection, buffer: ReadBuffer) -> Callable[[int], None]:
    """A function that waits for the connection's socket once and serves it."""

    def serve(deadline_ns: int) -> None:
        if not poller.update(connection, connection):
            raise ConnectionError(connection.reason)
        if CLOCK.monotonic_ns() > deadline_ns:
            raise TimeoutError("the broker does not take the flood")
        for _, events in poller.select(NS_PER_S):
            connection.handle(events, CLOCK.monotonic_ns(), buffer)

    return serve


# --- the peer: aiomqtt -----------------------------------------------------------------------


def aiomqtt_main(pipe: Pipe, order: ReaderOrder) -> None:
    """One aiomqtt client per subscriber, as its documentation shows, in one event loop."""
    raise_descriptor_limit()
    asyncio.run(_aiomqtt(pipe, order))


async def _aiomqtt(pipe: Pipe, order: ReaderOrder) -> None:
    subscribed = asyncio.Semaphore(0)
    finished, over = asyncio.Event(), asyncio.Event()
    expected = order.messages * len(order.clients)
    stamps, beginnings = array.array("q"), list[bytes]()
    count = last_ns = 0
    version5 = order.endpoint.protocol == "5"

    async def subscribe(client_id: str) -> None:
        nonlocal count, last_ns
        async with aiomqtt.Client(
            order.endpoint.host,
            order.endpoint.port,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if version5 else aiomqtt.ProtocolVersion.V311,
            keepalive=order.keep_alive_s,
            timeout=30,
        ) as client:
            await client.subscribe(list(order.filters))
            subscribed.release()
            async for message in client.messages:
                count += 1
                last_ns = CLOCK.monotonic_ns()
                if order.stamps and isinstance(message.payload, bytes):
                    stamps.append(last_ns)
                    beginnings.append(message.payload[:_ID_BYTES])
                if count == expected:
                    finished.set()

    def told() -> None:
        if isinstance(pipe.recv(), Stop):
            over.set()

    tasks = [asyncio.create_task(subscribe(client)) for client in order.clients]
    for _ in tasks:
        await subscribed.acquire()
    asyncio.get_running_loop().add_reader(pipe.fileno(), told)
    pipe.send(Ready(connections=len(tasks)))
    await asyncio.wait(
        [asyncio.ensure_future(finished.wait()), asyncio.ensure_future(over.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    pipe.send(
        ReadAll(count=count, last_ns=last_ns, stamps=stamps.tobytes(), beginnings=tuple(beginnings))
    )
    await over.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    pipe.send(Ended(name="aiomqtt"))


# --- the floor of pacing --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Slept:
    """How late each sleep ended: an ``array('q')`` of ns as bytes."""

    late_ns: bytes


def sleeper_main(pipe: Pipe, deadlines_ns: Sequence[int]) -> None:
    """The floor: sleep to each deadline and look at the clock, nothing else."""
    late = array.array("q")
    for deadline_ns in deadlines_ns:
        CLOCK.sleep_ns(deadline_ns - CLOCK.monotonic_ns())
        late.append(CLOCK.monotonic_ns() - deadline_ns)
    pipe.send(Slept(late_ns=late.tobytes()))
    pipe.recv()
    pipe.send(Ended(name="sleeper"))
