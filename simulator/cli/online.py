"""Commands that speak MQTT: run, publish, subscribe."""

from pathlib import Path
from typing import Annotated, Any, Literal

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
from simulator.cli.baseline import BaselineOption, FailIfOption
from simulator.cli.common import (
    JsonOption,
    LogFormatOption,
    LogLevelOption,
    QuietOption,
    command,
)
from simulator.cli.help import examples
from simulator.cli.offline import ScenarioArgument

BrokerOption = Annotated[
    str | None,
    typer.Option(
        help="embedded, mosquitto, amqtt, running (one of ours that runs on this host), or "
        "mqtt://[user[:password]@]host[:port][?protocol=5]; "
        "mqtts:// for TLS, ws:// and wss:// for WebSocket. Default: embedded."
    ),
]
SpeedOption = Annotated[
    str | None, typer.Option(help="Scenario seconds per wall second. Default: 1, real time.")
]
SeedOption = Annotated[int | None, typer.Option(help="Seed of every random stream. Default: 1.")]
QosOption = Annotated[int | None, typer.Option(help="QoS of the publisher, 0 to 2. Default: 1.")]
RepeatOption = Annotated[
    int | None, typer.Option(help="Play the timeline so often on one set of connections.")
]
GapOption = Annotated[str | None, typer.Option(help="Wall time between two playings. Default: 1s.")]
LateOption = Annotated[
    str | None, typer.Option(help="First copies later than this are late. Default: 10s.")
]
DrainOption = Annotated[
    str | None, typer.Option(help="Longest wait for owed deliveries. Default: 10s.")
]
RootOption = Annotated[str | None, typer.Option(help="Topic root. Default: alertsim.")]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", help="Payload: json (CloudEvents) or cap-xml. Default: json."),
]
CapClockOption = Annotated[
    str | None,
    typer.Option(help="Whose time fills CAP sent, effective, expires: wall or scenario."),
]
WaitOption = Annotated[
    int | None,
    typer.Option(help="Start when so many foreign clients are online by their retained status."),
]
HoldOption = Annotated[
    str | None,
    typer.Option(help="Keep everything up this long after the last alert and its drain, e.g. 60s."),
]
LeadInOption = Annotated[
    str | None,
    typer.Option(
        help="Scenario time before the first alert, at the run's speed, e.g. 60s; launch: from the "
        "first launch on. Default: none.",
        metavar="DURATION",
    ),
]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option(
        "--threshold",
        help="Pass/fail expression, repeatable: 'delivery_latency{population=live}: p(99)<1s'.",
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML file of run settings.", metavar="FILE")
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option("--allow-host", help="A host other than this one that may be published to."),
]
OutOption = Annotated[
    Path | None, typer.Option(help="Directory in which the run directory is made.")
]
EventsOption = Annotated[
    Path | None,
    typer.Option(
        "--events",
        help="Tell the run as it happens, one JSON object a line, to this file; - for standard "
        "output, which then holds nothing else.",
        metavar="FILE",
    ),
]
RunIdOption = Annotated[
    str | None,
    typer.Option(
        "--run-id",
        help="Id of the run and name of its directory, instead of one made from the time: "
        "lowercase letters, digits and dashes, at most 64.",
        metavar="ID",
    ),
]
WaitTimeoutOption = Annotated[
    str | None,
    typer.Option(
        help="Give up connecting, or waiting for clients, after this; each. Default: 60s."
    ),
]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(
        "run",
        help="Play a scenario end to end: model, broker, subscribers, ledger, report.",
        short_help="Play a scenario end to end: model, broker, subscribers, report.",
        epilog=examples(
            "alertsim run tohoku-2022-11-03 --speed 600 --subscribers 300",
            (
                "alertsim run drill-minimal --broker mosquitto --repeat 20 --threshold "
                "'delivery_latency{population=live}: p(99)<1s'"
            ),
            (
                "alertsim run drill-minimal --repeat 20 --baseline last --fail-if "
                "'delivery_latency.p99 > 1.1x'"
            ),
        ),
    )(run_command)
    app.command(
        "publish",
        help="Play a scenario for other clients: no subscribers of its own.",
        short_help="Play a scenario to clients of yours.",
        epilog=examples(
            "alertsim publish tohoku-2022-11-03 --speed 60 --wait-for-clients 1 --hold 60s",
            "# meanwhile, in a second terminal:",
            "alertsim subscribe --prefecture miyagi",
        ),
    )(publish_command)
    app.command(
        "subscribe",
        help="Receive alerts as a test client and report receipts; finds the running broker.",
        short_help="Receive alerts as a test client.",
        epilog=examples(
            "alertsim subscribe --prefecture miyagi", "alertsim subscribe --all --json"
        ),
    )(subscribe_command)


