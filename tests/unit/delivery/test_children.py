"""Real child processes: told to end, left alone, orphaned, crashed."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from simulator.delivery.children import Child
from simulator.errors import InternalError
from simulator.units import NS_PER_S

GRACE_NS = 20 * NS_PER_S
TARGETS = """
import os, signal, sys, time


def echo(pipe, *arguments):
    pipe.send(arguments)
    while (message := pipe.recv()) != "end":
        pipe.send(message)


def describe(pipe):
    ignored = [name for name in ("SIGINT", "SIGTERM") if
        signal.getsignal(getattr(signal, name)) == signal.SIG_IGN]
    pipe.send((os.getpid(), os.getpgid(0), ignored, sorted(sys.modules)))


def fail(pipe):
    print("printed", flush=True)
    raise ValueError("on purpose")


def leave(pipe):
    pipe.send("last words")
    sys.exit(3)


def spin(pipe):
    pipe.send("spinning")
    while True:
        time.sleep(0.01)
"""


class Recipe:
    """Names a function of a module that only the child imports."""

    def __init__(self, name: str) -> None:
        self.__module__ = "child_targets_for_tests"
        self.__qualname__ = name

    def __call__(self, *_: object) -> None:
        raise AssertionError


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Child]]:
    (tmp_path / "child_targets_for_tests.py").write_text(TARGETS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made: list[Child] = []

    def make(target: str, *arguments: object) -> Child:
        made.append(Child(f"child-{target}", Recipe(target), *arguments))
        return made[-1]

    yield make
    for child in made:
        child.kill()
        child.close()


def test_it_is_called_with_its_arguments_and_talks(start: Callable[..., Child]) -> None:
    child = start("echo", 1, {"two": 3})
    assert child.recv() == (1, {"two": 3})
    big = bytes(5_000_000)
    child.send(big)
    assert child.recv() == big
    assert not child.poll()
    assert child.ended() is None
    child.send("end")
    with pytest.raises(EOFError):
        child.recv()
    assert child.wait(GRACE_NS)
    assert child.ended() == "ended with exit code 0"
    child.send("nobody is there")


def test_it_stands_apart_ignores_our_signals_and_is_lean(start: Callable[..., Child]) -> None:
    child = start("describe")
    told: Any = child.recv()
    pid, group, ignored, modules = told
    assert pid == child.pid == group
    assert ignored == ["SIGINT", "SIGTERM"]
    assert not {"numpy", "pydantic", "polars", "plotly", "asyncio", "typer"} & set(modules)


def test_a_crash_keeps_what_was_said(start: Callable[..., Child]) -> None:
    child = start("fail")
    with pytest.raises(EOFError):
        child.recv()
    assert child.wait(GRACE_NS)
    assert child.ended() == "ended with exit code 1"
    for _ in range(2):
        assert child.said().startswith("printed")
        assert child.said().endswith("ValueError: on purpose")
        child.close()  # idempotent, and the words remain


def test_messages_of_an_ended_child_can_still_be_read(start: Callable[..., Child]) -> None:
    child = start("leave")
    assert child.wait(GRACE_NS)
    assert child.ended() == "ended with exit code 3"
    assert child.recv() == "last words"


def test_closing_the_pipe_ends_a_child_that_listens(start: Callable[..., Child]) -> None:
    child = start("echo")
    child.recv()
    child._pipe.close()
    assert child.wait(GRACE_NS)
    assert "EOFError" in child.said()


def test_a_child_that_does_not_listen_is_killed_after_its_grace(
    start: Callable[..., Child],
) -> None:
    child = start("spin")
    child.recv()
    child.close(NS_PER_S // 10)
    assert child.ended() == "was killed by signal 9"


def test_a_loop_can_wait_for_it(start: Callable[..., Child]) -> None:
    async def hear() -> Any:
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[object] = loop.create_future()
        child = await asyncio.to_thread(start, "echo", "hello")
        loop.add_reader(child.fileno(), lambda: heard.set_result(child.recv()))
        async with asyncio.timeout(20):
            answer = await heard
        loop.remove_reader(child.fileno())
        return answer

    # The thread that started it ends with the loop's executor; the child must not end with it.
    assert asyncio.run(hear()) == ("hello",)


def test_a_child_outlives_the_thread_that_asked_for_it(start: Callable[..., Child]) -> None:
    async def make() -> Child:
        return await asyncio.to_thread(start, "echo", "hello")

    child = asyncio.run(make())
    assert child.recv() == ("hello",)
    child.send("still there")
    assert child.recv() == "still there"


def test_no_descriptor_and_no_process_is_left(start: Callable[..., Child]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        start("leave").close(GRACE_NS)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_system_that_refuses_is_an_internal_error(
    monkeypatch: pytest.MonkeyPatch, start: Callable[..., Child]
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(InternalError, match="child-echo cannot be started"):
        start("echo")


@pytest.mark.parametrize("target", ["echo", "spin"])
def test_killing_the_parent_leaves_no_child(tmp_path: Path, target: str) -> None:
    (tmp_path / "child_targets_for_tests.py").write_text(TARGETS)
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                import child_targets_for_tests as targets, time
                from simulator.delivery.children import Child
                children = [Child(str(n), targets.{target}) for n in range(2)]
                for child in children:
                    child.recv()
                print(*(child.pid for child in children), flush=True)
                time.sleep(60)
            """),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert parent.stdout is not None
    with parent.stdout:
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert len(children) == 2
    # in a container without an init nobody reaps orphans: a zombie is gone too
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
