"""The service: what it costs idle, and what looking on costs the run.

Rule of the module: the service is measured as its user has it, a process of `alertsim serve` with
its broker; rounds with and without onlookers alternate under one service, and what counts is the
ratio of their medians.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.harness import CLOCK, BenchmarkError, Result, Table, Target, main, median, spread
from benchmarks.onlookers import Onlookers, Seen
from simulator.measure.summary import Summary
from simulator.report.latency_tables import is_whole
from simulator.units import NS_PER_MS, NS_PER_S

PAGES: Final = 50
SCRAPES_PER_S: Final = 5
SUBSCRIBERS: Final = 1_000
REPEAT: Final = 30
PAIRS: Final = 5
_IDLE_S: Final = 30
_SETTLE_S: Final = 5
_READY_S: Final = 60
_RUN_S: Final = 180
_LOOK_S: Final = 0.5
_MOST_MB: Final = 150
_MOST_PERCENT: Final = 1
_MOST_RATIO: Final = 1.1
_P99: Final = 99.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """What a service without runs takes.

    Attributes:
        rss_mb: resident memory of the service itself.
        all_mb: of it and its broker, shared pages counted once.
        cpu_percent: of one core, both together.
    """

    rss_mb: float
    all_mb: float
    cpu_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One run of a pair.

    Attributes:
        p50_us: median delivery latency.
        p99_us: of the run.
        deliveries: behind them.
        service_cpu_percent: of one core, the service itself while the run played.
        seen: by the onlookers.
    """

    p50_us: float
    p99_us: float
    deliveries: int
    service_cpu_percent: float
    seen: Seen


class Service:
    """A running `alertsim serve`.

    Args:
        process: of it.
        port: that it listens on.
    """

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def ask(self, path: str, order: dict[str, Any] | None = None) -> Any:  # noqa: ANN401  # JSON
        """What it answers; an order is sent as JSON."""
        request = urllib.request.Request(  # our own service on loopback
            f"http://127.0.0.1:{self.port}{path}",
            data=None if order is None else json.dumps(order).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise BenchmarkError(f"{path}: {error.read().decode()}") from error

    def cpu_s(self) -> float:
        """CPU time of the service itself so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def service() -> Iterator[Service]:
    """A service over an empty store, ended at the end."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = Path(folder) / "runtime"
        runtime.mkdir(mode=0o700)
        command = [sys.executable, "-m", "simulator", "serve", "--port", "0", "--json"]
        command += ["--out", str(Path(folder) / "store")]
        environment = os.environ | {"XDG_RUNTIME_DIR": str(runtime)}
        said = Path(folder) / "said.json"
        with said.open("w") as out:
            process = subprocess.Popen(command, stdout=out, text=True, env=environment)
        try:
            address = _ready(process, said)
            yield Service(process, int(address.rstrip("/").rpartition(":")[2]))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _ready(process: subprocess.Popen[str], said: Path) -> str:
    deadline_ns = CLOCK.monotonic_ns() + _READY_S * NS_PER_S
    while CLOCK.monotonic_ns() < deadline_ns and process.poll() is None:
        with contextlib.suppress(ValueError):
            return str(json.loads(said.read_text(encoding="utf-8"))["ready"])
        CLOCK.sleep_ns(50 * NS_PER_MS)
    raise BenchmarkError("alertsim serve does not come up")


def idle(seconds: int) -> Idle:
    """A service that nobody asks anything, from a few seconds after its start."""
    with service() as served:
        CLOCK.sleep_ns(_SETTLE_S * NS_PER_S)
        family = [psutil.Process(served.process.pid)]
        family += family[0].children(recursive=True)
        before_s, began_ns = _cpu_s(family), CLOCK.monotonic_ns()
        CLOCK.sleep_ns(seconds * NS_PER_S)
        used_s = _cpu_s(family) - before_s
        wall_s = (CLOCK.monotonic_ns() - began_ns) / NS_PER_S
        return Idle(
            rss_mb=family[0].memory_info().rss / 2**20,
            all_mb=sum(each.memory_full_info().pss for each in family) / 2**20,
            cpu_percent=100 * used_s / wall_s,
        )


def _cpu_s(family: list[psutil.Process]) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in family)


