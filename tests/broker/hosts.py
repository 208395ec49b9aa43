"""Another host, as far as the kernel can make one: its own address, its own monotonic clock.

Rule of the module: what is made is taken away. The way to the broker is a forwarder with a delay of
its own in each direction, because two hosts' delays need not be equal and this kernel has no netem.
"""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A network namespace with one cable to us.

    Attributes:
        ours: our address on the cable.
        theirs: its address.
        enter: the beginning of a command that runs there, with its clock.
    """

    ours: str
    theirs: str
    enter: tuple[str, ...]


@contextlib.contextmanager
def another_host(ahead_s: int) -> Iterator[Host]:
    """A host whose monotonic clock is so many seconds ahead of ours."""
    number = os.getpid() % 250
    name, here, there = f"other-{number}", f"oth{number}-a", f"oth{number}-b"
    ours, theirs = f"10.213.{number}.1", f"10.213.{number}.2"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _ip("addr", "add", f"{ours}/24", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-n", name, "addr", "add", f"{theirs}/24", "dev", there)
        _ip("-n", name, "link", "set", there, "up")
        clock = ("unshare", "--time", "--monotonic", str(ahead_s), "--fork", "--kill-child")
        yield Host(ours=ours, theirs=theirs, enter=("ip", "netns", "exec", name, *clock))
    finally:
        _ip("netns", "del", name)  # and the cable with it


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


@contextlib.asynccontextmanager
async def forwarding(
    host: str, port: int, *, there_s: float, back_s: float
) -> AsyncIterator[tuple[int, set[str]]]:
    """Forward an address of ours to a port on loopback.

    Args:
        host: the address to listen at.
        port: of the broker.
        there_s: delay of what a client sends.
        back_s: delay of what it is sent.

    Yields:
        The port to connect to, and the addresses that did.
    """
    peers: set[str] = set()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
    ) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                loop.call_later(delay_s, writer.write, data)
        loop.call_later(delay_s, writer.close)

    async def serve(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        peers.add(client_out.get_extra_info("peername")[0])
        broker_in, broker_out = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            pump(client_in, broker_out, there_s), pump(broker_in, client_out, back_s)
        )

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield server.sockets[0].getsockname()[1], peers
    finally:
        server.close()
        await asyncio.sleep(2 * max(there_s, back_s))
