"""From rows to the summary.

Rule of the module: pure. Rows are ordered by point, then replication, and every point has the same
number of them, so that the n-th row of one point and of another were played with the same draws.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, Literal, Protocol

import numpy as np

from simulator.experiment.designs import Design, DesignKind
from simulator.experiment.estimates import (
    Bootstrap,
    Difference,
    Estimate,
    Floats,
    Quantile,
    estimate,
    paired_difference,
    quantiles,
)
from simulator.experiment.figures import is_whole
from simulator.experiment.people import band_seconds, is_band
from simulator.experiment.plan import Plan
from simulator.experiment.sensitivity import variance_shares
from simulator.experiment.summary import (
    ExperimentSummary,
    FigureSummary,
    PairedSummary,
    PointSummary,
    QuantileSummary,
    ShareSummary,
    SwingSummary,
    WarnedBySummary,
)

MOST_POINTS: Final = 1000
_MOST_WHOLE: Final = 64
_MOST_CURVES: Final = 8
HEADLINE: Final = (
    "alert_ns",
    "last_alert_ns",
    "team_waiting_ns",
    "warned_before_arrival_people",
    "warned_before_predicted_people",
    "alerted_needlessly_people",
    "predicted_lead_time_ns",
    "lead_time_ns",
    "least_predicted_lead_time_ns",
    "least_lead_time_ns",
    "closing_ns",
    "correction_ns",
    "in_force_ns",
    "prefectures_count",
)


class Rows(Protocol):
    """The table of an experiment."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the figures, in order."""
        ...

    def column(self, name: str) -> Floats:
        """One figure, by point, then replication; NaN where it did not happen."""
        ...


def summarise(
    plan: Plan,
    rows: Rows,
    *,
    title: str,
    scenario: str,
    version: str,
    replications: int,
    state: Literal["complete", "stopped", "interrupted"] = "complete",
    stop: str = "",
    stop_reached: bool | None = None,
) -> ExperimentSummary:
    """What came of an experiment.

    Args:
        plan: what was played.
        rows: what came of it.
        title: title of the scenario.
        scenario: id of the scenario.
        version: of alertsim.
        replications: of each point that count.
        state: how it ended.
        stop: the rule that could stop it.
        stop_reached: whether it was met; None without one.
    """
    design = plan.design
    table = _Table(rows, design.points, replications)
    return ExperimentSummary(
        scenario=scenario,
        title=title,
        version=version,
        seed=plan.seed,
        design=str(design.kind),
        varied=tuple(axis.path for axis in design.axes),
        state=state,
        replications=replications,
        replications_asked=plan.replications,
        stop=stop,
        stop_reached=stop_reached,
        rows_digest=rows_digest(rows),
        points=tuple(_points(design, table)) if replications else (),
        points_played=design.points,
        shares=tuple(_shares(design, table)) if replications else (),
        swings=tuple(_swings(design, table)) if replications else (),
    )


def rows_digest(rows: Rows) -> str:
    """SHA-256 over every column of whole numbers, with its name."""
    hasher = hashlib.sha256()
    for name in rows.columns:
        if is_whole(name):
            hasher.update(f"{name}\n".encode())
            hasher.update(np.ascontiguousarray(rows.column(name)).tobytes())
    return hasher.hexdigest()


def headline(columns: Sequence[str]) -> list[str]:
    """The figures that variants are compared by."""
    return [name for name in HEADLINE if name in columns]


class _Table:
    """The rows, cut into points."""

    def __init__(self, rows: Rows, points: int, replications: int) -> None:
        names = [name for name in rows.columns if name not in {"point", "replication"}]
        self.columns = [name for name in names if not is_band(name)]
        self.bands = [name for name in names if is_band(name)]
        self._rows = rows
        self._points = points
        self._replications = replications
        self._cut: dict[str, Floats] = {}

    def figure(self, name: str, point: int) -> Floats:
        """One figure of one point."""
        if name not in self._cut:
            self._cut[name] = self._rows.column(name).reshape(self._points, self._replications)
        found: Floats = self._cut[name][point]
        return found


