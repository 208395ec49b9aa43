"""What runs the benchmarks leaves nothing of them behind."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.all import run
from benchmarks.harness import CLOCK
from simulator.units import NS_PER_MS

TWO_PROCESSES = """\
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
if sys.argv[2] == "fail":
    sys.exit(3)
time.sleep(60)
"""

WHOLE = """\
import sys
from benchmarks import all as whole
command, run = sys.argv[1:], whole.run
whole.document.ORDER = ("reach",)
whole.run = lambda _command, timeout_s: run(command, timeout_s)
sys.argv = ["all", "--small"]
whole.main()
"""


@pytest.mark.parametrize(
    ("how", "error"),
    [("fail", subprocess.CalledProcessError), ("hang", subprocess.TimeoutExpired)],
)
def test_what_a_benchmark_has_started_ends_with_it(
    tmp_path: Path, how: str, error: type[Exception]
) -> None:
    note = tmp_path / "child"
    with pytest.raises(error):
        run([sys.executable, "-c", TWO_PROCESSES, str(note), how], 3)
    child = int(note.read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_benchmark_ends_with_whoever_runs_them_all(tmp_path: Path, how: signal.Signals) -> None:
    note = tmp_path / "child"
    benchmark = [sys.executable, "-c", TWO_PROCESSES, str(note), "hang"]
    with subprocess.Popen([sys.executable, "-c", WHOLE, *benchmark]) as process:
        try:
            for _ in range(300):
                if note.exists() and note.read_text():
                    break
                CLOCK.sleep_ns(100 * NS_PER_MS)
            process.send_signal(how)
            code = process.wait(60)
        finally:
            process.kill()
    child = int(note.read_text())
    if psutil.pid_exists(child) and psutil.Process(child).status() != "zombie":
        psutil.Process(child).kill()
        pytest.fail("the benchmark's own process stays")
    assert code == 128 + how
