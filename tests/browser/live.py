"""The live page of a real service in a real browser, and what it must not do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.browser.test_report_page import DESKTOP, until
from tests.run.processes import Alertsim, wait_until
from tests.service.client import Served

CALM = {"scenario": "tohoku-2022-11-03", "speed": 3000, "subscribers": 30}


def _group(event: str, n: int) -> dict[str, Any]:
    segment = {"n": n, "sum_ns": "1", "buckets": [0, n, *([0] * 13)]}
    return {"prefecture": "miyagi", "event": event, "qos": 1, "segments": {"delivery": segment}}


def _alert(number: int, prefecture: str, event: str) -> dict[str, Any]:
    return {"number": number, "at_ns": "1", "prefecture": prefecture, "event": event}


def _sent(number: int) -> dict[str, Any]:
    return {"type": "sent", "alert": number, "repetition": 0}


# A small run as it is told; what the page makes of it must not depend on when it came.
_EVENTS: tuple[dict[str, Any], ...] = (
    {
        "type": "plan",
        "alerts": [
            _alert(0, "miyagi", "launch"),
            _alert(1, "niigata", "launch"),
            _alert(2, "miyagi", "passage"),
        ],
    },
    {"type": "phase", "name": "publish", "detail": ""},
    _sent(0),
    {"type": "progress", "groups": [_group("launch", 4)], "clients": []},
    _sent(1),
    {"type": "progress", "groups": [_group("launch", 7)], "clients": []},
    _sent(2),
    {"type": "progress", "groups": [_group("passage", 5)], "clients": []},
    {"type": "progress", "groups": [], "clients": []},
    {"type": "end", "outcome": "pass"},
)
TOLD = [{"n": number} | event for number, event in enumerate(_EVENTS, start=1)]

# The states that a prefecture passes on the map, kept from before the first of them.
_KEEP = """() => {
  window.seen = {};
  const note = (place) => {
    const states = window.seen[place.dataset.slug] ??= [];
    if (states.at(-1) !== place.dataset.state) states.push(place.dataset.state);
  };
  new MutationObserver((changes) => {
    for (const { target } of changes) if (target.dataset?.state) note(target);
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
}"""


class Complaints:
    """What a page did that the live page must not do."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.found: list[str] = []
        self.expected: tuple[str, ...] = ()
        self._url = url
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"error: {error.error}"))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if not any(text in message.text for text in self.expected):
            self.found.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:", "blob:")):
            self.found.append(f"request: {request.url}")


class Wire:
    """The way to a service, which can be cut and mended."""

    def __init__(self, url: str) -> None:
        self._to = int(url.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._whole = True
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole = False
        for each in self._open:
            _end(each)

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        _end(self._listener)
        for each in (self._listener, *self._open):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._whole:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    _end(source)
    _end(sink)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)


@contextmanager
def live(
    browser: Browser,
    served: Served,
    *,
    run: str = "",
    url: str = "",
    size: tuple[int, int] = DESKTOP,
    scheme: Any = "light",
    language: str = "en",
) -> Iterator[tuple[Page, Complaints]]:
    """The live page, ready, on the list of exercises or one of them; it complains of nothing."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, locale="en-GB"
    )
    try:
        complaints = Complaints(context, url or served.url)
        page = context.new_page()
        page.goto(f"{url or served.url}/?lang={language}" + (f"#run={run}" if run else ""))
        page.wait_for_selector("html[data-ready=yes]")
        shown = "[data-planned=yes]" if run else "#scenario option[value]"
        page.wait_for_selector(shown, state="attached", timeout=30_000)
        page.evaluate(_KEEP)
        yield page, complaints
        assert complaints.found == []
    finally:
        context.close()


def states(page: Page, slug: str) -> list[str]:
    """What the map showed of a prefecture since the page was opened."""
    found: list[str] = page.evaluate("slug => window.seen[slug] ?? []", slug)
    return found


def ended(page: Page) -> None:
    """Until the verdict stands there."""
    until(page, "!document.getElementById('verdict').hidden", 60_000)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service for the tests of a module."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "runtime").mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder / "runtime"))
        process = Alertsim(("serve", "--port", "0", "--out", str(folder / "store")), folder, 0)
    try:
        service = Served(process, folder / "store")
        yield service
        service.http.close()
    finally:
        process.process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def finished(served: Served) -> str:
    """A run that is over."""
    run = served.start(**CALM)
    served.wait_for(run, "complete")
    return run


def stopped(served: Served, run: str) -> None:
    """Give a run up, so that the next test has the machine for itself."""
    served.http.post(f"/api/v1/runs/{run}/stop")
    wait_until(lambda: served.info(run)["outcome"] is not None, 60)


def subscriber(served: Served, client: str, folder: Path) -> Alertsim:
    """A test client of somebody's, which tells what it receives."""
    address = served.get("/api/v1/service")["broker"]["addresses"]["3.1.1"]
    return Alertsim(("subscribe", "--all", "--client-id", client, "--broker", address), folder, 1)
