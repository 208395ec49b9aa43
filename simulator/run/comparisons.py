"""Comparisons, composed: recognise → play or read → contrast → judge → write.

Rule of the module: as :mod:`simulator.run.experiments`. What is compared is all of one kind:
scenarios, which are played here with the same random numbers, or directories of experiments that
were played before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Final

from simulator.errors import AbortedError, ConfigurationError, OutputError
from simulator.experiment import contrast, verdict
from simulator.experiment.comparison import ComparisonSummary, GateSummary, SideSummary
from simulator.experiment.contrast import Side
from simulator.experiment.plan import Plan
from simulator.experiment.town_leads import town_leads
from simulator.report.comparison_words import findings, verdict_sentence
from simulator.report.experiment_directory import (
    EXPERIMENT_NAME,
    REPORT_NAME,
    SUMMARY_NAME,
)
from simulator.report.manifest import MANIFEST_NAME, unwritable, write_atomically
from simulator.resources import scenario_names
from simulator.run.experiments import ExperimentOrder, known_figures, play_experiment
from simulator.run.provenance import alertsim_version
from simulator.thresholds.gates import Gate

MARKDOWN_NAME: Final = "report.md"
FEWEST: Final = 2
MOST: Final = 26


class Kind(StrEnum):
    """What is compared."""

    SCENARIO = "scenario"
    EXPERIMENT = "experiment directory"
    RUN = "run directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison that was made.

    Attributes:
        summary: what came of it.
        sides: what was compared, with its rows.
        path: where it is kept, or None.
        interrupted: why it is not whole; empty if it is.
    """

    summary: ComparisonSummary
    sides: tuple[Side, ...]
    path: Path | None
    interrupted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOrder:
    """How scenarios are played.

    Attributes:
        plans: one for each, of the same seed and number of replications.
        workers: processes; 0 to choose.
        cluster: address of a Dask scheduler instead, or None.
        out: directory to keep everything in, or None.
        command: arguments that repeat it.
        progress: told rows done and rows planned.
        interrupted: whether somebody asked for the end.
    """

    plans: Sequence[Plan]
    workers: int = 0
    cluster: str | None = None
    out: Path | None = None
    command: Sequence[str] = ()
    progress: Callable[[int, int], None] = lambda _done, _total: None
    interrupted: Callable[[], bool] = lambda: False


def kind_of(names: Sequence[str]) -> Kind:
    """What the arguments are, all of them.

    Raises:
        ConfigurationError: for fewer than two, the same twice, or several kinds together.
        OutputError: for a directory that is none of ours.
    """
    if len(names) < FEWEST:
        raise ConfigurationError(
            "a comparison needs two or more",
            field="A B",
            value=" ".join(names),
            remedy="name the baseline first, for example: alertsim compare "
            "tohoku-2022-11-03-modelled tohoku-2022-11-03-rules-2023",
        )
    if len(names) > MOST:
        raise ConfigurationError(
            f"at most {MOST} can be compared", field="A B", value=f"{len(names)} names"
        )
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ConfigurationError(
                "is named twice",
                field="A B",
                value=name,
                remedy="name two different ones; alertsim sweep plays variants of one scenario",
            )
    kinds = {name: _kind(name) for name in names}
    if len(set(kinds.values())) > 1:
        raise ConfigurationError(
            "scenarios, experiments and runs cannot be compared with each other",
            field="A B",
            value=", ".join(f"{name} ({kind})" for name, kind in kinds.items()),
            remedy="name things of one kind: play the scenario first with alertsim simulate "
            "--replications N --out DIR, with the seed of the other",
        )
    return kinds[names[0]]


def directory_of(name: str) -> tuple[Path, int]:
    """The directory of an argument ``DIRECTORY`` or ``DIRECTORY#POINT``, and its point."""
    head, hash_sign, tail = name.rpartition("#")
    if hash_sign and tail.isdecimal() and not Path(name).exists():
        return Path(head), int(tail)
    return Path(name), 0


