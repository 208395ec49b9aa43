"""The plain terminal report: what ``alertsim run`` and ``alertsim report`` print.

Rule of the module: pure strings, no colours and no table library; columns are aligned by how wide
characters are in a terminal, so that Japanese titles do not shift them.
"""

from simulator.measure.summary import Summary
from simulator.report import tables, words
from simulator.report.layout import INDENT, Table, table_text, wrapped
from simulator.report.provenance import command_of
from simulator.report.quality_tables import causes, foreign_clients
from simulator.report.sentences import answers, passed
from simulator.report.source import ReportSource


def text_report(source: ReportSource) -> str:
    """The whole report as lines of text, ready to print."""
    parts = [_heading(source)]
    if source.incomplete:
        parts.append(f"INCOMPLETE RUN: {source.incomplete}")
    if source.summary is None:
        parts.append(_so_far(source))
    else:
        parts += summary_parts(source.summary)
    parts.append(f"Again     {command_of(source)}\nRun       {source.path}")
    if (source.path / "report.html").exists():
        parts[-1] += f"\nReport    {source.path / 'report.html'}"
    return words.plain_minus("\n\n".join(parts)) + "\n"


def summary_parts(summary: Summary) -> list[str]:
    """The paragraphs of a report that has a summary, in order, the verdict last."""
    total = summary.ledger.total
    _, warned, time = answers(summary)
    parts = [
        table_text(_messages(summary)),
        table_text(_seen(summary)),
        table_text(tables.expected(total)),
        table_text(tables.receipts(total)),
        table_text(foreign_clients(summary)),
        table_text(causes(summary)),
        table_text(_latency(summary)),
        table_text(tables.lead_times(summary.lead_times)),
        "\n".join(wrapped(warned.question, warned.sentences)),
        "\n".join(wrapped(time.question, time.sentences)),
        table_text(_thresholds(summary)),
        verdict_text(summary),
    ]
    return [part for part in parts if part]


def verdict_text(summary: Summary) -> str:
    """The verdict in its own paragraph."""
    answer = passed(summary)
    return "\n".join([f"VERDICT: {answer.headline}", *(INDENT + s for s in answer.sentences)])


def _heading(source: ReportSource) -> str:
    timeline = source.timeline
    facts = f"scenario {timeline.scenario}, seed {source.manifest.seed}"
    return (
        f"【訓練】 EXERCISE  {timeline.title}\n"
        f"{facts}, speed {source.manifest.speed:g}, run {source.manifest.run}"
    )


def _so_far(source: ReportSource) -> str:
    rows = source.partial.rows if source.partial else 0
    counts = source.partial.outcomes if source.partial else {}
    lines = [f"No summary was written. {words.plural(rows, 'row')} of deliveries so far:"]
    lines += [f"{INDENT}{name}: {count:,}" for name, count in counts.items()]
    return "\n".join(lines)


def _messages(summary: Summary) -> Table:
    return tables.messages(summary)


def _seen(summary: Summary) -> Table:
    """What else happened, without notes and sources: those stand in the page."""
    whole = tables.happenings(summary)
    return Table(
        caption=whole.caption, head=whole.head[:3], rows=tuple(row[:3] for row in whole.rows)
    )


def _latency(summary: Summary) -> Table:
    whole = [row for row in summary.latency if tables.is_whole(row)]
    table = tables.latency(whole, "Latency from the planned instant (wall), by segment")
    # The mean stands in the page: a terminal has 100 columns at best.
    return Table(
        caption=table.caption,
        head=table.head[:-1],
        rows=tuple(row[:-1] for row in table.rows),
        numeric=table.numeric,
        notes=table.notes,
    )


def _thresholds(summary: Summary) -> Table:
    """Thresholds without the columns that a terminal has no room for."""
    whole = tables.thresholds(summary.thresholds)
    return Table(
        caption=whole.caption,
        head=(*whole.head[:3], whole.head[5]),
        rows=tuple((*row[:3], row[5]) for row in whole.rows),
        numeric=frozenset({2}),
    )
