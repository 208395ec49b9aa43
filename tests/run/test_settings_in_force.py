"""What a setting promises is seen from outside: on the wire, in the ledger, at the broker."""

import json
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from tests.run.ear import ALERTS, STATES, listening
from tests.run.processes import Alertsim, wait_until

Start = Callable[..., Alertsim]

DRILL = ("run", "drill-minimal", "--speed", "6000", "--subscribers", "4", "--json")
PUBLISH = ("publish", "tohoku-2022-11-03", "--speed", "6000", "--wait-for-clients", "1", "--json")


def test_root_stands_before_everything_that_is_published(alertsim: Start) -> None:
    run = alertsim(*DRILL, "--root", "exercise/team-2", "--wait-for-clients", "1")
    with listening(run.port("3.1.1"), root="exercise/team-2") as ear:
        assert run.wait() == 0, run.stderr()
    assert run.document()["ledger"]["total"]["delivered"] == 4
    assert len(ear.below(ALERTS)) == 2
    assert {topic.partition("/v1/")[0] for topic, _, _ in ear.heard} == {"exercise/team-2"}


def test_late_after_nothing_makes_every_copy_late(
    alertsim: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTSIM_LATE_AFTER", "0s")
    run = alertsim(*DRILL)
    assert run.wait() == 0, run.stderr()
    summary = run.document()
    assert summary["run"]["late_after_ns"] == 0
    total = summary["ledger"]["total"]
    assert (total["expected"], total["late"], total["delivered"]) == (4, 4, 0)


def test_subscribers_may_ask_for_less_than_is_published(alertsim: Start, tmp_path: Path) -> None:
    run = alertsim(*DRILL, "--qos", "1", "--subscribe-qos", "0", "--out", "runs")
    assert run.wait() == 0, run.stderr()
    by_qos = run.document()["ledger"]["by_qos"]
    assert {entry["name"]: entry["counts"]["delivered"] for entry in by_qos} == {"0": 4}
    (directory,) = (tmp_path / "runs").iterdir()
    assert pl.read_parquet(directory / "deliveries.parquet")["qos"].to_list() == [0] * 4


@pytest.mark.parametrize(
    ("option", "kernel", "user"), [("--kernel-stamps", 4, 0), ("--no-kernel-stamps", 0, 4)]
)
def test_receive_stamps_are_of_the_kind_asked_for(
    alertsim: Start, option: str, kernel: int, user: int
) -> None:
    run = alertsim(*DRILL, option)
    assert run.wait() == 0, run.stderr()
    clocks = run.document()["clocks"]
    assert (clocks["kernel_stamps"], clocks["user_stamps"]) == (kernel, user)


def test_cap_times_and_status_are_as_asked_for(
    alertsim: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTSIM_STATUS", "Test")
    monkeypatch.setenv("ALERTSIM_EXPIRES_AFTER", "90s")
    run = alertsim(*PUBLISH, "--cap-clock", "scenario")
    with listening(run.port("3.1.1")) as ear:
        assert run.wait() == 0, run.stderr()
        wait_until(lambda: len(ear.below(ALERTS)) == 9, 20)
    first = [each["data"] for each in ear.alerts()][:3]
    assert {each["simulation"]["event"] for each in first} == {"launch"}
    assert {each["status"] for each in first} == {"Test"}
    assert {each["sent"] for each in first} == {"2022-11-03T07:50:00+09:00"}
    validity = {(each["info"][0]["effective"], each["info"][0]["expires"]) for each in first}
    assert validity == {("2022-11-03T07:50:00+09:00", "2022-11-03T07:51:30+09:00")}


@pytest.mark.parametrize(("kept", "client"), [(True, "wire"), (False, "wire"), (False, "aiomqtt")])
def test_states_are_published_unless_turned_off(
    alertsim: Start, monkeypatch: pytest.MonkeyPatch, *, kept: bool, client: str
) -> None:
    monkeypatch.setenv("ALERTSIM_STATE", str(kept).lower())
    run = alertsim(*PUBLISH, "--client", client)
    with listening(run.port("3.1.1")) as ear:
        assert run.wait() == 0, run.stderr()
        wait_until(lambda: len(ear.below(ALERTS)) == 9, 20)
    places = {topic.rpartition("/")[2] for topic, payload, _ in ear.below(STATES) if payload}
    assert places == ({"miyagi", "yamagata", "niigata"} if kept else set())
    if not kept:
        assert ear.below(STATES) == []


@pytest.mark.parametrize("option", [(), ("--allow-host", "broker.example")])
def test_another_host_needs_to_be_allowed(
    alertsim: Start, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...]
) -> None:
    command = (*DRILL, "--broker", "mqtt://broker.example")
    refused = alertsim(*command, "--allow-host", "elsewhere.example")
    assert refused.wait() == 104, refused.stderr()
    assert "allow-list" in refused.stderr()
    if not option:
        monkeypatch.setenv("ALERTSIM_ALLOW_HOSTS", "other.example,broker.example")
    tried = alertsim(*command, *option)
    assert tried.wait() == 106, tried.stderr()  # no host can have this name (RFC 2606)
    assert "broker.example" in tried.stderr()


class Mosquitto:
    """A mosquitto with rules of its own, whose log is read.

    Args:
        folder: for its files.
        rules: its access rules; None: everybody may do everything.
    """

    def __init__(self, folder: Path, rules: str | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._log, self._rules = folder / "mosquitto.log", folder / "rules.acl"
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "log_type all"]
        if rules is not None:
            self._rules.write_text(rules, encoding="utf-8")
            self._rules.chmod(0o600)
            lines += [f"acl_file {self._rules}", "user root"]
        config = folder / "rules.conf"
        config.write_text("\n".join([*lines, ""]), encoding="utf-8")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with self._log.open("w") as log:
            self.process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
        self.url = f"mqtt://127.0.0.1:{self.port}"

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def change_rules(self, rules: str) -> None:
        """Replace the access rules; returns when they are in force."""
        self._rules.write_text(rules, encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "Reloading config" in self.log(), 10)


@contextmanager
def _mosquitto(folder: Path, rules: str | None = None) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, rules)
    try:
        wait_until(lambda: "running" in broker.log(), 10)
        yield broker
    finally:
        broker.process.kill()
        broker.process.wait()


