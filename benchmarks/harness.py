"""What all benchmarks share: sizes, quantiles, the machine, and results as JSON.

Rule of the room: a benchmark prints ratios against a floor or a peer measured in the same run,
medians of several runs, and writes one JSON file. Nothing here names the host or a path.
"""

import argparse
import json
import math
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

from simulator.clock import SystemClock
from simulator.units import NS_PER_S

RESULTS: Final = Path(__file__).parent / "results"
CLOCK: Final = SystemClock()


class BenchmarkError(Exception):
    """A benchmark could not measure what it set out to; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure with the limit that the project set itself.

    Attributes:
        name: what was measured.
        value: the median of the runs.
        limit: what it is held against.
        at_most: True if the value is to be at most the limit, False if at least.
        unit: of both, for people.
    """

    name: str
    value: float
    limit: float
    at_most: bool
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is on the right side of the limit."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the document; cells are text."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one benchmark found.

    Attributes:
        name: its module.
        title: heading in the document.
        how: how it was measured, one paragraph.
        targets: figures with limits.
        tables: figures for people.
        notes: what a reader must know to read them, one sentence or two each.
        runs: every single figure behind the medians, by name.
    """

    name: str
    title: str
    how: str
    targets: tuple[Target, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    runs: dict[str, list[float]] = field(default_factory=dict)


def median(values: Sequence[float]) -> float:
    """The median of the runs; an even number gives the mean of the middle two."""
    return float(statistics.median(values))


def quantile(values: Sequence[float], percent: float) -> float:
    """Nearest-rank quantile, never interpolated."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median and, behind it, the lowest and highest run."""
    low, high = min(values), max(values)
    middle = f"{median(values):,.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({low:,.{digits}f} to {high:,.{digits}f})"


def cpu_s(pid: int) -> float:
    """User plus system CPU time of a process so far, all its threads, seconds."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def machine() -> dict[str, str]:
    """The machine in words: nothing that names it."""
    model = platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [
            line.partition(":")[2].strip()
            for line in information.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        model = f"{names[0]} ({model})" if names else model
    gigabytes = psutil.virtual_memory().total / 2**30
    return {
        "processors": f"{os.cpu_count()} x {model}",
        "memory": f"{gigabytes:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "broker": f"iotcore {version('iotcore')} (embedded)",
        "codec": f"mqtt5 {version('mqtt5')}",
        "peers": f"aiomqtt {version('aiomqtt')} on paho-mqtt {version('paho-mqtt')}, "
        f"gmqtt {version('gmqtt')}",
        "date": datetime.now(tz=UTC).strftime("%Y-%m-%d"),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What else the processors did while a benchmark ran, as shares of all their time.

    Attributes:
        others: processes that are not the benchmark's.
        steal: other guests of the same host.
    """

    others: float
    steal: float


class Watch:
    """Measures the disturbance from its making on."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()
        self._own_s = _own_s()

    def disturbance(self) -> Disturbance:
        """Until now; children that still run count as others."""
        after = psutil.cpu_times()
        passed = {
            name: getattr(after, name) - getattr(self._before, name) for name in after._fields
        }
        total = sum(passed.values()) or 1.0
        busy_s = passed["user"] + passed["system"] + passed.get("nice", 0.0)
        others_s = max(0.0, busy_s - (_own_s() - self._own_s))
        return Disturbance(others=others_s / total, steal=passed.get("steal", 0.0) / total)


def _own_s() -> float:
    return sum(os.times()[:4])  # this process and its ended children


def main(measure: Callable[[bool], Result]) -> None:
    """Run one benchmark from the command line and write its result.

    Args:
        measure: makes the result; its argument says whether to measure small sizes only.
    """
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument("--small", action="store_true", help="tiny sizes: does it still work?")
    small = parser.parse_args().small
    load, watch = os.getloadavg()[0], Watch()
    began_ns = CLOCK.monotonic_ns()
    result = measure(small)
    seconds = (CLOCK.monotonic_ns() - began_ns) / NS_PER_S
    document = {
        **asdict(result),
        "targets": [asdict(target) | {"met": target.met} for target in result.targets],
        "small": small,
        "seconds": round(seconds, 1),
        "load_before": round(load, 2),
        "disturbance": asdict(watch.disturbance()),
        "machine": machine(),
    }
    RESULTS.mkdir(exist_ok=True)
    # A try with tiny sizes never replaces a measurement.
    path = RESULTS / (f"{result.name}.small.json" if small else f"{result.name}.json")
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    show(result)
    print(f"[{result.name}: {seconds:.0f} s, load before {load:.2f}]\n", flush=True)


def show(result: Result) -> None:
    """Print a result as plain text."""
    print(f"== {result.title}")
    for table in result.tables:
        print(f"-- {table.caption}")
        rows = [table.columns, *table.rows]
        widths = [max(len(row[index]) for row in rows) for index in range(len(table.columns))]
        for row in rows:
            cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            print("   " + "  ".join(cells))
    for note in result.notes:
        print(f"   {note}")
    for target in result.targets:
        name, value, limit, verdict = target_cells(asdict(target) | {"met": target.met})
        print(f"{verdict.strip('*').upper():<7} {name}: {value} (target: {limit})")


def target_cells(target: dict[str, Any]) -> tuple[str, str, str, str]:
    """Name, value, limit and verdict of a target, for a table."""
    word = "at most" if target["at_most"] else "at least"
    unit = f" {target['unit']}" if target["unit"] else ""
    verdict = "met" if target["met"] else "**missed**"
    return (
        target["name"],
        f"{target['value']:.3g}{unit}",
        f"{word} {target['limit']:g}{unit}",
        verdict,
    )
