"""Ten thousand subscribers: a whole run of the product, beside the C reader of the same stream.

Rule of the module: the product is measured as its user has it, a process of `alertsim run` and its
children, every pair accounted for in its summary; the C reader is the floor under the same broker.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import psutil

from benchmarks.harness import CLOCK, BenchmarkError, Result, Table, Target, main
from benchmarks.party import fresh_broker, party
from benchmarks.peers import Flooded, FloodOrder, Go, ReadAll, ReaderOrder, flood_main
from benchmarks.programs import build_reader, c_reader_main
from benchmarks.workload import KEEP_ALIVE_S, workload
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.delivery.messages import Ready
from simulator.units import NS_PER_MS, NS_PER_S

SUBSCRIBERS: Final = 10_000
ALERTS: Final = 60
FEW: Final = 20  # subscribers of the run that tells what workers weigh by themselves
WORKERS: Final = 2
_MOST_TOOL_MB: Final = 600
_MOST_KB: Final = 8
_SAMPLE_S: Final = 0.1
_LOOKS_PER_COUNT: Final = 5  # counting ten thousand descriptors takes milliseconds
_LONG_NS: Final = 180 * NS_PER_S
_BROKERS: Final = ("mosquitto", "embedded")
_NOTES: Final = (
    "The kernel's socket buffers are in no process's memory and are not counted.",
    (
        "Open descriptors: of the process that had most of them, counted during the run, because "
        "the limit (`ulimit -n`) is for each process. The swarm's workers share the connections; "
        "the broker has its end of all of them."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One run of the product.

    Attributes:
        summary: its summary.json.
        first_to_last_s: from the first send to the last delivery.
        tool_mb: most memory of all its processes but the broker, shared pages counted once.
        swarm_mb: of it, the swarm's workers at most.
        tool_fds: most open descriptors of one of these processes.
        broker_fds: most open descriptors of a process of the broker.
        rows: of deliveries.parquet.
        wall_s: of the whole command.
    """

    summary: dict[str, Any]
    first_to_last_s: float
    tool_mb: float
    swarm_mb: float
    tool_fds: int
    broker_fds: int
    rows: int
    wall_s: float


def whole_run(broker: str, subscribers: int, alerts: int) -> Whole:
    """Play ``drill-minimal``, which sends each subscriber one alert, so often, without a gap."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "simulator", "run", "drill-minimal", "--quiet"]
        command += ["--subscribers", str(subscribers), "--repeat", str(alerts), "--gap", "0s"]
        command += ["--broker", broker, "--swarm-workers", str(WORKERS), "--out", folder]
        command += ["--drain", "120s", "--wait-timeout", "120s", "--late-after", "120s"]
        began_ns = CLOCK.monotonic_ns()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
            memory = _Memory(run.pid)
            while run.poll() is None:
                memory.sample()
                CLOCK.sleep_ns(round(_SAMPLE_S * NS_PER_S))
        wall_s = (CLOCK.monotonic_ns() - began_ns) / NS_PER_S
        if run.returncode not in {0, 98}:
            raise BenchmarkError(f"alertsim run on {broker} ended with {run.returncode}")
        (directory,) = (each for each in Path(folder).iterdir() if each.is_dir())
        summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
        table = pl.scan_parquet(directory / "deliveries.parquet")
        found = table.select(
            first=pl.col("sent_ns").min(), last=pl.col("received_ns").max(), rows=pl.len()
        ).collect()
    row = found.row(0, named=True)
    return Whole(
        summary=summary,
        first_to_last_s=(row["last"] - row["first"]) / NS_PER_S,
        tool_mb=memory.tool_mb,
        swarm_mb=memory.swarm_mb,
        tool_fds=memory.tool_fds,
        broker_fds=memory.broker_fds,
        rows=row["rows"],
        wall_s=wall_s,
    )


class _Memory:
    """The memory and the open descriptors of a run's processes, sampled.

    A page that several processes share is counted once (PSS). What is not the broker is the tool;
    the workers are started before the publisher.
    """

    def __init__(self, pid: int) -> None:
        self._run = psutil.Process(pid)
        self._order: list[int] = []
        self._looks = 0
        self.tool_mb = self.swarm_mb = 0.0
        self.tool_fds = self.broker_fds = 0

    def sample(self) -> None:
        """Look once."""
        try:
            everybody = self._run.children(recursive=True)
            children = [each for each in everybody if _is_ours(each)]
            if self._looks % _LOOKS_PER_COUNT == 0:
                self._count([self._run, *children], [e for e in everybody if e not in children])
            self._looks += 1
            sizes = {each.pid: _pss_mb(each.pid) for each in children}
            tool = _pss_mb(self._run.pid) + sum(sizes.values())
        except (psutil.Error, OSError, ValueError):
            return  # one of them has just ended
        self.tool_mb = max(self.tool_mb, tool)
        self._order += [pid for pid in sizes if pid not in self._order]
        workers = [sizes.get(pid, 0.0) for pid in self._order[:WORKERS]]
        if len(workers) == WORKERS and all(workers):
            self.swarm_mb = max(self.swarm_mb, sum(workers))

    def _count(self, tool: list[psutil.Process], broker: list[psutil.Process]) -> None:
        self.tool_fds = max(self.tool_fds, *(each.num_fds() for each in tool))
        self.broker_fds = max([self.broker_fds, *(each.num_fds() for each in broker)])


def _is_ours(process: psutil.Process) -> bool:
    """Whether it is a child of the tool and not a broker: those have their own command lines."""
    words = " ".join(process.cmdline())
    return "simulator.delivery.boot" in words and not process.children()


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The C reader on the same stream: seconds from first send to last delivery, and CPU."""

    first_to_last_s: float
    cpu_us: float


