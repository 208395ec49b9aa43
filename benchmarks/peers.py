"""What stands beside the product: a flood, a bare byte counter, a bare sleeper, and aiomqtt.

Rule of the module: every function ending in ``_main`` runs in a child process of its own. The
counter is a floor: it subscribes with the product's wire layer and from then on only reads, so
nothing in Python can take the same stream with less work.
"""

import array
import asyncio
import select
import selectors
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Final

import aiomqtt

from benchmarks.harness import CLOCK
from simulator.delivery.messages import BrokerEndpoint, Ended, Ready, Sent, Stop
from simulator.delivery.vitals import raise_descriptor_limit
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import READ_BYTES, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import resolve
from simulator.units import NS_PER_MS, NS_PER_S

_MOST_QUEUED: Final = 1024 * 1024
_HANDSHAKES: Final = 128
_SILENCE_S: Final = 10.0
_FLOOD_NS: Final = 60 * NS_PER_S
_PUBACK: Final = b"\x40\x02"
_ROOM: Final = 4096  # for the beginning of a frame kept from the last read
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
        expected_bytes: that all of them together will get, for the byte counter.
        stamps: report when each message arrived (aiomqtt).
        keep_alive_s: MQTT keep alive.
    """

    endpoint: BrokerEndpoint
    clients: tuple[str, ...]
    filters: tuple[tuple[str, int], ...]
    qos: int
    messages: int
    expected_bytes: int = 0
    stamps: bool = False
    keep_alive_s: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAll:
    """A reader got what it expected, or nothing for ten seconds.

    Attributes:
        count: bytes (counter at QoS 0) or messages.
        last_ns: when the last was read, monotonic ns.
        stamps: an ``array('q')`` of arrival times as bytes, in order of ``beginnings``.
        beginnings: the first bytes of each payload.
    """

    count: int
    last_ns: int
    stamps: bytes = b""
    beginnings: tuple[bytes, ...] = ()


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


# --- the floor: bytes only -------------------------------------------------------------------


def counter_main(pipe: Pipe, order: ReaderOrder) -> None:
    """Subscribe through the wire layer, then read with a bare epoll loop and count."""
    raise_descriptor_limit()
    connections = _subscribe_all(order)
    sockets = {
        each.fileno(): socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, each.fileno())
        for each in connections
    }
    epoll = select.epoll()
    for descriptor in sockets:
        epoll.register(descriptor, select.EPOLLIN)
    pipe.send(Ready(connections=len(sockets)))
    count = _count_bytes if order.qos == 0 else _count_and_acknowledge
    pipe.send(count(epoll, sockets, order))
    pipe.recv()
    for each in sockets.values():
        each.detach()  # the connection owns the descriptor
    for connection in connections:
        connection.disconnect()
        connection.release()
    pipe.send(Ended(name="counter"))


def _subscribe_all(order: ReaderOrder) -> list[Connection]:
    poller, buffer, address = Poller(), ReadBuffer(), resolve(order.endpoint)
    connections = [
        Connection(
            ConnectionOrder(
                endpoint=order.endpoint,
                client=client,
                filters=order.filters,
                keep_alive_s=order.keep_alive_s,
            )
        )
        for client in order.clients
    ]
    waiting, opening, deadline_ns = list(connections), 0, CLOCK.monotonic_ns() + _FLOOD_NS
    while waiting or opening:
        while waiting and opening < _HANDSHAKES:
            connection = waiting.pop()
            connection.open(address, CLOCK.monotonic_ns())
            poller.update(connection, connection)
            opening += 1
        if CLOCK.monotonic_ns() > deadline_ns:
            raise TimeoutError("the broker does not take the connections")
        for key, events in poller.select(100 * NS_PER_MS):
            connection = key.data
            connection.handle(events, CLOCK.monotonic_ns(), buffer)
            if not poller.update(connection, connection):
                raise ConnectionError(connection.reason)
            if connection.state is State.UP:
                opening -= 1
                poller.selector.modify(connection, selectors.EVENT_READ, connection)
    poller.close()
    return connections


def _count_bytes(
    epoll: select.epoll, sockets: dict[int, socket.socket], order: ReaderOrder
) -> ReadAll:
    buffer = bytearray(READ_BYTES)
    receive = {descriptor: each.recv_into for descriptor, each in sockets.items()}
    expected, count, last_ns = order.expected_bytes, 0, 0
    while count < expected:
        ready = epoll.poll(_SILENCE_S)
        if not ready:
            break
        for descriptor, _ in ready:
            count += receive[descriptor](buffer)
        last_ns = CLOCK.monotonic_ns()
    return ReadAll(count=count, last_ns=last_ns)


def _count_and_acknowledge(
    epoll: select.epoll, sockets: dict[int, socket.socket], order: ReaderOrder
) -> ReadAll:
    """At QoS 1 the broker stops without acknowledgements: find each packet id, nothing more."""
    data = bytearray(_ROOM + READ_BYTES)
    view = memoryview(data)
    skip = dict.fromkeys(sockets, 0)  # bytes until the next frame begins
    rest: dict[int, bytes] = {}  # a frame's beginning that ended before its packet id
    expected, count, last_ns = order.messages * len(sockets), 0, 0
    while count < expected:
        ready = epoll.poll(_SILENCE_S)
        if not ready:
            break
        for descriptor, _ in ready:
            each = sockets[descriptor]
            kept = rest.pop(descriptor, b"")
            data[: len(kept)] = kept
            end = len(kept) + each.recv_into(view[len(kept) :])
            position, acknowledge = skip[descriptor], bytearray()
            while position + 5 <= end:
                # Payloads of 3 KB: the length has two bytes, then comes the topic's.
                at = position + 5 + (data[position + 3] << 8 | data[position + 4])
                if at + 2 > end:
                    break
                acknowledge += _PUBACK + data[at : at + 2]
                position += 3 + ((data[position + 1] & 0x7F) | data[position + 2] << 7)
                count += 1
            if position < end:
                rest[descriptor], position = bytes(view[position:end]), end
            skip[descriptor] = position - end
            if acknowledge:
                each.send(acknowledge)
        last_ns = CLOCK.monotonic_ns()
    return ReadAll(count=count, last_ns=last_ns)


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
