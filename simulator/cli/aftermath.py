"""Commands for after and beside a run: report, doctor."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from simulator.cli.access import (
    CafileOption,
    CertOption,
    KeyOption,
    PasswordFileOption,
    ServerNameOption,
    UsernameOption,
    access_options,
)
from simulator.cli.baseline import BaselineOption, FailIfOption, judge_run, say_judged
from simulator.cli.common import (
    JsonOption,
    LogFormatOption,
    LogLevelOption,
    QuietOption,
    command,
)
from simulator.cli.help import examples
from simulator.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(
        "report",
        help="Make the report of a run again, complete or not, and print it; compare it with a "
        "baseline.",
        short_help="Print the report of a run in any form, or make its page again.",
        epilog=examples(
            "alertsim report runs",
            "alertsim report runs/20221103t074000-3f9a --format csv > deliveries.csv",
            "alertsim report runs --baseline last --fail-if 'delivery_latency.p99 > 1.1x'",
        ),
    )(report_command)
    app.command(
        "doctor",
        help="Check this machine: what is installed, which limits apply, which traps are near.",
        short_help="Check this machine, and a broker.",
        epilog=examples(
            "alertsim doctor --json",
            (
                "alertsim doctor --broker mqtts://broker.example --cafile ca.pem "
                "--allow-host broker.example"
            ),
        ),
    )(doctor_command)


def report_command(
    directory: Annotated[
        Path,
        typer.Argument(
            help="A run directory; or one that holds runs, such as runs: the newest of them.",
            metavar="RUNDIR",
            show_default=False,
        ),
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
    baseline: BaselineOption = None,
    fail_if: FailIfOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the page to this file instead, and nothing into the run directory, which "
            "may be read-only.",
            metavar="FILE",
        ),
    ] = None,
    language: Annotated[
        Literal["en", "ja"],
        typer.Option(
            "--lang",
            help="Language in which the page opens: English or Japanese. A switch in the page "
            "shows the other; what is printed stays English.",
        ),
    ] = "en",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Write report.html again and print the summary; 98 or 99 as the conditions are judged."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.report import regenerate
        from simulator.run.newest import newest_in

        output.refuse_two_forms(form, f"--format {form}")
        named, directory = directory, newest_in(directory)
        if directory != named:
            output.aside(f"the newest run in {named}: {directory}")
        judged = judge_run(directory, baseline, fail_if or [])
        comparison = judged.comparison if judged is not None else None
        if comparison is not None and out is None:
            from simulator.run.baselines import keep_comparison

            keep_comparison(directory, comparison)
        made = regenerate(directory, out, comparison, language)
        say = output.text if form == "text" else output.asked
        for piece in made.pieces(form):
            say(piece)
        output.document(made.summary_document)
        if out is not None:
            output.text(f"page: {made.page}")
        for notice in made.source.notices:
            output.aside(f"notice: {notice}")
        say_judged(output, judged)
        if judged is not None and judged.exit_code:
            raise SystemExit(judged.exit_code)


def doctor_command(
    broker: Annotated[
        str | None,
        typer.Option(
            help="Also look at this broker: embedded, mosquitto, amqtt or a URL. It is asked by "
            "one unretained message to itself on each MQTT version."
        ),
    ] = None,
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough",
            help="Try out what --broker does not state: whether it keeps 1,500 messages for a "
            "session that is offline, and whether it holds small messages back. Takes seconds.",
        ),
    ] = False,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
    cafile: CafileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    server_name: ServerNameOption = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="A host other than this one that may be asked."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="TOML file of run settings.", metavar="FILE")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Check the machine, and a broker: 104 if a run cannot work here, 106 if not with it."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.run.doctor import examine
        from simulator.run.doctor_brokers import examine_broker
        from simulator.settings import load_settings

        findings, asked = examine(), []
        if broker is not None:
            given = access_options(username, password_file, cafile, cert, key, server_name)
            given |= {"broker": broker, "allow_hosts": tuple(allow_host) if allow_host else None}
            asked = examine_broker(load_settings(given, config), thorough=thorough)
            findings += asked
        for finding in findings:
            say = output.trouble if finding.level == "error" else output.text
            say(finding.line())
        output.document(lambda: {"findings": [finding.document() for finding in findings]})
        if any(finding.level == "error" for finding in asked):
            raise SystemExit(ExitCode.BROKER)
        if any(finding.level == "error" for finding in findings):
            raise SystemExit(ExitCode.BAD_INPUT)
