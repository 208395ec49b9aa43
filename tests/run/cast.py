"""Every shipped receiver as a program to start; what it needs is installed once a session."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGTERM

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
LEGACY = ("asyncio-mqtt==0.16.2", "paho-mqtt==1.6.1")
HDR = "hdr-histogram-js@3"  # the HdrHistogram project's own, for what we write of histograms
INSTALL_S = 100

# Client id in the ledger, the script, and the prefecture it listens to.
RECEIVERS = {
    "paho-miyagi": ("receipt_client_paho.py", "miyagi"),
    "aiomqtt-yamagata": ("receiver_aiomqtt.py", "yamagata"),
    "gmqtt-niigata": ("receiver_gmqtt.py", "niigata"),
    "js-miyagi": ("javascript/receiver_mqtt.mjs", "miyagi"),
    "mosquitto-sub-yamagata": ("receiver_mosquitto_sub.sh", "yamagata"),
    "asyncio-mqtt-niigata": ("receiver_asyncio_mqtt.py", "niigata"),
}
UNSTAMPED = "mosquitto-sub-yamagata"  # the shell has no clock worth its name: round trips


def commands(folder: Path) -> dict[str, list[str]]:
    """How to start each receiver that can be started here; in CI all of them can.

    Args:
        folder: takes what has to be installed.
    """
    found = {name: [sys.executable, str(EXAMPLES / script)] for name, (script, _) in _python()}
    for name, ready in (("js-miyagi", _javascript), ("mosquitto-sub-yamagata", _shell)):
        command = ready(folder)
        if command is not None:
            found[name] = command
    legacy = _legacy(folder)
    if legacy is not None:
        found["asyncio-mqtt-niigata"] = legacy
    missing = RECEIVERS.keys() - found.keys()
    if missing and os.environ.get("ALERTSIM_CI"):
        pytest.fail(f"in CI every receiver must run; these cannot: {sorted(missing)}")
    return found


@contextmanager
def on_stage(found: dict[str, list[str]], host: str, port: int) -> Iterator[None]:
    """All of them at once, each in a session of its own, ended with all its children."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in found.items():
            place = RECEIVERS[name][1]
            started.append(
                subprocess.Popen(
                    [*command, host, str(port), place],
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        yield
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, SIGTERM)
        for process in started:
            process.wait(10)


def _python() -> list[tuple[str, tuple[str, str]]]:
    return [
        (name, each)
        for name, each in RECEIVERS.items()
        if each[0].endswith(".py") and not name.startswith("asyncio-mqtt")
    ]


def _javascript(folder: Path) -> list[str] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    project = folder / "javascript"
    shutil.copytree(EXAMPLES / "javascript", project)
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
    if not _done([npm, "install", *quiet, HDR], cwd=project):
        return None
    shutil.copy(EXAMPLES.parents[1] / "tests" / "data" / "read_hlog.mjs", project)
    return [node, str(project / "receiver_mqtt.mjs")]


def _shell(_folder: Path) -> list[str] | None:
    if shutil.which("mosquitto_sub") is None:
        return None
    return ["sh", str(EXAMPLES / "receiver_mosquitto_sub.sh")]


def _legacy(folder: Path) -> list[str] | None:
    """paho 1 and paho 2 do not go together: an environment of its own."""
    home = folder / "legacy"
    venv.create(home, symlinks=True)
    python = str(home / "bin" / "python")
    if not _done([sys.executable, "-m", "pip", "--python", python, "install", "-q", *LEGACY]):
        return None
    return [python, str(EXAMPLES / "receiver_asyncio_mqtt.py")]


def _done(command: list[str], cwd: Path | None = None) -> bool:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_S, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
    return done.returncode == 0
