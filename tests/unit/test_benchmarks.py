"""What runs the benchmarks leaves nothing of them behind."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.all import run

TWO_PROCESSES = """\
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
if sys.argv[2] == "fail":
    sys.exit(3)
time.sleep(60)
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
