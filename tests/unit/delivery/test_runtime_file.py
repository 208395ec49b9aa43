import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from simulator.delivery.runtime_file import (
    RuntimeFile,
    running_brokers,
    runtime_folder,
)
from simulator.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def announce(port: int, started_ns: int = 1, root: str = "alertsim") -> RuntimeFile:
    ports = {"3.1.1": port, "5": port + 4}
    return RuntimeFile.write(kind="embedded", ports=ports, root=root, started_ns=started_ns)


def test_a_running_broker_is_found_with_all_that_a_client_needs() -> None:
    announce(18831, root="exercise")
    (found,) = running_brokers()

    assert found.pid == os.getpid()
    assert found.kind == "embedded"
    assert found.ports == {"3.1.1": 18831, "5": 18835}
    assert found.root == "exercise"


def test_several_are_listed_newest_first() -> None:
    announce(1, started_ns=5)
    announce(2, started_ns=9)
    announce(3, started_ns=7)

    assert [each.ports["3.1.1"] for each in running_brokers()] == [2, 3, 1]


def test_the_entry_of_a_stopped_broker_is_gone() -> None:
    entry = announce(1)
    entry.remove()
    entry.remove()

    assert running_brokers() == ()


def test_an_entry_is_for_this_user_alone() -> None:
    entry = announce(1)

    assert stat.S_IMODE(entry.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.path.parent.stat().st_mode) == 0o700


def test_an_entry_whose_process_is_gone_is_removed() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    entry = announce(1)
    content = json.loads(entry.path.read_text())
    entry.path.write_text(json.dumps(content | {"pid": gone.pid}))

    assert running_brokers() == ()
    assert not entry.path.exists()


def test_an_entry_of_an_earlier_process_with_the_same_id_is_removed() -> None:
    entry = announce(1)
    content = json.loads(entry.path.read_text())
    entry.path.write_text(json.dumps(content | {"birth": "1"}))

    assert running_brokers() == ()


@pytest.mark.parametrize("pid", ["gone", "init", "own"])
def test_where_births_are_unknown_the_process_id_alone_decides(pid: str) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    entry = announce(1)
    content = json.loads(entry.path.read_text())
    number = {"gone": gone.pid, "init": 1, "own": os.getpid()}[pid]
    entry.path.write_text(json.dumps(content | {"birth": "", "pid": number}))

    assert len(running_brokers()) == (pid != "gone")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1}', "null"])
def test_a_broken_entry_is_removed(text: str) -> None:
    path = runtime_folder() / "x.broker.json"
    path.write_text(text)

    assert running_brokers() == ()
    assert not path.exists()


def test_without_a_runtime_folder_the_temporary_one_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert runtime_folder() == tmp_path / f"alertsim-{os.getuid()}"


def test_a_folder_that_somebody_else_put_there_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "alertsim").symlink_to(elsewhere)

    with pytest.raises(ConfigurationError, match="somebody else"):
        runtime_folder()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "alertsim").write_text("")

    with pytest.raises(ConfigurationError, match="XDG_RUNTIME_DIR"):
        runtime_folder()
