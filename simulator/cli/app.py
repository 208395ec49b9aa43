"""The command tree. Each command lives in a module of its own group and registers here."""

import typer

from simulator.cli import aftermath, compare, experiments, history, offline, online, serve
from simulator.cli.help import Command, Jobs

app = typer.Typer(
    name="alertsim",
    cls=Jobs,
    help=(
        "Simulate the notification of alerts: from launch detection to prefecture shelter alerts, "
        "over real MQTT to real subscribers, with every delivery measured. Everything sent is "
        "marked as an exercise (【訓練】 EXERCISE) and cannot be marked otherwise."
    ),
    epilog=(
        "Exit codes: 0 pass, 98 inconclusive, 99 threshold failed, 104 bad input, 105 aborted, "
        "106 broker unreachable or lost, 107 internal error."
    ),
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)

offline.register(app)
experiments.register(app)
compare.register(app)
history.register(app)
online.register(app)
serve.register(app)
aftermath.register(app)

for registered in app.registered_commands:
    registered.cls = Command