def floor(kind: str, subscribers: int, alerts: int) -> Floor:
    """Flood the C reader with as many messages of the same size."""
    load = workload(
        times_ns=[number * NS_PER_MS for number in range(alerts)],
        subscribers=subscribers,
        start_ns=CLOCK.monotonic_ns(),
        start_unix_ns=CLOCK.wall_ns(),
    )
    broker: Broker = fresh_broker() if kind == "embedded" else ManagedMosquitto(announce=False)
    with broker, party() as members:
        endpoint = broker.endpoint("5")
        order = ReaderOrder(
            endpoint=endpoint,
            clients=tuple(each.client for each in load.subscribers),
            filters=load.subscribers[0].filters,
            qos=1,
            messages=alerts,
        )
        members.start("reader", c_reader_main, order)
        members.await_message("reader", Ready, _LONG_NS)
        sending = zip((alert.topic for alert in load.alerts), load.payloads(), strict=True)
        flood = FloodOrder(
            endpoint=endpoint, messages=tuple(sending), qos=1, keep_alive_s=KEEP_ALIVE_S
        )
        members.start("flood", flood_main, flood)
        members.await_message("flood", Ready)
        members.child("flood").send(Go())
        read = members.await_message("reader", ReadAll, _LONG_NS)
        first_ns = members.await_message("flood", Flooded).first_ns
    if read.count != subscribers * alerts:
        raise BenchmarkError(f"the C reader read {read.count} of {subscribers * alerts}")
    return Floor(
        first_to_last_s=(read.last_ns - first_ns) / NS_PER_S,
        cpu_us=read.cpu_s / read.count * 1e6,
    )


