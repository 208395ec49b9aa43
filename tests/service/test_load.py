"""Many onlookers at once: the run is not held up, everybody hears the end, nothing is leaked."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from benchmarks.onlookers import Onlookers
from tests.service.client import parsed
from tests.service.serving import Serving, serving

PAGES = 50
SLOW = 3
HUNG = 5


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("load"), "--max-runs", "2") as service:
        yield service


def port_of(service: Serving) -> int:
    return int(service.url.rpartition(":")[2])


def hung(service: Serving, path: str) -> socket.socket:
    """A page that asks and never reads."""
    page = socket.create_connection(("127.0.0.1", port_of(service)))
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    page.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return page


class Pages:
    """Pages that read their events to the end, each in a thread of its own."""

    def __init__(self, client: httpx.Client, run: str, count: int) -> None:
        self.kinds: list[list[str]] = [[] for _ in range(count)]
        self.ends: list[dict[str, Any]] = []
        self._threads = [
            threading.Thread(target=self._read, args=(client, run, kinds)) for kinds in self.kinds
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, client: httpx.Client, run: str, kinds: list[str]) -> None:
        path = f"/api/v1/runs/{run}/events"
        with client.stream("GET", path, timeout=90) as stream:
            for _, kind, event in parsed(stream.iter_lines()):
                kinds.append(kind)
                if kind == "end":
                    self.ends.append(event)

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in self._threads)


def test_fifty_pages_and_scrapes_while_a_run_plays(service: Serving) -> None:
    files_before = psutil.Process(service.process.process.pid).num_fds()
    run = service.play(subscribers=50, repeat=5)
    paths = (f"/api/v1/runs/{run}/events", "/api/v1/events")
    hanging = [hung(service, path) for path in paths for _ in range(HUNG)]
    limits = httpx.Limits(max_connections=2 * PAGES)
    with (
        httpx.Client(base_url=service.url, limits=limits, trust_env=False) as client,
        Onlookers(port_of(service), run, pages=SLOW, scrapes_per_s=5) as scraping,
    ):
        pages = Pages(client, run, PAGES)
        pages.wait()
    ended = service.ended(run)
    assert ended["outcome"] == "pass"
    total = service.get(f"/api/v1/runs/{run}/files/summary.json")["ledger"]["total"]
    assert total["delivered"] == total["expected"] > 0
    assert [kinds[0] for kinds in pages.kinds] == ["snapshot"] * PAGES
    assert [kinds[-1] for kinds in pages.kinds] == ["end"] * PAGES
    assert len({json.dumps(end, sort_keys=True) for end in pages.ends}) == 1
    assert scraping.seen.failed == 0
    assert scraping.seen.scrapes >= 5
    assert service.total("alertsim_pages_connected") >= HUNG
    for page in hanging:
        page.close()
    service.until(lambda: service.total("alertsim_pages_connected") == 0)
    process = psutil.Process(service.process.process.pid)
    service.until(lambda: process.num_fds() <= files_before + 10)


HOSTILE = """\
schema: "1.0"
id: hostile
extends: drill-minimal
title: 'evil" } 1 \\n# HELP'
"""


def test_hostile_names_add_no_series(service: Serving, tmp_path: Path) -> None:
    del tmp_path
    service.ended(service.play())
    before = {(name, labels) for name, labels in service.metrics() if "process" not in name}
    order = {"scenario": None, "scenario_yaml": HOSTILE, "name": 'n"}\u2028{x="y'}
    service.ended(service.play(**order, root="root-a/evil"))
    after = service.http.get("/metrics").text
    assert "evil" not in after
    assert "hostile" not in after
    assert {(name, labels) for name, labels in service.metrics() if "process" not in name} == before
