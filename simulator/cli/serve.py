"""``alertsim serve``: the service on one command."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

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

if TYPE_CHECKING:
    from simulator.service.options import ServiceOptions
    from simulator.service.service import Service


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "serve",
        help="Serve runs over HTTP with a live page: start, watch, stop and list exercises.",
        short_help="Keep a service up, with a live page in the browser.",
        epilog=examples(
            "alertsim serve",
            "alertsim serve --port 0 --out /srv/alertsim --max-runs 4",
            "alertsim serve --host 0.0.0.0 --token-file token.txt",
        ),
    )(serve_command)


def serve_command(
    host: Annotated[
        str,
        typer.Option(help="Address to listen on; anything but loopback needs a token."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="TCP port; 0 takes a free one and prints it.", min=0, max=65535)
    ] = 8080,
    out: Annotated[
        Path, typer.Option(help="Directory that holds the run directories.", metavar="STORE")
    ] = Path("runs"),
    broker: Annotated[
        str,
        typer.Option(
            help="Broker for all runs, started once: embedded, mosquitto, amqtt; or the URL of one."
        ),
    ] = "embedded",
    max_runs: Annotated[
        int, typer.Option(help="Runs at the same time; others wait.", min=1, max=64)
    ] = 2,
    max_waiting: Annotated[
        int, typer.Option(help="Runs that may wait; beyond it one is refused.", min=0, max=10_000)
    ] = 100,
    max_subscribers: Annotated[
        int, typer.Option(help="Simulated subscribers of one run.", min=0, max=1_000_000)
    ] = 20_000,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File whose first line is the bearer token; or set ALERTSIM_SERVICE_TOKEN. No "
            "option takes the token itself, because other users see command lines.",
            metavar="FILE",
        ),
    ] = None,
    loop: Annotated[
        list[str] | None,
        typer.Option(
            help="Play this scenario (a shipped name or a file) again and again, so that test "
            "clients always have something to receive. May be repeated.",
            metavar="SCENARIO",
        ),
    ] = None,
    loop_speed: Annotated[
        float,
        typer.Option(help="Speed of --loop: scenario seconds per wall second.", min=0.001),
    ] = 60.0,
    loop_subscribers: Annotated[
        int, typer.Option(help="Simulated subscribers of --loop.", min=0)
    ] = 100,
    keep_runs: Annotated[
        int,
        typer.Option(
            help="Runs kept, and experiments as many again; the oldest complete ones go first, "
            "never one that plays or is marked to be kept.",
            min=1,
        ),
    ] = 1000,
    keep_gib: Annotated[
        float,
        typer.Option(help="Largest size of the store in GiB; the oldest go first.", min=0.001),
    ] = 10.0,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = "console",
    log_level: LogLevelOption = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    with command(as_json=as_json, quiet=quiet, log_format=log_format, level=log_level) as output:
        _installed()
        from simulator.service.options import (
            TOKEN_VARIABLE,
            ServiceOptions,
            check_token,
            read_token,
        )

        options = check_token(
            ServiceOptions(
                store=out,
                host=host,
                port=port,
                broker=broker,
                max_runs=max_runs,
                max_waiting=max_waiting,
                max_subscribers=max_subscribers,
                loops=tuple(loop or ()),
                loop_speed=loop_speed,
                loop_subscribers=loop_subscribers,
                keep_runs=keep_runs,
                keep_bytes=int(keep_gib * 1024**3),
                token=read_token(token_file, os.environ.get(TOKEN_VARIABLE)),
            )
        )
        output.start_log()
        _serve(options, output)


def _serve(options: "ServiceOptions", output: Output) -> NoReturn:
    """Listen, start the service, say where it is, and end with it."""
    from simulator.service.server import bound, serve
    from simulator.service.service import Service

    listening = bound(options)
    try:
        service = Service(options)
    except BaseException:
        listening.close()
        raise
    asyncio.run(
        serve(service, listening, lambda address, ready: _say_ready(output, address, ready))
    )
    output.aside("the service has ended")
    sys.exit(0)


def _say_ready(output: Output, address: str, service: "Service") -> None:
    """Where page, broker and store are."""
    info = service.broker.info()
    store = str(service.options.store)
    output.text("【訓練】 EXERCISE only: everything this service sends is marked so")
    for version, url in info.addresses.items():
        output.text(f"broker: {url} (MQTT {version})")
    output.text(f"store: {store}")
    output.text(f"ready: {address}")
    output.document(
        lambda: {
            "ready": address,
            "exercise": True,
            "broker": info.model_dump(mode="json"),
            "store": store,
        }
    )


def _installed() -> None:
    """Say how to get what the service needs, where it is not installed."""
    from importlib.util import find_spec

    from simulator.errors import ConfigurationError

    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"the service needs {' and '.join(missing)}, not installed here",
            remedy="pip install 'alertsim[service]'",
        )