def compare_scenarios(order: PlayOrder, gates: Sequence[Gate]) -> Compared:
    """Play scenarios with the same random numbers and compare them.

    Raises:
        InputError: if a gate, a directory or the cluster cannot be used.
        AbortedError: if it was interrupted before there was anything to compare.
    """
    resolved: tuple[verdict.Resolved, ...] = ()
    if gates:
        known = dict.fromkeys(name for plan in order.plans for name in known_figures(plan))
        resolved = verdict.resolve(gates, list(known))
    if order.out is not None:
        _check_out(order.out, order.plans)
    sides, facts, whole = _played(order)
    compared = _contrasted(sides, facts, resolved, interrupted="" if whole else _interrupted(order))
    return _kept(compared, order.out, order.command, order.plans)


def compare_experiments(
    names: Sequence[str], gates: Sequence[Gate], out: Path | None, command: Sequence[str]
) -> Compared:
    """Compare experiments that were played before.

    Raises:
        InputError: naming what is damaged, or the gate that cannot be judged.
    """
    from simulator.report.comparison_source import read_side  # noqa: PLC0415  (polars takes 0.4 s)

    if out is not None:
        _check_out(out, ())
    known = [
        read_side(path, number, point)
        for number, (path, point) in enumerate(map(directory_of, names))
    ]
    sides = [one.side for one in known]
    columns = dict.fromkeys(name for side in sides for name in side.figures)
    resolved = verdict.resolve(gates, list(columns))
    return _kept(_contrasted(sides, [one.summary for one in known], resolved), out, command)


def compare_runs(
    names: Sequence[str], gates: Sequence[Gate], out: Path | None, command: Sequence[str]
) -> Compared:
    """Compare runs that were played before: latencies of live deliveries, and the ledgers.

    Raises:
        InputError: naming what is damaged, or the gate that cannot be judged.
    """
    from simulator.measure import run_contrast  # noqa: PLC0415

    run_contrast.check_run_gates(gates)
    if out is not None:
        _check_out(out, ())
    summary = contrast_runs([Path(name) for name in names], gates)
    return _kept(Compared(summary=summary, sides=(), path=None), out, command)


def contrast_runs(paths: Sequence[Path], gates: Sequence[Gate]) -> ComparisonSummary:
    """How runs that were played before differ from the first of them.

    Args:
        paths: run directories, the baseline first.
        gates: conditions, checked already.

    Raises:
        OutputError: naming what is missing or damaged.
    """
    from simulator.measure import run_contrast  # noqa: PLC0415
    from simulator.report.comparison_runs import not_alike, read_runs  # noqa: PLC0415

    known = read_runs(paths)
    sides = [one.side for one in known]
    judged = run_contrast.judge_runs(gates, sides)
    worst = verdict.overall(judged)
    summary = ComparisonSummary(
        of="runs",
        sides=tuple(one.summary for one in known),
        paired=False,
        metrics=run_contrast.metrics_of_runs(sides),
        gates=judged,
        verdict=worst,
        exit_code=int(verdict.exit_code(worst)),
        unlike=not_alike(known),
    )
    return _told(summary)


def _kind(name: str) -> Kind:
    path, _ = directory_of(name)
    if not path.is_dir():
        _check_scenario(name, path)
        return Kind.SCENARIO
    if (path / EXPERIMENT_NAME).exists():
        return Kind.EXPERIMENT
    if (path / MANIFEST_NAME).exists():
        return Kind.RUN
    raise OutputError(
        "neither an experiment nor a run: it has no experiment.json and no manifest.json",
        where=str(path),
        remedy="name a directory that alertsim simulate --out, sweep --out or run has written",
    )


