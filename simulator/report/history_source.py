"""Many run directories, read for their history: one row a run and figure, and what was left out.

Rule of the module: reading only, and nothing that lies in a directory can end it: what is damaged,
foreign, of another version, unfinished or incomplete is listed with its reason. Only manifests and
summaries are read, not the deliveries: a thousand runs take seconds. Imports polars.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from simulator.errors import ConfigurationError, OutputError
from simulator.measure.history import RunShown, Skipped, SkippedWord
from simulator.measure.run_contrast import COUNTS, LATENCIES
from simulator.measure.summary import SUMMARY_SCHEMA
from simulator.report.likeness import broker_text, host_text
from simulator.report.manifest import (
    MANIFEST_NAME,
    Manifest,
    check_schema,
    load_json,
    load_manifest,
)
from simulator.report.run_directory import SUMMARY_NAME

FIGURES: Final[dict[str, Any]] = {
    "place": pl.Int64,
    "metric": pl.String,
    "aggregate": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
_SHORT: Final = 12
_SEGMENTS: Final = {
    column.removesuffix("_ns").replace("_", "-"): metric for metric, column in LATENCIES.items()
}
_SETUP: Final = ("subscribers", "qos", "protocol", "payload_format", "session")
_NOT_SAID: Final = frozenset({"", "None"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """A run that takes part.

    Attributes:
        shown: what is said of it.
        scenario: id of its scenario.
        title: of its scenario.
        setup: how it was played, by name.
        started: when it was created.
        manifest: how it was played, all of it.
    """

    shown: RunShown
    scenario: str
    title: str
    setup: dict[str, str]
    started: datetime
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that was read.

    Attributes:
        runs: in the order in which they started; a place in ``figures`` is one in here.
        figures: one row a run and figure, columns as in :data:`FIGURES`.
        skipped: what takes no part.
    """

    runs: tuple[KnownRun, ...]
    figures: pl.LazyFrame
    skipped: tuple[Skipped, ...]


class _Figure(NamedTuple):
    """A figure of a run, without a value where the sample does not carry it."""

    metric: str
    aggregate: str
    value: float | None
    low: float | None
    high: float | None


class _LeftOutError(Exception):
    """A directory that takes no part."""

    def __init__(self, why: SkippedWord, reason: str) -> None:
        super().__init__(why, reason)
        self.why = why
        self.reason = reason


def read_history(directories: Sequence[Path], scenario: str | None = None) -> Known:
    """Read run directories, or directories that hold run directories.

    Args:
        directories: as given; a run that is reached twice counts once.
        scenario: take part only runs of this one.

    Raises:
        OutputError: if one of them does not exist or cannot be listed.
        ConfigurationError: if there are runs, but none of this scenario.
    """
    runs: list[tuple[KnownRun, list[_Figure]]] = []
    skipped: list[Skipped] = []
    seen: set[Path] = set()
    others: set[str] = set()
    for path in _candidates(directories):
        real = path.resolve()
        if real in seen:
            continue
        seen.add(real)
        try:
            run, figures = _read(path)
        except _LeftOutError as left:
            skipped.append(Skipped(path=str(path), why=left.why, reason=left.reason))
            continue
        if scenario is None or run.scenario == scenario:
            runs.append((run, figures))
        else:
            others.add(run.scenario)
    if scenario is not None and others and not runs:
        raise ConfigurationError(
            "no run of this scenario is here",
            field="--scenario",
            value=scenario,
            remedy=f"those here are of {', '.join(sorted(others))}",
        )
    runs.sort(key=lambda one: (one[0].started, one[0].shown.run))
    rows = [(place, *row) for place, (_, figures) in enumerate(runs) for row in figures]
    return Known(
        runs=tuple(run for run, _ in runs),
        figures=pl.LazyFrame(rows, schema=FIGURES, orient="row"),
        skipped=tuple(skipped),
    )


def _candidates(directories: Sequence[Path]) -> Iterator[Path]:
    for directory in directories:
        if not directory.is_dir():
            raise OutputError(
                "no such directory" if not directory.exists() else "not a directory",
                where=str(directory),
                remedy="name run directories, or the directory that holds them, for example runs",
            )
        if (directory / MANIFEST_NAME).exists():
            yield directory
            continue
        try:
            inside = sorted(directory.iterdir())
        except OSError as error:
            raise OutputError(
                f"cannot be listed: {error.strerror}", where=str(directory)
            ) from error
        yield from (path for path in inside if path.is_dir() and not path.name.startswith("."))


