"""Fixtures for tests that start `alertsim` in a process of its own."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run.processes import Alertsim, wait_until


@pytest.fixture
def alertsim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Alertsim]]:
    """Start `alertsim ARGUMENTS` in an empty directory; killed at the end of the test."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    started: list[Alertsim] = []

    def start(*arguments: str) -> Alertsim:
        started.append(Alertsim(arguments, tmp_path, len(started)))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            family = each.descendants()
            each.process.kill()
            each.process.wait()
            for child in family:
                if child.is_running():
                    child.kill()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    process = subprocess.Popen([program, "-c", config], stderr=subprocess.DEVNULL)

    def up() -> bool:
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", port)) == 0

    wait_until(up, 10)
    yield process, port
    process.kill()
    process.wait()
