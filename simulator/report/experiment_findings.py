"""What an experiment comes to, one sentence for each figure.

Rule of the module: pure text from the summary. A variant is called the best only where a best
exists, and by its difference from the scenario as it is.
"""

from collections.abc import Sequence
from typing import Final

from simulator.experiment.contrast import wanted
from simulator.experiment.summary import ExperimentSummary, PairedSummary, PointSummary
from simulator.report.experiment_words import change, half_change, named

_MOST_TOLD: Final = 3
_HUNDRED: Final = 100


def finding(summary: ExperimentSummary, column: str) -> str:
    """What the variants, assumptions or stages do to a figure; empty if nothing can be said."""
    if summary.swings:
        return _swing(summary, column)
    if summary.shares:
        return _share(summary, column)
    return _best(summary, column)


def findings(summary: ExperimentSummary) -> list[str]:
    """The sentences of all figures that the experiment compares, with the figure's name."""
    columns = dict.fromkeys(
        one.column for point in summary.points[1:2] for one in point.differences
    )
    told = ((column, finding(summary, column)) for column in columns)
    return [f"{named(summary, column).capitalize()}: {text}" for column, text in told if text]


def _swing(summary: ExperimentSummary, column: str) -> str:
    """The assumption that moves it most; they are ordered so."""
    swing = next((one for one in summary.swings if one.column == column), None)
    if swing is None:
        return "No assumption of the chain moves it."
    ends = [change(column, one.mean) for one in (swing.at_low, swing.at_high)]
    return (
        f"Hangs most on {swing.path}: {ends[0]} at its low end ({swing.low}), {ends[1]} at its "
        f"high end ({swing.high})."
    )


def _share(summary: ExperimentSummary, column: str) -> str:
    """The stages whose chance makes it vary most."""
    chosen = sorted(
        (one for one in summary.shares if one.column == column and one.total_interval[0] > 0),
        key=lambda one: -one.total,
    )[:_MOST_TOLD]
    if not chosen:
        return "No stage's chance makes it vary."
    told = [f"{one.stage.replace('_', '-')} ({_HUNDRED * one.total:.0f} %)" for one in chosen]
    text = f"Varies with the chance of {', '.join(told)}."
    if any(one.total > 1 for one in chosen):
        text += (
            f" A share above 100 % is itself chance: {chosen[0].n:,} replications of each exchange "
            "are too few to tell."
        )
    return text


def _best(summary: ExperimentSummary, column: str) -> str:
    """The variant with most of what is wanted, if it differs from the scenario as it is."""
    sign = wanted(column)
    every = [
        (one, point)
        for point in summary.points
        for one in point.differences
        if one.column == column and one.student is not None
    ]
    if not sign or not every:
        return ""
    found = [(one, point) for one, point in every if _is_better(one, sign)]
    if not found:
        none = "No variant is better than the scenario as it is by more than chance."
        return f"{none} {_worst(column, every, sign)}".rstrip()
    best, point = max(found, key=lambda pair: sign * pair[0].mean)
    same = [other for one, other in found if one.mean == best.mean]
    more = f", and {len(same) - 1} more" if len(same) > 1 else ""
    size = f"{change(column, best.mean)} {half_change(column, best.student)}".strip()
    return f"Best: {size} with variant {point.number}{more} ({_named(point)})."


def _worst(column: str, every: Sequence[tuple[PairedSummary, PointSummary]], sign: int) -> str:
    """The variant that is worst, where one is worse by more than chance."""
    found = [(one, point) for one, point in every if _is_better(one, -sign)]
    if not found:
        return ""
    worst, point = min(found, key=lambda pair: sign * pair[0].mean)
    size = f"{change(column, worst.mean)} {half_change(column, worst.student)}".strip()
    return f"Worst: {size} with variant {point.number} ({_named(point)})."


def _is_better(one: PairedSummary, sign: int) -> bool:
    if one.student is None:
        return False
    return min(sign * end for end in one.student) > 0


def _named(point: PointSummary) -> str:
    return " ".join(f"{path}={value}" for path, value in point.settings.items())
