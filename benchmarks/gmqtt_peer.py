"""gmqtt: one client per subscriber in one event loop, counting messages.

Rule of the module: as its documentation shows, and nothing measured but the count.
"""

import asyncio
from multiprocessing.connection import Connection as Pipe

import gmqtt

from benchmarks.harness import CLOCK
from benchmarks.peers import ReadAll, ReaderOrder
from simulator.delivery.messages import Ended, Ready, Stop
from simulator.delivery.vitals import raise_descriptor_limit

_AT_A_TIME = 100


def gmqtt_main(pipe: Pipe, order: ReaderOrder) -> None:
    """Run the clients."""
    raise_descriptor_limit()
    asyncio.run(_gmqtt(pipe, order))


async def _gmqtt(pipe: Pipe, order: ReaderOrder) -> None:
    finished, over = asyncio.Event(), asyncio.Event()
    expected = order.messages * len(order.clients)
    count = last_ns = 0
    subscribed = asyncio.Semaphore(0)
    gate = asyncio.Semaphore(_AT_A_TIME)
    version = 5 if order.endpoint.protocol == "5" else 4

    def on_message(*_: object) -> int:
        nonlocal count, last_ns
        count += 1
        last_ns = CLOCK.monotonic_ns()
        if count == expected:
            finished.set()
        return 0

    def on_subscribe(*_: object) -> None:
        subscribed.release()

    async def subscribe(name: str) -> gmqtt.Client:
        async with gate:
            client = gmqtt.Client(name)
            client.on_message, client.on_subscribe = on_message, on_subscribe
            await client.connect(
                order.endpoint.host,
                order.endpoint.port,
                version=version,
                keepalive=order.keep_alive_s,
            )
        for text, qos in order.filters:
            client.subscribe(text, qos=qos)
        return client

    def told() -> None:
        if isinstance(pipe.recv(), Stop):
            over.set()

    clients = await asyncio.gather(*(subscribe(name) for name in order.clients))
    for _ in clients:
        await subscribed.acquire()
    asyncio.get_running_loop().add_reader(pipe.fileno(), told)
    pipe.send(Ready(connections=len(clients)))
    await asyncio.wait(
        [asyncio.ensure_future(finished.wait()), asyncio.ensure_future(over.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    pipe.send(ReadAll(count=count, last_ns=last_ns))
    await over.wait()
    await asyncio.gather(*(each.disconnect() for each in clients), return_exceptions=True)
    pipe.send(Ended(name="gmqtt"))
