"""A broker's process, from the parent's side.

Rule of the module: a process started here ends when asked, when its owner closes its stdin, and
when this process dies, by SIGKILL too. It stands in a session of its own, so that Ctrl-C in a
terminal reaches the run first and the run ends the broker last.
"""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from simulator.errors import BrokerUnreachableError

_GUARD: Final = Path(__file__).with_name("guard.py")
_STOP_S: Final = 2.0
_TAIL_BYTES: Final = 4_000


class BrokerProcess:
    """One child process and what it wrote to stderr.

    Args:
        arguments: ``serve FILE`` or ``exec PROGRAM …`` (see guard).
        log: file that takes its output.
    """

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._arguments = arguments
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._error: OSError | None = None

    def start(self) -> None:
        """Start the child.

        The kernel ties a child's life to the thread that started it, not to its process, so a
        thread of its own starts it and waits for its end: it lives exactly as long as the child, or
        as this process.

        Raises:
            BrokerUnreachableError: if the system refuses to start a process.
        """
        started = threading.Event()
        threading.Thread(
            target=self._hold, args=(started,), name="broker-holder", daemon=True
        ).start()
        started.wait()
        if self._error is not None:
            raise BrokerUnreachableError(f"the broker cannot be started: {self._error}")

    def _hold(self, started: threading.Event) -> None:
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603  # our own arguments
                    [sys.executable, "-P", str(_GUARD), str(os.getpid()), *self._arguments],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env=os.environ | {"RUST_BACKTRACE": "0"},
                )
        except OSError as error:
            self._error = error
            return
        finally:
            started.set()
        self._process.wait()

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    def ended(self) -> str | None:
        """How it ended; None while it runs."""
        if self._process is None:
            return "was not started"
        code = self._process.poll()
        if code is None:
            return None
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def said(self) -> str:
        """The end of what it wrote."""
        try:
            return self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()
        except OSError:
            return ""

    def stop(self) -> None:
        """End it: politely, then by force."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
