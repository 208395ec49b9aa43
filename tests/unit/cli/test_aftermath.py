"""What --quiet leaves of the commands after and beside a run."""

from pathlib import Path
from types import SimpleNamespace

import pytest

import simulator.report
from simulator.cli.aftermath import doctor_command, report_command
from simulator.report.manifest import Manifest, dump_manifest


def test_a_quiet_doctor_says_what_is_wrong_with_a_broker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        doctor_command(broker="mqtt://127.0.0.1:1", quiet=True)
    said = capsys.readouterr()
    assert caught.value.code == 106
    assert said.out == ""
    assert said.err.startswith("error")
    assert "remedy: is the broker running" in said.err


def test_a_quiet_report_keeps_the_form_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = SimpleNamespace(
        pieces=lambda form: iter([form]),
        summary_document=dict,
        source=SimpleNamespace(notices=()),
    )
    monkeypatch.setattr(simulator.report, "regenerate", lambda *_, **__: made)
    report_command(Path("run"), form="csv", quiet=True)
    assert capsys.readouterr().out == "csv\n"
    report_command(Path("run"), quiet=True)
    assert capsys.readouterr().out == ""


def test_a_directory_that_holds_runs_is_reported_by_its_newest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, day in (("one", 2), ("two", 1)):
        (tmp_path / name).mkdir()
        manifest = Manifest(run=name, started=f"2026-11-0{day}T00:00:00+00:00", seed=1)
        (tmp_path / name / "manifest.json").write_bytes(dump_manifest(manifest))
    asked: list[Path] = []

    def regenerate(directory: Path, *_: object) -> SimpleNamespace:
        asked.append(directory)
        source = SimpleNamespace(notices=())
        return SimpleNamespace(pieces=lambda _: iter([]), summary_document=dict, source=source)

    monkeypatch.setattr(simulator.report, "regenerate", regenerate)
    report_command(tmp_path)
    report_command(tmp_path / "two")
    assert asked == [tmp_path / "one", tmp_path / "two"]
    assert capsys.readouterr().err == f"the newest run in {tmp_path}: {tmp_path / 'one'}\n"
