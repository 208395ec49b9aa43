"""The page on many subscribers says what the program does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text("utf-8")


def test_the_command_of_the_page_works_with_fewer_subscribers(tmp_path: Path) -> None:
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    fewer = block.replace("10000", "40").replace("--repeat 60", "--repeat 2")
    assert fewer != block
    program, *arguments = shlex.split(fewer)
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
    assert played.returncode in {0, 98}, played.stderr
    assert "80 of 80 expected deliveries" in played.stdout


def test_the_command_for_a_cluster_has_options_that_exist() -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    (line,) = re.findall(r"^alertsim run .*?[^\\]$", block, re.DOTALL | re.MULTILINE)
    asked = subprocess.run(
        [sys.executable, "-m", "simulator", "run", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    options = [word for word in shlex.split(line) if word.startswith("--")]
    assert {"--cluster", "--broker", "--allow-host"} <= set(options)
    assert all(option in asked.stdout for option in options)
