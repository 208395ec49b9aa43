"""The tables of a comparison, for the terminal, the page and Markdown alike.

Rule of the module: as :mod:`simulator.report.experiment_tables`.
"""

from typing import Literal

from simulator.experiment.comparison import ComparisonSummary, MetricSummary, same_event
from simulator.report import words
from simulator.report.comparison_words import (
    NEEDLESS,
    change_text,
    effect,
    gate_actual,
    interval_text,
    lead_of,
    letter,
    metric_of,
    of_which_launch,
    plain_text,
    title_of,
)
from simulator.report.experiment_words import amount, change, half, name_of
from simulator.report.layout import Table

_IN_TIME = ("warned_before_arrival_people", "warned_before_predicted_people")


def sides(summary: ComparisonSummary) -> Table:
    """What is compared."""
    rows = [
        (
            letter(side.number),
            side.name,
            side.title,
            " ".join(f"{path}={value}" for path, value in side.settings.items()) or words.DASH,
            str(side.seed),
            f"{side.n:,}",
        )
        for side in summary.sides
    ]
    notes = ["A is the baseline: every difference is another side less A."]
    if summary.of == "runs":
        notes.append("Intervals resample bursts of alerts; under ten bursts there is none.")
    elif summary.paired:
        notes.append("Replications with the same random numbers are subtracted in pairs.")
    else:
        notes.append(
            "The seeds differ, so replications are not paired: differences are less certain."
        )
    if not same_event(summary.sides):
        notes.append("They play different events: what differs is not of the rules alone.")
    if len({side.version for side in summary.sides}) > 1:
        versions = ", ".join(f"{letter(side.number)} {side.version}" for side in summary.sides)
        notes.append(f"They were played by different versions of alertsim: {versions}.")
    cut = [side for side in summary.sides if side.state == "interrupted"]
    if cut:
        notes.append(f"INCOMPLETE: {words.listed(letter(side.number) for side in cut)}.")
    return Table(
        caption="What is compared",
        head=(
            "",
            "name",
            "title",
            "set",
            "seed",
            "bursts" if summary.of == "runs" else "replications",
        ),
        rows=tuple(rows),
        numeric=frozenset({4, 5}),
        notes=tuple(notes),
    )


def differences(
    summary: ComparisonSummary, side: int, *, which: Literal["headline", "rest"]
) -> Table:
    """Figures of a side and the baseline, and how they differ.

    Args:
        summary: the comparison.
        side: number of the side.
        which: the figures one looks at first, or all the others.
    """
    first = which == "headline"
    shown = [metric for metric in summary.metrics if metric.headline == first]
    name = letter(side)
    return Table(
        caption=f"{name} against A" + ("" if summary.of == "runs" else ": means over replications"),
        head=("figure", "A", name, f"{name} less A", "effect"),
        rows=tuple(_row(metric, side) for metric in shown),
        numeric=frozenset({1, 2, 3}),
        notes=(
            "Intervals are at 95 %. Latencies are wall time, of live deliveries."
            if summary.of == "runs"
            else "± is half the 95 % interval. Times are scenario time.",
        ),
    )


def _row(metric: MetricSummary, side: int) -> tuple[str, ...]:
    found = metric.differences[side - 1]
    values = (metric.values[0], metric.values[side])
    return (
        title_of(metric),
        *(
            f"{plain_text(metric, one.value)} {interval_text(metric, one.interval)}".strip()
            for one in values
        ),
        f"{change_text(metric, found.value)} "
        f"{interval_text(metric, found.interval, changed=True)}".strip(),
        effect(metric, found),
    )


def trade_off(summary: ComparisonSummary) -> Table:
    """Lead time against people alerted needlessly, by side; no rows without either."""
    lead, needless = lead_of(summary), metric_of(summary, NEEDLESS)
    in_time = metric_of(summary, *_IN_TIME)
    if lead is None or needless is None:
        return Table(caption="", head=(), rows=())
    rows = []
    for side in summary.sides:
        shown = [lead, needless, *([in_time] if in_time else [])]
        cells = []
        for metric in shown:
            one = metric.values[side.number]
            cells.append(
                f"{amount(metric.metric, one.value)} {half(metric.metric, one.interval)}".strip()
            )
        for metric in (lead, needless):
            found = metric.differences[side.number - 1] if side.number else None
            cells.append(change(metric.metric, found.value) if found else words.DASH)
        rows.append((letter(side.number), *cells))
    others = words.listed(name_of(one.metric) for one in (needless, in_time) if one)
    note = (
        f"Means of the shortest {name_of(lead.metric)} of any prefecture"
        f"{of_which_launch(summary)}, and of {others}."
    )
    return Table(
        caption="Lead time against people alerted who need not have been",
        head=(
            "",
            "lead time",
            "alerted needlessly",
            *(["warned in time"] if in_time else []),
            "lead time gained",
            "more alerted needlessly",
        ),
        rows=tuple(rows),
        numeric=frozenset(range(1, 6)),
        notes=(note,),
    )


def gates(summary: ComparisonSummary) -> Table:
    """Every condition of ``--fail-if`` and its verdict."""
    rows = [
        (letter(gate.side), gate.verdict, gate.expression, gate_actual(gate), gate.reason)
        for gate in summary.gates
    ]
    return Table(
        caption="Conditions under which the comparison fails",
        head=("side", "verdict", "fails if", "is (95 %)", "because"),
        rows=tuple(rows),
    )
