"""For notebooks and scripts: six names from scenario to polars frames.

Rule of the room: nothing is computed here that the commands do not compute; it only spares a
program the detour over the command line. Frames are made from what a run directory holds, so what
a notebook shows and what a report says are the same figures. Tables and plots are imported when
asked for.
"""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulator.clock import SystemClock
from simulator.errors import ExitCode, OutputError
from simulator.measure.summary import Counts, LatencyRow, LeadTimeRow, Summary
from simulator.model import simulate as play_model
from simulator.model.timeline import Timeline, TimelineEvent
from simulator.report.manifest import Manifest
from simulator.report.run_directory import RunDirectory
from simulator.report.source import ReportSource, read_source
from simulator.run.checked import check_channels, load_checked
from simulator.scenario import Scenario, load_scenario
from simulator.settings import RunSettings, as_environment, load_settings

if TYPE_CHECKING:
    import polars as pl

    from simulator.run.interrupt import Interrupts
    from simulator.run.request import RunRequest, RunResult

__all__ = ["Run", "load_scenario", "read_run", "run_scenario", "simulate", "timeline_frame"]

_OF_MESSAGES: Final = (
    "msg_type",
    "sequence",
    "in_force",
    "believed_arrival_ns",
    "true_arrival_ns",
)
_LOOK_S: Final = 0.2  # how often a notebook's interrupt button is looked at


def simulate(scenario: Scenario | str, *, seed: int = 1, replication: int = 0) -> Timeline:
    """Play the model only; no MQTT.

    Args:
        scenario: a loaded scenario, the name of a shipped one, or the path of a file.
        seed: seed of every random stream.
        replication: number of the replication, from 0.

    Raises:
        ScenarioError: if the scenario cannot be used.
    """
    return play_model(_loaded(scenario), seed, replication)


