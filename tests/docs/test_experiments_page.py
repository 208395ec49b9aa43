"""Every command of docs/experiments.md works, in its order, in one directory."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.thresholds.gates import parse_gate

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "experiments.md").read_text("utf-8")


@pytest.mark.timeout(300)
def test_every_command_of_the_page_on_experiments(tmp_path: Path) -> None:
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 10
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "alertsim"
        played = subprocess.run(
            [sys.executable, "-m", "simulator", *arguments],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert played.returncode == 0, f"{line}\n{played.stdout}\n{played.stderr}"
    files = re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE)
    assert set(files) <= {one.name for one in (tmp_path / "many").iterdir()}


def test_every_condition_of_the_page_is_understood() -> None:
    conditions = re.findall(r"^\| `([^`]* [<>] [^`]*)` \|", PAGE, re.MULTILINE)
    assert len(conditions) == 4
    for condition in conditions:
        assert parse_gate(condition).expression == condition
