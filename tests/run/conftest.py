"""Fixtures for tests that start `alertsim` in a process of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run.processes import Alertsim


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