EVERYTHING = "topic readwrite #\n"
NO_PROBE = "topic readwrite #\ntopic deny alertsim/v1/probe/#\n"


@pytest.mark.mosquitto
@pytest.mark.parametrize(("session", "flag"), [("clean", "c1"), ("persistent", "c0")])
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_session_of_the_subscribers_is_as_asked_for(
    alertsim: Start, tmp_path: Path, protocol: str, session: str, flag: str
) -> None:
    with _mosquitto(tmp_path) as broker:
        run = alertsim(*DRILL, "--broker", broker.url, "--session", session, "--protocol", protocol)
        assert run.wait() == 0, run.stderr()
        assert run.document()["ledger"]["total"]["delivered"] == 4
        # "New client connected from ADDRESS as CLIENT (p5, c0, k60)"; the first is the run's own,
        # a second comes after the run to make the broker forget.
        connected = re.findall(r" as (\S+-swarm-\d+) \(p\d, (c\d),", broker.log())
    first: dict[str, str] = {}
    for client, clean in connected:
        first.setdefault(client, clean)
    assert len(first) == 4
    assert set(first.values()) == {flag}


@pytest.mark.mosquitto
def test_hold_keeps_every_connection_until_it_ends(alertsim: Start, tmp_path: Path) -> None:
    with _mosquitto(tmp_path) as broker:
        run = alertsim(*DRILL, "--broker", broker.url, "--hold", "300s")
        run.wait_for("hold:")
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(3)  # a run that ends here did not hold; a slow one only hides it
        with listening(broker.port) as ear:
            wait_until(lambda: bool(ear.below("/v1/status/ear")), 20)
        held = broker.log()
        run.send(signal.SIGINT)
        run.wait()
        ended = broker.log()
    assert run.document()["ledger"]["total"]["delivered"] == 4
    guests = set(re.findall(r" as (\S+-(?:swarm-\d+|control-\d+|publisher)) ", held))
    assert len(guests) == 4 + 10 + 1
    assert guests.isdisjoint(re.findall(r"Received DISCONNECT from (\S+)", held))
    assert guests <= set(re.findall(r"Received DISCONNECT from (\S+)", ended))


@pytest.mark.mosquitto
def test_broker_that_delivers_nothing_is_refused_before_anything_is_sent(
    alertsim: Start, tmp_path: Path
) -> None:
    with _mosquitto(tmp_path, NO_PROBE) as broker:
        run = alertsim(*DRILL, "--broker", broker.url, "--out", "runs")
        assert run.wait() == 106, run.stderr()
        assert "delivers nothing" in run.stderr()
        assert "/alerts/" not in broker.log()
    assert not (tmp_path / "runs").exists()


@pytest.mark.mosquitto
def test_swarm_that_hears_no_probe_is_refused_before_anything_is_sent(
    alertsim: Start, tmp_path: Path
) -> None:
    with _mosquitto(tmp_path, EVERYTHING) as broker:
        # The slow ramp leaves time to take the right away that the first question still had.
        run = alertsim(*DRILL, "--broker", broker.url, "--ramp", "3")
        run.wait_for("connect:")
        broker.change_rules(NO_PROBE)
        assert "probe:" not in run.stderr()
        assert run.wait() == 106, run.stderr()
        assert "a probe message did not come through" in run.stderr()
        assert not re.search(r"Received PUBLISH from \S+ .*/alerts/", broker.log())
    assert "error" in json.loads(run.stdout())
