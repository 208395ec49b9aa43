"""What the report of a large run costs: time, memory, and what a browser takes to open its page.

Rule of the module: one real run is played first; every command is then a process of its own, from
start to exit, with the peak memory that the system saw. The floor reads the run's table once, all
of it, with the same library; the commands and the floor take turns.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import CLOCK, BenchmarkError, Result, Table, Target, main, median, spread
from simulator.units import NS_PER_S

_ALERTSIM: Final = str(Path(sys.executable).parent / "alertsim")
_FLOOR: Final = "reading deliveries.parquet with polars"
_REPORT: Final = "alertsim report RUN"
_BASELINE: Final = "alertsim report RUN --baseline RUN2"
_HISTORY: Final = "alertsim history, {:,} runs"
_READ: Final = "import polars, sys; polars.read_parquet(sys.argv[1])"
_SUBSCRIBERS: Final = 10_000
_PLAYINGS: Final = 60
_RUNS: Final = 1_000
_ROUNDS: Final = 7
_PLAY_TIMEOUT_S: Final = 300
_TIMEOUT_S: Final = 60
_LIMIT_S: Final = 10.0
_LIMIT_MB: Final = 500.0
_PAGE_MB: Final = 6.0
_OPEN_S: Final = 2.0
_KIB_PER_MB: Final = 1024
_MB: Final = 1_000_000
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")

_OPENINGS: Final = {
    "blank": "an empty page",
    "words": "the report: its words are there",
    "first": "the report: its first screen is whole, picture included",
    "whole": "the report: every picture is drawn",
}

_THERE: Final = {"first": "[data-drawn=yes]", "whole": "html[data-ready=yes]"}
_WORDS_MS: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_MS_PER_S: Final = 1000

Cost = tuple[float, float]  # seconds, megabytes
Opening = dict[str, float]  # seconds until each of _OPENINGS


def measure(small: bool) -> Result:
    """Seconds and megabytes of reports of a run of 600,000 deliveries."""
    subscribers, playings = (40, 12) if small else (_SUBSCRIBERS, _PLAYINGS)
    rounds, runs = (1, 20) if small else (_ROUNDS, _RUNS)
    with tempfile.TemporaryDirectory(prefix="alertsim-bench-") as folder:
        run = _play(Path(folder) / "runs", subscribers, playings)
        other = Path(folder) / "baseline"
        shutil.copytree(run, other)
        many = _multiply(run, Path(folder) / "many", runs)
        history = _HISTORY.format(runs)
        commands = {
            _FLOOR: [sys.executable, "-c", _READ, str(run / "deliveries.parquet")],
            _REPORT: [_ALERTSIM, "report", str(run), "--quiet"],
            _BASELINE: [_ALERTSIM, "report", str(run), "--quiet", "--baseline", str(other)],
            history: [_ALERTSIM, "history", str(many), "--quiet", "--page", f"{folder}/h.html"],
        }
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for turn in range(rounds + 1):
            for name, command in commands.items():
                cost = _cost(command)
                if turn:  # the first turn reads from disk and compiles
                    costs[name].append(cost)
        page_mb = (run / "report.html").stat().st_size / _MB
        opening = _opening(run / "report.html", 1 if small else rounds)
        rows = _rows(run)
    return _result(costs, rows=rows, rounds=rounds, page_mb=page_mb, opening=opening)


def _result(
    costs: dict[str, list[Cost]],
    *,
    rows: int,
    rounds: int,
    page_mb: float,
    opening: list[Opening],
) -> Result:
    seconds = {name: [cost[0] for cost in found] for name, found in costs.items()}
    megabytes = {name: [cost[1] for cost in found] for name, found in costs.items()}
    floor = median(seconds[_FLOOR])
    opened = {name: [one[name] for one in opening] for name in _OPENINGS}
    targets = [
        _target(f"report of {rows:,} deliveries", median(seconds[_REPORT]), _LIMIT_S, "s"),
        _target("its peak memory", max(megabytes[_REPORT]), _LIMIT_MB, "MB"),
        _target("its page", page_mb, _PAGE_MB, "MB"),
    ]
    if opening:
        name = "opening it offline in Chromium, until its first screen is whole"
        targets.append(_target(name, median(opened["first"]), _OPEN_S, "s"))
    table = Table(
        caption="Process start to exit",
        columns=("command", "s", "peak MB", "times the floor"),
        rows=tuple(
            (
                f"`{name}`" if name.startswith("alertsim") else name,
                spread(seconds[name], 2),
                spread(megabytes[name]),
                f"{median(seconds[name]) / floor:.1f}",
            )
            for name in costs
        ),
    )
    browser = Table(
        caption=f"Opening a page in Chromium ({page_mb:.1f} MB), from asking for it",
        columns=("until", "s"),
        rows=tuple((told, spread(opened[name], 2)) for name, told in _OPENINGS.items()),
    )
    notes = [] if opening else ["There is no Chromium here, so opening the page is not measured."]
    return Result(
        name="report",
        title="Reports of large runs",
        how=(
            f"A run of {rows:,} deliveries on the embedded broker, played for this. The floor is "
            "an interpreter that reads its table once with polars. The commands take turns; "
            f"medians (lowest to highest) of {rounds} turns after one that warms the file cache; "
            "memory as the system saw its peak."
        ),
        targets=tuple(targets),
        tables=(table, *((browser,) if opening else ())),
        notes=tuple(notes),
        runs={f"{name}, s": found for name, found in seconds.items()}
        | {f"{name}, MB": found for name, found in megabytes.items()}
        | {f"Chromium, {name}, s": found for name, found in opened.items()},
    )


def _target(name: str, value: float, limit: float, unit: str) -> Target:
    return Target(name=name, value=value, limit=limit, at_most=True, unit=unit)


def _play(parent: Path, subscribers: int, playings: int) -> Path:
    """Play a run; every subscriber gets one delivery a playing."""
    command = [
        *(_ALERTSIM, "run", "drill-minimal", "--quiet", "--speed", "600", "--gap", "700ms"),
        *("--subscribers", str(subscribers), "--repeat", str(playings), "--out", str(parent)),
        *("--late-after", "60s", "--drain", "60s", "--wait-timeout", "120s"),
    ]
    played = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, timeout=_PLAY_TIMEOUT_S)
    found = list(parent.iterdir()) if parent.is_dir() else []
    if played.returncode not in {0, 98} or len(found) != 1:
        raise BenchmarkError(f"the run to report on ended with {played.returncode}")
    return found[0]


def _multiply(run: Path, target: Path, runs: int) -> Path:
    """Directories of as many runs, an hour apart, without their rows."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(runs):
        directory = target / f"run-{number:04d}"
        directory.mkdir(parents=True)
        started = (first + timedelta(hours=number)).isoformat()
        text = json.dumps(manifest | {"started": started})
        (directory / "manifest.json").write_text(text, encoding="utf-8")
        shutil.copy(run / "summary.json", directory)
    return target