def measure(small: bool) -> Result:
    """Ten thousand subscribers times sixty alerts on both brokers."""
    build_reader()
    subscribers, alerts = (200, 5) if small else (SUBSCRIBERS, ALERTS)
    rows: list[tuple[str, ...]] = []
    targets: list[Target] = []
    runs: dict[str, list[float]] = {}
    bare = whole_run(_BROKERS[0], FEW, 1)
    for kind in _BROKERS:
        run = whole_run(kind, subscribers, alerts)
        print(f"   {kind}: {run.first_to_last_s:.1f} s, {run.tool_mb:.0f} MB", flush=True)
        least = floor(kind, subscribers, alerts)
        print(f"   {kind}, C reader: {least}", flush=True)
        owed = subscribers * alerts
        total = run.summary["ledger"]["total"]
        sockets = run.summary["run"]["subscribers"] - bare.summary["run"]["subscribers"]
        kb = (run.swarm_mb - bare.swarm_mb) * 1024 / sockets
        targets += _judged(kind, run, owed, kb)
        rows.append(
            (
                kind,
                f"{total['delivered']:,} of {owed:,}",
                f"{run.first_to_last_s:.1f}",
                f"{least.first_to_last_s:.1f}",
                f"{run.first_to_last_s / least.first_to_last_s:.2f}",
                f"{run.tool_mb:.0f}",
                f"{run.swarm_mb:.0f}",
                f"{kb:.1f}",
                f"{run.tool_fds:,}",
                f"{run.broker_fds:,}",
                f"{run.wall_s:.0f}",
            )
        )
        runs[f"{kind} first to last, s"] = [run.first_to_last_s]
        runs[f"{kind} C reader, s"] = [least.first_to_last_s]
        runs[f"{kind} C reader, CPU us per delivery"] = [least.cpu_us]
        runs[f"{kind} tool, MB"] = [run.tool_mb]
        runs[f"{kind} swarm, KB per connection"] = [kb]
        runs[f"{kind} open descriptors, tool and broker"] = [run.tool_fds, run.broker_fds]
    return _result(rows, targets, runs, subscribers, alerts)


def _judged(kind: str, run: Whole, owed: int, kb: float) -> list[Target]:
    total = run.summary["ledger"]["total"]
    exact = total["expected"] == owed == total["delivered"] == total["receipts"] == run.rows
    missing = owed - total["delivered"] if exact else max(1, owed - total["delivered"])
    return [
        Target(
            name=f"{kind}: deliveries of {owed:,} that are not accounted for exactly once",
            value=missing,
            limit=0,
            at_most=True,
        ),
        Target(
            name=f"{kind}: peak memory of the tool",
            value=run.tool_mb,
            limit=_MOST_TOOL_MB,
            at_most=True,
            unit="MB",
        ),
        Target(
            name=f"{kind}: memory of the swarm per connection",
            value=kb,
            limit=_MOST_KB,
            at_most=True,
            unit="KB",
        ),
    ]


def _result(
    rows: list[tuple[str, ...]],
    targets: list[Target],
    runs: dict[str, list[float]],
    subscribers: int,
    alerts: int,
) -> Result:
    return Result(
        name="scale",
        title="Ten thousand subscribers",
        how=(
            f"`alertsim run drill-minimal --subscribers {subscribers} --repeat {alerts} --gap 0s "
            f"--swarm-workers {WORKERS}`: {subscribers:,} subscribers in two prefectures and 5 % "
            f"controls, {alerts} alerts to each, all intended at once, QoS 1, MQTT 3.1.1 and 5 "
            "mixed, with ledger, part files, table, histogram and report. Beside it the C reader, "
            f"{subscribers:,} connections in one process, MQTT 5, flooded with {alerts} messages "
            "of the same kind. Time from the first send to the last delivery read. Memory: the "
            "sum over the run's processes but the broker, shared pages counted once, sampled "
            f"every {_SAMPLE_S} s; per connection: what the workers weigh more at their peak "
            f"than those of a run with {FEW} subscribers and one alert. One run each."
        ),
        targets=tuple(targets),
        tables=(
            Table(
                caption=f"{subscribers:,} subscribers, {alerts} alerts each",
                columns=(
                    "broker",
                    "delivered, each exactly once",
                    "first send to last delivery, s",
                    "the C reader's, s",
                    "ratio",
                    "tool, MB",
                    "of it swarm, MB",
                    "KB per connection",
                    "descriptors, tool",
                    "descriptors, broker",
                    "whole command, s",
                ),
                rows=tuple(rows),
            ),
        ),
        notes=_NOTES,
        runs=runs,
    )


if __name__ == "__main__":
    main(measure)
