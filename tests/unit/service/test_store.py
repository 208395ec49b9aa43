"""The store: nothing in a directory is trusted, and nothing in it makes a listing fail."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.clock import ManualClock
from simulator.errors import ConfigurationError, OutputError
from simulator.service.orders import RunOrder
from simulator.service.problems import problem_of
from simulator.service.records import RunRecord
from simulator.service.store import Store, shown

MANIFEST: dict[str, Any] = {
    "schema_version": "1.0",
    "run": "one",
    "state": "complete",
    "reason": "",
    "started": "2022-11-03T07:39:00+00:00",
    "ended": "2022-11-03T07:50:00+00:00",
    "command": ["alertsim", "run", "drill-minimal"],
    "seed": 1,
    "speed": 60.0,
    "scenario": {"id": "drill-minimal", "title": "A drill"},
    "settings": {"subscribers": 300, "root": "alertsim", "repeat": 1},
    "exit_code": 0,
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "runs", ManualClock())
    made.open()
    yield made
    made.close()


def put(store: Store, run: str, manifest: object) -> Path:
    folder = store.path / run
    folder.mkdir()
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    (folder / "manifest.json").write_text(text)
    return folder


def test_a_run_directory_says_what_it_is(store: Store) -> None:
    folder = put(store, "one", MANIFEST)
    (folder / "report.html").touch()

    (kept,) = store.kept().values()
    info = shown(kept, store.files("one"), writing=False)

    assert (info.state, info.outcome, info.subscribers) == ("complete", "pass", 300)
    assert info.scenario is not None
    assert info.scenario.title == "A drill"
    assert info.files == ("report.html", "manifest.json")


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("", "damaged"),
        ('{"run": "o', "damaged"),
        ("[]", "damaged"),
        ("[" * 100_000, "damaged"),
        ({"schema_version": "1.0"}, "damaged"),
        (MANIFEST | {"schema_version": "2.0"}, "another version of alertsim (schema 2.0)"),
        (MANIFEST | {"state": "nowhere"}, "damaged"),
        (MANIFEST | {"scenario": None}, "damaged"),
        (MANIFEST | {"started": "yesterday"}, "damaged"),
        (MANIFEST | {"speed": "fast"}, "damaged"),
        (MANIFEST | {"exit_code": "zero"}, "damaged"),
        (MANIFEST | {"seed": 10**400}, ""),
    ],
)
def test_one_that_cannot_be_read_is_listed_as_such(
    store: Store, manifest: object, reason: str
) -> None:
    put(store, "one", manifest)

    kept = store.kept()["one"]

    assert kept.state == ("unreadable" if reason else "complete")
    assert reason in kept.reason
    shown(kept, (), writing=False)


def test_one_that_was_killed_is_incomplete_and_one_that_is_written_says_so(store: Store) -> None:
    folder = put(store, "one", MANIFEST | {"state": "running", "exit_code": None, "ended": None})
    now = ManualClock().wall_ns()
    before = now - 3600 * 1_000_000_000
    for path in (folder / "manifest.json", folder):
        os.utime(path, ns=(before, before))
    kept = store.kept()["one"]
    assert not store.is_being_written(kept)
    killed = shown(kept, (), writing=False)
    assert (killed.state, killed.outcome) == ("incomplete", None)
    assert killed.reason

    os.utime(folder, ns=(now, now))

    assert store.is_being_written(kept)
    assert shown(kept, (), writing=True).state == "writing"


def test_a_manifest_is_read_again_only_when_it_changed(store: Store) -> None:
    folder = put(store, "one", MANIFEST)
    first = store.kept()["one"]
    assert store.kept()["one"] is first

    (folder / "manifest.json").write_text(json.dumps(MANIFEST | {"exit_code": 99}))

    assert store.kept()["one"].exit_code == 99


@pytest.mark.parametrize(
    "name", ["..", ".", "", ".service", "../one", "a/b", "one\0", "-x", "x" * 129, "é"]
)
def test_a_name_that_is_none_finds_nothing(store: Store, name: str) -> None:
    (store.path / ".service" / "manifest.json").write_text(json.dumps(MANIFEST))
    assert store.directory(name) is None
    assert store.file(name, "manifest.json") is None
    assert store.kept() == {}


def test_links_are_not_followed(store: Store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "manifest.json").write_text(json.dumps(MANIFEST))
    (store.path / "linked").symlink_to(elsewhere)
    folder = put(store, "one", MANIFEST)
    (folder / "report.html").symlink_to("/etc/passwd")

    assert store.directory("linked") is None
    assert set(store.kept()) == {"one"}
    assert store.file("one", "report.html") is None
    assert store.file("one", "passwd") is None


def test_two_services_cannot_share_it(store: Store) -> None:
    other = Store(store.path, ManualClock())
    with pytest.raises(ConfigurationError, match="another alertsim serve"):
        other.open()
    store.close()
    other.open()
    other.close()


def test_a_run_directory_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").touch()
    with pytest.raises(OutputError, match="itself a run directory"):
        Store(tmp_path, ManualClock()).open()


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        Store(tmp_path / "file", ManualClock()).open()


def record(run: str) -> RunRecord:
    return RunRecord(
        run=run,
        order=RunOrder(scenario="drill-minimal"),
        scenario="drill-minimal",
        title="A drill",
        created=datetime(2022, 11, 3, tzinfo=UTC),
    )


def test_records_come_back_and_damaged_ones_are_left_out(store: Store) -> None:
    store.save(record("one"))
    store.own("runs", "two.json").write_text("{")

    assert store.records() == [record("one")]


def test_a_deleted_run_is_gone_with_everything_kept_of_it(store: Store) -> None:
    put(store, "one", MANIFEST)
    store.save(record("one"))
    store.keep_scenario("one", "a: 1")
    store.keep_snapshot("one", b'{"n":7}')
    assert store.snapshot("one") == (7, b'{"n":7}')

    store.delete("one")

    assert store.kept() == {}
    assert store.records() == []
    assert store.snapshot("one") is None
    assert not list(store.path.rglob("one*"))


def test_a_full_disk_is_told_as_such(store: Store) -> None:
    # /dev/full is the one disk that is always full: the temporary file is made to be it.
    target = store.path / ".service" / "runs" / ".one.json.tmp"
    target.symlink_to("/dev/full")
    with pytest.raises(OutputError) as caught:
        store.save(record("one"))
    found = problem_of(caught.value)
    assert (found.status, found.type) == (507, "urn:alertsim:problem:disk-full")
    assert "free some space" in found.remedy


@pytest.mark.parametrize("kept", [b"", b"{", b"[]", b"{}", b'{"n":"7"}', b'{"n":7,\n\n"end":1}'])
def test_what_pages_were_told_is_one_whole_line_or_nothing(store: Store, kept: bytes) -> None:
    store.keep_snapshot("one", kept)

    assert store.snapshot("one") is None


@pytest.mark.parametrize("text", ["", '{"latency": {"n"', "[]", "\0" * 100, "[" * 100_000])
def test_a_run_whose_summary_is_damaged_is_not_complete(store: Store, text: str) -> None:
    folder = put(store, "one", MANIFEST)
    (folder / "summary.json").write_text("{}")
    assert [each.state for each in store.kept().values()] == ["complete"]

    (folder / "summary.json").write_text(text)

    (kept,) = store.kept().values()
    info = shown(kept, store.files("one"), writing=False)
    assert (info.state, info.outcome) == ("incomplete", "pass")
    assert "summary.json is damaged" in info.reason
