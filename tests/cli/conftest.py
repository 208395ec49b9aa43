"""The command as a user types it: as a process of its own, or called within the test's process.

What is refused before anything begins is called here: a new interpreter for each of a hundred
refusals shows nothing more. Whatever plays, waits or is interrupted is a process.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from simulator.cli import main

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = (sys.executable, "-m", "simulator")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A process in the test's directory; environment variables as keywords."""

    def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=100,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return start


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The same, within this process: entry point, exit code, and what it wrote."""
    monkeypatch.chdir(tmp_path)

    def enter(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        before = signal.getsignal(signal.SIGTERM)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["alertsim", *arguments])
            for name, text in environment.items():
                patch.setenv(name, text)
            try:
                with pytest.raises(SystemExit) as ended:
                    main()
            finally:
                signal.signal(signal.SIGTERM, before)
                structlog.reset_defaults()
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), out, err)

    return enter
