"""A run against its baseline: find it, refuse what cannot be one, compare, keep the comparison.

Rule of the module: everything that can be refused is refused before anything is sent. ``last`` that
finds no run is no error, since every row of runs has a first: it is told, and conditions that were
asked for are then inconclusive.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.errors import ConfigurationError, ExitCode, OutputError
from simulator.experiment.comparison import ComparisonSummary
from simulator.report.manifest import MANIFEST_NAME, load_manifest, write_atomically
from simulator.report.run_directory import BASELINE_NAME, SUMMARY_NAME, RunDirectory
from simulator.report.source import read_summary
from simulator.run.newest import runs_in, started
from simulator.thresholds.gates import Gate, parse_gate

LAST: Final = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a run is to be compared with.

    Attributes:
        path: its run directory; None if ``last`` found none.
        none: why there is none, a sentence; empty if there is one.
        gates: conditions under which the run fails.
    """

    path: Path | None
    none: str = ""
    gates: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of the comparison.

    Attributes:
        comparison: of the baseline and the run, in this order; None if there is no baseline.
        sentence: why the run fails or is inconclusive by it, or that there was no baseline.
        exit_code: of the conditions alone.
    """

    comparison: ComparisonSummary | None
    sentence: str = ""
    exit_code: ExitCode = ExitCode.PASS


def gates_of(expressions: Sequence[str], baseline: str | None) -> tuple[Gate, ...]:
    """Read and check the conditions of ``--fail-if``.

    Raises:
        ConfigurationError: if there is no baseline to judge them by.
        ThresholdError: for the first that cannot be judged.
    """
    if expressions and baseline is None:
        raise ConfigurationError(
            "a condition is judged against a baseline, and none was named",
            field="--fail-if",
            value=expressions[0],
            remedy="add --baseline RUNDIR or --baseline last; what a run must reach by itself is "
            "a --threshold",
        )
    from simulator.measure.run_contrast import check_run_gates  # noqa: PLC0415  (imports NumPy)

    gates = tuple(parse_gate(text) for text in expressions)
    check_run_gates(gates)
    return gates


def choose_baseline(
    named: str, gates: Sequence[Gate], *, parent: Path, scenario: str, run: Path | None = None
) -> Baseline:
    """The baseline that was named, refused if nothing can be compared with it.

    Args:
        named: a run directory, or ``last``.
        gates: conditions.
        parent: where runs are kept, for ``last``.
        scenario: id of the scenario of the run.
        run: the run itself if it was played already: ``last`` is then the one before it.

    Raises:
        OutputError: if it is no run directory, never closed its account, or is damaged.
        ConfigurationError: if it is the run itself.
    """
    if named == LAST:
        path = last_run(parent, scenario, before=run)
        if path is None:
            earlier = "" if run is None else ", before this one,"
            none = f"No complete run of {scenario}{earlier} lies in {parent}, so none is compared."
            return Baseline(path=None, none=none, gates=tuple(gates))
    else:
        path = Path(named)
    if run is not None and path.resolve() == run.resolve():
        raise ConfigurationError(
            "a run cannot be its own baseline",
            field="--baseline",
            value=named,
            remedy="name another run directory, or --baseline last for the one before it",
        )
    check_baseline(path)
    return Baseline(path=path, gates=tuple(gates))


def check_baseline(path: Path, field: str = "--baseline") -> None:
    """Refuse a run that nothing can be compared with.

    Args:
        path: the run directory.
        field: option or argument that names it, for the message.

    Raises:
        OutputError: naming what is missing or damaged.
    """
    directory = RunDirectory.open(path)
    if read_summary(directory) is None:
        instead = ", or --baseline last" if field == "--baseline" else ""
        raise OutputError(
            "this run never closed its account, so nothing can be compared with it",
            where=str(path),
            field=field,
            remedy=f"name a run that reached its end{instead}",
        )
    directory.scan_deliveries()


def last_run(parent: Path, scenario: str, before: Path | None = None) -> Path | None:
    """The newest complete run of a scenario in a directory; None if there is none.

    Args:
        parent: where runs are kept.
        scenario: id of the scenario.
        before: a run that it must have started before.
    """
    limit = None if before is None else started(load_manifest(before / MANIFEST_NAME))
    found = [
        (one.started, one.path.name, one.path)
        for one in runs_in(parent)
        if one.manifest.state == "complete"
        and one.manifest.scenario.get("id") == scenario
        and (one.path / SUMMARY_NAME).exists()
        and (before is None or one.path.resolve() != before.resolve())
        and (limit is None or one.started <= limit)
    ]
    return max(found)[2] if found else None


def compare_with(baseline: Baseline, run: Path) -> Judged:
    """Compare a run with its baseline and judge the conditions.

    Raises:
        OutputError: if either cannot be read.
    """
    if baseline.path is None:
        if not baseline.gates:
            return Judged(comparison=None, sentence=baseline.none)
        many = "The condition" if len(baseline.gates) == 1 else "The conditions"
        return Judged(
            comparison=None,
            sentence=f"{many} of --fail-if cannot be judged: {baseline.none}",
            exit_code=ExitCode.INCONCLUSIVE,
        )
    from simulator.run.comparisons import contrast_runs  # noqa: PLC0415  (polars takes 0.4 s)

    comparison = contrast_runs([baseline.path, run], baseline.gates)
    return Judged(
        comparison=comparison,
        sentence=comparison.reason,
        exit_code=ExitCode(comparison.exit_code),
    )


def settle(baseline: Baseline | None, run: Path | None) -> Judged | None:
    """Compare a run that has just been written with its baseline, and make its page again.

    Args:
        baseline: what to compare with, or None.
        run: its directory, or None if nothing was written.

    Returns:
        None if there is nothing to compare. A comparison that cannot be made, because a disk is
        full or the baseline was changed meanwhile, costs the comparison and not the run.
    """
    if baseline is None or run is None:
        return None
    from simulator.report.writing import regenerate  # noqa: PLC0415  (the page, only for a report)

    try:
        judged = compare_with(baseline, run)
        if judged.comparison is not None:
            keep_comparison(run, judged.comparison)
            regenerate(run)
    except OutputError as error:
        return Judged(
            comparison=None,
            sentence=f"The comparison with the baseline could not be made: {error}",
            exit_code=ExitCode.INCONCLUSIVE if baseline.gates else ExitCode.PASS,
        )
    return judged


def keep_comparison(run: Path, comparison: ComparisonSummary) -> None:
    """Write ``baseline.json`` into a run directory, from where every later report has it.

    Raises:
        OutputError: if it cannot be written.
    """
    text = comparison.model_dump_json(indent=1) + "\n"
    write_atomically(run / BASELINE_NAME, text.encode())
