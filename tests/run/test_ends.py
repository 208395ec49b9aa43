"""Ends that are not orderly: signals, a broker that dies, a broker that is not there."""

import json
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.run.processes import Alertsim, gone, wait_until

Start = Callable[..., Alertsim]

# At this speed the morning takes minutes: there is always something left to interrupt.
SLOW = ("run", "tohoku-2022-11-03", "--speed", "60", "--subscribers", "30", "--out", "runs")


def _manifest(parent: Path) -> dict[str, object]:
    (directory,) = (parent / "runs").iterdir()
    manifest: dict[str, object] = json.loads((directory / "manifest.json").read_text())
    return manifest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_soon_with_a_readable_incomplete_run(
    alertsim: Start, tmp_path: Path, number: signal.Signals
) -> None:
    run = alertsim(*SLOW, "--json")
    run.wait_for("launch to niigata")
    family = run.descendants()
    assert len(family) >= 3  # broker, worker, publisher
    began = time.monotonic()
    run.send(number)
    assert run.wait() == 105, run.stderr()
    # The promise is 2 s; a loaded machine gets slack, a hang does not.
    assert time.monotonic() - began < 10
    assert gone(family)
    manifest = _manifest(tmp_path)
    assert (manifest["state"], manifest["exit_code"]) == ("incomplete", 105)
    summary = run.document()
    total = summary["ledger"]["total"]
    assert total["delivered"] == 30
    assert total["not_sent"] == total["expected"] - 30
    assert {each["verdict"] for each in summary["thresholds"]} == {"not-judged"}
    again = alertsim("report", str(next((tmp_path / "runs").iterdir())))
    assert again.wait() == 0, again.stderr()
    assert not list((tmp_path / "runtime").rglob("*.broker.json"))


def test_kill_leaves_no_child_and_a_directory_that_says_so(alertsim: Start, tmp_path: Path) -> None:
    run = alertsim(*SLOW)
    run.wait_for("launch to niigata")
    family = run.descendants()
    wait_until(lambda: any((tmp_path / "runs").glob("*/deliveries/part-*.parquet")), 30)
    run.send(signal.SIGKILL)
    run.wait()
    wait_until(lambda: gone(family), 10)
    assert _manifest(tmp_path)["state"] == "running"
    again = alertsim("report", str(next((tmp_path / "runs").iterdir())))
    assert again.wait() == 0, again.stderr()
    assert "incomplete" in again.stdout().lower()
    assert "Latency of what had arrived" in again.stdout()
    (page,) = (tmp_path / "runs").glob("*/report.html")
    assert "percentiles-so-far" in page.read_text(encoding="utf-8")


@pytest.mark.mosquitto
def test_broker_that_dies_is_106_and_every_pair_is_accounted_for(
    alertsim: Start, tmp_path: Path, mosquitto: tuple[subprocess.Popen[bytes], int]
) -> None:
    broker, port = mosquitto
    run = alertsim(*SLOW, "--broker", f"mqtt://127.0.0.1:{port}", "--json")
    run.wait_for("launch to niigata")
    time.sleep(0.5)
    broker.kill()
    assert run.wait() == 106, run.stderr()
    summary = run.document()
    total = summary["ledger"]["total"]
    assert total["expected"] == 90
    assert total["delivered"] == 30
    assert total["not_sent"] + total["lost"] + total["undetermined"] + total["missed_offline"] == 60
    assert _manifest(tmp_path)["state"] == "incomplete"


def test_embedded_broker_that_dies_is_106(alertsim: Start) -> None:
    run = alertsim(*SLOW, "--json")
    run.wait_for("launch to niigata")
    (broker,) = [each for each in run.descendants() if "rumqttd" in " ".join(each.cmdline())]
    broker.kill()
    assert run.wait() == 106, run.stderr()
    assert run.document()["completeness"]["state"] == "incomplete"


@pytest.mark.mosquitto
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_retained_message_outlives_the_run(
    alertsim: Start, mosquitto: tuple[subprocess.Popen[bytes], int], number: signal.Signals
) -> None:
    _, port = mosquitto
    url = f"mqtt://127.0.0.1:{port}"
    run = alertsim(*SLOW, "--broker", url)
    run.wait_for("launch to niigata")
    wait_until(lambda: len(_states(port)) == 3, 20)
    run.send(number)
    run.wait()
    wait_until(lambda: not _states(port), 20)


def _states(port: int) -> dict[str, bytes]:
    """Retained states now on the broker."""
    found: dict[str, bytes] = {}
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _u, message: found.__setitem__(
        message.topic, bytes(message.payload)
    )
    client.connect("127.0.0.1", port)
    client.subscribe("alertsim/v1/state/#")
    deadline = time.monotonic() + 0.4
    while time.monotonic() < deadline:
        client.loop(0.05)
    client.disconnect()
    return found


def test_nobody_listening_is_106_and_nothing_is_left_on_the_disk(
    alertsim: Start, tmp_path: Path
) -> None:
    run = alertsim(*SLOW, "--broker", "mqtt://127.0.0.1:1")
    assert run.wait() == 106
    assert "127.0.0.1:1" in run.stderr()
    assert "Traceback" not in run.stderr()
    assert not (tmp_path / "runs").exists()


