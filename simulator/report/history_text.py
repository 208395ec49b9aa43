"""A history as text for the terminal and as Markdown for a comment.

Rule of the module: pure strings from the summary; both say the same.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from simulator.measure.history import HistorySummary, SeriesSummary
from simulator.report import words
from simulator.report.history_words import (
    condition_actual,
    interval_text,
    series_name,
    setup_text,
    sparkline,
    trend_name,
    value_text,
)
from simulator.report.layout import Table, table_text, wrapped
from simulator.report.markdown import escaped, table_markdown
from simulator.report.text import BANNER

_VERDICTS: Final = {"pass": "passed", "fail": "FAILED", "inconclusive": "inconclusive"}
_MOST_SKIPPED: Final = 20


def history_text(summary: HistorySummary, page: Path | None) -> str:
    """The history as lines of text.

    Args:
        summary: what came of it.
        page: where the page is, or None.
    """
    parts = [f"{BANNER}  History of {_counted(summary)}"]
    parts.append("\n".join(wrapped("What it comes to", summary.findings)))
    for series in summary.series:
        parts.append(table_text(trend_table(series, summary)))
        parts.append("\n".join(wrapped("Not alike", series.unlike)) if series.unlike else "")
    parts += [table_text(conditions_table(summary)), table_text(skipped_table(summary))]
    if summary.conditions:
        parts.append("\n".join(wrapped(_verdict(summary), [summary.reason])))
    if page is not None:
        parts.append(f"Page      {page}")
    return words.plain_minus("\n\n".join(part for part in parts if part))


def history_markdown(summary: HistorySummary, command: Sequence[str]) -> str:
    """The history as Markdown.

    Args:
        summary: what came of it.
        command: arguments that repeat it.
    """
    verdict = f"**{_verdict(summary)}** {escaped(summary.reason)}" if summary.conditions else ""
    parts = [
        f"## History of {escaped(_counted(summary))}",
        "**【訓練】 EXERCISE: simulated events only.**",
        verdict,
        "\n".join(f"- {escaped(sentence)}" for sentence in summary.findings),
    ]
    for series in summary.series:
        parts.append(table_markdown(trend_table(series, summary)))
        parts.append("\n".join(f"- {escaped(sentence)}" for sentence in series.unlike))
    parts += [table_markdown(conditions_table(summary)), table_markdown(skipped_table(summary))]
    parts.append(f"Repeat with:\n\n    {' '.join(shlex.join(command).split())}")
    return "\n\n".join(part for part in parts if part) + "\n"


def trend_table(series: SeriesSummary, summary: HistorySummary) -> Table:
    """The figures of a series: levels, the newest run, where it lies, how it came there."""
    rows = []
    for trend in series.trends:
        newest, level = trend.points[-1], trend.levels[-1] if trend.levels else None
        rows.append(
            (
                trend_name(trend),
                f"{sum(point.value is not None for point in trend.points):,}",
                value_text(trend, level.median if level else None),
                interval_text(trend, level.band if level else None),
                value_text(trend, newest.value),
                interval_text(trend, newest.interval) if trend.unit == "ns" else "counted",
                words.DASH if trend.newest == "unknown" else trend.newest,
                sparkline([point.value for point in trend.points]),
            )
        )
    name = series_name(series, summary.series)
    first, last = series.runs[0], series.runs[-1]
    note = (
        f"Played with {setup_text(series)}. Median and band are of the runs since the last change; "
        "about 19 of 20 runs lie inside the band. Latencies are wall time, of live deliveries."
    )
    span = f"{words.moment(first.started)} to {words.moment(last.started)}"
    return Table(
        caption=f"{name}: {words.plural(len(series.runs), 'run')}, {span}",
        head=("figure", "runs", "median", "band", "newest", "its interval", "lies", "trend"),
        rows=tuple(rows),
        numeric=frozenset({1, 2, 4}),
        notes=(note,),
    )


def conditions_table(summary: HistorySummary) -> Table:
    """Every condition of ``--fail-if`` and its verdict."""
    rows = [
        (one.verdict, one.expression, condition_actual(one), f"{one.earlier:,}", one.reason)
        for one in summary.conditions
    ]
    return Table(
        caption="Conditions under which the history fails, asked of the newest run",
        head=("verdict", "fails if", "is (95 %)", "earlier runs", "because"),
        rows=tuple(rows),
        numeric=frozenset({3}),
    )


def skipped_table(summary: HistorySummary) -> Table:
    """Directories that take no part, and why."""
    shown = summary.skipped[:_MOST_SKIPPED]
    left = len(summary.skipped) - len(shown)
    return Table(
        caption="Directories that take no part",
        head=("directory", "is", "because"),
        rows=tuple((one.path, one.why.replace("-", " "), one.reason) for one in shown),
        notes=(f"{words.plural(left, 'further directory', 'further directories')} with --json.",)
        if left
        else (),
    )


def _counted(summary: HistorySummary) -> str:
    runs = sum(len(series.runs) for series in summary.series)
    return f"{words.plural(runs, 'run')} in {words.plural(len(summary.series), 'series', 'series')}"


def _verdict(summary: HistorySummary) -> str:
    return f"Verdict: {_VERDICTS[summary.verdict]}"
