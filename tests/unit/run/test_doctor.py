"""The doctor looks; it does not assume."""

import resource
import shutil
import socket
from pathlib import Path

import pytest

from simulator.run import doctor, doctor_brokers
from simulator.run.doctor_brokers import capacities


def test_everything_is_looked_at_and_nothing_is_wrong_here() -> None:
    findings = doctor.examine()
    assert {"open files", "receive stamps", "embedded broker", "mosquitto", "running"} <= {
        finding.subject for finding in findings
    }
    assert not [finding for finding in findings if finding.level == "error"]
    assert not [each for each in findings if each.level == "ok" and each.remedy]
    text = "\n".join(finding.line() for finding in findings)
    assert "3.1.1 listener" in text
    assert "remedy:" in text


def test_taken_port_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "PREFERRED_PORTS", (port, port))
        (finding,) = doctor._ports()
    assert finding.level == "note"
    assert f"in use: {port} (MQTT 3.1.1), {port} (MQTT 5)" in finding.text


@pytest.mark.parametrize(
    ("soft", "hard", "level"),
    [
        (1024, 20_000, "ok"),  # a worker raises its soft limit itself
        (20_000, 571, "ok"),
        (570, 570, "warning"),  # one less than 300 subscribers, 15 controls and the spare
        (16, resource.RLIM_INFINITY, "ok"),
    ],
)
def test_descriptors_are_judged_by_the_hard_limit(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, level: str
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (soft, hard))
    finding = doctor._descriptors()
    assert finding.level == level
    assert (str(hard) in finding.text) is (hard != resource.RLIM_INFINITY)
    assert ("ulimit -Hn" in finding.remedy) is (level == "warning")
    assert ("limits.conf" in finding.remedy) is (level == "warning")


def test_few_descriptors_leave_room_for_so_many_subscribers_and_their_controls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (300, 300))
    found = [doctor._descriptors(), *capacities()]
    assert {each.level for each in found[:4]} == {"warning"}
    for each in found[:4]:  # 44 connections, of which 10 are controls
        assert each.remedy.endswith("; or run with --subscribers 34 or fewer")
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (260, 260))
    assert "--subscribers 0" not in doctor._descriptors().remedy


def test_what_tls_and_a_slow_broker_carry_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: unlimited)
    monkeypatch.setattr(doctor_brokers, "_free_memory", lambda: 10**9)
    told = {each.text.partition(" with ")[2].partition(" (")[0]: each for each in capacities()}
    assert told["--broker amqtt"].text.endswith("; then ends: memory")
    plain, tls = told["a broker elsewhere"], told["a broker elsewhere over TLS"]
    assert tls.text.endswith("; then ends: memory")
    assert int(tls.text.split()[1]) < int(plain.text.split()[1])
    monkeypatch.setattr(doctor_brokers, "_free_memory", lambda: 10**12)
    amqtt = next(each for each in capacities() if "amqtt" in each.text)
    assert amqtt.text.startswith("about 14500 ")
    assert amqtt.text.endswith("; then ends: pace of the broker")


def test_missing_packages_and_stamps_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "package_versions", lambda: {"simpy": "not installed"})
    monkeypatch.setattr(doctor, "kernel_stamps_available", lambda _clock: False)
    monkeypatch.setattr(shutil, "which", lambda _name, **_options: None)
    assert doctor._versions()[-1].level == "error"
    assert doctor._stamps().level == "warning"
    mosquitto = doctor._mosquitto()
    assert "not installed" in mosquitto.text
    assert mosquitto.remedy.startswith("install it")


def test_without_the_embedded_broker_amqtt_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "package_versions", lambda: {"iotcore": "not installed"})
    assert [each.level for each in doctor._versions()] == ["ok", "ok"]
    (found,) = doctor._embedded()
    assert (found.level, "amqtt takes its place" in found.text) == ("note", True)
    monkeypatch.setattr(doctor, "amqtt_is_installed", lambda: False)
    (found,) = doctor._embedded()
    assert (found.level, "alertsim[amqtt]" in found.remedy) == ("warning", True)


def test_mosquitto_that_does_not_start_is_no_mosquitto(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "mosquitto"
    program.write_text("no program", encoding="utf-8")
    monkeypatch.setattr(doctor, "find_mosquitto", lambda: str(program))
    finding = doctor._mosquitto()
    assert (finding.level, "does not start" in finding.text) == ("warning", True)