def test_an_early_end_is_told_once(alertsim: Start) -> None:
    nobody = ("run", "drill-minimal", "--subscribers", "5", "--broker", "mqtt://127.0.0.1:1")
    quiet = alertsim(*nobody, "--quiet")
    assert quiet.wait() == 106
    assert quiet.stderr().startswith("error: ")
    assert quiet.stderr().count("127.0.0.1:1") == 1
    logged = alertsim(*nobody, "--log-format", "json")
    assert logged.wait() == 106
    entries = [json.loads(line) for line in logged.stderr().splitlines() if line.startswith("{")]
    (early,) = [entry for entry in entries if entry["event"] == "run ended early"]
    assert "127.0.0.1:1" in early["reason"]
    assert "\n" not in early["reason"]


def test_quiet_says_why_a_run_that_had_begun_ended(alertsim: Start, tmp_path: Path) -> None:
    run = alertsim(*SLOW, "--quiet")
    wait_until(lambda: any((tmp_path / "runs").glob("*/deliveries/part-*.parquet")), 30)
    run.send(signal.SIGINT)
    assert run.wait() == 105
    assert run.stdout() == ""
    (line,) = run.stderr().splitlines()
    assert line.startswith("error: ")


def test_children_of_a_finished_run_are_gone(alertsim: Start) -> None:
    run = alertsim("run", "drill-minimal", "--speed", "6000", "--subscribers", "5")
    run.wait_for("publish:")
    family: list[psutil.Process] = run.descendants()
    assert run.wait() == 0, run.stderr()
    assert gone(family)


def test_listener_that_a_property_killed_is_106(alertsim: Start) -> None:
    """One MQTT 5 property, a 3.1.1 subscriber that comes back, and the listener is gone."""
    run = alertsim(*SLOW, "--protocol", "3.1.1", "--json")
    run.wait_for("launch to niigata")
    ports = {
        version: int(
            next(line for line in run.stderr().splitlines() if f"(MQTT {version})" in line)
            .partition("127.0.0.1:")[2]
            .partition(" ")[0]
        )
        for version in ("3.1.1", "5")
    }
    sender = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="careless", protocol=mqtt.MQTTv5)
    sender.connect("127.0.0.1", ports["5"])
    sender.loop_start()
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = "application/json"
    sender.publish(
        "alertsim/v1/alerts/miyagi/launch", b"{}", qos=1, properties=properties
    ).wait_for_publish(5)
    sender.disconnect()
    sender.loop_stop()
    assert run.wait() == 106, run.stderr()
    assert "3.1.1" in run.stderr()
    summary = run.document()
    total = summary["ledger"]["total"]
    assert total["expected"] == 90


def test_signal_while_the_run_is_written_changes_nothing(alertsim: Start, tmp_path: Path) -> None:
    run = alertsim("run", "drill-minimal", "--speed", "6000", "--subscribers", "5", "--out", "runs")
    run.wait_for("write:")
    for number in (signal.SIGINT, signal.SIGTERM):
        run.send(number)
    assert run.wait() == 0, run.stderr()
    assert _manifest(tmp_path)["state"] == "complete"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_before_anything_is_sent_leaves_nothing(
    alertsim: Start, tmp_path: Path, number: signal.Signals
) -> None:
    run = alertsim(*SLOW)
    run.wait_for("EXERCISE only")
    run.send(number)
    assert run.wait() == 105, run.stderr()
    assert "Traceback" not in run.stderr()
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_while_a_broker_keeps_silent(
    alertsim: Start, tmp_path: Path, number: signal.Signals
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        run = alertsim(*SLOW, "--broker", f"mqtt://127.0.0.1:{port}")
        run.wait_for("broker: external")
        time.sleep(0.3)
        run.send(number)
        assert run.wait() == 105, run.stderr()
    assert not (tmp_path / "runs").exists()


def test_directory_that_was_there_before_is_not_removed(alertsim: Start, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    run = alertsim("run", "drill-minimal", "--broker", "mqtt://127.0.0.1:1", "--out", "mine")
    assert run.wait() == 106
    assert list((tmp_path / "mine").iterdir()) == []


def test_run_inside_a_run_is_refused(alertsim: Start, tmp_path: Path) -> None:
    (tmp_path / "runs" / "old").mkdir(parents=True)
    (tmp_path / "runs" / "old" / "manifest.json").write_text("{}")
    run = alertsim("run", "drill-minimal", "--out", "runs/old")
    assert run.wait() == 104
    assert "--out runs" in run.stderr()


def test_full_disk_costs_the_report_and_not_the_account(alertsim: Start, tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The page alone is larger than this; every other file is smaller.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))
    try:
        run = alertsim(
            *("run", "drill-minimal", "--speed", "6000", "--subscribers", "5", "--out", "runs"),
            "--json",
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert run.wait() == 105, run.stderr()
    assert run.document()["ledger"]["total"]["delivered"] == 5
    manifest = _manifest(tmp_path)
    assert (manifest["state"], manifest["exit_code"]) == ("incomplete", 105)
    assert "report.html" in str(manifest["reason"])
