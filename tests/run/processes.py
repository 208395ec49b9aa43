"""Starting `alertsim` as a user does: its own process, real brokers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

COMMAND = (sys.executable, "-m", "simulator")


class Alertsim:
    """A running `alertsim`, its output in files, its descendants known."""

    def __init__(self, arguments: tuple[str, ...], cwd: Path, number: int) -> None:
        self.out = cwd / f"out-{number}.txt"
        self.err = cwd / f"err-{number}.txt"
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def stderr(self) -> str:
        return self.err.read_text(encoding="utf-8")

    def stdout(self) -> str:
        return self.out.read_text(encoding="utf-8")

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.stdout())
        return document

    def wait_for(self, text: str, timeout_s: float = 60) -> None:
        """Until it said so on standard error."""
        wait_until(lambda: text in self.stderr() or self.process.poll() is not None, timeout_s)
        assert text in self.stderr(), self.stderr()

    def port(self, version: str) -> int:
        """Of the broker on this host, from the address that is printed first."""
        self.wait_for(f"(MQTT {version})")
        line = next(each for each in self.stderr().splitlines() if f"(MQTT {version})" in each)
        return int(line.partition("127.0.0.1:")[2].partition(" ")[0])

    def wait(self, timeout_s: float = 90) -> int:
        return self.process.wait(timeout_s)

    def descendants(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)


def wait_until(done: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            pytest.fail(f"nothing happened within {timeout_s} s")
        time.sleep(0.02)


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them lives; a zombie that nobody has collected does not live."""
    return not any(
        each.is_running() and each.status() != psutil.STATUS_ZOMBIE
        for each in processes
        if psutil.pid_exists(each.pid)
    )
