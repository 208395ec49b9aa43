"""Every command of the README does what the README says, in its order, in an empty directory."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def _lines() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [line for block in BLOCK.findall(text) for line in block.splitlines() if line.strip()]


def _start(line: str, cwd: Path) -> subprocess.Popen[str]:
    ours = re.sub(r"^alertsim\b", shlex.join([sys.executable, "-m", "simulator"]), line)
    return subprocess.Popen(
        ["/bin/sh", "-c", ours],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.timeout(300)
def test_every_command_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    work = tmp_path / "work"
    work.mkdir()
    waiting: list[subprocess.Popen[str]] = []
    played = 0
    for line in _lines():
        if line.startswith("make "):
            continue  # continuous integration calls these two themselves
        assert line.startswith("alertsim "), f"untested command in the README: {line}"
        process = _start(line, work)
        if " publish " in line:
            _until_waiting(process)
            waiting.append(process)
            continue
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, f"{line}\n{out}\n{err}"
        played += 1
    for process in waiting:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, f"{out}\n{err}"
    assert played >= 8
    assert len(waiting) == 1
    assert len(list((work / "runs").iterdir())) == 3


def _until_waiting(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for said in process.stderr:
        if said.startswith("wait:"):
            return
    pytest.fail("publish ended before it waited for a client")


def test_every_link_of_the_readme_and_docs_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "config" / "README.md"]:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
