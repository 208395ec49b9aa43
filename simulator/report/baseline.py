"""How a run compares with its baseline, for the text, the Markdown and the page alike.

Rule of the module: words and tables from a comparison that was made elsewhere. Side A is the
baseline, side B the run that the report is of.
"""

from dataclasses import dataclass

from simulator.experiment.comparison import ComparisonSummary
from simulator.report import comparison_tables, words
from simulator.report.layout import Table, table_text, wrapped

TITLE = "Comparison with a baseline"
_RUN = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineTold:
    """The comparison, ready to be shown.

    Attributes:
        name: of the baseline, its directory as it was given.
        headline: the verdict of the conditions, or that there were none; a phrase.
        sentences: why, what it comes to, and what is not the same in both; the first things said.
        differences: the figures one looks at first.
        more: all other figures, to be folded away.
        conditions: conditions under which it fails, without rows if there were none.
    """

    name: str
    headline: str
    sentences: tuple[str, ...]
    differences: Table
    more: Table
    conditions: Table


def baseline_told(summary: ComparisonSummary) -> BaselineTold:
    """Words and tables of a comparison of a run with its baseline."""
    headline = words.VERDICTS[summary.verdict] if summary.gates else "No condition was asked for"
    reason = (summary.reason,) if summary.reason else ()
    return BaselineTold(
        name=summary.sides[0].name,
        headline=headline,
        sentences=(*reason, *summary.unlike, *summary.findings),
        differences=comparison_tables.differences(summary, _RUN, which="headline"),
        more=comparison_tables.differences(summary, _RUN, which="rest"),
        conditions=comparison_tables.gates(summary),
    )


def baseline_text(summary: ComparisonSummary | None) -> list[str]:
    """Paragraphs for the terminal; none without a comparison."""
    if summary is None:
        return []
    told = baseline_told(summary)
    parts = [
        f"{TITLE}: A is the baseline {told.name}, B this run",
        "\n".join(wrapped("What it comes to", told.sentences)),
        table_text(told.differences),
        table_text(told.conditions),
        f"BASELINE: {told.headline} (exit {summary.exit_code})" if summary.gates else "",
    ]
    return [words.plain_minus(part) for part in parts if part]
