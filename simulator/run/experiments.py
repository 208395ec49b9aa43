"""Experiments, composed: plan → play → keep → summarise → write.

Rule of the module: the only place where the playing of replications meets the directory they are
kept in. Without a directory everything stays in memory and no table library is loaded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from simulator.errors import AbortedError, ConfigurationError
from simulator.experiment.designs import Design
from simulator.experiment.drive import (
    Driven,
    MemoryStore,
    StopRule,
    complete_replications,
    drive,
)
from simulator.experiment.estimates import Floats, half_width, present
from simulator.experiment.executors import Executor, available_workers, make_executor
from simulator.experiment.figures import Value
from simulator.experiment.people import is_band
from simulator.experiment.plan import Plan
from simulator.experiment.replications import Player
from simulator.experiment.summarise import Rows, summarise
from simulator.experiment.summary import ExperimentSummary
from simulator.experiment.town_leads import town_leads
from simulator.run.provenance import alertsim_version, package_versions
from simulator.units import parse_duration

if TYPE_CHECKING:
    import polars as pl

    from simulator.report.experiment_directory import ExperimentDirectory

MANY_ROWS: Final = 1_000_000
WORTH_PROCESSES: Final = 1000
_TRIALS: Final = 8
_MOST_TRIED: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentOrder:
    """What is to be played and how.

    Attributes:
        plan: the experiment.
        workers: processes; 0 to choose.
        cluster: address of a Dask scheduler instead, or None.
        out: directory to keep it in, or None.
        stop: ``METRIC=WIDTH``, or None.
        command: arguments that repeat it.
        progress: told rows done and rows planned.
        interrupted: whether somebody asked for the end.
    """

    plan: Plan
    workers: int = 0
    cluster: str | None = None
    out: Path | None = None
    stop: str | None = None
    command: Sequence[str] = ()
    progress: Callable[[int, int], None] = lambda _done, _total: None
    interrupted: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An experiment that was played.

    Attributes:
        summary: what came of it.
        path: where it is kept, or None.
        rows: its table.
    """

    summary: ExperimentSummary
    path: Path | None
    rows: Rows


def play_experiment(order: ExperimentOrder) -> Experiment:
    """Play an experiment, or what is missing of it.

    Raises:
        InputError: if a variant, the rule that stops it, the directory or the cluster cannot be
            used. Whatever was finished before stays in the directory.
    """
    check_variants(order.plan.base.scenario, order.plan.design)
    stop = None if order.stop is None else stop_rule(order.stop, order.plan)
    if order.out is None:
        store = MemoryStore()
        driven = _drive(order, order.plan, store, stop)
        rows = store.rows(order.plan, driven.replications)
        return Experiment(
            summary=_summary(order, order.plan, driven, rows, stop), path=None, rows=rows
        )
    return _play_kept(order, order.out, stop)


def _play_kept(order: ExperimentOrder, out: Path, stop: StopRule | None) -> Experiment:
    from simulator.report.experiment_directory import (  # noqa: PLC0415
        REPORT_NAME,
        SUMMARY_NAME,
        ExperimentDirectory,
    )
    from simulator.report.experiment_page import experiment_page  # noqa: PLC0415
    from simulator.report.town_table import TOWNS_NAME, town_table  # noqa: PLC0415

    facts = {
        "version": alertsim_version(),
        "command": list(order.command),
        "versions": package_versions(),
    }
    directory = ExperimentDirectory.open(out, order.plan, facts)
    try:
        driven = _drive(order, directory.plan, directory, stop)
    except AbortedError:
        directory.interrupt(complete_replications(directory.plan, directory.finished()))
        raise
    if not driven.replications:
        directory.interrupt(0)
        empty = MemoryStore().rows(directory.plan, 0)
        return Experiment(
            summary=_summary(order, directory.plan, driven, empty, stop), path=out, rows=empty
        )
    table = directory.table(driven.replications)
    summary = _summary(order, directory.plan, driven, TableRows(table), stop)
    directory.write(SUMMARY_NAME, summary.model_dump_json(indent=1) + "\n")
    leads = town_leads(directory.plan, driven.replications)
    if leads is not None:
        directory.write(TOWNS_NAME, town_table(leads))
    page = experiment_page(summary, TableRows(table), order.command, leads, _one_again(order.plan))
    directory.write(REPORT_NAME, page)
    if driven.interrupted:
        directory.interrupt(driven.replications)
    else:
        directory.finish(table, driven.replications)
    return Experiment(summary=summary, path=out, rows=TableRows(table))


def _one_again(plan: Plan) -> list[str]:
    """The command that plays one replication of the scenario as it is."""
    command = ["alertsim", "simulate", plan.base.name, "--seed", str(plan.seed)]
    for setting in plan.base.fixed:
        command += ["--set", setting.text]
    return [*command, "--replication", "0"]


