"""A service for a block of a test, restarted on the same folder, and what its metrics say."""

import itertools
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.run.processes import Alertsim, wait_until
from tests.service.client import QUICK, Served

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
_numbers = itertools.count()


class Serving(Served):
    """A running service."""

    def said(self) -> str:
        return self.process.stdout() + self.process.stderr()

    def play(self, **order: Any) -> str:
        return self.start(**QUICK | order)

    def runs(self) -> dict[str, dict[str, Any]]:
        return {each["run"]: each for each in self.get("/api/v1/runs")["runs"]}

    def ended(self, run: str, timeout_s: float = 60) -> dict[str, Any]:
        """Once it has an exit code."""
        self.until(lambda: self.info(run)["exit_code"] is not None, timeout_s)
        return self.info(run)

    def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        answer = self.http.get("/metrics", headers={"accept": OPENMETRICS})
        assert answer.status_code == 200, answer.text
        families = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    def total(self, name: str, **labels: str) -> float:
        """Sum of the samples of this name that have these labels."""
        wanted = set(labels.items())
        found = self.metrics().items()
        return sum(value for (known, has), value in found if known == name and wanted <= has)

    def until(self, done: Callable[[], bool], timeout_s: float = 60) -> None:
        def alive_and_done() -> bool:
            assert self.process.process.poll() is None, self.said()
            return done()

        wait_until(alive_and_done, timeout_s)

    def end(self) -> int:
        """Ask it to end in order; its exit code."""
        self.http.close()
        if self.process.process.poll() is None:
            self.process.send(signal.SIGTERM)
        return self.process.wait(60)


def started(folder: Path, *options: str) -> Alertsim:
    """`alertsim serve` over the store in this folder."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    command = ("serve", "--port", "0", "--out", str(folder / "store"), *options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        return Alertsim(command, folder, next(_numbers))


def refused(folder: Path, *options: str) -> str:
    """What a service says that does not come up, and ends with 104."""
    process = started(folder, *options)
    assert process.wait(60) == 104
    assert "Traceback" not in process.stderr()
    return process.stderr()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Serving]:
    """A service that is ended at the end of the block."""
    process = started(folder, *options)
    try:
        service = Serving(process, folder / "store")
        try:
            yield service
        finally:
            service.end()
    finally:
        if process.process.poll() is None:
            process.process.kill()
            process.wait(10)
