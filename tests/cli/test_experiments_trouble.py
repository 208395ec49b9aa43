"""Trouble on the way: workers and clusters that die while an experiment is played."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

MODELLED = "tohoku-2022-11-03-modelled"
_COMMAND = [sys.executable, "-m", "simulator"]


def _start(cwd: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_COMMAND, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finished(process: subprocess.Popen[str], expected: int) -> str:
    _, err = process.communicate(timeout=100)
    assert process.returncode == expected, err
    assert "Traceback" not in err, err
    return err


def _table(path: Path) -> bytes:
    return (path / "replications.parquet").read_bytes()


def _wait_until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def _parts(path: Path) -> int:
    return len(list((path / "replications").glob("part-*.parquet")))


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    arguments = ["simulate", MODELLED, "--replications", "600", "--chain-only", "-q"]
    whole = _start(tmp_path, *arguments, "--workers", "1", "--out", "whole")
    process = _start(tmp_path, *arguments, "--workers", "2", "--out", "hurt")
    _wait_until(lambda: _parts(tmp_path / "hurt") > 1 or process.poll() is not None, "no chunk")
    workers = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline())
    ]
    workers[0].kill()
    _finished(process, 0)
    _finished(whole, 0)
    assert _table(tmp_path / "hurt") == _table(tmp_path / "whole")


@contextmanager
def _cluster(cwd: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A Dask scheduler and workers as an operator starts them: processes of their own."""
    log = cwd / "scheduler.log"
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, *arguments: str) -> None:
        with log.open("ab") as out:
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                )
            )

    try:
        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        found: list[str] = []

        def listening() -> bool:
            found[:] = re.findall(r"Scheduler at:\s+(tcp://\S+)", log.read_text())
            return bool(found)

        _wait_until(listening, "no scheduler")
        for number in range(workers):
            start("dask_worker", found[0], "--nthreads", "1", "--no-dashboard", "--no-nanny",
                  "--local-directory", str(cwd / f"worker-{number}"))  # fmt: skip
        yield found[0], started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.timeout(200)
def test_a_cluster_gives_the_same_table_and_may_go_away(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    arguments = ["simulate", MODELLED, "--replications", "2400", "--chain-only"]
    with _cluster(tmp_path, 2) as (address, processes):
        process = _start(tmp_path, *arguments, "--cluster", address, "--out", "cut")
        _wait_until(lambda: _parts(tmp_path / "cut") > 1 or process.poll() is not None, "no chunk")
        os.kill(processes[1].pid, signal.SIGKILL)  # one of two workers
        before = _parts(tmp_path / "cut")
        _wait_until(
            lambda: _parts(tmp_path / "cut") > before + 1 or process.poll() is not None, "no more"
        )
        os.kill(processes[0].pid, signal.SIGKILL)  # the scheduler
        err = _finished(process, 105)
    assert "went away" in err
    assert "goes on from there" in err
    kept = _parts(tmp_path / "cut")
    assert kept > before
    assert json.loads((tmp_path / "cut" / "experiment.json").read_text())["state"] == "interrupted"
    again = _finished(_start(tmp_path, *arguments, "--out", "cut"), 0)
    assert "replications: 0 of 2,400" not in again
    _finished(_start(tmp_path, *arguments, "--out", "whole", "-q"), 0)
    assert _table(tmp_path / "cut") == _table(tmp_path / "whole")
