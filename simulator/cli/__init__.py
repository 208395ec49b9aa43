"""The command line: arguments in, exit codes out. Heavy imports happen inside the commands."""

import sys

from simulator.errors import ExitCode

_CLICK_USAGE_ERROR = 2


def main() -> None:
    """Entry point of ``alertsim``: a wrong command line is exit 104 like any other bad input."""
    from simulator.cli.app import app

    try:
        app()
    except SystemExit as end:
        if end.code == _CLICK_USAGE_ERROR:
            sys.exit(ExitCode.BAD_INPUT)
        raise
