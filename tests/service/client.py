"""`alertsim serve` as a user starts it, and what a client hears of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.run.processes import Alertsim, wait_until

QUICK = {"scenario": "drill-minimal", "speed": 600, "subscribers": 10}
LONG = QUICK | {"hold": "60s"}
OVER = {"complete", "incomplete", "failed"}


class Served:
    """A service that runs, and a client of it."""

    def __init__(self, process: Alertsim, store: Path, token: str = "") -> None:
        self.process = process
        self.store = store
        wait_until(lambda: self._said("ready: ") or process.process.poll() is not None, 60)
        assert self._said("ready: "), process.stdout() + process.stderr()
        line = next(each for each in process.stdout().splitlines() if each.startswith("ready: "))
        self.url = line.removeprefix("ready: ").rstrip("/")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=self.url, timeout=30, headers=headers, trust_env=False)

    def _said(self, text: str) -> bool:
        return text in self.process.stdout()

    def get(self, path: str) -> Any:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(self, **order: Any) -> str:
        answer = self.http.post("/api/v1/runs", json=order)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["run"])

    def info(self, run: str) -> dict[str, Any]:
        info: dict[str, Any] = self.get(f"/api/v1/runs/{run}")
        return info

    def wait_for(self, run: str, *states: str, timeout_s: float = 60) -> dict[str, Any]:
        wait_until(lambda: self.info(run)["state"] in {*states, *OVER}, timeout_s)
        info = self.info(run)
        assert info["state"] in states, info
        return info

    def events(
        self, run: str, last: int | None = None
    ) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Each event's id, type and data, to the end of the stream."""
        headers = {} if last is None else {"last-event-id": str(last)}
        with self.http.stream("GET", f"/api/v1/runs/{run}/events", headers=headers) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            yield from parsed(stream.iter_lines())


def parsed(lines: Iterator[str]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    number, kind = 0, ""
    for line in lines:
        name, _, text = line.partition(": ")
        if name == "id":
            number = int(text)
        elif name == "event":
            kind = text
        elif name == "data":
            yield number, kind, json.loads(text)
            number = 0


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    return found
