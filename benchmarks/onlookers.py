"""Whoever looks at a service while a run plays: live pages and a Prometheus that scrapes it.

Rule of the module: they are as cheap as lookers can be, sockets read by one thread and a second one
that scrapes, because on this machine they take processor time that browsers elsewhere would not.
"""

import http.client
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from benchmarks.harness import CLOCK, BenchmarkError
from simulator.units import NS_PER_S

_TIMEOUT_S: Final = 30
_READ_BYTES: Final = 1 << 16


@dataclass(slots=True)
class Seen:
    """What they saw.

    Attributes:
        pages: that were answered with a stream.
        read_bytes: by all pages.
        scrapes: that were answered.
        scrape_s: the longest of them.
        failed: scrapes that were not answered with 200.
    """

    pages: int = 0
    read_bytes: int = 0
    scrapes: int = 0
    scrape_s: float = 0.0
    failed: int = 0


class Onlookers:
    """Live pages of one run and scrapes of its service, from entering to leaving.

    Args:
        port: of the service on loopback.
        run: id of the run.
        pages: how many.
        scrapes_per_s: how often `/metrics` is read; 0: never.
    """

    def __init__(self, port: int, run: str, *, pages: int, scrapes_per_s: int) -> None:
        self._port = port
        self._run = run
        self._pages = pages
        self._every_ns = NS_PER_S // scrapes_per_s if scrapes_per_s else 0
        self._left = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self.seen = Seen()

    def __enter__(self) -> Self:
        """Connect, then look on."""
        request = (
            f"GET /api/v1/runs/{self._run}/events HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            "Accept: text/event-stream\r\n\r\n"
        ).encode()
        for _ in range(self._pages):
            page = socket.create_connection(("127.0.0.1", self._port), _TIMEOUT_S)
            page.sendall(request)
            self._sockets.append(page)
        self._start(self._read)
        if self._every_ns:
            self._start(self._scrape)
        return self

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        self._threads.append(thread)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave."""
        self._left.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)
        for page in self._sockets:
            page.close()

    def _read(self) -> None:
        answered: set[int] = set()
        with selectors.DefaultSelector() as selector:
            for page in self._sockets:
                page.setblocking(False)
                selector.register(page, selectors.EVENT_READ, page)
            while not self._left.is_set() and selector.get_map():
                for key, _ in selector.select(0.2):
                    page = key.data
                    try:
                        data = page.recv(_READ_BYTES)
                    except OSError:
                        data = b""
                    if not data:
                        selector.unregister(page)
                    elif page.fileno() not in answered:
                        answered.add(page.fileno())
                        self.seen.pages += data.startswith(b"HTTP/1.1 200 ")
                    self.seen.read_bytes += len(data)

    def _scrape(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        due_ns = CLOCK.monotonic_ns()
        while not self._left.is_set():
            began_ns = CLOCK.monotonic_ns()
            try:
                connection.request("GET", "/metrics", headers={"Accept": "text/plain"})
                answer = connection.getresponse()
                answer.read()
                self.seen.failed += answer.status != http.client.OK
            except (OSError, http.client.HTTPException):
                self.seen.failed += 1
                connection.close()
            took_s = (CLOCK.monotonic_ns() - began_ns) / NS_PER_S
            self.seen.scrapes += 1
            self.seen.scrape_s = max(self.seen.scrape_s, took_s)
            due_ns += self._every_ns
            self._left.wait(max(0, due_ns - CLOCK.monotonic_ns()) / NS_PER_S)
        connection.close()

    def check(self) -> None:
        """Refuse a round in which they did not look as they were meant to.

        Raises:
            BenchmarkError: naming what was missing.
        """
        if self.seen.pages != self._pages or self.seen.failed:
            raise BenchmarkError(
                f"{self.seen.pages} of {self._pages} pages were answered, "
                f"{self.seen.failed} scrapes failed"
            )
