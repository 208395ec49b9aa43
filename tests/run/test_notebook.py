"""A run from inside an event loop, as a notebook has one: it plays, and it can be interrupted."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator import run_scenario
from simulator.errors import ConfigurationError, ExitCode
from tests.run.processes import wait_until

CELL = """
import asyncio
from simulator import run_scenario

async def cell():
    run = run_scenario("tohoku-2022-11-03", out="runs", speed=20, subscribers=3)
    print(run.manifest.exit_code, run.summary.completeness.reason)

asyncio.run(cell())
"""


async def test_run_inside_a_running_loop(tmp_path: Path) -> None:
    run = run_scenario("drill-minimal", out=tmp_path, speed=6000, subscribers=4)
    assert run.passed
    assert run.summary is not None
    assert run.summary.ledger.total.delivered == run.deliveries().height == 4
    assert "ALERTSIM_SPEED=6000" in run.manifest.command
    assert "【訓練】 EXERCISE" in run._repr_markdown_()


def test_what_is_wrong_is_raised_where_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="speed"):
        run_scenario("drill-minimal", out=tmp_path, speed="fast")
    with pytest.raises(ConfigurationError, match="host other than this one"):
        run_scenario("drill-minimal", out=tmp_path, broker="mqtt://broker.example")
    assert list(tmp_path.iterdir()) == []


def test_interrupt_button_ends_the_run_in_order(
    tmp_path: Path, alertsim: Callable[..., object]
) -> None:
    del alertsim  # only for its runtime directory
    with subprocess.Popen(
        [sys.executable, "-c", CELL],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        runs = tmp_path / "runs"
        try:
            wait_until(lambda: any(runs.glob("*/deliveries/part-*")), 60)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert out == f"{int(ExitCode.ABORTED)} ended by SIGINT\n"
    (directory,) = runs.iterdir()
    assert json.loads((directory / "manifest.json").read_bytes())["state"] == "incomplete"
