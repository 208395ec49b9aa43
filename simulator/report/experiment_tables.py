"""The tables of an experiment's report, for the terminal and the page alike.

Rule of the module: text from the summary; a figure that the sample cannot carry is a dash.
"""

from collections.abc import Sequence
from typing import Final

from simulator.experiment.summarise import headline
from simulator.experiment.summary import (
    ExperimentSummary,
    FigureSummary,
    PairedSummary,
    PointSummary,
)
from simulator.report import words
from simulator.report.experiment_words import (
    amount,
    change,
    half,
    half_change,
    has_several_launches,
    is_detail,
    name_of,
    named,
    span_of,
)
from simulator.report.layout import Table

MOST_POINTS: Final = 300
_SHOWN: Final = (5.0, 50.0, 95.0)
_REPEATED: Final = {
    "issue_": "alert_ns",
    "predicted_lead_time_": "predicted_lead_time_ns",
    "lead_time_": "lead_time_ns",
}


def figures(point: PointSummary, *, everything: bool) -> Table:
    """Every figure of one variant: mean, intervals, quantiles.

    Args:
        point: the variant.
        everything: also by prefecture and launch, both intervals of the mean, and how often it
            did not happen.
    """
    rows = []
    several = has_several_launches(one.column for one in point.figures)
    distinct = _distinct(point.figures)
    shown = distinct if everything else [one for one in distinct if not is_detail(one.column)]
    for figure in shown:
        quantiles = {one.percent: amount(figure.column, one.value) for one in figure.quantiles}
        row = [
            name_of(figure.column, several=several),
            f"{figure.n:,}",
            f"{amount(figure.column, figure.mean)} {half(figure.column, figure.student)}".strip(),
            *(quantiles.get(percent, words.DASH) for percent in _SHOWN),
        ]
        if everything:
            row += [
                span_of(figure.column, figure.student),
                span_of(figure.column, figure.bootstrap),
                f"{figure.missing:,}" if figure.missing else words.DASH,
            ]
        rows.append(tuple(row))
    head = ("figure", "n", "mean", *(words.quantile_name(percent) for percent in _SHOWN))
    if everything:
        head += ("mean, Student's t 95 %", "mean, bootstrap 95 %", "did not happen")
    notes = [
        "± is half the 95 % interval of the mean (Student's t).",
        "A quantile q needs n >= 10/(1 - q) replications; a dash stands where there are fewer.",
    ]
    left = len(distinct) - len(shown)
    if left:
        more = words.plural(left, "further figure")
        notes.append(f"{more}, by prefecture and launch: in the page of --out, or with --json.")
    return Table(
        caption=f"Over replications (scenario time): {point.name}",
        head=head,
        rows=tuple(rows),
        numeric=frozenset(range(1, len(head))),
        notes=tuple(notes),
    )


def _distinct(found: Sequence[FigureSummary]) -> list[FigureSummary]:
    """Without the figures of a prefecture that repeat those of the whole area."""
    kept: list[FigureSummary] = []
    for figure in found:
        whole = next((name for name in _REPEATED if figure.column.startswith(name)), None)
        same = next((one for one in kept if one.column == _REPEATED.get(whole or "")), None)
        if same is None or figure.model_copy(update={"column": same.column}) != same:
            kept.append(figure)
    return kept


def variants(summary: ExperimentSummary, column: str, most: int = MOST_POINTS) -> Table:
    """One row per variant: a figure, and how it differs from the scenario as it is.

    Args:
        summary: of the experiment.
        column: the figure.
        most: variants that are shown at most.
    """
    paths = summary.varied
    rows = []
    for point in summary.points[:most]:
        figure = _figure(point, column)
        paired = _paired(point.differences, column)
        if figure is None:
            continue
        median = next((one.value for one in figure.quantiles if one.percent == 50.0), None)  # noqa: PLR2004
        rows.append(
            (
                str(point.number),
                *(point.settings.get(path, words.DASH) for path in paths),
                f"{amount(column, figure.mean)} {half(column, figure.student)}".strip(),
                amount(column, median),
                words.DASH
                if paired is None
                else f"{change(column, paired.mean)} {half_change(column, paired.student)}".strip(),
            )
        )
    left = summary.points_played - len(rows)
    notes = [
        "Point 0 is the scenario as it is.",
        "Differences are of pairs under the same random numbers; ± is half their 95 % interval.",
    ]
    if left > 0:
        notes.append(f"{words.plural(left, 'further point')} in summary.json and the table.")
    return Table(
        caption=named(summary, column)[0].upper() + named(summary, column)[1:],
        head=("point", *paths, "mean", "median", "less point 0"),
        rows=tuple(rows),
        numeric=frozenset(range(1 + len(paths), 4 + len(paths))),
        notes=tuple(notes),
    )


def tornado(summary: ExperimentSummary, column: str) -> Table:
    """How far a figure moves with each assumption."""
    rows = [
        (
            swing.path,
            f"{swing.low} to {swing.high}",
            *(
                f"{change(column, end.mean)} {half_change(column, end.student)}".strip()
                for end in (swing.at_low, swing.at_high)
            ),
        )
        for swing in summary.swings
        if swing.column == column
    ]
    return Table(
        caption=f"What {named(summary, column)} hangs on: each assumption at the ends of its range",
        head=("assumption", "from and to", "at the low end", "at the high end"),
        rows=tuple(rows),
        numeric=frozenset({2, 3}),
        notes=("Assumptions that do not move it are left out.",) if rows else (),
    )


def shares(summary: ExperimentSummary, column: str) -> Table:
    """Whose chance makes a figure vary."""
    chosen = [share for share in summary.shares if share.column == column and share.total > 0]
    rows = [
        (
            share.stage.replace("_", "-"),
            _percent(share.total),
            f"{_percent(share.total_interval[0])} to {_percent(share.total_interval[1])}",
            _percent(share.first),
            f"{_percent(share.first_interval[0])} to {_percent(share.first_interval[1])}",
        )
        for share in chosen
    ]
    return Table(
        caption=f"Which stage makes {named(summary, column)} vary (Sobol indices)",
        head=("stage", "total", "95 %", "alone", "95 %"),
        rows=tuple(rows),
        numeric=frozenset({1, 2, 3, 4}),
        notes=(
            f"Shares of its variance, from {chosen[0].n:,} replications of each exchange.",
            "Stages that do not matter are left out.",
        )
        if chosen
        else (),
    )


def compared(summary: ExperimentSummary) -> list[str]:
    """The figures that the variants of an experiment have."""
    columns = [figure.column for figure in summary.points[0].figures] if summary.points else []
    return headline(columns)


def _figure(point: PointSummary, column: str) -> FigureSummary | None:
    return next((one for one in point.figures if one.column == column), None)


def _paired(differences: Sequence[PairedSummary], column: str) -> PairedSummary | None:
    return next((one for one in differences if one.column == column), None)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace("-", words.MINUS)
