"""The sides of a comparison of runs, read from their directories.

Rule of the module: reading only. A run that never closed its account has no ledger and is refused.
What was not the same in the runs is named, because a difference may be of that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from simulator.errors import OutputError
from simulator.experiment.comparison import SideSummary
from simulator.measure.run_contrast import COUNTS, LATENCIES, RunSide
from simulator.measure.summary import Summary
from simulator.report.comparison_words import letter
from simulator.report.likeness import unlike
from simulator.report.manifest import Manifest
from simulator.report.run_directory import RunDirectory
from simulator.report.source import read_summary

_NOT_SET: Final = frozenset({"seed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """A run and what is said about it.

    Attributes:
        side: what was measured.
        summary: its name, scenario, seed.
        manifest: how it was played.
    """

    side: RunSide
    summary: SideSummary
    manifest: Manifest


def read_runs(paths: Sequence[Path]) -> list[KnownRun]:
    """Read runs that were played before.

    Raises:
        OutputError: naming what is missing or damaged.
    """
    directories = [RunDirectory.open(path) for path in paths]
    manifests = [directory.manifest() for directory in directories]
    settings = _differing([_set(manifest) for manifest in manifests])
    return [
        _known(number, directory, manifests[number], settings[number])
        for number, directory in enumerate(directories)
    ]


def not_alike(known: Sequence[KnownRun]) -> tuple[str, ...]:
    """What was not the same in the runs, or keeps one of them from being compared, sentences."""
    said = list(unlike([one.manifest for one in known]))
    for one in known:
        name = letter(one.summary.number)
        if one.side.incomplete:
            said.append(f"{name} did not reach its end: its figures are those of a part.")
        if one.side.limited:
            said.append(f"In {name} the instrument was the bottleneck: its latencies are doubtful.")
    return tuple(said)


def _known(
    number: int, directory: RunDirectory, manifest: Manifest, settings: dict[str, str]
) -> KnownRun:
    summary = read_summary(directory)
    if summary is None:
        raise OutputError(
            "this run never closed its account: it is still running, or was killed",
            where=str(directory.path),
            remedy="wait for its end, or play it again",
        )
    side, bursts = _side(number, directory, summary)
    return KnownRun(
        side=side,
        summary=SideSummary(
            number=number,
            name=str(directory.path),
            source="run",
            scenario=summary.run.scenario,
            title=summary.run.title,
            epoch=summary.run.epoch,
            settings=settings,
            seed=summary.run.seed,
            version=manifest.versions.get("alertsim", ""),
            state=summary.completeness.state,
            n=bursts,
        ),
        manifest=manifest,
    )


def _side(number: int, directory: RunDirectory, summary: Summary) -> tuple[RunSide, int]:
    """What was measured, and the number of bursts behind it."""
    import polars as pl  # noqa: PLC0415  (0.4 s, only where it is needed)

    wanted = ["population", "burst", *LATENCIES.values()]
    try:
        table = directory.scan_deliveries().select(wanted).collect()
    except pl.exceptions.PolarsError as error:
        raise OutputError(
            f"the table of deliveries cannot be read: {error}", where=str(directory.path)
        ) from error
    live = table.filter(pl.col("population") == "live")
    latencies, bursts = {}, {}
    for metric, column in LATENCIES.items():
        known = live.filter(pl.col(column).is_not_null() & pl.col("burst").is_not_null())
        latencies[metric] = known[column].to_numpy().astype(np.int64)
        bursts[metric] = known["burst"].to_numpy().astype(np.int64)
    counts = summary.ledger.total.model_dump()
    side = RunSide(
        number=number,
        latencies=latencies,
        bursts=bursts,
        counts={name: int(counts[name]) for name in COUNTS},
        limited=summary.instrument.bottleneck,
        incomplete=summary.completeness.state == "incomplete",
    )
    return side, live["burst"].n_unique()


def _set(manifest: Manifest) -> dict[str, str]:
    """What a run was played with, as text."""
    found: dict[str, Any] = {
        "timeline": manifest.timeline_digest[:12],
        "broker": manifest.broker.get("kind", ""),
        **{name: value for name, value in manifest.settings.items() if name not in _NOT_SET},
    }
    return {name: str(value) for name, value in found.items()}


def _differing(settings: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """What is not the same in all runs."""
    names = dict.fromkeys(name for one in settings for name in one)
    differing = [name for name in names if len({one.get(name, "") for one in settings}) > 1]
    return [{name: one.get(name, "") for name in differing} for one in settings]
