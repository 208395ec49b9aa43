"""Play one request and leave a run directory: the door that the command line and tests use.

Rule of the module: however the exercise ends, what was measured is accounted for and written, once;
if nothing was sent, nothing stays on the disk.
"""

import asyncio

import structlog

from simulator.clock import Clock, SystemClock
from simulator.errors import AbortedError, AlertsimError, ExitCode, InternalError, OutputError
from simulator.run.accounting import account, thresholds_of, worst
from simulator.run.archive import Archive
from simulator.run.baselines import settle
from simulator.run.exercise import Exercise
from simulator.run.interrupt import Interrupts
from simulator.run.journal import Journal
from simulator.run.observer import Logged, Observer, Silent
from simulator.run.request import RunRequest, RunResult


def play(
    request: RunRequest,
    observer: Observer | None = None,
    clock: Clock | None = None,
    interrupts: Interrupts | None = None,
) -> RunResult:
    """Play a request to its end, orderly or early.

    Args:
        request: what to play.
        observer: hears of progress.
        clock: where time comes from.
        interrupts: for whoever asks for the end from another thread; signals only if not given.

    Raises:
        InputError: before anything is sent.
        BrokerUnreachableError: before anything is sent.
        AbortedError: before anything is sent.
        InternalError: if the account does not balance; what was measured stays in the directory.
    """
    log = structlog.get_logger().bind(run=request.run)
    clock = clock or SystemClock()
    interrupts = interrupts or Interrupts()
    with interrupts.installed():
        exercise = Exercise(request, Logged(observer or Silent(), log), clock)
        thresholds = thresholds_of(exercise)
        exercise.observer.planned(request, exercise.timeline)
        interrupts.hold()
        archive = Archive(request, exercise.timeline, exercise.domain, clock)
        log.info("run starts", scenario=exercise.timeline.scenario, seed=request.settings.seed)
        exercise.books.journal = journal = Journal(log)
        failure = _play(exercise, archive, interrupts)
        journal.close()
        if failure is not None:
            # For whoever reads the log; whoever reads the error or the report is told there.
            reason = str(failure).partition("\n")[0]
            log.info("run ended early", reason=reason, kind=type(failure).__name__)
        if exercise.books.ledger is None:
            archive.remove()
            raise failure or InternalError("the exercise ended before it began")
        try:
            final, summary = account(exercise, thresholds, failure)
        except InternalError as error:
            archive.write_part(exercise.books.ledger)
            archive.end_manifest("incomplete", str(error), exercise.broker_facts, error.exit_code)
            raise
        exit_code = worst(failure, summary)
        exercise.observer.phase("write", str(archive.path or "nothing: no --out was given"))
        report = archive.close(final, summary, exercise.broker_facts, exit_code)
        if archive.problem:
            log.error("the run directory is incomplete", reason=archive.problem)
            exit_code = max(exit_code, ExitCode.ABORTED)
        judged = settle(request.baseline, archive.path)
        if judged is not None and judged.exit_code > exit_code:
            exit_code = judged.exit_code
            archive.amend(exit_code)
        log.info("run ends", exit_code=int(exit_code))
        result = RunResult(
            exit_code=exit_code,
            summary=summary,
            directory=archive.path,
            report=report,
            reason=archive.problem or summary.completeness.reason,
            judged=judged,
        )
        exercise.observer.ended(result)
        return result


def _play(exercise: Exercise, archive: Archive, interrupts: Interrupts) -> AlertsimError | None:
    """Play over MQTT; returns why it ended early."""

    def write_part() -> None:
        if exercise.books.ledger is None:
            return
        try:
            archive.write_part(exercise.books.ledger)
        except OutputError as error:
            raise AbortedError(f"the run can no longer be written down: {error}") from error

    async def run() -> None:
        interrupts.begin(exercise.abort)
        try:
            await asyncio.to_thread(archive.warm_up)
            if archive.path is not None:
                exercise.observer.directory(archive.path)
            await exercise.play(write_part)
        finally:
            interrupts.end()

    try:
        asyncio.run(run())
    except AlertsimError as error:
        return error
    return None
