"""Readers that are programs of their own: the floor in C, and Locust in an environment of its own.

Rule of the module: the C program is compiled when a benchmark begins, Locust is installed beside
the benchmarks when it is first wanted. What cannot be had is said, never guessed.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Final

from benchmarks.harness import BenchmarkError, cpu_s
from benchmarks.peers import ReadAll, ReaderOrder
from simulator.delivery.messages import Ended, Ready

_HERE: Final = Path(__file__).parent
_BUILT: Final = _HERE / ".build" / "reader"
_LOCUST: Final = _HERE / ".locust"
_DIGITS: Final = 5  # of a client's number at the end of its name
_INSTALL_S: Final = 180
_READY_S: Final = 120


def build_reader() -> None:
    """Compile the C reader.

    Raises:
        BenchmarkError: if there is no compiler, or it objects.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise BenchmarkError("no C compiler: install gcc, the floor is a C program")
    _BUILT.parent.mkdir(exist_ok=True)
    command = [compiler, "-O2", "-Wall", "-Wextra", "-o", str(_BUILT), str(_HERE / "reader.c")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise BenchmarkError(f"the C reader does not compile: {made.stderr}")


def locust_version() -> str:
    """Version of Locust in its environment, made now if there is none; empty if it cannot be."""
    python = _LOCUST / "bin" / "python"
    if not python.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(_LOCUST)], check=True, timeout=60)
            install = [str(python), "-m", "pip", "install", "--quiet", "locust", "paho-mqtt"]
            subprocess.run(install, check=True, timeout=_INSTALL_S)
        except (OSError, subprocess.SubprocessError):
            shutil.rmtree(_LOCUST, ignore_errors=True)
            return ""
    question = "import importlib.metadata as m; print(m.version('locust'))"
    asked = subprocess.run(
        [str(python), "-c", question], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def c_reader_main(pipe: Pipe, order: ReaderOrder) -> None:
    """The floor: connects, subscribes, parses and acknowledges in C."""
    version = "5" if order.endpoint.protocol == "5" else "4"
    where = [order.endpoint.host, str(order.endpoint.port), version, str(order.qos)]
    name = order.clients[0][:-_DIGITS]
    much = [str(len(order.clients)), str(order.messages)]
    _serve(pipe, "c-reader", [str(_BUILT), *where, order.filters[0][0], name, *much])


def locust_main(pipe: Pipe, order: ReaderOrder) -> None:
    """Locust's MQTT user."""
    what = [str(order.endpoint.port), order.endpoint.protocol, str(order.qos)]
    much = [order.filters[0][0], str(len(order.clients)), str(order.messages)]
    python = str(_LOCUST / "bin" / "python")
    _serve(pipe, "locust", [python, str(_HERE / "locust_peer.py"), *what, *much])


def _serve(pipe: Pipe, name: str, command: Sequence[str]) -> None:
    """Run a program that says ``ready`` and then what it read."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            lines = iter(program.stdout or ())
            if next(lines, "").strip() != "ready":
                raise BenchmarkError(f"{name} did not get ready")
            pipe.send(Ready(connections=0))
            before_s = cpu_s(program.pid)
            count, last_ns, *_ = [int(word) for word in next(lines, "0 0").split()]
            used_s = cpu_s(program.pid) - before_s
            pipe.send(ReadAll(count=count, last_ns=last_ns, cpu_s=used_s))
            pipe.recv()
        finally:
            if program.stdin is not None:
                program.stdin.close()
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
    pipe.send(Ended(name=name))
