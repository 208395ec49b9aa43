"""The run directory is whole at every instant, and says so when it is not complete."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.errors import OutputError
from simulator.model.timeline import EventKind, Timeline, TimelineEvent
from simulator.report.manifest import Manifest
from simulator.report.run_directory import RunDirectory


def a_manifest(**changes: object) -> Manifest:
    return Manifest.model_validate(
        {"run": "r1", "started": "2022-11-03T07:39:00+09:00", "seed": 7} | changes
    )


def a_timeline() -> Timeline:
    event = TimelineEvent(number=0, at_ns=0, kind=EventKind.TRUTH, name="launch")
    return Timeline(
        scenario="s",
        title="発射",
        epoch=datetime(2022, 11, 3, tzinfo=UTC),
        seed=7,
        replication=0,
        version="0",
        events=(event,),
        alerts=(),
    )


def columns(first: int, count: int) -> dict[str, Any]:
    return {"alert": np.arange(first, first + count), "outcome": ["delivered"] * count}


def test_a_new_run_makes_missing_parents(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path / "deep" / "runs", "r1")
    assert directory.path == tmp_path / "deep" / "runs" / "r1"
    assert directory.path.is_dir()


def test_a_directory_that_holds_a_run_is_refused_and_untouched(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, "r1").write_manifest(a_manifest())
    before = (tmp_path / "r1" / "manifest.json").read_bytes()
    with pytest.raises(OutputError, match="already holds a run") as caught:
        RunDirectory.create(tmp_path, "r1")
    assert caught.value.remedy
    assert (tmp_path / "r1" / "manifest.json").read_bytes() == before


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        RunDirectory.create(tmp_path, "r1")


def test_an_empty_directory_is_used(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    assert RunDirectory.create(tmp_path, "r1").parts() == []


def test_a_file_in_the_place_of_either_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="not a directory"):
        RunDirectory.create(tmp_path / "file", "r1")
    with pytest.raises(OutputError, match="a file stands where"):
        RunDirectory.create(tmp_path, "file")


def test_a_file_further_up_the_path_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="remedy: a file stands where a directory is needed"):
        RunDirectory.create(tmp_path / "file" / "runs", "r1")


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a read-only file system")
def test_a_place_that_cannot_be_written_is_refused_with_a_remedy() -> None:
    with pytest.raises(OutputError, match="cannot be written") as caught:
        RunDirectory.create(Path("/sys/kernel"), "r1")
    assert "--out" in caught.value.remedy


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named_and_the_last_whole_file_stays(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_manifest(a_manifest(state="running"))
    # The temporary name leads to a device that is always full: a real ENOSPC.
    (directory.path / ".manifest.json.tmp").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left") as caught:
        directory.write_manifest(a_manifest(state="complete"))
    assert "free some space" in caught.value.remedy
    assert directory.manifest().state == "running"
    assert not (directory.path / ".manifest.json.tmp").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_at_the_clean_end_keeps_the_parts(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_part(columns(0, 3))
    (directory.path / ".deliveries.parquet.tmp").symlink_to("/dev/full")
    with pytest.raises(OutputError):
        directory.finish_deliveries()
    assert len(directory.parts()) == 1
    assert directory.scan_deliveries().collect().height == 3


def test_the_manifest_reads_back(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    manifest = a_manifest(state="complete", scenario={"title": "発射"}, command=["alertsim", "run"])
    directory.write_manifest(manifest)
    assert RunDirectory.open(tmp_path / "r1").manifest() == manifest


def test_the_timeline_reads_back_with_its_digest(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_timeline(a_timeline())
    assert directory.timeline() == a_timeline()


def test_parts_become_one_table_in_order_and_go(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    for number in range(12):
        directory.write_part(columns(number * 10, 10))
    assert directory.write_part(columns(0, 0)) is None
    assert len(directory.parts()) == 12
    before = directory.scan_deliveries().collect()
    target = directory.finish_deliveries()
    assert target.name == "deliveries.parquet"
    assert directory.parts() == []
    assert not (directory.path / "deliveries").exists()
    after = directory.scan_deliveries().collect()
    assert after.equals(before)
    assert after["alert"].to_list() == list(range(120))


def test_a_column_known_only_as_missing_in_one_part_takes_the_others_type(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_part({"alert": [1], "sent_ns": [None]})
    directory.write_part({"alert": [2], "sent_ns": [5]})
    directory.finish_deliveries()
    assert directory.scan_deliveries().collect()["sent_ns"].to_list() == [None, 5]


def test_a_killed_run_is_readable_from_its_parts(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_manifest(a_manifest())
    directory.write_part(columns(0, 10))
    # What a kill in the middle of a write leaves: a temporary file with half a table in it.
    whole = directory.parts()[0].read_bytes()
    (directory.path / "deliveries" / ".part-00001.parquet.tmp").write_bytes(whole[:100])
    opened = RunDirectory.open(directory.path)
    assert opened.manifest().state == "running"
    assert opened.summary_data() is None
    assert opened.scan_deliveries().collect().height == 10


def test_a_run_without_deliveries_ends_cleanly(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.finish_deliveries()
    assert directory.scan_deliveries().collect().height == 0


def test_opening_what_is_not_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no such directory"):
        RunDirectory.open(tmp_path / "absent")
    with pytest.raises(OutputError, match="not a run directory"):
        RunDirectory.open(tmp_path)
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(OutputError, match="not a run directory"):
        RunDirectory.open(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"run": "r1", "sta', "not whole JSON"),
        (b"", "not whole JSON"),
        (b"\xff\xfe\x00", "not whole JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b'{"schema_version": "2.0"}', "unknown schema version"),
        (b'{"run": "r1"}', "unknown schema version"),
        (b'{"schema_version": "1.0", "run": "r1", "started": ""}', "seed: not a manifest"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(OutputError, match=says) as caught:
        RunDirectory.open(tmp_path)
    assert caught.value.where == str(tmp_path / "manifest.json")


def test_a_manifest_of_a_later_minor_version_is_read(tmp_path: Path) -> None:
    data = json.loads(a_manifest().model_dump_json()) | {"schema_version": "1.9", "novelty": 1}
    (tmp_path / "manifest.json").write_text(json.dumps(data))
    assert RunDirectory.open(tmp_path).manifest().run == "r1"


def test_a_truncated_table_is_named(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_part(columns(0, 10))
    whole = directory.finish_deliveries()
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(OutputError, match="not a whole Parquet file") as caught:
        directory.scan_deliveries()
    assert caught.value.where == str(whole)


def test_a_table_that_vanished_is_named(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    (directory.path / "deliveries" / "part-00000.parquet").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="part-00000"):
        directory.scan_deliveries()


def test_a_timeline_that_is_missing_truncated_or_altered_is_named(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    with pytest.raises(OutputError, match=r"timeline\.jsonl: cannot be read"):
        directory.timeline()
    directory.write_timeline(a_timeline())
    path = directory.path / "timeline.jsonl"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[:-30], encoding="utf-8")
    with pytest.raises(OutputError, match="not a whole timeline"):
        directory.timeline()
    path.write_text(whole.replace(':"launch"', ':"landing"'), encoding="utf-8")
    with pytest.raises(OutputError, match="digest"):
        directory.timeline()


def test_an_unreadable_json_file_is_named(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    (directory.path / "summary.json").mkdir()
    with pytest.raises(OutputError, match=r"summary\.json: cannot be read"):
        directory.summary_data()


def test_the_summary_reads_back(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_summary(b'{"schema_version": "1.0"}')
    assert directory.summary_data() == {"schema_version": "1.0"}


def test_nothing_temporary_is_left(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path, "r1")
    directory.write_manifest(a_manifest())
    directory.write_timeline(a_timeline())
    directory.write_part(columns(0, 10))
    directory.finish_deliveries()
    assert sorted(path.name for path in directory.path.iterdir()) == [
        "deliveries.parquet",
        "manifest.json",
        "timeline.jsonl",
    ]
