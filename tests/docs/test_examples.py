"""What docs/examples says is so: its commands, its files, its payloads."""

import ast
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simulator.alerts import topics
from simulator.alerts.contract import (
    ClockRequest,
    ClockResponse,
    ReceiptPayload,
    StatusPayload,
    parse_payload,
)
from simulator.cli.app import app
from simulator.delivery.brokers.embedded import PREFERRED_PORTS
from simulator.scenario import load_scenario
from simulator.testing.harness import AlertSim, Playing
from simulator.testing.played import Played
from tests.run.cast import RECEIVERS as STAGED

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
RECEIVERS = sorted(
    str(path.relative_to(EXAMPLES))
    for folder in (EXAMPLES, EXAMPLES / "javascript")
    for path in folder.iterdir()
    if path.suffix in {".py", ".sh", ".mjs"}
)
TEXT = " ".join((EXAMPLES / "README.md").read_text(encoding="utf-8").split())


def _commands() -> list[list[str]]:
    """The indented lines of the README."""
    lines = (EXAMPLES / "README.md").read_text(encoding="utf-8").splitlines()
    fenced = False
    found: list[list[str]] = []
    for line in lines:
        fenced ^= line.startswith("```")
        if line.startswith("    ") and not fenced:
            found.append(shlex.split(line))
    return found


def test_commands_name_what_exists() -> None:
    ours, theirs, told = _commands()
    assert told[0] == "receiver"
    assert ours[:2] == ["alertsim", "publish"]
    load_scenario(ours[2])
    helped = CliRunner().invoke(app, ["publish", "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert helped.exit_code == 0
    for option in ours[3:]:
        if option.startswith("--"):
            assert option in helped.output
    assert theirs[0] == "python"
    assert (ROOT / theirs[1]).is_file()
    assert theirs[2:] == ["127.0.0.1", str(PREFERRED_PORTS[0]), "miyagi"]


def test_ports_in_the_text_are_the_brokers() -> None:
    first, second = PREFERRED_PORTS
    assert f"port {first} for MQTT 3.1.1 and {second} for MQTT 5" in TEXT


def test_table_lists_every_receiver_and_nothing_else() -> None:
    assert sorted(re.findall(r"\| `(\S+\.(?:py|sh|mjs))` \|", TEXT)) == RECEIVERS
    assert sorted(script for script, _ in STAGED.values()) == RECEIVERS


@pytest.mark.parametrize("name", RECEIVERS)
def test_receiver_is_a_program_that_says_how_it_is_called(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert f"{Path(name).name} HOST PORT PREFECTURE" in text
    if name.endswith(".mjs"):
        return  # run as it is by tests/run
    if name.endswith(".py"):
        ast.parse(text)
    else:
        subprocess.run(["sh", "-n", EXAMPLES / name], check=True)


@pytest.mark.parametrize(
    ("model", "pattern"),
    [
        (StatusPayload, r'`(\{"state":"online".*?\})`'),
        (StatusPayload, r'`(\{"state":"offline"\})`'),
        (ReceiptPayload, r'`(\{"id":.*?\})`'),
        (ClockRequest, r'`(\{"n":1,"t1_ns":"…"\})`'),
        (ClockResponse, r'`(\{"n":1,[^`]*"t3_ns":"…"\})`'),
    ],
)
def test_payloads_in_the_text_are_read_by_the_run(model: Any, pattern: str) -> None:
    found = re.search(pattern, TEXT)
    assert found
    payload = re.sub(r'_ns":"…"', '_ns":"17"', found[1])
    parse_payload(model, payload.encode())


@pytest.mark.parametrize(
    "build",
    [
        topics.status_topic,
        topics.receipts_topic,
        topics.clock_request_topic,
        topics.clock_response_topic,
    ],
)
def test_topics_in_the_text_are_the_codes(build: Callable[[str, str], str]) -> None:
    topic = build("alertsim", "CLIENT").replace("CLIENT", "{client}")
    assert f"`{topic}`" in TEXT


def test_contract_is_linked() -> None:
    assert "](../reference/asyncapi.yaml)" in TEXT


def test_names_of_the_fixture_in_the_text_exist() -> None:
    for owner, kind in (("alertsim", AlertSim), ("playing", Playing), ("played", Played)):
        named = set(re.findall(rf"\b{owner}\.(\w+)", TEXT))
        assert named
        for name in named:
            assert hasattr(kind, name) or name in kind.__annotations__, f"{owner}.{name}"
    public = {name for name in vars(Played) if name.startswith("assert_")}
    assert public <= set(re.findall(r"played\.(\w+)", TEXT))
