"""The tables of measured latency: the same rows in HTML, Markdown and the terminal.

Rule of the module: as :mod:`simulator.report.tables`; a quantile that its sample cannot carry is
said to be missing, with the reason.
"""

from collections.abc import Iterable, Sequence

from simulator.measure.summary import LatencyRow, Quantile
from simulator.report import words
from simulator.report.layout import Table


def is_whole(row: LatencyRow) -> bool:
    """Whether a row is over everything in its population."""
    return row.prefecture is None and row.event is None and row.qos is None


def latency(
    rows: Iterable[LatencyRow], caption: str, *, where: bool = False, more: Sequence[str] = ()
) -> Table:
    """Measured segments with n, alerts and bursts beside every quantile.

    Args:
        rows: rows of the summary.
        caption: what was chosen.
        where: True to say what each row is narrowed to.
        more: further sentences that belong below it.
    """
    known = [row for row in rows if row.n]
    cells = tuple(
        (
            row.population,
            *((_narrowed(row),) if where else ()),
            words.SEGMENTS[row.segment],
            f"{row.n:,}",
            f"{row.alerts:,}",
            f"{row.bursts:,}",
            words.measured(row.min_ns),
            *(words.measured(_quantile(row, percent)) for percent in words.MAIN_PERCENTS),
            words.measured(row.max_ns),
            words.measured(row.mean_ns),
        )
        for row in known
    )
    names = (words.quantile_name(percent) for percent in words.MAIN_PERCENTS)
    heads = ("n", "alerts", "bursts", "min", *names, "max", "mean")
    first = ("population", *(("of",) if where else ()), "segment")
    return Table(
        caption=caption,
        head=(*first, *heads),
        rows=cells,
        numeric=frozenset(range(len(first), len(first) + len(heads))),
        notes=(*_quantile_notes(known), *more),
    )


def _narrowed(row: LatencyRow) -> str:
    parts = [
        words.prefecture(row.prefecture) if row.prefecture else "",
        row.event or "",
        f"QoS {row.qos}" if row.qos is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "all"


def _find(row: LatencyRow, percent: float) -> Quantile | None:
    return next((q for q in row.quantiles if q.percent == percent), None)


def _quantile(row: LatencyRow, percent: float) -> int | None:
    found = _find(row, percent)
    return found.value_ns if found else None


def _quantile_notes(rows: Sequence[LatencyRow]) -> tuple[str, ...]:
    notes = []
    if any(q.value_ns is None for row in rows for q in row.quantiles):
        notes.append(
            "A dash stands where a quantile would rest on too few samples: quantile q is printed "
            "only from n ≥ 10/(1 − q)."  # noqa: RUF001  (a formula for people)
        )
    if rows and not any(q.low_ns is not None for row in rows for q in row.quantiles):
        notes.append(
            "No intervals are given: deliveries of one burst are not independent, and there are "
            "fewer than 10 bursts (run with --repeat to get more)."
        )
    negatives = sum(row.negatives for row in rows if is_whole(row) and row.segment == "delivery")
    if negatives:
        notes.append(
            f"{words.plural(negatives, 'latency', 'latencies')} came out negative (clock error); "
            "they are kept here and in deliveries.parquet, and counted beside the histogram."
        )
    beyond = sum(row.out_of_range for row in rows if is_whole(row) and row.segment == "delivery")
    if beyond:
        notes.append(f"{beyond:,} were beyond the range of the histogram.")
    return tuple(notes)


def intervals(rows: Iterable[LatencyRow]) -> Table:
    """95 % intervals over bursts, where there are enough bursts."""
    cells = [
        (
            row.population,
            words.SEGMENTS[row.segment],
            words.quantile_name(q.percent),
            words.measured(q.value_ns),
            f"{words.measured(q.low_ns)} to {words.measured(q.high_ns)}",
            f"{row.bursts:,}",
        )
        for row in rows
        for q in row.quantiles
        if q.value_ns is not None and q.low_ns is not None
    ]
    return Table(
        caption="95 % intervals, resampled over bursts",
        head=("population", "segment", "quantile", "value", "interval", "bursts"),
        rows=tuple(cells),
        numeric=frozenset({3, 4, 5}),
    )
