"""What the commands that play a scenario many times share: their options, and the playing itself.

Rule of the module: as every group of commands; what is played, kept and drawn lies below. An
interrupted experiment ends in order, with 105, and says where its finished replications are.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.common import Output

if TYPE_CHECKING:
    from simulator.experiment.designs import Design
    from simulator.experiment.people import PeopleOrder
    from simulator.experiment.variants import Base

WorkersOption = Annotated[
    int,
    typer.Option(
        help="Processes that play; the result does not depend on it. 0: as many as there are "
        "processors, or one for small experiments.",
        min=0,
        max=1024,
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        help="Play on the workers of a Dask scheduler instead: tcp://host:8786. "
        "Needs pip install 'alertsim[dask]'.",
        metavar="ADDRESS",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        help="Directory to keep the rows, summary and page in. One that holds the same experiment "
        "is continued.",
        metavar="DIR",
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until-halfwidth",
        help="Stop once half the 95 % interval of a figure's mean is at most this: alert=250ms.",
        metavar="METRIC=WIDTH",
    ),
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Play a million rows or more without asking.")
]
ReplicationsOption = Annotated[
    int | None,
    typer.Option(
        help="Replications of each point. Without it: 100; tornado 200; sobol 1,024.",
        min=1,
        max=1_000_000_000,
    ),
]
ChainOnlyOption = Annotated[
    bool, typer.Option("--chain-only", help="Play the chain alone, without counting people.")
]
ChannelsOption = Annotated[
    str | None,
    typer.Option(
        help="How people are reached: a shipped profile such as j-alert-2023, or the path of a "
        "file. Without it, that of the scenario's time.",
        metavar="PROFILE",
    ),
]
AppOption = Annotated[
    Path | None,
    typer.Option(
        "--app-channel-from",
        help="A run directory: its measured deliveries stand for the app channel instead of the "
        "profile's law.",
        metavar="RUNDIR",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Set a field of the scenario or what it assumes: chain.decision=90s, "
        "chain.profile=j-alert-2022, chain.assessment=0.5x, sensing.radar.range_km=2500, "
        "area.half_width_km=40, channels.phones.held=0.9. May be repeated.",
        metavar="PATH=VALUE",
    ),
]
SeedOption = Annotated[int, typer.Option(help="Seed of every random stream.", min=0)]

_UNTIL_MOST = 10_000
_LOG_EVERY_NS = 250_000_000


def play(
    output: Output,
    base: "Base",
    design: "Design",
    *,
    people: "PeopleOrder | None",
    seed: int,
    replications: int,
    workers: int,
    cluster: str | None,
    out: Path | None,
    until: str | None = None,
    yes: bool = False,
) -> None:
    """Play an experiment and print it; 105 if it was interrupted."""
    from simulator.errors import AbortedError
    from simulator.experiment.plan import make_plan
    from simulator.report.experiment_text import experiment_text
    from simulator.run.experiments import ExperimentOrder, play_experiment
    from simulator.run.provenance import repeat_command

    plan = make_plan(base, design, seed, replications, people)
    confirm(plan.rows, yes=yes)
    with ends_in_order(output) as interrupted, progress_of(output) as progress:
        experiment = play_experiment(
            ExperimentOrder(
                plan=plan,
                workers=workers,
                cluster=cluster,
                out=out,
                stop=until,
                command=repeat_command(),
                progress=progress,
                interrupted=interrupted,
            )
        )
    summary = experiment.summary
    output.text(experiment_text(summary, experiment.path))
    output.document(lambda: summary.model_dump(mode="json"))
    if summary.state == "interrupted":
        kept = f"kept in {out}" if out else "not kept: there was no --out"
        raise AbortedError(
            f"interrupted after {summary.replications:,} of {summary.replications_asked:,} "
            f"replications; finished ones are {kept}"
        )


def play_replications(
    output: Output,
    base: "Base",
    *,
    people: "PeopleOrder | None",
    seed: int,
    replications: int | None,
    workers: int,
    cluster: str | None,
    out: Path | None,
    until: str | None,
    yes: bool,
) -> None:
    """What ``simulate`` does with ``--replications`` or ``--until-halfwidth``."""
    from simulator.experiment.plan import one_point

    play(
        output,
        base,
        one_point(),
        people=people,
        seed=seed,
        replications=replications or _UNTIL_MOST,
        workers=workers,
        cluster=cluster,
        out=out,
        until=until,
        yes=yes,
    )


def varied_base(scenario: str, settings: list[str] | None, channels: str | None = None) -> "Base":
    """A scenario with the fields of ``--set`` set, those of its channels in their profile."""
    from simulator.experiment.axes import parse_setting
    from simulator.experiment.variants import read_base

    base = read_base(scenario, channels)
    if not settings:
        return base
    with _said_of("--set"):
        base = base.set_to([parse_setting(text) for text in settings])
        base.scenario()
    return base


@contextmanager
def _said_of(option: str) -> Iterator[None]:
    """Call what is wrong with a field by the option that set it; ``sweep`` has another."""
    from simulator.errors import ConfigurationError

    try:
        yield
    except ConfigurationError as error:
        if error.field != "--vary":
            raise
        remedy = error.remedy.replace("--vary", option)
        if ".." in remedy:
            remedy = f"for example {option} chain.decision=90s"
        raise ConfigurationError(
            error.message, where=error.where, field=option, value=error.value, remedy=remedy
        ) from None


def people_order(
    base: "Base", channels: str | None, app: Path | None, *, chain_only: bool
) -> "PeopleOrder | None":
    """Whether people are counted, and how they are reached."""
    from simulator.errors import ConfigurationError
    from simulator.experiment.people import PeopleOrder
    from simulator.reach import load_profile

    for option, given in (("--channels", channels), ("--app-channel-from", app)):
        if chain_only and given is not None:
            raise ConfigurationError(
                "the chain alone reaches nobody",
                field=option,
                value=str(given),
                remedy=f"leave out --chain-only or {option}",
            )
    if chain_only or not base.scenario().launches:
        return None
    if channels is not None:
        load_profile(channels)
    if app is None:
        return PeopleOrder(profile=channels)
    from simulator.run.app_channel import measured_app

    return PeopleOrder(profile=channels, app=measured_app(app))


def confirm(rows: int, *, yes: bool) -> None:
    """Ask before a million rows."""
    from simulator.errors import ConfigurationError
    from simulator.run.experiments import MANY_ROWS

    if rows < MANY_ROWS or yes:
        return
    if sys.stdin.isatty() and typer.confirm(f"Play {rows:,} replications?", err=True):
        return
    raise ConfigurationError(
        f"{rows:,} replications are many",
        field="--yes",
        remedy="add --yes to play them, or take fewer points or --replications",
    )


@contextmanager
def ends_in_order(output: Output) -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM once: end after what is at work; twice: at once."""
    asked = threading.Event()

    def ask(number: int, _frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        output.aside("ending: what is at work is finished and kept; once more ends at once")
        signal.signal(number, ask)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress_of(output: Output) -> Iterator[Callable[[int, int], None]]:
    """A bar in a terminal, a line every tenth elsewhere, log entries with ``--log-format json``.

    Nothing with ``--quiet``.
    """
    if output.quiet:
        yield lambda _done, _total: None
    elif output.log_format == "json":
        yield _logged(output)
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        said = -1

        def line(done: int, total: int) -> None:
            nonlocal said
            tenth = 10 * done // max(total, 1)
            if tenth > said:
                said = tenth
                output.aside(f"replications: {done:,} of {total:,}")

        yield line


def _logged(output: Output) -> Callable[[int, int], None]:
    """An entry ``replications`` with ``done`` and ``total``, at most four times a second."""
    import structlog

    from simulator.clock import SystemClock

    output.start_log()
    log, clock = structlog.get_logger(), SystemClock()
    said_ns: int | None = None

    def entry(done: int, total: int) -> None:
        nonlocal said_ns
        now_ns = clock.monotonic_ns()
        if said_ns is None or done == total or now_ns - said_ns >= _LOG_EVERY_NS:
            said_ns = now_ns
            log.info("replications", done=done, total=total)

    return entry


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("replications", BarColumn(bar_width=40), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("replications", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
