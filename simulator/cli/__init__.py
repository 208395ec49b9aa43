"""The command line: arguments in, exit codes out. Heavy imports happen inside the commands."""

import json
import signal
import sys
from types import FrameType

from simulator.errors import ExitCode


def main() -> None:
    """Entry point of ``alertsim``.

    From its first moment SIGTERM ends it as Ctrl-C does, with 105; a wrong command line is 104 like
    any other bad input, as a JSON document too where ``--json`` asks for one.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        from simulator.cli.app import app  # keeps `import simulator.cli` light

        code = app(standalone_mode=False)
    except KeyboardInterrupt:
        sys.stderr.write("aborted\n")
        sys.exit(ExitCode.ABORTED)
    except Exception as error:
        # The parser's errors have no common base that every release of typer makes public.
        if not hasattr(error, "format_message"):
            if type(error).__name__ == "Abort":
                sys.stderr.write("aborted\n")
                sys.exit(ExitCode.ABORTED)
            raise
        sys.exit(_usage(error))
    sys.exit(code if isinstance(code, int) else ExitCode.PASS)


def _usage(error: Exception) -> ExitCode:
    """Show what is wrong with the command line."""
    show = getattr(error, "show", None)
    if show is not None:
        show()
    if "--json" in sys.argv[1:]:
        message = error.format_message()  # type: ignore[attr-defined]  # checked by the caller
        detail = {"type": "UsageError", "message": message}
        document = {"error": detail, "exit_code": int(ExitCode.BAD_INPUT)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return ExitCode.PASS if len(sys.argv) == 1 else ExitCode.BAD_INPUT


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
