"""The command that compares policies: ``compare A B``.

Rule of the module: as every group of commands; what is played, read and drawn lies below. Options
that say how to play are refused for what was played before.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from simulator.cli.common import (
    JsonOption,
    LogFormatOption,
    LogLevelOption,
    Output,
    QuietOption,
    command,
)
from simulator.cli.help import examples
from simulator.cli.playing import (
    AppOption,
    ChainOnlyOption,
    ChannelsOption,
    ClusterOption,
    ReplicationsOption,
    SetOption,
    WorkersOption,
    YesOption,
    confirm,
    ends_in_order,
    people_order,
    progress_of,
    varied_base,
)

if TYPE_CHECKING:
    from simulator.run.comparisons import Compared
    from simulator.thresholds.gates import Gate

_REPLICATIONS = 200
_SEED = 1


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(
        "compare",
        help="Compare scenarios, played here with the same random numbers, or experiments or runs "
        "that were played before: every difference with its interval, and what lead time costs.",
        short_help="Compare scenarios, experiments or runs.",
        epilog=examples(
            (
                "alertsim compare tohoku-2022-11-03-modelled tohoku-2022-11-03-rules-2023 "
                "--replications 200"
            ),
            (
                "alertsim compare before/ after/ --fail-if 'warned_before_arrival < 0.9x' "
                "--format markdown"
            ),
        ),
    )(compare_command)


def compare_command(
    names: Annotated[
        list[str],
        typer.Argument(
            help="The baseline, then what is compared with it: scenarios (names or files), or "
            "directories of experiments (DIRECTORY#3 is point 3 of a sweep) or of runs.",
            metavar="A B [C...]",
        ),
    ],
    replications: ReplicationsOption = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of every random stream.  [default: 1]", min=0)
    ] = None,
    fixed: SetOption = None,
    chain_only: ChainOnlyOption = False,
    channels: ChannelsOption = None,
    app: AppOption = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            help="Exit 99 if a figure is so on its whole 95 % interval: 'alert.p95 > 1.1x' (times "
            "the baseline), 'alert > +30s' (more than the baseline), 'alert > 12min'. May be "
            "repeated.",
            metavar="CONDITION",
        ),
    ] = None,
    workers: WorkersOption = 0,
    cluster: ClusterOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Directory to keep the summary, page, Markdown and replications in; one that "
            "holds the same comparison is continued.",
            metavar="DIR",
        ),
    ] = None,
    yes: YesOption = False,
    form: Annotated[
        Literal["text", "markdown"],
        typer.Option("--format", help="What to print: text, or Markdown for a comment."),
    ] = "text",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Compare scenarios or experiments."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.run.comparisons import Kind, compare_experiments, compare_runs, kind_of
        from simulator.run.provenance import repeat_command
        from simulator.thresholds.gates import parse_gate

        output.refuse_two_forms(form, f"--format {form}")
        gates = [parse_gate(text) for text in fail_if or []]
        kind = kind_of(names)
        if kind is Kind.SCENARIO:
            compared = _play(
                output,
                names,
                gates,
                replications=replications or _REPLICATIONS,
                seed=_SEED if seed is None else seed,
                fixed=fixed,
                chain_only=chain_only,
                channels=channels,
                app=app,
                workers=workers,
                cluster=cluster,
                out=out,
                yes=yes,
            )
        else:
            _refuse_playing(
                {
                    "--replications": replications,
                    "--seed": seed,
                    "--set": fixed or None,
                    "--chain-only": chain_only or None,
                    "--channels": channels,
                    "--app-channel-from": app,
                    "--cluster": cluster,
                }
            )
            compare = compare_runs if kind is Kind.RUN else compare_experiments
            compared = compare(names, gates, out, repeat_command())
        _say(output, compared, form)


def _play(
    output: Output,
    names: list[str],
    gates: "list[Gate]",
    *,
    replications: int,
    seed: int,
    fixed: list[str] | None,
    chain_only: bool,
    channels: str | None,
    app: Path | None,
    workers: int,
    cluster: str | None,
    out: Path | None,
    yes: bool,
) -> "Compared":
    """Play scenarios and compare them."""
    from simulator.experiment.plan import make_plan, one_point
    from simulator.run.comparisons import PlayOrder, compare_scenarios
    from simulator.run.provenance import repeat_command

    bases = [varied_base(name, fixed, channels) for name in names]
    plans = [
        make_plan(
            base,
            one_point(),
            seed,
            replications,
            people_order(base, channels, app, chain_only=chain_only),
        )
        for base in bases
    ]
    confirm(sum(plan.rows for plan in plans), yes=yes)
    with ends_in_order(output) as interrupted, progress_of(output) as progress:
        return compare_scenarios(
            PlayOrder(
                plans=plans,
                workers=workers,
                cluster=cluster,
                out=out,
                command=repeat_command(),
                progress=progress,
                interrupted=interrupted,
            ),
            gates,
        )


def _refuse_playing(given: dict[str, object]) -> None:
    """Options that say how to play do nothing for what was played before."""
    from simulator.errors import ConfigurationError

    for option, value in given.items():
        if value is not None:
            raise ConfigurationError(
                "these were played before, so this has no effect",
                field=option,
                value=str(value),
                remedy=f"leave {option} out, or name scenarios to be played",
            )


def _say(output: Output, compared: "Compared", form: str) -> None:
    """Print it; 98, 99 or 105 as the verdict says."""
    from simulator.errors import AbortedError
    from simulator.report.comparison_text import comparison_markdown, comparison_text
    from simulator.run.provenance import repeat_command

    summary = compared.summary
    if form == "markdown":
        output.text(comparison_markdown(summary, repeat_command()).rstrip("\n"))
    else:
        output.text(comparison_text(summary, compared.path))
    output.document(lambda: summary.model_dump(mode="json"))
    if compared.interrupted:
        raise AbortedError(compared.interrupted)
    if summary.exit_code:
        # The text has said why; a document is read by a program, and --quiet has no text.
        say = output.aside if output.as_json else output.trouble if output.quiet else None
        if say is not None:
            say(summary.reason)
        raise SystemExit(summary.exit_code)
