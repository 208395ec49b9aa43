"""Commands for after and beside a run: report, doctor."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from simulator.cli.common import (
    JsonOption,
    LogFormatOption,
    LogLevelOption,
    QuietOption,
    command,
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(
        "report",
        help="Make the report of a run directory again, complete or not, and print it.",
        epilog="Examples: alertsim report runs/20221103t074000-3f9a; or: "
        "alertsim report runs/20221103t074000-3f9a --format csv > deliveries.csv",
    )(report_command)
    app.command(
        "doctor",
        help="Check this machine: what is installed, which limits apply, which traps are near.",
        epilog="Example: alertsim doctor --json",
    )(doctor_command)


def report_command(
    directory: Annotated[
        Path, typer.Argument(help="A run directory.", metavar="RUNDIR", show_default=False)
    ],
    form: Annotated[
        Literal["text", "markdown", "junit", "k6", "openmetrics", "csv", "hlog"],
        typer.Option(
            "--format",
            help="What to print beside writing report.html: text, markdown; junit (thresholds as "
            "tests); k6 (its end-of-test summary); openmetrics (Prometheus); csv (a row for each "
            "delivery); hlog (HdrHistogram log).",
        ),
    ] = "text",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Write report.html again and print the summary."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.report import regenerate

        made = regenerate(directory)
        for piece in made.pieces(form):
            output.text(piece)
        output.document(made.summary_document)


def doctor_command(
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Check the machine; 104 if something that every run needs is missing."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.run.doctor import examine

        findings = examine()
        for finding in findings:
            output.text(finding.line())
        output.document(lambda: {"findings": [finding.document() for finding in findings]})
        if any(finding.level == "error" for finding in findings):
            raise SystemExit(104)