def _drive(
    order: ExperimentOrder,
    plan: Plan,
    store: "MemoryStore | ExperimentDirectory",
    stop: StopRule | None,
) -> Driven:
    with _executor(order) as executor:
        return drive(
            plan,
            executor,
            store,
            stop=stop,
            progress=order.progress,
            interrupted=order.interrupted,
        )


def _executor(order: ExperimentOrder) -> Executor:
    if order.cluster is not None:
        from simulator.experiment.clusters import ClusterExecutor  # noqa: PLC0415

        return ClusterExecutor(order.cluster)
    if order.workers:
        return make_executor(order.workers)
    small = order.plan.rows < WORTH_PROCESSES
    return make_executor(1 if small else available_workers())


def _summary(
    order: ExperimentOrder,
    plan: Plan,
    driven: Driven,
    rows: Any,  # noqa: ANN401  (a Rows)
    stop: StopRule | None,
) -> ExperimentSummary:
    scenario = plan.base.scenario()
    state: Literal["complete", "stopped", "interrupted"] = (
        "stopped" if driven.stopped else "interrupted" if driven.interrupted else "complete"
    )
    return summarise(
        plan,
        rows,
        title=scenario.title,
        scenario=scenario.id,
        version=alertsim_version(),
        replications=driven.replications,
        state=state,
        stop=order.stop or "",
        stop_reached=None if stop is None else driven.stopped or _is_met(stop, rows),
    )


def _is_met(stop: StopRule, rows: Rows) -> bool:
    """Whether all replications together are enough; the rule is asked after every hundred only."""
    if stop.column not in rows.columns:
        return False
    values = rows.column(stop.column)
    return stop.enough(values[~np.isnan(values)].tolist())


class TableRows:
    """The rows of a table on disk.

    Args:
        table: ordered by point, then replication.
    """

    def __init__(self, table: "pl.DataFrame") -> None:
        self._table = table
        self.columns = [name for name in table.columns if not name.startswith("vary:")]

    def column(self, name: str) -> Floats:
        """One figure; NaN where it did not happen."""
        found: Floats = self._table[name].to_numpy().astype(np.float64)
        return found


def check_variants(scenario: Callable[..., object], design: Design) -> None:
    """Build variants before anything is played: each axis at its ends, and some in between.

    Raises:
        ConfigurationError: for the first that cannot be.
    """
    scenario()
    for axis in design.axes:
        for high in (False, True):
            scenario((axis.end(high=high),))
    step = max(1, design.points // _MOST_TRIED)
    for number in range(0, design.points, step):
        scenario(design.point(number).settings)


def stop_rule(text: str, plan: Plan) -> StopRule:
    """Read ``METRIC=WIDTH``: ``alert=250ms``, ``warned_people=1000``.

    Raises:
        ConfigurationError: if it cannot be read, or the scenario has no such figure.
    """
    metric, equals, written = (part.strip() for part in text.partition("="))
    if not (metric and equals and written):
        raise _refused("a figure and half a width are expected", text)
    if plan.design.points > 1:
        raise _refused("a sweep plays the same replications of every point", text)
    known = known_figures(plan)
    column = next((name for name in known if metric in {name, name.rpartition("_")[0]}), None)
    if column is None:
        raise _no_figure(metric, known)
    try:
        width = parse_duration(written) if column.endswith("_ns") else float(written)
    except ValueError as error:
        raise _refused(str(error), text) from None
    if width <= 0:
        raise _refused("half a width is more than nothing", text)

    def enough(values: Sequence[Value]) -> bool:
        reached = half_width(present(values))
        return reached is not None and reached <= width

    return StopRule(column=column, enough=enough)


def _no_figure(metric: str, known: Sequence[str]) -> ConfigurationError:
    names = [name.rpartition("_")[0] for name in known if not is_band(name)]
    near = get_close_matches(metric, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    curve = ", warned_by_0600s and its like" if len(names) < len(known) else ""
    return ConfigurationError(
        "the scenario has no such figure",
        field="--until-halfwidth",
        value=metric,
        remedy=f"{hint}one of: {', '.join(names)}{curve}",
    )


def known_figures(plan: Plan) -> list[str]:
    """Columns of the figures that a few replications of the scenario as it is have."""
    player = Player(plan)
    found = dict.fromkeys(
        name
        for replication in range(_TRIALS)
        for name, value in player.play(0, replication).figures.items()
        if value is not None
    )
    return list(found)


def _refused(message: str, text: str) -> ConfigurationError:
    return ConfigurationError(
        message,
        field="--until-halfwidth",
        value=text,
        remedy="for example --until-halfwidth alert=250ms",
    )