def _cost(command: Sequence[str]) -> Cost:
    """Seconds and peak memory of a process.

    Raises:
        BenchmarkError: if it fails.
    """
    began_ns = CLOCK.monotonic_ns()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}")
    return (CLOCK.monotonic_ns() - began_ns) / NS_PER_S, usage.ru_maxrss / _KIB_PER_MB


def _rows(run: Path) -> int:
    summary: dict[str, Any] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return int(summary["ledger"]["total"]["expected"])


def _opening(page: Path, rounds: int) -> list[Opening]:
    """Seconds to open an empty page and the report, in turn; nothing without a browser."""
    executable = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if executable is None:
        return []
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (a tool of the tests)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_ARGUMENTS))
        try:
            turns = [_opened(browser, page) for _ in range(rounds + 1)]
        finally:
            browser.close()
    return turns[1:]


def _opened(browser: Any, page: Path) -> Opening:  # noqa: ANN401  (of a tool of the tests)
    """Open an empty page, then the report, each as a browser that has never seen it."""
    found: Opening = {}
    for address in ("about:blank", page.as_uri()):
        context = browser.new_context(offline=True)
        shown = context.new_page()
        shown.set_default_timeout(_TIMEOUT_S * _MS_PER_S)
        began_ns = CLOCK.monotonic_ns()
        if address == "about:blank":
            shown.goto(address)
            found["blank"] = (CLOCK.monotonic_ns() - began_ns) / NS_PER_S
        else:
            shown.goto(address, wait_until="commit")
            for name, there in _THERE.items():
                shown.wait_for_selector(there, state="attached")
                found[name] = (CLOCK.monotonic_ns() - began_ns) / NS_PER_S
            found["words"] = shown.evaluate(_WORDS_MS) / _MS_PER_S
        context.close()
    return found


if __name__ == "__main__":
    main(measure)
