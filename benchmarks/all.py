"""``make bench``: every benchmark in a process of its own, then docs/benchmarks.md.

Rule of the module: bounded. A benchmark that fails or takes too long ends the whole, and the
document of the last complete run stays. Whatever it has started ends with it.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchmarks import document
from benchmarks.harness import CLOCK
from simulator.units import NS_PER_MS, NS_PER_S

_ROOT: Final = Path(__file__).parent.parent
_GRACE_S: Final = 20
_TIMEOUT_S: Final = {
    "startup": 60,
    "pacing": 150,
    "low_load": 420,
    "swarm": 480,
    "scale": 480,
    "ledger": 30,
    "reach": 90,
    "experiment": 300,
    "service": 900,
    "report": 900,
}


def main() -> None:
    """Run them one after the other."""
    parser = argparse.ArgumentParser(description="Measure the figures of docs/benchmarks.md.")
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, no document: do the benchmarks work?"
    )
    parser.add_argument(
        "--document", action="store_true", help="only write the document from the last results"
    )
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Benchmarks have sessions of their own and hear nothing of it: run() ends them.
        signal.signal(number, _leave)
    if not options.document:
        for name in document.ORDER:
            command = [sys.executable, "-m", f"benchmarks.{name}"]
            if options.small:
                command.append("--small")
            run(command, _TIMEOUT_S[name])
    if not options.small:
        missing = document.write()
        print("written: docs/benchmarks.md")
        if missing:
            print(f"missing, not measured at full size: {', '.join(missing)}", file=sys.stderr)


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def run(command: Sequence[str], timeout_s: float) -> None:
    """Run a benchmark; if it does not end well, nothing that it has started stays.

    Args:
        command: what to start.
        timeout_s: how long it may take, wall seconds.

    Raises:
        CalledProcessError: if it fails.
        TimeoutExpired: if it takes too long.
    """
    with subprocess.Popen(command, cwd=_ROOT, start_new_session=True) as process:
        try:
            code = process.wait(timeout_s)
        except BaseException:
            _end(process)
            raise
    if code:
        _end(process)
        raise subprocess.CalledProcessError(code, command)


def _end(leader: subprocess.Popen[bytes]) -> None:
    """Ask a benchmark and all that it has started to end, and see to it."""
    group = leader.pid
    until_ns = CLOCK.monotonic_ns() + _GRACE_S * NS_PER_S
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        while CLOCK.monotonic_ns() < until_ns:
            CLOCK.sleep_ns(100 * NS_PER_MS)
            leader.poll()  # one that nobody has collected still counts as there
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
