"""What every command shares: its output options, its errors, its logging.

Rule of the module: results go to standard output, everything else to standard error, so that
``--json`` output can be piped as it is.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TextIO

import typer

from simulator.errors import AlertsimError, ConfigurationError, ExitCode, InputError

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
LogFormatOption = Annotated[
    Literal["console", "json"], typer.Option("--log-format", help="Form of the log on stderr.")
]
LogLevelOption = Annotated[
    Literal["debug", "info", "warning", "error"] | None,
    typer.Option(
        "--log-level",
        help="Least severe log entry that is written. Default: warning; info with "
        "--log-format json, which then takes the place of the progress display.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a command speaks."""

    as_json: bool
    quiet: bool
    log_format: str = "console"
    log_level: str = "warning"

    def start_log(self) -> None:
        """Turn the log on; commands that never write an entry leave its library alone."""
        configure_logging(self.log_format, self.log_level)

    def text(self, text: str) -> None:
        """A human-readable result; silent with ``--json`` or ``--quiet``."""
        if not (self.as_json or self.quiet):
            _write(sys.stdout, text)

    def asked(self, text: str) -> None:
        """A result in a form that an option asked for by name; silent with ``--json`` only."""
        if not self.as_json:
            _write(sys.stdout, text)

    def trouble(self, text: str) -> None:
        """What is wrong: part of the result, and with ``--quiet`` all of it, on standard error."""
        if self.quiet and not self.as_json:
            _write(sys.stderr, text)
        else:
            self.text(text)

    def document(self, document: Callable[[], Any]) -> None:
        """The machine-readable result, made only when asked for."""
        if self.as_json:
            _write(sys.stdout, json.dumps(document(), ensure_ascii=False, indent=2))

    def refuse_two_forms(self, form: str, asked: str) -> None:
        """A result is printed once: as a JSON document, or in the form that was asked for.

        Args:
            form: what is to be printed; ``text`` if nothing else was asked for.
            asked: the option that asked for it, as written.

        Raises:
            ConfigurationError: if both were.
        """
        if self.as_json and form != "text":
            raise ConfigurationError(
                "the result is printed in one form, and two were asked for",
                field="--json",
                value=asked,
                remedy=f"leave one of --json and {asked} out",
            )

    def line(self, text: str) -> None:
        """One line of a stream of JSON documents."""
        if self.as_json:
            _write(sys.stdout, text)

    def aside(self, text: str) -> None:
        """A remark beside the result, on standard error."""
        if not self.quiet:
            _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        # The reader (head, less) has seen enough; leave quietly, as a pipeline expects.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        sys.exit(ExitCode.PASS)


@contextmanager
def command(
    *,
    as_json: bool = False,
    quiet: bool = False,
    log_format: str = "console",
    level: str | None = None,
) -> Iterator[Output]:
    """The frame around a command's body: errors become exit codes.

    Yields:
        The Output to speak through.
    """
    try:
        chosen = level or ("info" if log_format == "json" else "warning")
        yield Output(as_json=as_json, quiet=quiet, log_format=log_format, log_level=chosen)
    except AlertsimError as error:
        report_error(error, as_json=as_json)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        _write(sys.stderr, "aborted")
        raise SystemExit(ExitCode.ABORTED) from None
    except Exception as error:  # noqa: BLE001  # the last frame: anything else is our defect
        report_defect(error, as_json=as_json)
        raise SystemExit(ExitCode.INTERNAL) from None


def report_error(error: AlertsimError, *, as_json: bool) -> None:
    """Say what is wrong and what to do about it."""
    if as_json:
        detail: dict[str, Any] = {"type": type(error).__name__, "message": str(error)}
        if isinstance(error, InputError):
            detail |= {
                "message": error.message,
                "where": error.where,
                "field": error.field,
                "value": error.value,
                "remedy": error.remedy,
            }
        _write(sys.stdout, json.dumps({"error": detail, "exit_code": error.exit_code}, indent=2))
    _write(sys.stderr, f"error: {error}")


def report_defect(error: Exception, *, as_json: bool) -> None:
    """An internal error: one sentence, and the traceback for whoever mends it."""
    if as_json:
        detail = {"type": type(error).__name__, "message": str(error)}
        _write(
            sys.stdout,
            json.dumps({"error": detail, "exit_code": int(ExitCode.INTERNAL)}, indent=2),
        )
    _write(sys.stderr, "".join(traceback.format_exception(error)).rstrip())
    _write(
        sys.stderr,
        f"internal error: {type(error).__name__}: {error}\n"
        "  remedy: this is a defect of alertsim; please report the lines above",
    )


def configure_logging(log_format: str, level: str) -> None:
    """Send structlog to standard error, as text for people or as one JSON object a line."""
    import structlog

    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
