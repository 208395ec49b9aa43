"""A comparison as text for the terminal and as Markdown for a merge request.

Rule of the module: pure strings from the summary; both say the same.
"""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from simulator.experiment.comparison import ComparisonSummary
from simulator.report import comparison_tables as tables
from simulator.report import words
from simulator.report.layout import Table, table_text, wrapped
from simulator.report.markdown import escaped, table_markdown
from simulator.report.text import BANNER

_VERDICTS: Final = {
    "pass": "passed",
    "fail": "FAILED",
    "inconclusive": "inconclusive",
    "not-judged": "not judged",
}
_UNLIKE: Final = "Not alike, so a difference may be of this"


def comparison_text(summary: ComparisonSummary, path: Path | None) -> str:
    """The comparison as lines of text.

    Args:
        summary: what came of it.
        path: where it is kept, or None.
    """
    parts = [f"{BANNER}  Comparison", *map(table_text, _tables(summary))]
    if summary.findings:
        parts.insert(2, "\n".join(wrapped("What it comes to", summary.findings)))
    if summary.unlike:
        parts.insert(2, "\n".join(wrapped(_UNLIKE, summary.unlike)))
    if summary.gates:
        parts.append("\n".join(wrapped(_verdict(summary), [summary.reason])).rstrip())
    if path is not None:
        parts.append(f"Kept      {path}\nReport    {path / 'report.html'}")
    return words.plain_minus("\n\n".join(part for part in parts if part))


def comparison_markdown(summary: ComparisonSummary, command: Sequence[str]) -> str:
    """The comparison as Markdown, short enough for a comment.

    Args:
        summary: what came of it.
        command: arguments that repeat it.
    """
    names = " against ".join(escaped(side.name) for side in reversed(summary.sides))
    parts = [
        f"## {names}",
        "**【訓練】 EXERCISE: simulated events only.**",
        f"**{_verdict(summary)}** {escaped(summary.reason)}".rstrip() if summary.gates else "",
        "\n".join(f"- {escaped(sentence)}" for sentence in (*summary.findings, *summary.unlike)),
        *map(table_markdown, _tables(summary)),
        f"Repeat with:\n\n    {' '.join(shlex.join(command).split())}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(summary: ComparisonSummary) -> str:
    return f"Verdict: {_VERDICTS[summary.verdict]}"


def _tables(summary: ComparisonSummary) -> list[Table]:
    left = sum(not metric.headline for metric in summary.metrics)
    more = f"{words.plural(left, 'further figure')} in the page of --out, or with --json."
    differences = [
        tables.differences(summary, side.number, which="headline") for side in summary.sides[1:]
    ]
    return [
        tables.sides(summary),
        *(replace(one, notes=(*one.notes, more) if left else one.notes) for one in differences),
        tables.trade_off(summary),
        tables.gates(summary),
    ]
