"""Commands that touch no broker: simulate, validate, schema, scenarios."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator.cli.common import (
    JsonOption,
    LogFormatOption,
    LogLevelOption,
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
    SeedOption,
    SetOption,
    UntilOption,
    WorkersOption,
    YesOption,
    people_order,
    play_replications,
    varied_base,
)
from simulator.cli.schemas import SCHEMA_KINDS, SchemaKind, schema_of

ScenarioArgument = Annotated[
    str,
    typer.Argument(
        help="Name of a shipped scenario, or path of a scenario file.", metavar="SCENARIO"
    ),
]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(
        "simulate",
        help="Play the model only, no MQTT: print the timeline of one replication, or the figures "
        "of many.",
        short_help="Play the model alone: one timeline, or the figures of many.",
        epilog=examples(
            "alertsim simulate tohoku-2022-11-03",
            "alertsim simulate tohoku-2022-11-03-modelled --seed 7 --out timeline.jsonl",
            "alertsim simulate tohoku-2022-11-03-modelled --replications 1000",
        ),
    )(simulate_command)
    app.command(
        "validate",
        help="Check a scenario file; say file, line, field, value and remedy of what is wrong, and "
        "whom a run of it would play to.",
        short_help="Check a scenario file.",
        epilog=examples("alertsim validate my-drill.yaml"),
    )(validate_command)
    app.command(
        "schema",
        help="Print a JSON Schema: of the scenario file (for editors), a message, what a run keeps "
        "or tells as it happens; or the MQTT contract as AsyncAPI.",
        short_help="Print JSON Schemas and the MQTT contract.",
        epilog=examples("alertsim schema > scenario.schema.json", "alertsim schema asyncapi"),
    )(schema_command)
    app.command(
        "scenarios",
        help="List the scenarios that ship with alertsim.",
        short_help="List the scenarios that come with alertsim, or copy one.",
        epilog=examples("alertsim scenarios", "alertsim scenarios --show drill-minimal"),
    )(scenarios_command)


def simulate_command(
    scenario: ScenarioArgument,
    seed: SeedOption = 1,
    replication: Annotated[
        int | None,
        typer.Option(help="Number of the one replication to play, from 0. Without it, 0.", min=0),
    ] = None,
    fixed: SetOption = None,
    replications: ReplicationsOption = None,
    until: UntilOption = None,
    chain_only: ChainOnlyOption = False,
    channels: ChannelsOption = None,
    app: AppOption = None,
    workers: WorkersOption = 0,
    cluster: ClusterOption = None,
    yes: YesOption = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Also write the timeline to this file (JSON Lines); with --replications the "
            "directory to keep them in, which is continued if it holds the same experiment."
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Simulate one replication, or many."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        if replications is not None or until is not None:
            _not_one(replication, "--replications" if until is None else "--until-halfwidth")
            base = varied_base(scenario, fixed, channels)
            play_replications(
                output,
                base,
                people=people_order(base, channels, app, chain_only=chain_only),
                seed=seed,
                replications=replications,
                workers=workers,
                cluster=cluster,
                out=out,
                until=until,
                yes=yes,
            )
            return
        from simulator.model import simulate
        from simulator.report.timeline_text import timeline_text
        from simulator.run.checked import load_checked

        loaded = (
            varied_base(scenario, fixed, channels).scenario() if fixed else load_checked(scenario)
        )
        timeline = simulate(loaded, seed, replication or 0)
        if out is not None:
            _write_new(out, "".join(f"{line}\n" for line in timeline.to_jsonl()))
        output.text(timeline_text(timeline))
        if out is not None:
            output.text(f"written: {out}")
        output.document(lambda: [json.loads(line) for line in timeline.to_jsonl()])


def _not_one(replication: int | None, option: str) -> None:
    """Refuse to play one replication and many."""
    from simulator.errors import ConfigurationError

    if replication is not None:
        raise ConfigurationError(
            "one replication or many",
            field="--replication",
            value=str(replication),
            remedy=f"leave out --replication, or {option}",
        )


def validate_command(
    files: Annotated[
        list[str],
        typer.Argument(help="Scenario files, or names of shipped scenarios.", metavar="FILE..."),
    ],
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Validate scenario files; the first that is wrong ends with 104."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.run.checked import load_checked

        checked: list[dict[str, Any]] = []
        for file in files:
            loaded = load_checked(file)
            entry: dict[str, Any] = {"file": file, "id": loaded.id, "valid": True}
            lines = [f"{file}: valid ({loaded.id})"]
            if loaded.subscribers is not None:
                from simulator.run.audience import rehearse

                plan = rehearse(loaded, file)
                lines += plan.lines()
                entry["subscribers"] = plan.document()
            checked.append(entry)
            output.text("\n".join(lines))
        output.document(lambda: {"checked": checked})


def schema_command(
    kind: Annotated[
        SchemaKind,
        typer.Argument(help="Which schema.", metavar=f"[{'|'.join(SCHEMA_KINDS)}]"),
    ] = "scenario",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Print a JSON Schema; the output is JSON with and without ``--json``."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        schema = schema_of(kind)
        output.text(json.dumps(schema, ensure_ascii=False, indent=2))
        output.document(lambda: schema)


def scenarios_command(
    show: Annotated[
        str | None, typer.Option(help="Print this scenario's file, to copy and change.")
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """List shipped scenarios, or print one."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator import resources
        from simulator.scenario import load_scenario

        if show is not None:
            text = resources.scenario_path(show).read_text(encoding="utf-8")
            output.text(text.rstrip("\n"))
            output.document(lambda: {"id": show, "text": text})
            return
        entries = [
            {"id": loaded.id, "title": loaded.title, "description": loaded.description}
            for loaded in map(load_scenario, resources.scenario_names())
        ]
        width = max((len(entry["id"]) for entry in entries), default=0)
        for entry in entries:
            output.text(f"{entry['id']:<{width}}  {entry['title']}")
        output.text("\nPlay one: alertsim run NAME. Copy one: alertsim scenarios --show NAME")
        output.document(lambda: {"scenarios": entries})


def _write_new(path: Path, text: str) -> None:
    from simulator.errors import OutputError
    from simulator.report.manifest import write_atomically

    if path.exists():
        raise OutputError(
            "exists already", str(path), remedy="remove it, or choose another file with --out"
        )
    write_atomically(path, text.encode())
