"""Many pages at once: none holds up the run, none leaves anything behind."""

import asyncio
import socket

import httpx
import psutil

from tests.run.processes import wait_until
from tests.service.client import QUICK
from tests.service.conftest import Serve

PAGES = 50


async def _watch(http: httpx.AsyncClient, run: str) -> list[str]:
    async with http.stream("GET", f"/api/v1/runs/{run}/events") as stream:
        return [
            line.removeprefix("event: ") async for line in stream.aiter_lines() if "event: " in line
        ]


async def _watched(url: str, run: str) -> list[list[str]]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits, trust_env=False) as http:
        return await asyncio.gather(*(_watch(http, run) for _ in range(PAGES)))


def _hung(url: str, path: str) -> socket.socket:
    """A page that asks and never reads."""
    port = int(url.rpartition(":")[2])
    page = socket.create_connection(("127.0.0.1", port))
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    page.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return page


def test_fifty_pages_and_some_that_hang_see_a_run_pass(serve: Serve) -> None:
    served = serve()
    served.get("/api/v1/scenarios")
    process = psutil.Process(served.process.process.pid)
    served.wait_for(served.start(**QUICK), "complete")
    before = process.num_fds()
    run = served.start(**QUICK, repeat=20)
    hung = [_hung(served.url, f"/api/v1/runs/{run}/events") for _ in range(5)]
    hung += [_hung(served.url, "/api/v1/events") for _ in range(5)]

    heard = asyncio.run(_watched(served.url, run))

    info = served.wait_for(run, "complete")
    assert info["outcome"] == "pass"
    assert all(each[0] == "snapshot" and each[-1] == "end" for each in heard)
    summary = served.get(f"/api/v1/runs/{run}/files/summary.json")
    assert summary["ledger"]["total"]["delivered"] == 20 * 10
    for page in hung:
        page.close()
    wait_until(lambda: process.num_fds() <= before, 20)
