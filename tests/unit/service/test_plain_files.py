"""What somebody puts into the store by hand: no link is followed, no pipe is waited for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.clock import ManualClock
from simulator.errors import ConfigurationError, OutputError
from simulator.service.experiments_store import ExperimentStore
from simulator.service.plain_files import read_plain
from simulator.service.schedules_store import ScheduleStore
from simulator.service.store import FILES, Store
from tests.unit.service.application import keep_run

Strange = Callable[[Path], None]


def _link(path: Path) -> None:
    secret = path.parent / "secret"
    secret.write_text('{"n": 1}')
    path.symlink_to(secret)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.mkdir()


OPEN = Path("/proc/self/fd")
strange = pytest.mark.parametrize("put", [_link, _pipe, _device, _folder])


def _store(folder: Path) -> Store:
    store = Store(folder, ManualClock())
    store.open()
    return store


@strange
def test_nothing_strange_is_read(tmp_path: Path, put: Strange) -> None:
    put(tmp_path / "strange")
    before = len(list(OPEN.iterdir()))
    with pytest.raises(OSError, match=r"plain|links|directory"):
        read_plain(tmp_path / "strange", 1000)
    assert len(list(OPEN.iterdir())) == before


def test_nothing_larger_than_ours_is_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 11)
    with pytest.raises(OSError, match="larger"):
        read_plain(tmp_path / "large", 10)
    assert read_plain(tmp_path / "large", 11) == b"x" * 11


@strange
def test_a_strange_manifest_is_said_to_be_unreadable(tmp_path: Path, put: Strange) -> None:
    store = _store(tmp_path)
    (tmp_path / "one").mkdir()
    put(tmp_path / "one" / "manifest.json")
    (kept,) = store.kept().values()
    assert kept.state == "unreadable"
    assert "manifest.json" not in store.files("one")
    store.close()


@strange
def test_strange_files_of_a_run_are_not_handed_out(tmp_path: Path, put: Strange) -> None:
    store = _store(tmp_path)
    folder = keep_run(tmp_path, "one")
    for name in FILES.keys() - {"manifest.json"}:
        put(folder / name)
    assert store.files("one") == ("manifest.json",)
    store.close()


@strange
def test_strange_records_and_snapshots_are_left_out(tmp_path: Path, put: Strange) -> None:
    store = _store(tmp_path)
    for kind in ("runs", "snapshots"):
        put(tmp_path / ".service" / kind / "one.json")
    assert store.records() == []
    assert store.snapshot("one") is None
    store.close()


def test_what_the_service_keeps_is_not_kept_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / ".service").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is a link"):
        _store(tmp_path / "store")


@strange
def test_strange_experiments_are_left_out(tmp_path: Path, put: Strange) -> None:
    store = ExperimentStore(tmp_path)
    folder = tmp_path / "experiments" / "20200101t000000-0000"
    folder.mkdir(parents=True)
    put(folder / "order.json")
    (folder / "result").symlink_to(tmp_path)
    (tmp_path / "summary.json").write_text("{}")
    assert store.records() == []
    assert store.files(folder.name) == ()


@strange
def test_strange_schedules_are_refused_and_left_alone(tmp_path: Path, put: Strange) -> None:
    put(tmp_path / "schedules.json")
    put(tmp_path / "schedules-state.json")
    store = ScheduleStore(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        store.read()
    assert store.read_states() == {}
    assert os.path.lexists(tmp_path / "schedules.json")
