"""What a run leaves on the disk, or nothing at all.

Rule of the module: the directory is made before anything is sent and removed if nothing was; once
something was sent, a disk that fills up costs the report, never the account: what can be written is
written, and the manifest says what is missing.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Literal

from simulator.clock import Clock
from simulator.delivery.brokers.external import without_password
from simulator.errors import ExitCode, OutputError
from simulator.measure.account import Account
from simulator.measure.ledger import Ledger
from simulator.measure.measured import Measured
from simulator.measure.summary import Summary
from simulator.model.timeline import Timeline
from simulator.report.hlog import TaggedLatencies
from simulator.report.manifest import Manifest
from simulator.report.run_directory import RunDirectory
from simulator.run.provenance import (
    alertsim_version,
    host_facts,
    package_versions,
)
from simulator.run.request import RunRequest
from simulator.units import wall_datetime

State = Literal["complete", "incomplete"]


class Archive:
    """The run directory of one run; does nothing if none was asked for.

    Args:
        request: what is played.
        timeline: the plan.
        domain: clock domain of the run.
        clock: for the manifest's times.

    Raises:
        OutputError: if the directory cannot be made, or its parent is itself a run.
    """

    def __init__(self, request: RunRequest, timeline: Timeline, domain: str, clock: Clock) -> None:
        self._request = request
        self._clock = clock
        self._directory: RunDirectory | None = None
        self._made_parent = request.out is not None and not request.out.exists()
        self.problem = ""
        if request.out is None:
            return
        self._directory = RunDirectory.create(request.out, request.run)
        try:
            self._directory.write_timeline(timeline)
            self._directory.write_manifest(self._manifest(timeline, domain))
        except OutputError:
            self.remove()
            raise

    @property
    def path(self) -> Path | None:
        """The directory, if there is one."""
        return self._directory.path if self._directory is not None else None

    def warm_up(self) -> None:
        """Load the table library, which takes half a second: before the first alert, not at it."""
        if self._directory is not None:
            import_module("simulator.report.deliveries")

    def remove(self) -> None:
        """Nothing was sent: leave nothing behind, but no directory that was there before."""
        if self._directory is None:
            return
        shutil.rmtree(self._directory.path, ignore_errors=True)
        if self._made_parent:
            with suppress(OSError):  # another run has come into it meanwhile
                self._directory.path.parent.rmdir()

    def write_part(self, ledger: Ledger) -> None:
        """Write the rows that are final by now.

        Raises:
            OutputError: if the disk does not take them.
        """
        if self._directory is not None:
            for columns in ledger.drain_rows():
                self._directory.write_part(columns)

    def close(
        self,
        account: Account,
        summary: Summary,
        broker: dict[str, object],
        exit_code: ExitCode,
    ) -> Path | None:
        """Write everything that remains; whatever fails is told in ``problem``.

        Returns:
            The report, or None if it could not be made or none was asked for.
        """
        directory = self._directory
        if directory is None:
            return None
        from simulator.report.writing import (  # noqa: PLC0415  # plotting, only for a report
            regenerate,
            write_histogram,
        )

        document = summary.model_dump_json(indent=2).encode()
        self._attempt(lambda: directory.write_summary(document))
        self._attempt(lambda: directory.replace_deliveries(account.rows()))
        self._attempt(lambda: write_histogram(directory, summary.run, _ages(account)))
        state, reason = summary.completeness.state, summary.completeness.reason
        if self.problem:
            state, reason, exit_code = "incomplete", self.problem, max(exit_code, ExitCode.ABORTED)
        self.end_manifest(state, reason, broker, exit_code)
        self._attempt(lambda: regenerate(directory.path))
        if self.problem and state == "complete":
            self.end_manifest("incomplete", self.problem, broker, ExitCode.ABORTED)
        page = directory.path / "report.html"
        return page if page.exists() else None

    def end_manifest(
        self, state: State, reason: str, broker: dict[str, object], exit_code: ExitCode
    ) -> None:
        """Say in the manifest how the run ended, if the disk takes it."""
        directory = self._directory
        if directory is None:
            return
        changed = {
            "state": state,
            "reason": reason,
            "ended": wall_datetime(self._clock.wall_ns()).isoformat(),
            "broker": broker,
            "exit_code": int(exit_code),
        }
        self._attempt(
            lambda: directory.write_manifest(directory.manifest().model_copy(update=changed))
        )

    def amend(self, exit_code: ExitCode) -> None:
        """Say in the manifest that a comparison made the exit code worse, if the disk takes it."""
        directory = self._directory
        if directory is not None:
            changed = {"exit_code": int(exit_code)}
            self._attempt(
                lambda: directory.write_manifest(directory.manifest().model_copy(update=changed))
            )

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OutputError as error:
            self.problem = self.problem or str(error)

    def _manifest(self, timeline: Timeline, domain: str) -> Manifest:
        request = self._request
        settings = request.settings.model_dump(mode="json")
        settings["broker"] = without_password(str(settings["broker"]))
        return Manifest(
            run=request.run,
            started=wall_datetime(self._clock.wall_ns()).isoformat(),
            command=request.command,
            seed=request.settings.seed,
            speed=float(request.settings.speed),
            scenario=request.scenario.resolved(),
            timeline_digest=timeline.digest,
            versions={"alertsim": alertsim_version(), **package_versions()},
            host=dict(host_facts()) | {"clock_domain": domain},
            settings=settings,
        )


def _ages(account: Account) -> TaggedLatencies:
    """How old alerts were that somebody got as a retained copy, of an alert or of a state."""
    ages = Measured(account).ages()
    intended_ns = account.evidence.expectation.intended_ns[ages.alert]
    return TaggedLatencies(tag="retained", intended_ns=intended_ns, latency_ns=ages.values_ns)
