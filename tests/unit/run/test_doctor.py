"""The doctor looks; it does not assume."""

import resource
import shutil
import socket

import pytest

from simulator.run import doctor


def test_everything_is_looked_at_and_nothing_is_wrong_here() -> None:
    findings = doctor.examine()
    assert {"open files", "receive stamps", "embedded broker", "mosquitto", "running"} <= {
        finding.subject for finding in findings
    }
    assert not [finding for finding in findings if finding.level == "error"]
    text = "\n".join(finding.line() for finding in findings)
    assert "3.1.1 listener" in text
    assert "remedy:" in text


def test_taken_port_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(doctor, "_EMBEDDED_PORTS", {"5": taken.getsockname()[1]})
        (finding,) = doctor._ports()
    assert finding.level == "note"
    assert "in use" in finding.text


def test_few_descriptors_come_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (1024, 20_000))
    finding = doctor._descriptors()
    assert finding.level == "warning"
    assert finding.remedy == "ulimit -n 20000"


def test_missing_packages_and_stamps_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "package_versions", lambda: {"simpy": "not installed"})
    monkeypatch.setattr(doctor, "kernel_stamps_available", lambda _clock: False)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert doctor._versions()[-1].level == "error"
    assert doctor._stamps().level == "warning"
    assert "not installed" in doctor._mosquitto().text