def round_of(served: Service, subscribers: int, repeat: int, pages: int, scrapes: int) -> Round:
    """One run, with so many pages and scrapes a second, or none."""
    order = {"scenario": "drill-minimal", "speed": 600, "lead_in": "0s"}
    order |= {"subscribers": subscribers, "repeat": repeat, "protocol": "mixed"}
    run = served.ask("/api/v1/runs", order)["run"]
    before_s, began_ns = served.cpu_s(), CLOCK.monotonic_ns()
    with Onlookers(served.port, run, pages=pages, scrapes_per_s=scrapes) as onlookers:
        while (info := served.ask(f"/api/v1/runs/{run}"))["exit_code"] is None:
            if CLOCK.monotonic_ns() - began_ns > _RUN_S * NS_PER_S:
                raise BenchmarkError("a run of the service does not end")
            CLOCK.sleep_ns(round(_LOOK_S * NS_PER_S))
    wall_s = (CLOCK.monotonic_ns() - began_ns) / NS_PER_S
    onlookers.check()
    if info["exit_code"] not in {0, 98}:
        raise BenchmarkError(f"a run ended with {info['exit_code']}: {info['reason']}")
    summary = Summary.model_validate(served.ask(f"/api/v1/runs/{run}/files/summary.json"))
    (row,) = (
        each
        for each in summary.latency
        if is_whole(each) and (each.population, each.segment) == ("live", "delivery")
    )
    found = {each.percent: each.value_ns for each in row.quantiles}
    p50_ns, p99_ns = found.get(50.0), found.get(_P99)
    if p50_ns is None or p99_ns is None:
        raise BenchmarkError(f"{row.n} deliveries are too few for a 99th percentile")
    return Round(
        p50_us=p50_ns / 1000,
        p99_us=p99_ns / 1000,
        deliveries=row.n,
        service_cpu_percent=100 * (served.cpu_s() - before_s) / wall_s,
        seen=onlookers.seen,
    )


def measure(small: bool) -> Result:
    """What the service costs idle, and what 50 pages and 5 scrapes a second cost a run."""
    pairs, subscribers, repeat = (1, 100, 12) if small else (PAIRS, SUBSCRIBERS, REPEAT)
    pages = 5 if small else PAGES
    quiet = idle(2 if small else _IDLE_S)
    print(f"   idle: {quiet}", flush=True)
    alone: list[Round] = []
    looked: list[Round] = []
    with service() as served:
        round_of(served, subscribers, min(repeat, 12), 0, 0)  # the first one warms caches
        for pair in range(pairs):
            for watched in (False, True) if pair % 2 else (True, False):
                much = (pages, SCRAPES_PER_S) if watched else (0, 0)
                each = round_of(served, subscribers, repeat, *much)
                (looked if watched else alone).append(each)
                print(f"   {'watched' if watched else 'alone'}: {each}", flush=True)
    return _result(quiet, alone, looked, (subscribers, repeat, pages))


def _result(
    quiet: Idle, alone: list[Round], looked: list[Round], sizes: tuple[int, int, int]
) -> Result:
    subscribers, repeat, pages = sizes
    without = [each.p99_us for each in alone]
    watched = [each.p99_us for each in looked]
    rows = [
        (
            name,
            spread([each.p50_us for each in rounds]),
            spread([each.p99_us for each in rounds]),
            spread([each.service_cpu_percent for each in rounds], 1),
            f"{sum(each.deliveries for each in rounds):,}",
        )
        for name, rounds in (("nobody", alone), (f"{pages} pages, 5 scrapes/s", looked))
    ]
    mb_read = [each.seen.read_bytes / 2**20 for each in looked]
    return Result(
        name="service",
        title="The service",
        how=(
            f"`alertsim serve` with its embedded broker. Idle: from {_SETTLE_S} s after its start, "
            "memory of the service itself, CPU time of service and broker together. Then "
            f"`drill-minimal` with {subscribers:,} subscribers, {repeat} alerts to each, one a "
            f"second, alternately alone and while {pages} connections read its live events and "
            f"one reads `/metrics` {SCRAPES_PER_S} times a second; {len(alone)} pairs, medians "
            "with lowest and highest run. Delivery latency: received minus intended, as the run "
            "reports it. The onlookers run on the same processors as the run."
        ),
        targets=(
            Target(
                name="idle service, resident memory",
                value=quiet.rss_mb,
                limit=_MOST_MB,
                at_most=True,
                unit="MB",
            ),
            Target(
                name="idle service and broker, share of a core",
                value=quiet.cpu_percent,
                limit=_MOST_PERCENT,
                at_most=True,
                unit="%",
            ),
            Target(
                name=f"p99 of the run with {pages} pages and {SCRAPES_PER_S} scrapes/s, "
                "beside without",
                value=median(watched) / median(without),
                limit=_MOST_RATIO,
                at_most=True,
            ),
        ),
        tables=(
            Table(
                caption="Delivery latency of a run in the service",
                columns=(
                    "who looks on",
                    "p50, us",
                    "p99, us",
                    "service, % of a core",
                    "deliveries",
                ),
                rows=tuple(rows),
            ),
        ),
        notes=(
            f"Idle, both together take {quiet.all_mb:.0f} MB, shared pages counted once.",
            f"All pages together read {spread(mb_read, 1)} MB in a run.",
            f"The longest scrape took {max(each.seen.scrape_s for each in looked):.2f} s.",
        ),
        runs={
            "idle rss, MB": [quiet.rss_mb],
            "idle with broker, MB": [quiet.all_mb],
            "idle, % of a core": [quiet.cpu_percent],
            "p99 alone, us": without,
            "p99 watched, us": watched,
        },
    )


if __name__ == "__main__":
    main(measure)
