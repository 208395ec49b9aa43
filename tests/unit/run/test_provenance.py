"""Where a run comes from: no password, no path, an id that can stand in a topic."""

import re

import pytest

from simulator.delivery.brokers.external import without_password
from simulator.errors import ConfigurationError
from simulator.run.provenance import (
    as_shell,
    checked_run_id,
    host_facts,
    new_run_id,
    package_versions,
    repeat_command,
)


def test_run_id_is_a_time_and_something_random() -> None:
    first, second = (new_run_id(1_667_428_740_000_000_000) for _ in range(2))
    assert re.fullmatch(r"20221102t223900-[0-9a-f]{4}", first)
    assert len({new_run_id(0) for _ in range(50)}) > 1
    assert first[:15] == second[:15]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("mqtt://me:secret@host:1883", "mqtt://me:***@host:1883"),
        ("--broker=mqtt://me:s%40cret@host?protocol=5", "--broker=mqtt://me:***@host?protocol=5"),
        ("mqtt://me@host", "mqtt://me@host"),
        ("mqtt://[broken", "mqtt://[broken"),
        ("--speed", "--speed"),
        ("miyagi", "miyagi"),
    ],
)
def test_passwords_are_not_repeated(given: str, shown: str) -> None:
    assert without_password(given) == shown


def test_command_repeats_the_run() -> None:
    command = repeat_command(["run", "my drill.yaml", "--broker", "mqtt://a:b@127.0.0.1"])
    assert as_shell(command) == "alertsim run 'my drill.yaml' --broker 'mqtt://a:***@127.0.0.1'"


@pytest.mark.parametrize(
    "for_once",
    [
        ["--run-id", "tuesday", "--events", "-", "--broker", "running"],
        ["--run-id=tuesday", "--events=-", "--broker=running:123"],
    ],
)
def test_command_leaves_out_what_is_for_once(for_once: list[str]) -> None:
    command = repeat_command(["run", "drill-minimal", *for_once, "--speed=60"])
    assert command == ("alertsim", "run", "drill-minimal", "--speed=60")


@pytest.mark.parametrize("given", ["", "A", "a/b", "..", "-a", "a-", "a" * 65])
def test_a_run_id_can_stand_in_a_topic_and_a_path(given: str) -> None:
    with pytest.raises(ConfigurationError, match="not a run id"):
        checked_run_id(given)
    assert checked_run_id("tuesday-drill") == "tuesday-drill"


def test_facts_are_about_the_machine_only() -> None:
    facts = host_facts()
    assert set(facts) == {
        "system",
        "machine",
        "python",
        "processors",
        "processor",
        "memory_bytes",
    }
    assert int(facts["memory_bytes"]) > 0
    assert package_versions()["simpy"].startswith("4.")
