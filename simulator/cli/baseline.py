"""What ``run`` and ``report`` share: the options that name a baseline, and the end by its verdict.

Rule of the module: as every group of commands; what is compared and judged lies below.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import Output

if TYPE_CHECKING:
    from simulator.run.baselines import Judged

BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        help="Compare with this run; last: with the newest complete run of the same scenario in "
        "the same parent directory. Kept in the run directory, shown in every later report.",
        metavar="RUNDIR|last",
    ),
]
FailIfOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        help="Exit 99 if a figure is so against the baseline on its whole 95 % interval: "
        "'delivery_latency.p99 > 1.1x', 'delivery_latency > +5ms', 'lost > 0'. May be repeated.",
        metavar="CONDITION",
    ),
]


def judge_run(directory: Path, baseline: str | None, expressions: list[str]) -> "Judged | None":
    """Compare a run that was played before with its baseline; None if none was asked for."""
    if baseline is None and not expressions:
        return None
    from simulator.report.run_directory import RunDirectory
    from simulator.run.baselines import check_baseline, choose_baseline, compare_with, gates_of

    gates = gates_of(expressions, baseline)
    check_baseline(directory, field="RUNDIR")
    scenario = RunDirectory.open(directory).manifest().scenario
    chosen = choose_baseline(
        baseline or "",
        gates,
        parent=directory.resolve().parent,
        scenario=str(scenario.get("id", "")),
        run=directory,
    )
    return compare_with(chosen, directory)


def say_judged(output: Output, judged: "Judged | None") -> None:
    """One sentence why, on standard error where the result is not read by people."""
    if judged is None or not judged.sentence:
        return
    if judged.exit_code:
        say = output.aside if output.as_json else output.trouble
        say(f"baseline: {judged.sentence}")
    elif judged.comparison is None:
        output.aside(f"baseline: {judged.sentence}")