def _read(path: Path) -> tuple[KnownRun, list[_Figure]]:
    """One run and its figures.

    Raises:
        _LeftOutError: if it takes no part.
    """
    if not (path / MANIFEST_NAME).is_file():
        raise _LeftOutError("foreign", f"not a run directory: it holds no {MANIFEST_NAME}")
    with _usable(MANIFEST_NAME):
        manifest = load_manifest(path / MANIFEST_NAME)
    if not (path / SUMMARY_NAME).exists():
        reason = manifest.reason or "it is still being written, or was killed"
        raise _LeftOutError("unfinished", f"it has no summary: {reason}")
    with _usable(SUMMARY_NAME):
        summary = load_json(path / SUMMARY_NAME)
        check_schema(path / SUMMARY_NAME, summary, SUMMARY_SCHEMA)
    try:
        return _known(path, manifest, summary), _figures(summary)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _LeftOutError("damaged", f"{SUMMARY_NAME} is not a summary: {error!r}") from error


@contextmanager
def _usable(name: str) -> Iterator[None]:
    """What is wrong with a file, as why its run takes no part."""
    try:
        yield
    except OutputError as error:
        if error.field == "schema_version":
            reason = f"{name} has schema {error.value}: {error.message}"
            raise _LeftOutError("other-version", reason) from error
        said = error.message if not error.field else f"{error.message} ({error.field})"
        raise _LeftOutError("damaged", f"{name}: {said}") from error


def _known(path: Path, manifest: Manifest, summary: dict[str, Any]) -> KnownRun:
    complete = summary["completeness"]
    if complete["state"] != "complete" or manifest.state == "incomplete":
        reason = str(complete.get("reason") or manifest.reason or "it did not reach its end")
        raise _LeftOutError("incomplete", reason.partition("\n")[0])
    run = summary["run"]
    live = _whole(summary, "delivery")
    started = datetime.fromisoformat(manifest.started)
    return KnownRun(
        shown=RunShown(
            run=str(run["run"]),
            path=str(path),
            started=manifest.started,
            exit_code=manifest.exit_code,
            bursts=int(live["bursts"]) if live else 0,
            version=manifest.versions.get("alertsim", ""),
            host=host_text(manifest),
            broker=broker_text(manifest),
            plan=str(run["timeline_digest"])[:_SHORT],
            bottleneck=bool(summary["verdict"]["instrument_bottleneck"]),
        ),
        scenario=str(run["scenario"]),
        title=str(run["title"]),
        setup=_setup(manifest, run),
        started=started if started.tzinfo is not None else started.replace(tzinfo=UTC),
        manifest=manifest,
    )


def _setup(manifest: Manifest, run: dict[str, Any]) -> dict[str, str]:
    """What was asked for: runs of another setup belong to another series."""
    found = {"broker": str(manifest.broker.get("kind", "")), "speed": f"{float(run['speed']):g}"}
    found |= {name: str(manifest.settings.get(name, "")) for name in _SETUP}
    found["subscribers"] = str(int(run["subscribers"]) - int(run["controls"]))
    return {name: value for name, value in found.items() if value not in _NOT_SAID}


def _figures(summary: dict[str, Any]) -> list[_Figure]:
    """The figures of a run, each with its interval."""
    found: list[_Figure] = []
    for segment, metric in _SEGMENTS.items():
        row = _whole(summary, segment)
        if row is None:
            continue
        known = [("mean", row["mean_ns"], row["mean_low_ns"], row["mean_high_ns"])]
        for one in row["quantiles"]:
            name = f"p{float(one['percent']):g}"
            known.append((name, one["value_ns"], one["low_ns"], one["high_ns"]))
        found += [
            _Figure(metric, name, _float(value), _float(low), _float(high))
            for name, value, low, high in known
        ]
    total = summary["ledger"]["total"]
    counts = {name: float(total[name]) for name in COUNTS}
    return found + [_Figure(name, "count", one, one, one) for name, one in counts.items()]


def _whole(summary: dict[str, Any], segment: str) -> dict[str, Any] | None:
    """The row of live deliveries of a segment that is narrowed to nothing."""
    for row in summary["latency"]:
        if (
            row["population"] == "live"
            and row["segment"] == segment
            and row["prefecture"] is row["event"] is row["qos"] is None
        ):
            return dict(row)
    return None


def _float(value: Any) -> float | None:  # noqa: ANN401  (from JSON)
    return None if value is None else float(value)