def timeline_frame(timeline: Timeline) -> "pl.DataFrame":
    """The timeline as a table: one row per event, messages among them, in order.

    Columns are those of a timeline event; a message has its ``msg_type``, ``sequence``,
    ``in_force`` and the two arrivals beside it. Times are scenario nanoseconds from the epoch.
    """
    alerts = {alert.event_number: alert for alert in timeline.alerts}
    rows: list[dict[str, Any]] = []
    for event in timeline.events:
        row = asdict(event) | {"sources": list(event.sources)}
        alert = alerts.get(event.number)
        row |= {name: getattr(alert, name) if alert else None for name in _OF_MESSAGES}
        rows.append(row)
    return _table(rows, [*(each.name for each in fields(TimelineEvent)), *_OF_MESSAGES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that was played, read from its directory; in a notebook it shows itself as a report.

    Attributes:
        path: the run directory.
        manifest: what was asked for, and how it ended.
        timeline: the plan that was played.
        summary: the account; None if the run was killed before there was one.
    """

    path: Path
    manifest: Manifest
    timeline: Timeline
    summary: Summary | None

    @property
    def passed(self) -> bool:
        """Whether every threshold was met."""
        return self.manifest.exit_code == ExitCode.PASS

    def deliveries(self) -> "pl.DataFrame":
        """One row per expected or unexpected delivery; of a killed run, those written so far."""
        return self.scan_deliveries().collect()

    def scan_deliveries(self) -> "pl.LazyFrame":
        """The same as a lazy table, for runs of many millions of rows."""
        return RunDirectory.open(self.path).scan_deliveries()

    def ledger(self) -> "pl.DataFrame":
        """The ledger's counts: a row for the total and for each part of each grouping.

        Columns: ``by`` (total, prefecture, event, population, kind, qos, client), ``name``, and
        the terms of both equations.

        Raises:
            OutputError: if the run left no summary.
        """
        summary = self._summary()
        ledger = summary.ledger
        rows = [_counts("total", "", ledger.total)]
        for by in ("prefecture", "event", "population", "kind", "qos"):
            rows += [_counts(by, part.name, part.counts) for part in getattr(ledger, f"by_{by}")]
        rows += [_counts("client", one.client, one.counts) for one in summary.foreign_clients]
        return _table(rows, ["by", "name", *Counts.model_fields])

    def latency(self) -> "pl.DataFrame":
        """The latency table, wall nanoseconds; a quantile without enough samples is null.

        Raises:
            OutputError: if the run left no summary.
        """
        rows: list[dict[str, Any]] = []
        for row in self._summary().latency:
            quantiles = {f"p{each.percent:g}_ns": each.value_ns for each in row.quantiles}
            rows.append(row.model_dump(exclude={"quantiles"}) | quantiles)
        known = [name for name in LatencyRow.model_fields if name != "quantiles"]
        return _table(rows, list(rows[0]) if rows else known)

    def lead_times(self) -> "pl.DataFrame":
        """Lead time by prefecture: scenario nanoseconds, the measured term in wall nanoseconds.

        Raises:
            OutputError: if the run left no summary.
        """
        rows = [row.model_dump() for row in self._summary().lead_times]
        return _table(rows, list(LeadTimeRow.model_fields))

    def _summary(self) -> Summary:
        if self.summary is None:
            raise OutputError(
                "the run left no summary",
                where=str(self.path),
                remedy="it was killed; its rows so far are in deliveries()",
            )
        return self.summary

    def _repr_markdown_(self) -> str:
        from simulator.report.markdown import markdown_report  # noqa: PLC0415

        return markdown_report(read_source(self.path))


def read_run(path: Path | str) -> Run:
    """Read a run directory, complete or not.

    Raises:
        OutputError: if it is no run directory, or a file of it is missing or damaged.
    """
    return _run_of(read_source(Path(path)))


def run_scenario(
    scenario: Scenario | str,
    *,
    out: Path | str = "runs",
    thresholds: Mapping[str, Sequence[str]] | None = None,
    config: Path | None = None,
    **settings: object,
) -> Run:
    """Play a scenario end to end over MQTT: broker, subscribers, ledger, report.

    Args:
        scenario: a loaded scenario, the name of a shipped one, or the path of a file.
        out: directory in which the run directory is made.
        thresholds: expressions by metric, on top of the scenario's:
            ``{"delivery_latency{population=live}": ["p(99)<1s"]}``.
        config: a TOML file of run settings.
        settings: run settings by name, durations as text: ``speed=600, drain="5s"``.

    Raises:
        InputError: before anything is sent.
        BrokerUnreachableError: before anything is sent.
        AbortedError: before anything is sent. Later ends are in the run's manifest.
    """
    from simulator.run.provenance import new_run_id  # noqa: PLC0415
    from simulator.run.request import RunRequest  # noqa: PLC0415

    chosen = load_settings(settings, config)
    loaded, asked = _loaded(scenario), dict(thresholds or {})
    request = RunRequest(
        scenario=loaded,
        settings=chosen,
        run=new_run_id(SystemClock().wall_ns()),
        command=_command(scenario, loaded, chosen, asked, Path(out)),
        out=Path(out),
        thresholds=asked,
    )
    _quiet_log()
    result = _play(request)
    if result.directory is None:
        raise AssertionError("a run with a directory to write to leaves one")
    return read_run(result.directory)


def _loaded(scenario: Scenario | str) -> Scenario:
    return check_channels(scenario) if isinstance(scenario, Scenario) else load_checked(scenario)


def _run_of(source: ReportSource) -> Run:
    return Run(
        path=source.path,
        manifest=source.manifest,
        timeline=source.timeline,
        summary=source.summary,
    )


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> "pl.DataFrame":
    """Rows as a table; times are integers also where all are missing."""
    import polars as pl  # noqa: PLC0415

    table = pl.DataFrame({name: [row[name] for row in rows] for name in columns}, strict=False)
    empty = [name for name in columns if name.endswith("_ns") and table[name].dtype == pl.Null]
    return table.with_columns(pl.col(empty).cast(pl.Int64))


def _counts(by: str, name: str, counts: Counts) -> dict[str, Any]:
    return {"by": by, "name": name, **counts.model_dump()}


def _command(
    given: Scenario | str,
    loaded: Scenario,
    settings: RunSettings,
    thresholds: Mapping[str, Sequence[str]],
    out: Path,
) -> tuple[str, ...]:
    """The command line that plays the same."""
    from simulator.run.provenance import repeat_command  # noqa: PLC0415

    arguments = ["run", given if isinstance(given, str) else loaded.id, "--out", str(out)]
    for metric, expressions in thresholds.items():
        for expression in expressions:
            arguments += ["--threshold", f"{metric}: {expression}"]
    changed = {
        f"ALERTSIM_{name.upper()}": as_environment(name, value)
        for name, field in RunSettings.model_fields.items()
        if (value := getattr(settings, name)) != field.default
    }
    return repeat_command(arguments, changed)


def _quiet_log() -> None:
    """Warnings only, on standard error, unless the program has set its own log up."""
    import logging  # noqa: PLC0415
    import sys  # noqa: PLC0415

    import structlog  # noqa: PLC0415

    if not structlog.is_configured():
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )


def _play(request: "RunRequest") -> "RunResult":
    """Play here, or, where an event loop runs already (a notebook), in a thread beside it."""
    from simulator.run.interrupt import Interrupts  # noqa: PLC0415
    from simulator.run.play import play  # noqa: PLC0415

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return play(request)
    return _play_beside(request, Interrupts())


def _play_beside(request: "RunRequest", interrupts: "Interrupts") -> "RunResult":
    from simulator.run.play import play  # noqa: PLC0415

    ended: list[RunResult | BaseException] = []

    def work() -> None:
        try:
            ended.append(play(request, interrupts=interrupts))
        except BaseException as error:  # noqa: BLE001  # handed to the caller's thread
            ended.append(error)

    thread = threading.Thread(target=work, name="alertsim-run", daemon=True)
    thread.start()
    with interrupts.installed():  # an event loop's own handler would wait for this to return
        while thread.is_alive():
            try:
                thread.join(_LOOK_S)
            except KeyboardInterrupt:
                interrupts.ask("ended by SIGINT")
    (end,) = ended
    if isinstance(end, BaseException):
        raise end
    return end
