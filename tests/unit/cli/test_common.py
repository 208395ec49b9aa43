"""The frame around every command: exit codes, JSON errors, pipes that close."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.cli.aftermath import report_command
from simulator.cli.common import command
from simulator.cli.compare import compare_command
from simulator.cli.history import history_command
from simulator.cli.play import parse_options
from simulator.errors import BrokerUnreachableError, ConfigurationError


def _end(error: BaseException, *, as_json: bool = False) -> int:
    with pytest.raises(SystemExit) as caught, command(as_json=as_json):
        raise error
    return int(str(caught.value.code))


def test_errors_become_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert _end(ConfigurationError("no", "--here", remedy="so")) == 104
    assert _end(BrokerUnreachableError("nobody")) == 106
    assert _end(KeyboardInterrupt()) == 105
    assert _end(RuntimeError("boom")) == 107
    said = capsys.readouterr()
    assert said.out == ""
    assert "remedy: so" in said.err
    assert "defect of alertsim" in said.err


def test_json_errors_are_documents(capsys: pytest.CaptureFixture[str]) -> None:
    _end(BrokerUnreachableError("nobody"), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "error": {"type": "BrokerUnreachableError", "message": "nobody"},
        "exit_code": 106,
    }
    _end(RuntimeError("boom"), as_json=True)
    assert json.loads(capsys.readouterr().out)["exit_code"] == 107


def test_quiet_and_json_say_only_what_they_should(capsys: pytest.CaptureFixture[str]) -> None:
    with command(quiet=True) as output:
        output.text("no")
        output.aside("no")
        output.document(lambda: "no")
    with command(as_json=True) as output:
        output.text("no")
        output.document(lambda: {"yes": 1})
        output.line("{}")
    assert capsys.readouterr().out == '{\n  "yes": 1\n}\n{}\n'


def test_quiet_keeps_what_was_asked_for_and_what_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with command(quiet=True) as output:
        output.asked("rows")
        output.trouble("expired")
    assert capsys.readouterr() == ("rows\n", "expired\n")
    with command() as output:
        output.asked("rows")
        output.trouble("expired")
    assert capsys.readouterr() == ("rows\nexpired\n", "")
    with command(as_json=True, quiet=True) as output:
        output.asked("rows")
        output.trouble("expired")
    assert capsys.readouterr() == ("", "")


def test_threshold_options() -> None:
    assert parse_options(["lost: count==0", "delivery_latency{event:launch}: max<1s"]) == {
        "lost": ["count==0"],
        "delivery_latency{event:launch}": ["max<1s"],
    }
    with pytest.raises(ConfigurationError, match="colon"):
        parse_options(["lost"])


@pytest.mark.parametrize(
    ("command_of", "named", "asked"),
    [
        (history_command, {"directories": [Path("no")], "markdown": True}, "--markdown"),
        (history_command, {"directories": [Path("no")], "form": "markdown"}, "--format markdown"),
        (compare_command, {"names": ["no", "no"], "form": "markdown"}, "--format markdown"),
        (report_command, {"directory": Path("no"), "form": "csv"}, "--format csv"),
    ],
)
def test_a_result_is_printed_in_one_form(
    command_of: Callable[..., None],
    named: dict[str, Any],
    asked: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        command_of(**named, as_json=True)
    assert caught.value.code == 104
    assert json.loads(capsys.readouterr().out)["error"]["remedy"] == (
        f"leave one of --json and {asked} out"
    )
