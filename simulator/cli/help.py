"""What ``--help`` looks like: commands by the job they do, examples as lines to copy.

Rule of the module: form only; what is said stands with each command.
"""

from typing import Any, Final

import typer.core

JOBS: Final = {
    "Run scenarios": ("run", "simulate", "scenarios", "validate", "sweep"),
    "Subscribe test clients": ("publish", "subscribe", "serve"),
    "Report": ("report", "compare", "history"),
    "Around it": ("doctor", "schema"),
}
_HEAD: Final = "Examples:"


def examples(*commands: str) -> str:
    """An epilog of commands and # remarks, each on a line of its own to be copied as it is."""
    return "\n".join((_HEAD, *commands))


def examples_of(epilog: str | None) -> list[str]:
    """The lines of an epilog."""
    head, *commands = (epilog or "").split("\n")
    return commands if head == _HEAD else []


class Command(typer.core.TyperCommand):
    """A command whose examples are not wrapped, since a wrapped command is another one."""

    def format_epilog(self, _ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (typer's own click)
        """Write each example on its line."""
        with formatter.section(_HEAD.removesuffix(":")):
            for example in examples_of(self.epilog):
                formatter.write(f"  {example}\n")


class Jobs(typer.core.TyperGroup):
    """The commands, by the job they do."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (as above)
        """Write a section for each job; a command of no job would be missed, so it is an error."""
        if sorted(name for names in JOBS.values() for name in names) != sorted(self.commands):
            raise ValueError("a command has no job")
        width = max(map(len, self.list_commands(ctx)))
        for job, names in JOBS.items():
            rows = [(f"{name:<{width}}", self.commands[name].short_help or "") for name in names]
            with formatter.section(job):
                formatter.write_dl(rows)
