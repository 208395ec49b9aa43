"""What booking a receipt costs, without processes, pipes or sockets.

Rule of the module: the same rows go through the real ledger and, as the floor, through one array
copy each batch, in turn.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from benchmarks.harness import CLOCK, BenchmarkError, Result, Table, main, median, spread
from benchmarks.workload import workload
from simulator.measure.columns import Int64s
from simulator.measure.ledger import Ledger
from simulator.measure.receipts import WIDTH, ReceiptBatch, ReceiptFlag
from simulator.units import NS_PER_MS, NS_PER_S

_ALERTS: Final = 400
_SUBSCRIBERS: Final = 1000
_BATCHES: Final = (4096, 333)  # a worker's full batch, and one alert's worth at low load
_ROUNDS: Final = 5


def measure(small: bool) -> Result:
    """Nanoseconds per receipt row."""
    alerts, rounds = (20, 1) if small else (_ALERTS, _ROUNDS)
    load = workload(
        times_ns=[number * NS_PER_MS for number in range(alerts)],
        subscribers=_SUBSCRIBERS,
        start_ns=NS_PER_S,
    )
    rows = np.zeros((load.deliveries, WIDTH), np.int64)
    rows[:, 0] = np.tile(np.arange(_SUBSCRIBERS), alerts)
    rows[:, 1] = np.repeat(np.arange(alerts), _SUBSCRIBERS)
    rows[:, 2] = 2 * NS_PER_S
    rows[:, 4] = 2 * NS_PER_S + 1
    rows[:, 5] = int(ReceiptFlag.QOS_1)
    runs: dict[str, list[float]] = {}
    for _ in range(rounds):
        for size in _BATCHES:
            batches = [rows[start : start + size].tobytes() for start in range(0, len(rows), size)]
            ledger = Ledger(load.alerts, load.subscribers)
            kept = np.zeros_like(rows)
            copy = _copier(kept)
            for name, take in (("ledger", ledger.receipts), ("array copy", copy)):
                runs.setdefault(f"{name}, batches of {size}", []).append(
                    _timed(take, batches) / len(rows)
                )
            if ledger.seen != load.deliveries or not np.array_equal(kept, rows):
                raise BenchmarkError("rows are missing")
            for alert in load.alerts:
                ledger.sent(alert.number, NS_PER_S, NS_PER_S)
            began_ns = CLOCK.monotonic_ns()
            ledger.close(3 * NS_PER_S)
            closing_ns = CLOCK.monotonic_ns() - began_ns
            runs.setdefault("closing: settle, account, assert both equations", []).append(
                closing_ns / len(rows)
            )
    floors = {size: median(runs[f"array copy, batches of {size}"]) for size in _BATCHES}
    return Result(
        name="ledger",
        title="Ledger",
        how=(
            f"{load.deliveries:,} receipts of {alerts} alerts to {_SUBSCRIBERS:,} subscribers, as "
            "the bytes that a worker sends, booked in one process; beside one array copy of the "
            f"same bytes a batch. Medians (lowest to highest) of {rounds} rounds."
        ),
        tables=(
            Table(
                caption="Cost per receipt row",
                columns=("what", "ns per row", "times the array copy"),
                rows=tuple(
                    (name, spread(found, 1), _ratio(name, median(found), floors))
                    for name, found in runs.items()
                ),
            ),
        ),
        runs={f"{name}, ns": found for name, found in runs.items()},
    )


def _copier(kept: Int64s) -> Callable[[ReceiptBatch], None]:
    used = 0

    def copy(batch: ReceiptBatch) -> None:
        nonlocal used
        kept[used : used + len(batch.rows)] = batch.rows
        used += len(batch.rows)

    return copy


def _timed(take: Callable[[ReceiptBatch], None], batches: list[bytes]) -> int:
    began_ns = CLOCK.monotonic_ns()
    for batch in batches:
        take(ReceiptBatch.from_bytes(batch))
    return CLOCK.monotonic_ns() - began_ns


def _ratio(name: str, cost: float, floors: dict[int, float]) -> str:
    for size, floor in floors.items():
        if name.endswith(f"of {size}"):
            return f"{cost / floor:.1f}"
    return ""


if __name__ == "__main__":
    main(measure)
