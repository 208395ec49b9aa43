"""Child processes with a duplex pipe, from the parent's side.

Rule of the module: a child ends when told to, when its pipe closes, and when this process dies, by
SIGKILL too. It stands in a process group of its own, so that Ctrl-C in a terminal reaches the run
and not its children: the run ends them in order.

A fresh interpreter is started rather than ``multiprocessing``'s spawn, which would import the main
program again in every child, and rather than fork, which copies threads in mid-air.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Final

import simulator
from simulator.errors import InternalError
from simulator.units import NS_PER_S

_BOOT: Final = "from simulator.delivery.boot import main; main()"
_ROOT: Final = str(Path(simulator.__file__).parent.parent)
_TAIL_BYTES: Final = 8_000
_PIPE_BYTES: Final = 4 * 1024 * 1024


class Child:
    """One child process and the pipe to it.

    Args:
        name: for people, for example ``worker-0``.
        target: module-level function, called in the child as ``target(pipe, *arguments)``.
        arguments: what else it is called with; must pickle.

    Raises:
        InternalError: if the system refuses to start a process.
    """

    def __init__(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        self.name = name
        self._ended = threading.Event()
        self._last_words = ""
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, option, _PIPE_BYTES)
        self._pipe: Pipe[Any, Any] = Pipe(ours.detach())
        self._process: subprocess.Popen[bytes] | None = None
        refused: list[OSError] = []
        started = threading.Event()
        # The kernel ties a child's life to the thread that started it, so a thread of its own
        # starts it and waits for its end: it lives as long as the child, or as this process.
        threading.Thread(
            target=self._hold, args=(theirs, started, refused), name=f"{name}-holder", daemon=True
        ).start()
        started.wait()
        if refused:
            self._pipe.close()
            self._stderr.close()
            raise InternalError(f"{name} cannot be started: {refused[0]}") from refused[0]
        with contextlib.suppress(OSError):  # if it died already, recv will tell
            self._pipe.send((target.__module__, target.__qualname__, arguments))

    def _hold(
        self, theirs: socket.socket, started: threading.Event, refused: list[OSError]
    ) -> None:
        paths = [_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(paths),
            "RUST_BACKTRACE": "0",
        }
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                    [sys.executable, "-P", "-c", _BOOT, str(theirs.fileno()), str(os.getpid())],
                    stdin=subprocess.DEVNULL,
                    stdout=self._stderr,
                    stderr=self._stderr,
                    pass_fds=(theirs.fileno(),),
                    process_group=0,
                    env=environment,
                )
        except OSError as error:
            refused.append(error)
            return
        finally:
            started.set()
        self._process.wait()
        self._ended.set()

    @property
    def pid(self) -> int:
        """Process id; meaningful while it runs."""
        return self._running().pid

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise InternalError(f"{self.name} was not started")
        return self._process

    def fileno(self) -> int:
        """The pipe's descriptor, for ``loop.add_reader`` or a selector."""
        return self._pipe.fileno()

    def send(self, message: object) -> None:
        """Hand it a message; silently nothing if it is gone: its end of the pipe tells."""
        with contextlib.suppress(OSError):
            self._pipe.send(message)

    def poll(self) -> bool:
        """Whether ``recv`` has something at once: a message, or the end."""
        return self._pipe.poll()

    def recv(self) -> object:
        """The next message; waits for it.

        Raises:
            EOFError: if the child is gone and everything it said has been read.
        """
        try:
            return self._pipe.recv()
        except OSError as error:
            raise EOFError from error

    def ended(self) -> str | None:
        """How it ended, in words; None while it runs."""
        code = self._running().poll()
        if code is None:
            return None
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def said(self) -> str:
        """The end of what it wrote to stdout and stderr: tracebacks, crashes of libraries."""
        if self._stderr.closed:
            return self._last_words
        size = os.fstat(self._stderr.fileno()).st_size
        start = max(0, size - _TAIL_BYTES)
        tail = os.pread(self._stderr.fileno(), size - start, start)
        return tail.decode(errors="replace").strip()

    def wait(self, timeout_ns: int) -> bool:
        """Wait for its end, at most this long (wall ns); whether it has ended. Blocks."""
        return self._ended.wait(max(0, timeout_ns) / NS_PER_S)

    def kill(self) -> None:
        """SIGKILL."""
        if not self._ended.is_set():
            self._running().kill()

    def close(self, grace_ns: int = 0) -> None:
        """Give it the grace to end, close the pipe, then kill it. Blocks; idempotent.

        A child that was told to stop ends by itself; one that was not ends as its pipe closes.

        Args:
            grace_ns: for each of the two, wall ns.
        """
        if self._stderr.closed:
            return
        self.wait(grace_ns)
        self._pipe.close()
        if not self.wait(grace_ns):
            self.kill()
            self._ended.wait()
        self._last_words = self.said()
        self._stderr.close()