def run_command(
    scenario: ScenarioArgument,
    broker: BrokerOption = None,
    subscribers: Annotated[
        int | None, typer.Option(help="Subscribers; controls come on top. Default: 300.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="MQTT version of the swarm: 3.1.1, 5 or mixed.")
    ] = None,
    speed: SpeedOption = None,
    seed: SeedOption = None,
    qos: QosOption = None,
    subscribe_qos: Annotated[
        int | None, typer.Option(help="QoS the subscribers ask for. Default: as --qos.")
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="Session of the subscribers: clean or persistent.")
    ] = None,
    repeat: RepeatOption = None,
    gap: GapOption = None,
    out: OutOption = Path("runs"),
    threshold: ThresholdOption = None,
    late_after: LateOption = None,
    drain: DrainOption = None,
    payload_format: FormatOption = None,
    cap_clock: CapClockOption = None,
    root: RootOption = None,
    wait_for_clients: WaitOption = None,
    wait_timeout: WaitTimeoutOption = None,
    hold: HoldOption = None,
    lead_in: LeadInOption = None,
    ramp: Annotated[
        str | None,
        typer.Option(help="Connections opened per second, as 500 or 500/s. Default: 2000."),
    ] = None,
    swarm_workers: Annotated[
        int | None,
        typer.Option(help="Processes that share the swarm. Default: by size and processors."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(help="Dask scheduler whose workers hold the swarm, e.g. tcp://host:8786."),
    ] = None,
    kernel_stamps: Annotated[
        bool | None,
        typer.Option("--kernel-stamps/--no-kernel-stamps", help="Receive stamps by the kernel."),
    ] = None,
    allow_host: AllowOption = None,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
    cafile: CafileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    server_name: ServerNameOption = None,
    baseline: BaselineOption = None,
    fail_if: FailIfOption = None,
    events: EventsOption = None,
    run_id: RunIdOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Run a scenario."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.cli.play import play

        play(
            output,
            scenario,
            options={
                "broker": broker,
                "subscribers": subscribers,
                "protocol": protocol,
                "speed": speed,
                "seed": seed,
                "qos": qos,
                "subscribe_qos": subscribe_qos,
                "session": session,
                "repeat": repeat,
                "gap": gap,
                "late_after": late_after,
                "drain": drain,
                "payload_format": payload_format,
                "cap_clock": cap_clock,
                "root": root,
                "wait_for_clients": wait_for_clients,
                "wait_timeout": wait_timeout,
                "hold": hold,
                "lead_in": lead_in,
                "ramp": ramp,
                "swarm_workers": swarm_workers,
                "cluster": cluster,
                "kernel_stamps": kernel_stamps,
                "allow_hosts": tuple(allow_host) if allow_host else None,
                **access_options(username, password_file, cafile, cert, key, server_name),
            },
            thresholds=threshold or [],
            config=config,
            events=events,
            run_id=run_id,
            baseline=baseline,
            fail_if=fail_if or (),
            out=out,
        )


def publish_command(
    scenario: ScenarioArgument,
    broker: BrokerOption = None,
    client: Annotated[
        Literal["wire", "aiomqtt"],
        typer.Option(help="wire: our measured publisher; aiomqtt: the library's client."),
    ] = "wire",
    speed: SpeedOption = None,
    seed: SeedOption = None,
    qos: QosOption = None,
    repeat: RepeatOption = None,
    gap: GapOption = None,
    out: OutOption = None,
    threshold: ThresholdOption = None,
    late_after: LateOption = None,
    drain: DrainOption = None,
    payload_format: FormatOption = None,
    cap_clock: CapClockOption = None,
    root: RootOption = None,
    wait_for_clients: WaitOption = None,
    wait_timeout: WaitTimeoutOption = None,
    hold: HoldOption = None,
    lead_in: LeadInOption = None,
    allow_host: AllowOption = None,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
    cafile: CafileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    server_name: ServerNameOption = None,
    events: EventsOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Publish a scenario; clients that register and report receipts are in the account."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.cli.play import play

        play(
            output,
            scenario,
            options={
                "broker": broker,
                "subscribers": 0,
                "speed": speed,
                "seed": seed,
                "qos": qos,
                "repeat": repeat,
                "gap": gap,
                "late_after": late_after,
                "drain": drain,
                "payload_format": payload_format,
                "cap_clock": cap_clock,
                "root": root,
                "wait_for_clients": wait_for_clients,
                "wait_timeout": wait_timeout,
                "hold": hold,
                "lead_in": lead_in,
                "allow_hosts": tuple(allow_host) if allow_host else None,
                **access_options(username, password_file, cafile, cert, key, server_name),
            },
            thresholds=threshold or [],
            config=config,
            events=events,
            out=out,
            client=client,
        )


def subscribe_command(
    prefecture: Annotated[
        list[str] | None,
        typer.Option(help="Prefecture by slug (miyagi) or JIS code (04), repeatable."),
    ] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="All prefectures.")] = False,
    broker: Annotated[
        str | None,
        typer.Option(
            help="mqtt://, mqtts://, ws:// or wss://host[:port]. Default: the broker of ours that "
            "runs here."
        ),
    ] = None,
    protocol: Annotated[Literal["3.1.1", "5"], typer.Option(help="MQTT version.")] = "3.1.1",
    client_id: Annotated[
        str | None, typer.Option(help="MQTT client id. Default: one made from the process id.")
    ] = None,
    qos: Annotated[int, typer.Option(help="QoS to ask for.", min=0, max=2)] = 1,
    count: Annotated[
        int | None,
        typer.Option(help="End after so many alerts; 105 if ended otherwise.", min=1),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(help="End after this, e.g. 60s; 99 if --count was not reached.")
    ] = None,
    config: ConfigOption = None,
    root: RootOption = None,
    allow_host: AllowOption = None,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
    cafile: CafileOption = None,
    cert: CertOption = None,
    key: KeyOption = None,
    server_name: ServerNameOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Subscribe to alerts and print them as they come: lines for people, JSON Lines with --json."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        from simulator.cli.listen import listen

        choice: dict[str, Any] = {
            "prefectures": prefecture or [],
            "everywhere": everywhere,
            "protocol": protocol,
            "client_id": client_id,
            "qos": qos,
            "count": count,
            "timeout": timeout,
            "settings": {
                "root": root,
                "allow_hosts": tuple(allow_host) if allow_host else None,
                **access_options(username, password_file, cafile, cert, key, server_name),
                "broker": None if broker in {None, "embedded"} else broker,
            },
            "config": config,
        }
        listen(output, **choice)
