"""The tables of a report as plain text cells: the same rows in HTML, Markdown and the terminal.

Rule of the module: pure; cells are finished text (see :mod:`simulator.report.words`), never markup.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from simulator.measure.summary import (
    Counts,
    GroupCounts,
    LeadTimeRow,
    Summary,
    ThresholdResult,
)
from simulator.report import words
from simulator.report.layout import Table
from simulator.units import format_clock

_JUDGED = (
    "Judged on the value with its clock and stamp error: pass if the whole interval meets the "
    "bound, fail if none of it does, inconclusive between the two."
)

# --- verdict ---------------------------------------------------------------------------------


def thresholds(results: Sequence[ThresholdResult]) -> Table:
    """Every threshold with its actual value and what it was judged on."""
    return Table(
        caption="Thresholds with actual values",
        head=("metric", "must be", "is", "interval judged", "samples", "verdict", "why"),
        rows=tuple(
            (
                threshold_metric(result),
                result.expression + (" (default)" if result.default else ""),
                threshold_actual(result),
                _interval(result),
                f"{result.samples:,}",
                result.verdict,
                result.reason,
            )
            for result in results
        ),
        numeric=frozenset({2, 3, 4}),
        notes=(_JUDGED,),
    )


def threshold_value(result: ThresholdResult, value: float | None) -> str:
    """A threshold's value, bound or interval end in the unit of its metric."""
    if value is None:
        return words.DASH
    if result.unit == "ns":
        if result.scale == "scenario":
            return words.lead(round(value))
        return words.measured(value)
    if result.unit == "share":
        return f"{100 * value:.4g} %"
    return f"{value:,.10g}"


def threshold_actual(result: ThresholdResult) -> str:
    """What a threshold's metric is: its value, or the interval where only that is known."""
    if result.value is not None or result.low is None or result.high is None:
        return threshold_value(result, result.value)
    high = threshold_value(result, result.high)
    return (
        f"{threshold_value(result, result.low)} to {high}" if result.low > 0 else f"at most {high}"
    )


def threshold_metric(result: ThresholdResult) -> str:
    """The metric as written in a threshold: ``delivery_latency{population=live}``."""
    if not result.tags:
        return result.metric
    inside = ",".join(f"{key}={value}" for key, value in result.tags.items())
    return f"{result.metric}{{{inside}}}"


def _interval(result: ThresholdResult) -> str:
    if result.low is None or result.high is None or result.unit != "ns":
        return words.DASH
    low, high = (threshold_value(result, end) for end in (result.low, result.high))
    return f"{low} to {high}"


# --- ledger ----------------------------------------------------------------------------------


def expected(counts: Counts) -> Table:
    """The first equation: what became of every delivery that was owed."""
    rows = [
        (
            word,
            f"{getattr(counts, name):,}",
            words.share(getattr(counts, name), counts.expected),
            why,
        )
        for name, (word, why) in words.OUTCOMES.items()
    ]
    rows.append(("= expected", f"{counts.expected:,}", "", "alerts times the receivers owed them"))
    return Table(
        caption="Every expected delivery, accounted for",
        head=("outcome", "count", "share", "meaning"),
        rows=tuple(rows),
        numeric=frozenset({1, 2}),
    )


def receipts(counts: Counts) -> Table:
    """The second equation: what every copy received was."""
    first = counts.delivered + counts.late + counts.queued
    rows = [("first copies", f"{first:,}", "delivered + late + queued")]
    rows += [
        (word, f"{getattr(counts, name):,}", why) for name, (word, why) in words.SURPLUS.items()
    ]
    rows.append(("= receipts", f"{counts.receipts:,}", "copies received on alert topics"))
    return Table(
        caption="Every copy received, accounted for",
        head=("copies", "count", "meaning"),
        rows=tuple(rows),
        numeric=frozenset({1}),
    )


def groups(caption: str, first: str, rows: Iterable[GroupCounts], *, places: bool = False) -> Table:
    """Counts by group; outcomes that nowhere occurred are left out.

    Args:
        caption: what the groups are.
        first: head of the first column.
        rows: the groups.
        places: True if their names are prefecture slugs.
    """
    known = list(rows)
    names = [
        name
        for name in (*words.OUTCOMES, *words.SURPLUS)
        if name == "delivered" or any(getattr(group.counts, name) for group in known)
    ]
    titles = {**words.OUTCOMES, **words.SURPLUS}
    return Table(
        caption=caption,
        head=(first, "expected", *(titles[name][0] for name in names)),
        rows=tuple(
            (
                words.prefecture(group.name) if places else group.name,
                f"{group.counts.expected:,}",
                *(f"{getattr(group.counts, name):,}" for name in names),
            )
            for group in known
        ),
        numeric=frozenset(range(1, len(names) + 2)),
    )


# --- timeline --------------------------------------------------------------------------------


