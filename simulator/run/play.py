"""Play one request and leave a run directory: the door that the command line and tests use.

Rule of the module: however the exercise ends, what was measured is accounted for and written, once;
if nothing was sent, nothing stays on the disk.
"""

import asyncio
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

import structlog

from simulator.clock import Clock, SystemClock
from simulator.errors import AlertsimError, ExitCode, InternalError
from simulator.measure.account import Account
from simulator.measure.summary import Summary
from simulator.report.manifest import Manifest
from simulator.report.run_directory import RunDirectory
from simulator.run.accounting import account, thresholds_of, worst
from simulator.run.exercise import Exercise
from simulator.run.observer import Log, Logged, Observer, Silent
from simulator.run.provenance import (
    alertsim_version,
    host_facts,
    package_versions,
    without_password,
)
from simulator.run.request import RunRequest, RunResult
from simulator.units import wall_datetime

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def play(
    request: RunRequest, observer: Observer | None = None, clock: Clock | None = None
) -> RunResult:
    """Play a request to its end, orderly or early.

    Args:
        request: what to play.
        observer: hears of progress.
        clock: where time comes from.

    Raises:
        InputError: before anything is sent.
        BrokerUnreachableError: before anything is sent.
        AbortedError: before anything is sent.
    """
    log = structlog.get_logger().bind(run=request.run)
    watched = Logged(observer or Silent(), log)
    return _Play(request, watched, clock or SystemClock(), log).play()


@dataclass
class _Play:
    request: RunRequest
    observer: Observer
    clock: Clock
    log: Log

    def play(self) -> RunResult:
        self.exercise = Exercise(self.request, self.observer, self.clock)
        self.thresholds = thresholds_of(self.exercise)
        self.directory = self._create()
        self.log.info("run starts", scenario=self.exercise.timeline.scenario, seed=self._seed)
        failure = self._played()
        if self.exercise.books.ledger is None:
            self._remove()
            raise failure or InternalError("the exercise ended before it began")
        try:
            final, summary = account(self.exercise, self.thresholds, failure)
        except InternalError as error:
            self._mark_incomplete(error)
            raise
        exit_code = worst(failure, summary)
        report = self._write(final, summary, exit_code)
        self.log.info("run ends", exit_code=int(exit_code), reason=summary.completeness.reason)
        return RunResult(
            exit_code=exit_code,
            summary=summary,
            directory=self.directory.path if self.directory else None,
            report=report,
            reason=summary.completeness.reason,
        )

    @property
    def _seed(self) -> int:
        return self.request.settings.seed

    def _played(self) -> AlertsimError | None:
        try:
            asyncio.run(self._interruptible())
        except AlertsimError as error:
            return error
        return None

    async def _interruptible(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            name = signal.Signals(number).name
            loop.add_signal_handler(number, self.exercise.abort, f"ended by {name}")
        try:
            if self.directory is not None:
                # Loading the table library takes half a second: before the first alert, not at it.
                await asyncio.to_thread(import_module, "simulator.report.deliveries")
            await self.exercise.play(self._write_part)
        finally:
            # Until the process ends a further signal must not cut the account short.
            for number in _SIGNALS:
                loop.add_signal_handler(number, _ignore)

    # --- the run directory -------------------------------------------------------------------

    def _create(self) -> RunDirectory | None:
        if self.request.out is None:
            return None
        directory = RunDirectory.create(self.request.out, self.request.run)
        directory.write_timeline(self.exercise.timeline)
        directory.write_manifest(self._manifest())
        self.observer.directory(directory.path)
        return directory

    def _remove(self) -> None:
        if self.directory is not None:
            shutil.rmtree(self.directory.path, ignore_errors=True)
            with suppress(OSError):  # the parent was there before, or holds other runs
                self.directory.path.parent.rmdir()

    def _manifest(self) -> Manifest:
        settings = self.request.settings.model_dump(mode="json")
        settings["broker"] = without_password(str(settings["broker"]))
        return Manifest(
            run=self.request.run,
            started=wall_datetime(self.clock.wall_ns()).isoformat(),
            command=self.request.command,
            seed=self._seed,
            speed=float(self.request.settings.speed),
            scenario=self.request.scenario.model_dump(mode="json"),
            timeline_digest=self.exercise.timeline.digest,
            versions={"alertsim": alertsim_version(), **package_versions()},
            host=dict(host_facts()) | {"clock_domain": self.exercise.domain},
            settings=settings,
        )

    def _write_part(self) -> None:
        ledger = self.exercise.books.ledger
        if self.directory is not None and ledger is not None:
            for columns in ledger.drain_rows():
                self.directory.write_part(columns)

    def _write(self, final: Account, summary: Summary, exit_code: ExitCode) -> Path | None:
        directory = self.directory
        if directory is None:
            return None
        from simulator.report.writing import (  # noqa: PLC0415  # plotting, only to write a report
            regenerate,
            write_histogram,
        )

        self.observer.phase("write", str(directory.path))
        directory.replace_deliveries(final.rows())
        directory.write_summary(summary.model_dump_json(indent=2).encode())
        write_histogram(directory, summary.run)
        self._end_manifest(
            directory, summary.completeness.state, summary.completeness.reason, exit_code
        )
        return regenerate(directory.path).page

    def _mark_incomplete(self, error: InternalError) -> None:
        """What was measured stays in the parts; the manifest says why there is no account."""
        if self.directory is not None:
            self._write_part()
            self._end_manifest(self.directory, "incomplete", str(error), error.exit_code)

    def _end_manifest(
        self,
        directory: RunDirectory,
        state: Literal["complete", "incomplete"],
        reason: str,
        exit_code: ExitCode,
    ) -> None:
        directory.write_manifest(
            directory.manifest().model_copy(
                update={
                    "state": state,
                    "reason": reason,
                    "ended": wall_datetime(self.clock.wall_ns()).isoformat(),
                    "broker": self.exercise.broker_facts,
                    "exit_code": int(exit_code),
                }
            )
        )


def _ignore() -> None:
    """A signal after the first: the end is under way already."""