def _check_scenario(name: str, path: Path) -> None:
    """Refuse what is neither a scenario nor a file, before it counts as a kind."""
    if path.exists() or name in scenario_names() or path.suffix in {".yaml", ".yml"}:
        return
    beside = [str(one) for one in path.parent.glob("*") if one.is_dir()]
    near = get_close_matches(str(path), [*beside, *scenario_names()], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ConfigurationError(
        "unknown scenario, and no such directory",
        field="A B",
        value=name,
        remedy=f"{hint}alertsim scenarios lists the scenarios",
    )


def _played(order: PlayOrder) -> tuple[list[Side], list[SideSummary], bool]:
    total = sum(plan.rows for plan in order.plans)
    sides, facts, done, whole = [], [], 0, True
    for number, plan in enumerate(order.plans):
        before = done
        experiment = play_experiment(
            ExperimentOrder(
                plan=plan,
                workers=order.workers,
                cluster=order.cluster,
                out=None if order.out is None else order.out / side_name(number, plan),
                command=order.command,
                progress=_onward(order.progress, before, total),
                interrupted=order.interrupted,
            )
        )
        summary = experiment.summary
        whole = whole and summary.state != "interrupted"
        done += plan.rows
        if not summary.replications:
            raise AbortedError(_interrupted(order))
        sides.append(
            Side(
                name=plan.base.name,
                seed=plan.seed,
                replications=summary.replications,
                rows=experiment.rows,
            )
        )
        facts.append(
            SideSummary(
                number=number,
                name=plan.base.name,
                source="scenario",
                scenario=summary.scenario,
                title=summary.title,
                epoch=plan.base.scenario().epoch.isoformat(),
                settings={one.path: one.shown for one in plan.base.fixed},
                seed=plan.seed,
                version=alertsim_version(),
                state=summary.state,
                n=summary.replications,
            )
        )
    return sides, facts, whole


def _onward(
    progress: Callable[[int, int], None], before: int, total: int
) -> Callable[[int, int], None]:
    """Progress of one side as that of all of them."""
    return lambda played, _planned: progress(before + played, total)


def side_name(number: int, plan: Plan) -> str:
    """The directory of a side within that of the comparison: ``a-tohoku-2022-11-03``."""
    return f"{number + 1}-{plan.base.scenario().id}"


def _contrasted(
    sides: Sequence[Side],
    facts: Sequence[SideSummary],
    resolved: Sequence[verdict.Resolved],
    interrupted: str = "",
) -> Compared:
    gates = verdict.judge(resolved, sides)
    if interrupted:
        gates = tuple(_unjudged(gate, interrupted) for gate in gates)
    worst = "not-judged" if interrupted else verdict.overall(gates)
    summary = ComparisonSummary(
        of="experiments",
        sides=tuple(facts),
        paired=all(contrast.are_paired(sides[0], side) for side in sides[1:]),
        metrics=contrast.metrics_of(sides),
        only=contrast.only_some(sides),
        curves=contrast.curves_of(sides),
        gates=gates,
        verdict=worst,
        exit_code=int(verdict.exit_code(worst)),
    )
    return Compared(summary=_told(summary), sides=tuple(sides), path=None, interrupted=interrupted)


def _told(summary: ComparisonSummary) -> ComparisonSummary:
    """With what it comes to, and why it ends so."""
    told = {"findings": findings(summary), "reason": verdict_sentence(summary)}
    return summary.model_copy(update=told)


def _unjudged(gate: GateSummary, reason: str) -> GateSummary:
    return gate.model_copy(update={"verdict": "not-judged", "reason": reason})


def _interrupted(order: PlayOrder) -> str:
    kept = (
        f"kept in {order.out}; the same command goes on from there"
        if order.out
        else "not kept: there was no --out"
    )
    return f"interrupted; finished replications are {kept}"


def _check_out(out: Path, plans: Sequence[Plan]) -> None:
    """Refuse a directory that holds something else, before anything is played."""
    ours = {REPORT_NAME, SUMMARY_NAME, MARKDOWN_NAME}
    ours |= {side_name(number, plan) for number, plan in enumerate(plans)}
    if out.exists() and (not out.is_dir() or any(one.name not in ours for one in out.iterdir())):
        raise OutputError(
            "holds something else than this comparison",
            where=str(out),
            remedy="choose an empty or new directory with --out",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error


def _kept(
    compared: Compared, out: Path | None, command: Sequence[str], plans: Sequence[Plan] = ()
) -> Compared:
    """Write summary, Markdown and page; with what was played, the maps too."""
    if out is None:
        return compared
    from simulator.report.comparison_page import comparison_page  # noqa: PLC0415
    from simulator.report.comparison_text import comparison_markdown  # noqa: PLC0415

    summary = compared.summary
    leads = [
        town_leads(plan, side.replications)
        for plan, side in zip(plans, compared.sides, strict=False)
    ]
    for name, text in (
        (SUMMARY_NAME, summary.model_dump_json(indent=1) + "\n"),
        (MARKDOWN_NAME, comparison_markdown(summary, command)),
        (REPORT_NAME, comparison_page(summary, compared.sides, command, leads)),
    ):
        write_atomically(out / name, text.encode())
    return Compared(
        summary=summary, sides=compared.sides, path=out, interrupted=compared.interrupted
    )