def messages(summary: Summary) -> Table:
    """What each prefecture was told and when, with what was received of it."""
    rows = []
    for place in summary.timeline:
        for alert in place.alerts:
            channel = alert.historical_channel
            told = alert.event + (f" ({channel} in history)" if channel else "")
            rows.append(
                (
                    words.prefecture(place.prefecture),
                    alert.issue_clock,
                    told,
                    alert.msg_type,
                    f"{alert.received:,} of {alert.expected:,}",
                )
            )
    return Table(
        caption="Messages per prefecture, local time of the scenario",
        head=("prefecture", "issued", "message", "CAP type", "received"),
        rows=tuple(rows),
        numeric=frozenset({4}),
    )


def happenings(summary: Summary) -> Table:
    """Truth, belief and what happened beside the chain, in order."""
    return Table(
        caption="What happened besides the messages",
        head=("time", "kind", "what", "note", "source"),
        rows=tuple(
            (
                mark.at_clock,
                mark.kind,
                words.happening(mark.name),
                " ".join(part for part in (mark.note, _assumed(mark.assumption)) if part),
                ", ".join(mark.sources) or words.DASH,
            )
            for mark in summary.marks
        ),
    )


def _assumed(assumption: bool) -> str:
    return "(assumption)" if assumption else ""


def stages(summary: Summary) -> Table:
    """The simulated stages of every distinct way to a message."""
    epoch = datetime.fromisoformat(summary.run.epoch)
    rows: dict[tuple[str, ...], None] = {}
    for place in summary.timeline:
        for alert in place.alerts:
            for stage in alert.stages:
                row = (
                    stage.name,
                    format_clock(epoch, stage.started_ns),
                    format_clock(epoch, stage.ended_ns),
                    words.span(stage.ended_ns - stage.started_ns),
                    "assumption" if stage.assumption else "published",
                )
                rows[row] = None
    return Table(
        caption="Simulated stages before a message, local time of the scenario",
        head=("stage", "from", "to", "took", "basis"),
        rows=tuple(rows),
        numeric=frozenset({1, 2, 3}),
    )


# --- lead time -------------------------------------------------------------------------------


def lead_times(rows: Iterable[LeadTimeRow]) -> Table:
    """Lead time per prefecture, signed, with its two terms apart."""
    known = list(rows)
    several = len({row.launch for row in known}) > 1
    return Table(
        caption="Lead time: arrival minus (planned issue plus measured latency)",
        head=("prefecture", "to the", "lead time", "precision", "planned", "measured", "n"),
        rows=tuple(
            (
                words.prefecture(row.prefecture)
                + (f" · {row.launch}" if several and row.launch else ""),
                f"{row.kind} arrival",
                *_lead_cells(row),
            )
            for row in known
        ),
        numeric=frozenset({2, 3, 4, 5, 6}),
        notes=_lead_notes(known),
    )


def _lead_notes(rows: list[LeadTimeRow]) -> tuple[str, ...]:
    """Why rows have no lead time; how many of them, where others of their kind have one."""
    every = Counter(row.kind for row in rows)
    without = Counter((row.kind, row.reason.rstrip(".")) for row in rows if row.reason)
    return tuple(
        f"{kind.capitalize()} arrival"
        + (f", {count:,} of {every[kind]:,} rows" if count < every[kind] else "")
        + f": {reason}."
        for (kind, reason), count in without.items()
    )


def least_leads(rows: Iterable[LeadTimeRow]) -> Table:
    """Of several launches the shortest lead time of each prefecture; no rows for a single one."""
    known = [row for row in rows if row.applicable and row.model_term_ns is not None]
    least: dict[tuple[str, str], LeadTimeRow] = {}
    if len({row.launch for row in known}) > 1:
        for row in known:
            key = (row.prefecture, row.kind)
            if key not in least or _middle(row) < _middle(least[key]):
                least[key] = row
    return Table(
        caption="Shortest lead time of all launches, by prefecture",
        head=("prefecture", "to the", "lead time", "launch"),
        rows=tuple(
            (words.prefecture(slug), f"{kind} arrival", words.lead(_middle(row)), row.launch or "")
            for (slug, kind), row in least.items()
        ),
        numeric=frozenset({2}),
    )


def _middle(row: LeadTimeRow) -> int:
    return (row.lead_median_ns if row.lead_median_ns is not None else row.model_term_ns) or 0


def _lead_cells(row: LeadTimeRow) -> tuple[str, str, str, str, str]:
    if not row.applicable:
        return ("not applicable", words.DASH, words.DASH, words.DASH, f"{row.n:,}")
    middle = row.lead_median_ns if row.lead_median_ns is not None else row.model_term_ns
    return (
        words.lead(middle),
        words.precision(row.precision_ns) or words.DASH,
        words.lead(row.model_term_ns),
        words.measured(row.latency_median_ns),
        f"{row.n:,}",
    )
