"""What bad input gets: file, line, field, value, remedy; exit 104; no traceback; nothing left."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run

DRILL = """\
schema: "1.0"
id: mine
title: Mine
fictional: true
epoch: "2026-09-01T10:00:00+09:00"
chain:
  profile: j-alert-2022
launches:
  - id: one
    at: "10:00"
    truth: {outcome: passed, at: "10:12"}
    belief: {event: launch, prefectures: [miyagi], arrival: "10:11", outcome: passage}
"""


def _refused(result: subprocess.CompletedProcess[str], *said: str) -> None:
    assert result.returncode == 104, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    for text in said:
        assert text in result.stderr, result.stderr


def test_the_drill_itself_is_valid(call: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(DRILL)
    result = call("validate", "mine.yaml")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[miyagi]", "[miyage]", ("mine.yaml:12", "miyage", "miyagi")),
        ("title: Mine", "titel: Mine", ("mine.yaml:3", "titel", "title")),
        ('at: "10:00"', "at: 10:00", ("mine.yaml:10", "10:00", '"10:00"')),
        ("[miyagi]", "[04]", ("mine.yaml:12", "04", '"04"')),
        ("title: Mine", "status: Actual\ntitle: Mine", ("mine.yaml:3", "Actual")),
        ("title: Mine", "title: &a Mine\ndescription: *a", ("mine.yaml:3",)),
        ("title: Mine", "title: !!python/object:os.system x", ("mine.yaml:3",)),
        (
            "  profile: j-alert-2022",
            "  profile: j-alert-2022\n  decision: {law: constant, value: 90}",
            ("mine.yaml:8", "90", "s"),
        ),
        (
            "  profile: j-alert-2022",
            "  profile: j-alert-2022\n  decision: {law: constant, value: -90s}",
            ("mine.yaml:8", "-90s"),
        ),
        (
            "  profile: j-alert-2022",
            "  profile: j-alert-2022\n  decision: {law: constant, value: .nan}",
            ("mine.yaml:8", ".nan"),
        ),
        (
            "  profile: j-alert-2022",
            '  profile: j-alert-2022\n  decision: {law: recorded, starts: "10:09", ends: "10:05"}',
            ("mine.yaml:8",),
        ),
        (
            "launches:",
            'thresholds: {latencey: ["max<1s"]}\nlaunches:',
            ("latencey",),
        ),
        ("id: mine", "id: mine\nextends: ./mine.yaml", ("mine.yaml:3", "extends")),
        ("id: mine", "id: mine\nid: yours", ("mine.yaml:3", "id")),
    ],
)
def test_scenario_errors_name_place_value_and_remedy(
    call: Run, tmp_path: Path, old: str, new: str, said: tuple[str, ...]
) -> None:
    assert old in DRILL
    (tmp_path / "mine.yaml").write_text(DRILL.replace(old, new, 1))
    _refused(call("run", "mine.yaml"), "mine.yaml", *said)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.yaml"]


def test_two_launches_with_one_id(call: Run, tmp_path: Path) -> None:
    launch = DRILL[DRILL.index("  - id: one") :]
    (tmp_path / "mine.yaml").write_text(DRILL + launch)
    _refused(call("validate", "mine.yaml"), "mine.yaml:13", "one")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty", b""),
        ("binary", bytes(range(256)) * 10),
        ("bomb", b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"),
        ("deep", b"[" * 100_000),
    ],
)
def test_files_that_are_no_scenario(call: Run, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / f"{name}.yaml").write_bytes(content)
    _refused(call("validate", f"{name}.yaml"), f"{name}.yaml", "remedy")


def test_hundred_megabytes_are_refused_unread(call: Run, tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(100_000_000)
    _refused(call("validate", "huge.yaml"), "huge.yaml")


def test_missing_file_and_directory(call: Run, tmp_path: Path) -> None:
    _refused(call("validate", "nowhere.yaml"), "nowhere.yaml")
    (tmp_path / "folder.yaml").mkdir()
    _refused(call("validate", "folder.yaml"), "folder.yaml")
    _refused(call("run", "tohoku-2022-11-3"), "tohoku-2022-11-03")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--speed", "0"), ("--speed", "'0'")),
        (("--speed", "nan"), ("--speed",)),
        (("--subscribers", "-3"), ("--subscribers", "-3")),
        (("--qos", "3"), ("--qos", "3")),
        (("--drain", "5"), ("--drain", "'5'", "250ms")),
        (("--threshold", "latency: max<1s"), ("latency",)),
        (("--threshold", "lost"), ("--threshold",)),
        (("--broker", "ftp://127.0.0.1"), ("--broker",)),
        (("--broker", "mqtt://127.0.0.1:99999"), ("--broker",)),
        (("--broker", "mqtt://broker.example"), ("broker.example", "ALERTSIM_ALLOW_HOSTS")),
        (("--root", "alerts/#"), ("alerts/#",)),
        (("--config", "nowhere.toml"), ("nowhere.toml",)),
        (("--nonsense",), ("--nonsense",)),
        (("--session", "persistent", "--qos", "0"), ("persistent",)),
    ],
)
def test_options_that_cannot_be(
    call: Run, tmp_path: Path, arguments: tuple[str, ...], said: tuple[str, ...]
) -> None:
    _refused(call("run", "drill-minimal", *arguments), *said)
    assert not list(tmp_path.iterdir())


def test_environment_and_file_are_checked_too(call: Run, tmp_path: Path) -> None:
    _refused(call("run", "drill-minimal", ALERTSIM_QOS="9"), "qos", "9")
    (tmp_path / "settings.toml").write_text("speeed = 3\n")
    _refused(call("run", "drill-minimal", "--config", "settings.toml"), "settings.toml", "speeed")
    (tmp_path / "settings.toml").write_text("speed = \n")
    _refused(call("run", "drill-minimal", "--config", "settings.toml"), "settings.toml", "TOML")


def test_output_that_cannot_be_written(call: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    _refused(call("run", "drill-minimal", "--out", "file"), "file", "--out")
    _refused(call("run", "drill-minimal", "--out", "/proc/runs"), "/proc", "--out")


def test_errors_are_one_json_document_with_json(call: Run) -> None:
    result = call("run", "drill-minimal", "--speed", "0", "--json")
    document = json.loads(result.stdout)
    assert document["exit_code"] == result.returncode == 104
    assert document["error"]["field"] == "--speed"
    assert document["error"]["remedy"]


def test_report_of_something_else(call: Run, tmp_path: Path) -> None:
    _refused(call("report", "nowhere"), "nowhere")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "manifest.json").write_text('{"schema_version": "1.0", "ru')
    _refused(call("report", "half"), "manifest.json", "truncated")


def test_subscribe_without_place_or_broker(call: Run, tmp_path: Path) -> None:
    runtime = str(tmp_path)
    _refused(call("subscribe", XDG_RUNTIME_DIR=runtime), "--prefecture")
    _refused(call("subscribe", "--prefecture", "atlantis", XDG_RUNTIME_DIR=runtime), "atlantis")
    alone = call("subscribe", "--all", XDG_RUNTIME_DIR=runtime)
    assert alone.returncode == 106
    assert "alertsim publish" in alone.stderr


def test_subscribe_says_how_it_ended(call: Run, tmp_path: Path) -> None:
    runtime = str(tmp_path)
    both = call("subscribe", "--all", "--prefecture", "miyagi", XDG_RUNTIME_DIR=runtime)
    _refused(both, "both")
    _refused(call("subscribe", "--all", "--timeout", "5", XDG_RUNTIME_DIR=runtime), "--timeout")
    named = call("subscribe", "--all", "--broker", "embedded", XDG_RUNTIME_DIR=runtime)
    assert named.returncode == 106


def test_timeline_file_that_exists_is_not_overwritten(call: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("mine")
    _refused(call("simulate", "drill-minimal", "--out", "mine.jsonl"), "mine.jsonl", "exists")
    assert (tmp_path / "mine.jsonl").read_text() == "mine"


def test_usage_errors_are_documents_too(call: Run) -> None:
    result = call("run", "--json", "--speeed", "3")
    assert result.returncode == 104
    assert json.loads(result.stdout)["exit_code"] == 104
    assert call().returncode == 0