def _points(design: Design, table: _Table) -> Iterator[PointSummary]:
    bootstrap = Bootstrap()
    chosen = headline(table.columns)
    for number in range(min(design.points, MOST_POINTS)):
        point = design.point(number)
        shown = table.columns if design.points <= _MOST_WHOLE or not number else chosen
        figures = ((name, estimate(table.figure(name, number), bootstrap)) for name in shown)
        differences = (_paired(table, name, number) for name in chosen if number)
        yield PointSummary(
            number=number,
            name=point.name,
            settings={setting.path: setting.shown for setting in point.settings},
            figures=tuple(_figure(name, found) for name, found in figures if found is not None),
            differences=tuple(found for found in differences if found is not None),
            warned_by=tuple(_warned_by(table, number)) if number < _MOST_CURVES else (),
        )


def _warned_by(table: _Table, point: int) -> Iterator[WarnedBySummary]:
    for name in table.bands:
        people = table.figure(name, point)
        people = np.sort(people[~np.isnan(people)])
        if len(people):
            yield WarnedBySummary(
                after_s=band_seconds(name),
                mean=float(people.mean()),
                quantiles=_quantiles(quantiles(people)),
            )


def _figure(column: str, found: Estimate) -> FigureSummary:
    return FigureSummary(
        column=column,
        n=found.n,
        missing=found.missing,
        mean=found.mean,
        sd=found.sd,
        low=found.low,
        high=found.high,
        student=found.student,
        bootstrap=found.bootstrap,
        quantiles=_quantiles(found.quantiles),
    )


def _quantiles(found: Sequence[Quantile]) -> tuple[QuantileSummary, ...]:
    return tuple(
        QuantileSummary(
            percent=float(quantile.percent),
            value=quantile.value,
            interval=(quantile.low, quantile.high),
        )
        for quantile in found
    )


def _paired(table: _Table, column: str, point: int) -> PairedSummary | None:
    found = paired_difference(table.figure(column, point), table.figure(column, 0))
    return None if found is None else _difference(column, found)


def _difference(column: str, found: Difference) -> PairedSummary:
    return PairedSummary(
        column=column,
        n=found.n,
        mean=found.mean,
        student=found.student,
        unpaired_half_width=found.unpaired,
    )


def _shares(design: Design, table: _Table) -> Iterator[ShareSummary]:
    """Point 0 is the one matrix of draws, point 1 the other, the rest exchange a stage."""
    if design.kind is not DesignKind.SOBOL:
        return
    for column in headline(table.columns):
        exchanged = {
            stage: table.figure(column, number)
            for number, stage in enumerate(design.stages, start=2)
        }
        found = variance_shares(
            design.stages, table.figure(column, 0), table.figure(column, 1), exchanged
        )
        for share in found:
            yield ShareSummary(
                column=column,
                stage=share.stage,
                first=share.first,
                first_interval=share.first_interval,
                total=share.total,
                total_interval=share.total_interval,
                n=share.n,
            )


def _swings(design: Design, table: _Table) -> Iterator[SwingSummary]:
    """By figure, the assumption that moves it most first; those that do not move it left out."""
    if design.kind is not DesignKind.TORNADO:
        return
    for column in headline(table.columns):
        found: list[SwingSummary] = []
        for place, axis in enumerate(design.axes):
            low, high = (_paired(table, column, 1 + 2 * place + end) for end in (0, 1))
            if low is None or high is None or (low.mean == 0 and high.mean == 0):
                continue
            found.append(
                SwingSummary(
                    column=column,
                    path=axis.path,
                    low=axis.end(high=False).shown,
                    high=axis.end(high=True).shown,
                    at_low=low,
                    at_high=high,
                )
            )
        yield from sorted(found, key=lambda swing: -abs(swing.at_high.mean - swing.at_low.mean))
