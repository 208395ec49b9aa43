"""Histories, composed: read → sort into series → trends → judge the newest run → say it.

Rule of the module: as :mod:`simulator.run.comparisons`. Runs of one scenario that were asked for in
one way are a series; nothing is claimed across series.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from simulator.errors import ConfigurationError
from simulator.experiment import verdict
from simulator.measure.history import (
    ChangeSummary,
    ConditionSummary,
    HistorySummary,
    LevelSummary,
    PointSummary,
    RunShown,
    SeriesSummary,
    TrendSummary,
    VerdictWord,
)
from simulator.measure.history_gates import Newest, aggregate_of, check_history_gates, judge_newest
from simulator.measure.run_contrast import COUNTS, LATENCIES
from simulator.measure.sampling import QUANTILES
from simulator.measure.trend import FEWEST_OF_SIDE, Level, Trend, trend_of
from simulator.report.manifest import write_atomically
from simulator.thresholds.gates import Gate

if TYPE_CHECKING:
    import polars as pl

    from simulator.report.history_source import Known, KnownRun

AGGREGATES: Final = ("mean", *(f"p{float(one):g}" for one in QUANTILES))
LAST: Final = 10
_SHOWN: Final = (("delivery_latency", "p50"), ("delivery_latency", "p90"),
                 ("delivery_latency", "p99"))  # fmt: skip
_MEAN: Final = ("delivery_latency", "mean")
_ALWAYS: Final = ("lost", "count")
_BAD: Final = ("late", "duplicates", "unexpected", "not_sent", "undetermined")

Figure = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOrder:
    """What is asked of a history.

    Attributes:
        directories: run directories, or directories that hold them.
        scenario: only runs of this one; None for all.
        figures: metric and aggregate; empty for those one looks at first.
        gates: conditions on the newest run, checked.
        last: how many earlier runs of its series a condition is measured against.
        page: file for the page, or None.
        command: arguments that repeat it.
    """

    directories: Sequence[Path]
    scenario: str | None = None
    figures: Sequence[Figure] = ()
    gates: Sequence[Gate] = ()
    last: int = LAST
    page: Path | None = None
    command: Sequence[str] = field(default_factory=tuple)


def figure_of(text: str) -> Figure:
    """Read ``--metric``: ``delivery_latency.p99``, ``transit_latency`` (its mean), ``lost``.

    Raises:
        ConfigurationError: if summaries of runs do not hold it.
    """
    metric, _, aggregate = text.strip().replace("-", "_").partition(".")
    if metric in COUNTS and aggregate in {"", "count"}:
        return metric, "count"
    if metric in LATENCIES and (aggregate or "mean") in AGGREGATES:
        return metric, aggregate or "mean"
    raise ConfigurationError(
        "no figure that summaries of runs hold",
        field="--metric",
        value=text,
        remedy=f"one of {', '.join(LATENCIES)}, with one of .{', .'.join(AGGREGATES)}; or one of "
        f"{', '.join(COUNTS)}",
    )


def make_history(order: HistoryOrder) -> HistorySummary:
    """Read runs and say what their figures do.

    Raises:
        InputError: naming the directory, figure or condition that cannot be used.
    """
    from simulator.report.history_source import read_history  # noqa: PLC0415  (polars takes 0.4 s)
    from simulator.report.history_words import (  # noqa: PLC0415
        history_findings,
        history_reason,
    )

    check_history_gates(order.gates)
    known = read_history(order.directories, order.scenario)
    asked = [*order.figures, *((gate.metric, aggregate_of(gate)) for gate in order.gates)]
    series = _all_series(known, list(dict.fromkeys(asked)), chosen=bool(order.figures))
    conditions = _conditions(order, series)
    worst = _worst({one.verdict for one in conditions})
    summary = HistorySummary(
        directories=tuple(str(path) for path in order.directories),
        series=series,
        skipped=known.skipped,
        conditions=conditions,
        verdict=worst,
        exit_code=int(verdict.exit_code(worst)),
    )
    told = {"findings": history_findings(summary), "reason": history_reason(summary)}
    summary = summary.model_copy(update=told)
    if order.page is not None:
        from simulator.report.history_page import history_page  # noqa: PLC0415  (the pictures)

        page = history_page(summary, order.command)
        write_atomically(order.page, page.encode(), option="--page")
    return summary


def _worst(verdicts: set[VerdictWord]) -> VerdictWord:
    """All conditions together: fail before inconclusive before pass."""
    if "fail" in verdicts:
        return "fail"
    return "inconclusive" if "inconclusive" in verdicts else "pass"


def _all_series(
    known: "Known", asked: Sequence[Figure], *, chosen: bool
) -> tuple[SeriesSummary, ...]:
    """Runs by scenario and by how they were played; the series of the newest run first."""
    places: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
    for place, run in enumerate(known.runs):
        places.setdefault((run.scenario, tuple(run.setup.items())), []).append(place)
    ordered = sorted(places.values(), key=lambda of_series: -of_series[-1])
    table = known.figures.collect(engine="streaming")
    columns = table.partition_by("metric", "aggregate", as_dict=True)
    return tuple(_series(known.runs, of_series, columns, asked, chosen=chosen)
                 for of_series in ordered)  # fmt: skip


def _series(
    runs: "Sequence[KnownRun]",
    places: Sequence[int],
    columns: "dict[tuple[object, ...], pl.DataFrame]",
    asked: Sequence[Figure],
    *,
    chosen: bool,
) -> SeriesSummary:
    from simulator.report.history_words import series_unlike  # noqa: PLC0415

    members = [runs[place] for place in places]
    shown = tuple(member.shown for member in members)
    points = {figure: _points(columns.get(figure), places) for figure in _known_figures(asked)}
    wanted = list(asked) if chosen else _looked_at(points, asked)
    return SeriesSummary(
        scenario=members[-1].scenario,
        title=members[-1].title,
        setup=members[-1].setup,
        runs=shown,
        trends=tuple(_trend(figure, points[figure], shown) for figure in wanted),
        unlike=series_unlike(shown),
    )


def _known_figures(asked: Sequence[Figure]) -> list[Figure]:
    every = (*asked, *_SHOWN, _MEAN, _ALWAYS, *((name, "count") for name in _BAD))
    return list(dict.fromkeys(every))


def _looked_at(
    points: "dict[Figure, tuple[PointSummary, ...]]", asked: Sequence[Figure]
) -> list[Figure]:
    """The figures one looks at first: quantiles that are there, else the mean, and bad counts."""
    latencies = [one for one in _SHOWN if any(point.value is not None for point in points[one])]
    bad = [(name, "count") for name in _BAD if any(one.value for one in points[name, "count"])]
    return list(dict.fromkeys([*(latencies or [_MEAN]), _ALWAYS, *bad, *asked]))


def _points(column: "pl.DataFrame | None", places: Sequence[int]) -> tuple[PointSummary, ...]:
    """A figure of the runs at these places, without a value where a run has it not."""
    known: dict[int, PointSummary] = {}
    if column is not None:
        for place, value, low, high in column.select("place", "value", "low", "high").iter_rows():
            interval = None if low is None or high is None else (low, high)
            known[place] = PointSummary(value=value, interval=interval)
    return tuple(known.get(place, PointSummary(value=None, interval=None)) for place in places)


def _trend(
    figure: Figure, points: Sequence[PointSummary], runs: Sequence[RunShown]
) -> TrendSummary:
    metric, aggregate = figure
    present = [number for number, point in enumerate(points) if point.value is not None]
    found = trend_of([cast("float", points[number].value) for number in present])
    levels = tuple(_level(level, present) for level in found.levels)
    return TrendSummary(
        metric=metric,
        aggregate=aggregate,
        unit="count" if metric in COUNTS else "ns",
        points=tuple(points),
        levels=levels,
        changes=_changes(metric, found, present, runs),
        newest=_newest(points, levels),
        reason=_reason(len(present)),
    )


def _level(level: Level, present: Sequence[int]) -> LevelSummary:
    return LevelSummary(
        first=present[level.first],
        last=present[level.last],
        runs=level.last - level.first + 1,
        median=level.median,
        band=level.band,
    )


def _changes(
    metric: str, found: Trend, present: Sequence[int], runs: Sequence[RunShown]
) -> tuple[ChangeSummary, ...]:
    from simulator.report.history_words import changed_beside  # noqa: PLC0415

    changes = []
    for change in found.changes:
        at = present[change.at]
        changes.append(
            ChangeSummary(
                at=at,
                run=runs[at].run,
                difference=change.difference,
                interval=change.interval,
                chance=change.chance,
                effect=_effect(metric, change.difference),
                beside=changed_beside(runs[present[change.at - 1]], runs[at]),
            )
        )
    return tuple(changes)


def _effect(metric: str, difference: float) -> Literal["better", "worse", "different"]:
    """Less of everything is better, but of what was owed and came."""
    if metric in {"expected", "delivered", "queued"}:
        return "different"
    return "worse" if difference > 0 else "better"


def _newest(
    points: Sequence[PointSummary], levels: Sequence[LevelSummary]
) -> Literal["inside", "above", "below", "unknown"]:
    """Where the newest run lies by the band of its level."""
    value = points[-1].value
    band = levels[-1].band if levels else None
    if value is None or band is None:
        return "unknown"
    return "above" if value > band[1] else "below" if value < band[0] else "inside"


def _reason(runs: int) -> str:
    fewest = 2 * FEWEST_OF_SIDE
    if runs >= fewest:
        return ""
    have = "no run has it" if not runs else f"{runs} {'run has' if runs == 1 else 'runs have'} it"
    return f"{have}, and a change is looked for from {fewest}"


def _conditions(
    order: HistoryOrder, series: Sequence[SeriesSummary]
) -> tuple[ConditionSummary, ...]:
    """Judge every condition on the newest run there is."""
    if not order.gates:
        return ()
    if not series:
        raise ConfigurationError(
            "there is no run to judge",
            field="--fail-if",
            value=order.gates[0].text,
            remedy="name a directory with complete runs, or another --scenario",
        )
    newest = series[0]
    conditions = []
    for gate in order.gates:
        points = next(
            trend.points
            for trend in newest.trends
            if (trend.metric, trend.aggregate) == (gate.metric, aggregate_of(gate))
        )
        earlier = [point.value for point in points[:-1] if point.value is not None]
        shown = newest.runs[-1]
        conditions.append(
            judge_newest(
                gate,
                Newest(
                    run=shown.run,
                    point=points[-1],
                    earlier=earlier[-order.last :],
                    bottleneck=shown.bottleneck,
                ),
            )
        )
    return tuple(conditions)
