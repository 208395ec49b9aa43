"""The command that plays variants of a scenario: ``sweep``.

Rule of the module: as every group of commands; what is played, kept and drawn lies below.
"""

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
    OutOption,
    ReplicationsOption,
    SeedOption,
    SetOption,
    WorkersOption,
    YesOption,
    people_order,
    play,
    varied_base,
)

if TYPE_CHECKING:
    from simulator.experiment.axes import Axis
    from simulator.experiment.designs import Design
    from simulator.experiment.people import PeopleOrder
    from simulator.experiment.variants import Base

_DEFAULT = {"grid": 100, "lhs": 100, "tornado": 200, "sobol": 1024}


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(
        "sweep",
        help="Play variants of a scenario with the same random numbers and compare them.",
        short_help="Play variants of a scenario; find what matters most.",
        epilog=examples(
            (
                "alertsim sweep tohoku-2022-11-03-modelled --vary chain.decision=60s..240s:5 "
                "--vary chain.teams.count=1,2"
            ),
            "alertsim sweep tohoku-2022-11-03-modelled --design tornado",
            "alertsim sweep tohoku-2022-11-03-modelled --paths",
        ),
    )(sweep_command)


def sweep_command(
    scenario: Annotated[
        str,
        typer.Argument(
            help="Name of a shipped scenario, or path of a scenario file.", metavar="SCENARIO"
        ),
    ],
    vary: Annotated[
        list[str] | None,
        typer.Option(
            help="A field and its values: PATH=a,b,c or PATH=LOW..HIGH:COUNT; 0.5x multiplies "
            "what the scenario has. An assumption alone (channels.phones.held), several of them "
            "(sensing.*) or all (assumptions) vary over their own ranges, with lhs and tornado. "
            "May be repeated.",
            metavar="PATH[=VALUES]",
        ),
    ] = None,
    design: Annotated[
        Literal["grid", "lhs", "tornado", "sobol"],
        typer.Option(
            help="grid: every combination; lhs: a Latin hypercube of --points; tornado: each "
            "assumption at both ends of its range; sobol: which stage's chance matters."
        ),
    ] = "grid",
    points: Annotated[
        int, typer.Option(help="Points of a Latin hypercube.", min=0, max=1_000_000_000)
    ] = 0,
    fixed: SetOption = None,
    replications: ReplicationsOption = None,
    seed: SeedOption = 1,
    chain_only: ChainOnlyOption = False,
    channels: ChannelsOption = None,
    app: AppOption = None,
    workers: WorkersOption = 0,
    cluster: ClusterOption = None,
    out: OutOption = None,
    yes: YesOption = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="List the fields that may be varied, and end.")
    ] = False,
    assumptions: Annotated[
        bool,
        typer.Option("--assumptions", help="List the assumptions with their ranges, and end."),
    ] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Play a sweep."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.experiment.assumptions import whole_document
        from simulator.experiment.paths import known_paths

        base = varied_base(scenario, fixed, channels)
        if paths:
            known = known_paths(whole_document(base.scenario(), channels))
            output.text("\n".join(known))
            output.document(lambda: {"paths": known})
            return
        people = people_order(base, channels, app, chain_only=chain_only)
        if assumptions:
            _list_assumptions(output, _assumed(base, people))
            return
        play(
            output,
            base,
            _design(base, design, vary or [], points, seed, people),
            people=people,
            seed=seed,
            replications=replications or _DEFAULT[design],
            workers=workers,
            cluster=cluster,
            out=out,
            yes=yes,
        )


def _assumed(base: "Base", people: "PeopleOrder | None") -> tuple["Axis", ...]:
    """The assumptions of a scenario; those of its channels where people are counted."""
    from simulator.experiment.assumed import assumed_axes, channel_axes

    scenario = base.scenario()
    known = assumed_axes(scenario)
    return known if people is None else (*known, *channel_axes(scenario, people.profile))


def _list_assumptions(output: Output, known: tuple["Axis", ...]) -> None:
    ranges = {axis.path: (axis.end(high=False).shown, axis.end(high=True).shown) for axis in known}
    width = max(map(len, ranges), default=0)
    lines = [f"{path:{width}}  {low} to {high}" for path, (low, high) in ranges.items()]
    output.text("\n".join(lines) or "Nothing in it is an assumption with a range.")
    output.document(lambda: {"assumptions": {path: list(ends) for path, ends in ranges.items()}})


def _design(
    base: "Base",
    kind: str,
    vary: list[str],
    points: int,
    seed: int,
    people: "PeopleOrder | None",
) -> "Design":
    from simulator.errors import ConfigurationError
    from simulator.experiment import designs
    from simulator.experiment.assumed import EVERY, named_axes
    from simulator.experiment.replications import PEOPLE
    from simulator.experiment.sensitivity import random_stages

    known = _assumed(base, people)
    axes = named_axes(vary, known)
    if points and kind != "lhs":
        raise ConfigurationError(
            "only a Latin hypercube has a number of points",
            field="--points",
            value=str(points),
            remedy="add --design lhs, or write the number into the range: LOW..HIGH:COUNT",
        )
    if kind == "grid":
        return designs.grid(axes)
    if kind == "lhs":
        return designs.latin_hypercube(axes, points, seed)
    if kind == "tornado":
        return designs.tornado(axes or named_axes([EVERY], known))
    if axes:
        raise ConfigurationError(
            "Sobol indices are of the stages' draws, nothing is varied",
            field="--vary",
            value=vary[0],
            remedy="leave --vary out, or use --design tornado, lhs or grid",
        )
    stages = random_stages(base.scenario(), seed)
    return designs.sobol(stages if people is None else (*stages, PEOPLE))
