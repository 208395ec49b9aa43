"""What ``run`` and ``publish`` do: settings together, play, print the report."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TextIO

from simulator.cli.baseline import say_judged
from simulator.cli.common import Output
from simulator.cli.progress import Bars, Lines
from simulator.clock import SystemClock
from simulator.errors import ConfigurationError, ScenarioError
from simulator.report.baseline import baseline_text
from simulator.report.text import summary_parts
from simulator.run.baselines import Baseline, choose_baseline, gates_of
from simulator.run.checked import load_checked
from simulator.run.observer import Observer, Silent
from simulator.run.play import play as play_request
from simulator.run.provenance import checked_run_id, new_run_id, repeat_command
from simulator.run.request import RunRequest
from simulator.scenario import pointed
from simulator.settings import RunSettings, as_environment, load_settings

_STANDARD_OUTPUT: Final = "-"


def play(
    output: Output,
    scenario: str,
    *,
    options: Mapping[str, object],
    thresholds: Sequence[str],
    config: Path | None,
    out: Path | None,
    client: str = "wire",
    events: Path | None = None,
    run_id: str | None = None,
    baseline: str | None = None,
    fail_if: Sequence[str] = (),
) -> None:
    """Play a scenario and end the process with the run's exit code."""
    output = _for_events(output, events)
    settings, loaded = load_settings(options, config), load_checked(scenario)
    request = RunRequest(
        settings=settings,
        scenario=loaded,
        run=checked_run_id(run_id) if run_id is not None else new_run_id(SystemClock().wall_ns()),
        command=repeat_command(unspoken=unspoken(settings, options)),
        out=out,
        thresholds=parse_options(thresholds),
        client=client,
        baseline=_baseline(baseline, fail_if, out, loaded.id),
    )
    output.start_log()
    observer = _observer(output)
    output.aside(f"run {request.run}, seed {request.settings.seed}: 【訓練】 EXERCISE only")
    try:
        with _told(observer, events) as told:
            result = play_request(request, told)
    except ScenarioError as error:
        raise pointed(error, scenario) from None
    finally:
        if isinstance(observer, Bars | Lines):
            observer.close()
    summary = result.summary
    if summary is not None:
        comparison = result.judged.comparison if result.judged is not None else None
        output.text("\n\n".join([*summary_parts(summary), *baseline_text(comparison)]))
        if reason := summary.completeness.reason:
            # The text above has said so; a document on standard output is read by a program.
            say = output.aside if output.as_json else output.trouble if output.quiet else None
            if say is not None:
                say(f"error: {reason}")
        told_of = summary.model_copy(update={"baseline": comparison})
        output.document(lambda: told_of.model_dump(mode="json"))
    say_judged(output, result.judged)
    if result.directory is not None:
        output.text(f"run directory: {result.directory}")
    if result.report is not None:
        output.text(f"report: {result.report}")
    sys.exit(result.exit_code)


def _baseline(
    named: str | None, fail_if: Sequence[str], out: Path | None, scenario: str
) -> Baseline | None:
    """The baseline that was named, refused before anything is sent if it cannot be one."""
    gates = gates_of(fail_if, named)
    if named is None:
        return None
    return choose_baseline(named, gates, parent=out or Path(), scenario=scenario)


def _for_events(output: Output, events: Path | None) -> Output:
    """Standard output belongs to the events if they go there."""
    if events is None or str(events) != _STANDARD_OUTPUT:
        return output
    if output.as_json:
        raise ConfigurationError(
            "--json and --events - both want standard output",
            field="--events",
            value=_STANDARD_OUTPUT,
            remedy="give --events a file, or leave --json out: the last event tells the outcome",
        )
    return replace(output, quiet=True)


@contextmanager
def _told(observer: Observer, events: Path | None) -> Iterator[Observer]:
    """The observer that also writes live events, if they were asked for."""
    if events is None:
        yield observer
        return
    from simulator.run.live import LiveEvents

    live = LiveEvents(observer, _opened(events), SystemClock())
    try:
        yield live
    except BaseException as error:
        live.failed(error)
        raise
    finally:
        live.close()


def _opened(events: Path) -> TextIO:
    if str(events) == _STANDARD_OUTPUT:
        # A copy: closing it must not close what the interpreter flushes at its end.
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    try:
        return events.open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"cannot be written: {error.strerror}",
            field="--events",
            value=str(events),
            remedy="give a file in a folder that exists, or - for standard output",
        ) from None


def unspoken(settings: RunSettings, options: Mapping[str, object]) -> dict[str, str]:
    """Settings in force that the command line does not say, as environment variables."""
    # One that says the default counts too: --subscribers 300 is not the same as nothing said.
    return {
        f"ALERTSIM_{name.upper()}": as_environment(name, getattr(settings, name))
        for name in RunSettings.model_fields
        if options.get(name) is None and name in settings.model_fields_set
    }


def parse_options(expressions: Sequence[str]) -> dict[str, list[str]]:
    """``metric{tags}: expression`` options as a mapping.

    Raises:
        ConfigurationError: if the colon between metric and expression is missing.
    """
    found: dict[str, list[str]] = {}
    for text in expressions:
        close = text.find("}")
        cut = text.find(":", close + 1)
        if cut < 0:
            raise ConfigurationError(
                "a threshold needs a metric, a colon and an expression",
                field="--threshold",
                value=repr(text),
                remedy="write for example 'lost: count==0'",
            )
        found.setdefault(text[:cut].strip(), []).append(text[cut + 1 :].strip())
    return found


def _observer(output: Output) -> Bars | Lines | Silent:
    if output.quiet or output.log_format == "json":
        return Silent()
    return Bars() if sys.stderr.isatty() else Lines()
