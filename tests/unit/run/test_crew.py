"""A worker on another host that goes away ends the run in order."""

import asyncio
import socket
from multiprocessing.connection import Connection as Pipe
from typing import Any

import pytest

from simulator.clock import ManualClock
from simulator.delivery.messages import ClockAsk, ClockTell, Hello, Ready
from simulator.delivery.remote import RemoteChild
from simulator.delivery.room import Limits
from simulator.errors import AbortedError
from simulator.run.crew import Crew
from simulator.run.watch import Watch
from simulator.units import NS_PER_S

LIMITS = Limits(descriptors=1_024, ports=28_000)


async def test_a_lost_host_is_no_defect_and_its_questions_are_no_news() -> None:
    ours, theirs = socket.socketpair()
    far: Pipe[Any, Any] = Pipe(theirs.detach())
    heard: list[object] = []
    news = asyncio.Event()

    def digest(_: str, message: object) -> None:
        heard.append(message)
        news.set()

    watch = Watch()
    crew = Crew(watch, digest)
    child = RemoteChild(
        Hello(worker=0, host="far", domain="there", limits=LIMITS),
        Pipe(ours.detach()),
        domain="here",
        clock=ManualClock(monotonic=9),
        drift_ppm=0,
        bound_ns=NS_PER_S,
        fate=lambda: None,
    )
    crew.add(child)
    far.send(ClockAsk(theirs_ns=1))
    far.send(Ready(connections=3))
    async with asyncio.timeout(10):
        await news.wait()
    assert heard == [Ready(connections=3)]
    assert far.recv() == ClockTell(ours_ns=9)
    far.close()
    with pytest.raises(AbortedError, match="worker-0 on far is gone"):
        await watch.until(lambda: False, 10 * NS_PER_S)
    await crew.stop(0)
