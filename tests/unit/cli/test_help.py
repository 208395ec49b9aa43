"""What --help shows: every command under its job, and examples that the command line takes."""

import shlex

import pytest
import typer
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.cli.help import JOBS, examples_of

COMMANDS = sorted(name for names in JOBS.values() for name in names)
NARROW = {"COLUMNS": "80", "TERM": "dumb"}


def test_every_command_stands_under_one_job_in_a_line_of_its_own() -> None:
    lines = CliRunner().invoke(app, ["--help"], env=NARROW).output.splitlines()
    for job, names in JOBS.items():
        at = lines.index(f"{job}:")
        assert [line.split()[0] for line in lines[at + 1 : at + 1 + len(names)]] == [*names]
    assert not any(line.endswith("...") for line in lines[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_can_be_copied_and_are_taken(name: str) -> None:
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    shown = CliRunner().invoke(app, [name, "--help"], env=NARROW).output
    examples = examples_of(command.epilog)
    assert examples
    for example in examples:
        assert f"\n  {example}\n" in shown
        if example.startswith("# "):
            continue  # a word between two commands
        words = shlex.split(example)
        program, called, *arguments = words[: words.index(">")] if ">" in words else words
        assert program == "alertsim"
        other = typer.main.get_command(app).commands[called]  # type: ignore[attr-defined]
        other.make_context(called, arguments)  # an option that is not there would be an error
