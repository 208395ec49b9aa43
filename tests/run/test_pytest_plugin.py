"""The pytest plugin: a receiver's own tests, in its own project, with assertions that tell."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulator.delivery.brokers import EmbeddedBroker
from simulator.errors import ConfigurationError
from simulator.testing.harness import AlertSim, PlayError
from simulator.testing.played import Played
from simulator.testing.stand_in import StandIn

SIREN = Path(__file__).resolve().parents[2] / "docs" / "examples" / "siren"
FAST = 3000


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertSim]:
    with EmbeddedBroker(announce=False) as broker:
        sim = AlertSim(broker, root="alertsim", folder=tmp_path_factory.mktemp("plays"))
        yield sim
        sim.close()


@pytest.fixture(scope="module")
def played(sim: AlertSim) -> Played:
    """Four receivers, each with its own way to be wrong."""
    stand_ins: list[StandIn] = []

    def hear(_client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        prefecture, event = message.topic.split("/")[-2:]
        good, deaf, twice, nosy = stand_ins
        if prefecture == "miyagi":
            good.received(message.payload)
            if event != "correction":
                deaf.received(message.payload)
            twice.received(message.payload)
            twice.received(message.payload.decode(), dup=True)
        if event == "launch":
            nosy.received(message.payload)

    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = hear
    client.connect(sim.host, sim.port)
    client.subscribe("alertsim/v1/alerts/+/+", qos=1)
    client.loop_start()
    for name, place in (("good", "miyagi"), ("deaf", "miyagi"), ("twice", "miyagi")):
        stand_ins.append(sim.stand_in(name, place))
    stand_ins.append(sim.stand_in("nosy", "okinawa"))
    try:
        # What the deaf one owes never comes, so the drain is waited out: long enough for the
        # receipts of the others on a busy machine.
        return sim.play("tohoku-2022-11-03", speed=FAST, drain="3s")
    finally:
        client.disconnect()
        client.loop_stop()
        for each in stand_ins:
            each.close()
            each.close()


def test_ledger_of_a_good_receiver(played: Played) -> None:
    assert sorted(played.receivers) == ["deaf", "good", "nosy", "twice"]
    assert played.events("miyagi") == ["launch", "passage", "correction"]
    assert len(played.identifiers("yamagata")) == 3
    played.assert_received_once("good")
    played.assert_nothing_unexpected("good")
    played.assert_within("good", "10s")
    counts = played.counts("good")
    assert (counts.expected, counts.delivered, counts.unexpected) == (3, 3, 0)
    assert [row["identifier"] for row in played.rows("good")] == played.identifiers("miyagi")


def test_assertions_name_who_missed_what(played: Played) -> None:
    missing = played.identifiers("miyagi")[2]
    with pytest.raises(AssertionError) as told:
        played.assert_received("deaf")
    assert str(told.value).startswith(
        "receiver deaf: 2 of 3 alerts for miyagi received; missing correction to miyagi (lost"
    )
    assert missing in str(told.value)
    played.assert_received("deaf", events=["launch", "passage"])
    with pytest.raises(AssertionError, match="deaf: 0 of 1 alerts for miyagi"):
        played.assert_received("deaf", events=["correction"])


def test_assertions_name_what_came_twice_or_was_not_theirs(played: Played) -> None:
    played.assert_received("twice")
    with pytest.raises(AssertionError, match="twice: 3 alerts came more than once: launch to miya"):
        played.assert_received_once("twice")
    with pytest.raises(AssertionError, match="nosy: 3 unexpected: wrong-area launch"):
        played.assert_nothing_unexpected()
    with pytest.raises(AssertionError, match="receiver good: 3 alerts took longer than 1ns"):
        played.assert_within("good", "1ns")
    with pytest.raises(AssertionError, match=r"fail \(exit 99\)"):
        played.assert_passed()


def test_assertions_never_pass_on_nothing(played: Played) -> None:
    with pytest.raises(AssertionError, match=r"nothing was owed to it; it subscribed to .*okinawa"):
        played.assert_received("nosy")
    with pytest.raises(AssertionError, match="siren-9 never registered; registered were "):
        played.assert_received("siren-9")
    with pytest.raises(AssertionError, match="nothing was owed"):
        played.assert_received("good", events=["intercepted"])


def test_play_that_cannot_be_says_why(sim: AlertSim) -> None:
    with pytest.raises(PlayError, match=r"exit code 104\n  error: .*no-such-scenario"):
        sim.play("no-such-scenario")
    with pytest.raises(ConfigurationError, match="qos"):
        sim.play("drill-minimal", qos=7)
    with pytest.raises(ValueError, match="say which prefectures"):
        sim.stand_in("nowhere")
    with pytest.raises(AssertionError, match="the siren sounds: not within 50ms"):
        sim.wait_until(lambda: False, "the siren sounds", within="50ms")


def test_play_that_takes_too_long_is_ended(sim: AlertSim) -> None:
    # Both wait side by side. A play's own processes come up within the wait for clients, too, so
    # that one cannot be short.
    deserted = sim.start("drill-minimal", clients=3, wait_timeout="8s")
    playing = sim.start("tohoku-2022-11-03", speed=60, clients=0, within="8s", wait_timeout="60s")
    with pytest.raises(
        PlayError, match=r"no correction to miyagi: .* not send it within 8s; sent "
    ):
        playing.wait_until_sent("correction", "miyagi")
    with pytest.raises(
        PlayError, match=r"not over within 8s; it was at: \w+.* Give it a higher speed"
    ):
        playing.finish()
    assert playing._process.poll() is not None
    with pytest.raises(PlayError, match="exit code 106\n  error: 0 of 3 clients came"):
        deserted.finish()


async def test_play_refuses_to_block_an_event_loop(sim: AlertSim) -> None:
    with pytest.raises(TypeError, match="await play_async"):
        sim.play("drill-minimal")
    played = await sim.play_async("drill-minimal", clients=0, subscribers=4, speed=FAST)
    played.assert_passed()
    assert played.run.deliveries().height == 4


def test_plugin_imports_nothing_heavy() -> None:
    check = (
        "import sys; import pytest; before = set(sys.modules); import simulator.pytest_plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "['simulator', 'simulator.pytest_plugin']\n"


# Each of these plays costs a process or two: a test of the example is played where it shows most.
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("-n", "2", "-k", "siren"), id="in parallel"),
        pytest.param(
            ("--alertsim-broker", "mosquitto", "-k", "board"),
            marks=pytest.mark.mosquitto,
            id="mosquitto",
        ),
        pytest.param(
            ("--alertsim-broker", "URL", "-k", "board", "-W", "error"), id="one that runs"
        ),
    ],
)
def test_example_project_passes_against_the_installed_package(
    sim: AlertSim, tmp_path: Path, options: tuple[str, ...]
) -> None:
    url = f"mqtt://{sim.host}:{sim.port}?protocol=3.1.1"
    project = shutil.copytree(SIREN, tmp_path / "siren")
    _passes(project, *(url if option == "URL" else option for option in options))


def test_workers_that_share_a_broker_part_by_topic(sim: AlertSim, tmp_path: Path) -> None:
    (tmp_path / "test_root.py").write_text(
        "def test_root(alertsim):\n"
        "    assert alertsim.root == 'alertsim/gw0'\n"
        "    played = alertsim.play('drill-minimal', speed=3000)\n"
        "    assert played.events('miyagi') == ['test']\n"
    )
    url = f"mqtt://{sim.host}:{sim.port}?protocol=3.1.1"
    _passes(tmp_path, "-n", "1", "--alertsim-broker", url)


def _passes(project: Path, *options: str) -> None:
    """Run the tests of a project as its owner would; every one of them passes."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=project,
        env=clean,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
