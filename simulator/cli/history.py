"""The command that looks over many runs: ``history runs``.

Rule of the module: as every group of commands; what is read, found and drawn lies below.
"""

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
from simulator.cli.help import examples


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(
        "history",
        help="Look over many runs: what each figure does from run to run, by scenario and way of "
        "playing; changes that chance does not explain; whether the newest run is worse than those "
        "before it.",
        short_help="Look over many runs: trends, changes, the newest run.",
        epilog=examples(
            "alertsim history runs",
            (
                "alertsim history runs --scenario drill-minimal --metric "
                "delivery_latency.p99 --page history.html"
            ),
            (
                "alertsim history runs --last 20 --fail-if 'delivery_latency.p99 > 1.1x' "
                "--fail-if 'lost > +0' --markdown"
            ),
        ),
    )(history_command)


def history_command(
    directories: Annotated[
        list[Path],
        typer.Argument(
            help="Run directories, or directories that hold them.",
            metavar="DIR...",
            show_default=False,
        ),
    ],
    scenario: Annotated[
        str | None,
        typer.Option(help="Only runs of this scenario, by its id.", metavar="SCENARIO"),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            help="Figure to look at, repeatable: delivery_latency.p99, transit_latency (its mean), "
            "lost. Default: quantiles of the delivery latency, lost, and what went wrong at all.",
            metavar="FIGURE",
        ),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            help="Exit 99 if the newest run is so, whatever the intervals leave possible: "
            "'delivery_latency.p99 > 1.1x' (times the median of the runs before it), 'lost > +2' "
            "(more than it), 'delivery_latency > 50ms'. May be repeated.",
            metavar="CONDITION",
        ),
    ] = None,
    last: Annotated[
        int,
        typer.Option(
            help="How many runs before the newest a condition is held against.", min=1, max=100_000
        ),
    ] = 10,
    page: Annotated[
        Path | None,
        typer.Option(help="Write the page to this file: one file, opens offline.", metavar="FILE"),
    ] = None,
    form: Annotated[
        Literal["text", "markdown"],
        typer.Option("--format", help="What to print: text, or Markdown for a comment."),
    ] = "text",
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The same as --format markdown.")
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Look over many runs; 98 or 99 as the conditions are judged on the newest."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.report.history_text import history_markdown, history_text
        from simulator.run.histories import HistoryOrder, figure_of, make_history
        from simulator.run.provenance import repeat_command
        from simulator.thresholds.gates import parse_gate

        if markdown:
            form = "markdown"
        output.refuse_two_forms(form, "--markdown" if markdown else f"--format {form}")
        order = HistoryOrder(
            directories=directories,
            scenario=scenario,
            figures=tuple(dict.fromkeys(figure_of(text) for text in metric or [])),
            gates=tuple(parse_gate(text) for text in fail_if or []),
            last=last,
            page=page,
            command=repeat_command(),
        )
        summary = make_history(order)
        if form == "markdown":
            output.asked(history_markdown(summary, order.command).rstrip("\n"))
        else:
            output.text(history_text(summary, page))
        output.document(lambda: summary.model_dump(mode="json"))
        if summary.exit_code:
            # The text has said so; a document is read by a program, and --quiet has no text.
            say = output.aside if as_json else output.trouble if quiet else None
            if say is not None:
                say(summary.reason)
            raise SystemExit(summary.exit_code)
