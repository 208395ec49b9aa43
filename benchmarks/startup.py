"""How long a user waits: the command's help, and a whole simulation without MQTT.

Rule of the module: process start to exit, as a shell sees it, beside an interpreter that does
nothing; the three take turns.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.harness import CLOCK, Result, Table, Target, main, median, spread
from simulator.units import NS_PER_MS, NS_PER_S

_ALERTSIM: Final = str(Path(sys.executable).parent / "alertsim")
_COMMANDS: Final = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "alertsim --help": [_ALERTSIM, "--help"],
    "alertsim simulate tohoku-2022-11-03 --quiet": [
        _ALERTSIM,
        "simulate",
        "tohoku-2022-11-03",
        "--quiet",
    ],
}
_LIMITS_S: Final = {
    "alertsim --help": 0.3,
    "alertsim simulate tohoku-2022-11-03 --quiet": 1.0,
}
_ROUNDS: Final = 11
_TIMEOUT_S: Final = 30


def measure(small: bool) -> Result:
    """Seconds from process start to exit."""
    rounds = 2 if small else _ROUNDS
    runs: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for turn in range(rounds + 1):
        for name, command in _COMMANDS.items():
            began_ns = CLOCK.monotonic_ns()
            subprocess.run(
                command,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                timeout=_TIMEOUT_S,
            )
            if turn:  # the first turn reads from disk and compiles
                runs[name].append((CLOCK.monotonic_ns() - began_ns) / NS_PER_S)
    floor = median(runs["python -c pass"])
    return Result(
        name="startup",
        title="Start-up",
        how=(
            "Process start to exit. The commands take turns; medians (lowest to highest) of "
            f"{rounds} turns after one that warms the file cache."
        ),
        targets=tuple(
            Target(name=name, value=median(runs[name]), limit=limit, at_most=True, unit="s")
            for name, limit in _LIMITS_S.items()
        ),
        tables=(
            Table(
                caption="Process start to exit",
                columns=("command", "ms", "times the bare interpreter"),
                rows=tuple(
                    (
                        f"`{name}`",
                        spread([seconds * NS_PER_S / NS_PER_MS for seconds in found]),
                        f"{median(found) / floor:.1f}",
                    )
                    for name, found in runs.items()
                ),
            ),
        ),
        runs={f"{name}, s": found for name, found in runs.items()},
    )


if __name__ == "__main__":
    main(measure)
