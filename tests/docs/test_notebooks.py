"""The page for notebooks is a doctest: what it says comes out."""

import doctest
from pathlib import Path

import pytest

import simulator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "notebooks.md"


def test_every_example_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert failed == 0
    assert tried > 12
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "report.html").is_file()


def test_every_name_stands_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in simulator.__all__:
        assert f"`{name}`" in text
        assert callable(getattr(simulator, name))
