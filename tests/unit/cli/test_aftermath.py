"""What --quiet leaves of the commands after and beside a run."""

from pathlib import Path
from types import SimpleNamespace

import pytest

import simulator.report
from simulator.cli.aftermath import doctor_command, report_command


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
