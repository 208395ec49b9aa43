"""The plain terminal report: what ``alertsim run`` and ``alertsim report`` print.

Rule of the module: pure strings, no colours and no table library; columns are aligned by how wide
characters are in a terminal, so that Japanese titles do not shift them.
"""

from simulator.measure.summary import Summary
from simulator.report import group_tables, latency_tables, tables, words
from simulator.report.baseline import baseline_text
from simulator.report.layout import INDENT, Table, printable, table_text, wrapped
from simulator.report.provenance import command_of
from simulator.report.quality_tables import causes, foreign_clients, refused
from simulator.report.sentences import answers, passed
from simulator.report.source import ReportSource

BANNER = "【訓練】 EXERCISE"


def text_report(source: ReportSource) -> str:
    """The whole report as lines of text, ready to print."""
    if source.summary is None:
        heading = _heading(
            source.timeline.title,
            source.timeline.scenario,
            source.manifest.seed,
            source.manifest.speed,
            source.manifest.run,
        )
        parts = [heading, f"INCOMPLETE RUN: {source.incomplete}", _so_far(source)]
    else:
        parts = [*summary_parts(source.summary), *baseline_text(source.baseline)]
    parts += [f"NOTICE: {notice}" for notice in source.notices]
    parts.append(f"Again     {command_of(source)}\nRun       {source.path}")
    if (source.path / "report.html").exists():
        parts[-1] += f"\nReport    {source.path / 'report.html'}"
    return words.plain_minus("\n\n".join(parts)) + "\n"


def summary_parts(summary: Summary) -> list[str]:
    """The paragraphs of a report that has a summary, the exercise first and the verdict last."""
    run = summary.run
    total = summary.ledger.total
    _, warned, time = answers(summary)
    parts = [
        _heading(run.title, run.scenario, run.seed, run.speed, run.run),
        _incomplete(summary),
        table_text(tables.messages(summary)),
        table_text(_seen(summary)),
        table_text(tables.expected(total)),
        table_text(tables.receipts(total)),
        *_groups(summary),
        table_text(foreign_clients(summary)),
        table_text(refused(summary)),
        table_text(causes(summary)),
        table_text(_latency(summary)),
        table_text(tables.lead_times(summary.lead_times)),
        "\n".join(wrapped(warned.question, warned.sentences)),
        "\n".join(wrapped(time.question, time.sentences)),
        table_text(_thresholds(summary)),
        verdict_text(summary),
    ]
    return [words.plain_minus(part) for part in parts if part]


def _groups(summary: Summary) -> list[str]:
    """Groups of subscribers, if the scenario declares any."""
    if not summary.groups:
        return []
    return [
        "\n".join(
            wrapped("Groups of subscribers, and what each is owed", group_tables.reasons(summary))
        ),
        table_text(group_tables.counts(summary)),
        table_text(group_tables.narrow(group_tables.figures(summary), (0, 1, 3, 4, 5, 6, 7, 8))),
        table_text(
            group_tables.narrow(group_tables.absences(summary), (0, 1, 2, 3, 4, 5, 7, 8, 9))
        ),
    ]


def _incomplete(summary: Summary) -> str:
    if summary.completeness.state == "complete":
        return ""
    return f"INCOMPLETE RUN: {summary.completeness.reason}"


def verdict_text(summary: Summary) -> str:
    """The verdict in its own paragraph."""
    answer = passed(summary)
    heading = f"VERDICT: {answer.headline} (exit {summary.verdict.exit_code})"
    return "\n".join(wrapped(heading, answer.sentences))


def _heading(title: str, scenario: str, seed: int, speed: float, run: str) -> str:
    return (
        f"{BANNER}  {printable(title)}\n"
        f"scenario {printable(scenario)}, seed {seed}, speed {speed:g}, run {printable(run)}"
    )


def _so_far(source: ReportSource) -> str:
    rows = source.partial.rows if source.partial else 0
    counts = source.partial.outcomes if source.partial else {}
    lines = [f"No summary was written. {words.plural(rows, 'row')} of deliveries so far:"]
    lines += [f"{INDENT}{name}: {count:,}" for name, count in counts.items()]
    if source.partial and source.partial.latency:
        caption = "Latency of what had arrived (wall), by segment"
        lines += ["", table_text(latency_tables.latency(source.partial.latency, caption))]
    return "\n".join(lines)


def _seen(summary: Summary) -> Table:
    """What else happened, without notes and sources: those stand in the page."""
    whole = tables.happenings(summary)
    return Table(
        caption=whole.caption, head=whole.head[:3], rows=tuple(row[:3] for row in whole.rows)
    )


def _latency(summary: Summary) -> Table:
    """Without the mean and with short names: a terminal has 100 columns at best."""
    whole = [row for row in summary.latency if latency_tables.is_whole(row)]
    notes = summary.publisher.notes
    table = latency_tables.latency(
        whole, "Latency from the planned instant (wall), by segment", more=notes
    )
    return Table(
        caption=table.caption,
        head=table.head[:-1],
        rows=tuple((row[0], row[1].partition(" (")[0], *row[2:-1]) for row in table.rows),
        numeric=table.numeric,
        notes=(*table.notes, "delivery = send + transit; end to end = delivery + handling."),
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
