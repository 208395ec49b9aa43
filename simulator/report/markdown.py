"""The summary as Markdown, for a merge request, a wiki or a ticket.

Rule of the module: pure strings in GitHub's dialect; every cell is escaped, so that a client's name
can neither end a table nor add markup of its own.
"""

import re

from simulator.experiment.comparison import ComparisonSummary
from simulator.report import group_tables, latency_tables, tables, words
from simulator.report.baseline import TITLE, baseline_told
from simulator.report.layout import Table
from simulator.report.provenance import command_of
from simulator.report.quality_tables import causes, foreign_clients
from simulator.report.sentences import answers
from simulator.report.source import ReportSource

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def markdown_report(source: ReportSource) -> str:
    """The verdict, the ledger, latency and lead times as Markdown."""
    parts = [
        f"# {escaped(source.timeline.title)}",
        "**【訓練】 EXERCISE: simulated messages only.**",
    ]
    if source.incomplete:
        parts.append(f"**INCOMPLETE RUN:** {escaped(source.incomplete)}")
    summary = source.summary
    if summary is None:
        rows = source.partial.rows if source.partial else 0
        parts.append(f"No summary was written; {words.plural(rows, 'row')} of deliveries so far.")
    else:
        for answer in answers(summary):
            parts += [
                f"**{escaped(answer.question)}** {escaped(answer.headline)}",
                "\n".join(f"- {escaped(sentence)}" for sentence in answer.sentences),
            ]
        whole = [row for row in summary.latency if latency_tables.is_whole(row)]
        parts += [
            table_markdown(tables.thresholds(summary.thresholds)),
            table_markdown(tables.expected(summary.ledger.total)),
            table_markdown(tables.receipts(summary.ledger.total)),
            table_markdown(group_tables.owed(summary)),
            table_markdown(group_tables.counts(summary)),
            table_markdown(group_tables.figures(summary)),
            table_markdown(group_tables.absences(summary)),
            table_markdown(foreign_clients(summary)),
            table_markdown(tables.messages(summary)),
            table_markdown(
                latency_tables.latency(
                    whole, "Latency by population and segment", more=summary.publisher.notes
                )
            ),
            table_markdown(tables.lead_times(summary.lead_times)),
            table_markdown(causes(summary)),
        ]
    parts += _baseline(source.baseline)
    parts += [f"**Notice:** {escaped(notice)}" for notice in source.notices]
    parts.append(f"Repeat with:\n\n    {_one_line(command_of(source))}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _baseline(summary: ComparisonSummary | None) -> list[str]:
    """How the run compares with its baseline; nothing without one."""
    if summary is None:
        return []
    told = baseline_told(summary)
    verdict = f" {told.headline}." if summary.gates else ""
    return [
        f"## {TITLE}",
        f"A is the baseline {escaped(told.name)}, B this run.{verdict}",
        "\n".join(f"- {escaped(sentence)}" for sentence in told.sentences),
        table_markdown(told.differences),
        table_markdown(told.conditions),
    ]


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def table_markdown(table: Table) -> str:
    """A table under its caption; empty if it has no rows."""
    if not table.rows:
        return ""
    rule = ["---:" if i in table.numeric else "---" for i in range(len(table.head))]
    lines = [f"### {escaped(table.caption)}", ""]
    lines += [_row([escaped(cell) for cell in table.head]), _row(rule)]
    lines += [_row([escaped(cell) for cell in row]) for row in table.rows]
    for note in table.notes:
        lines += ["", escaped(note)]
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
