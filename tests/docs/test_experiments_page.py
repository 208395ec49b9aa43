"""Every command of docs/experiments.md works, in its order, in one directory."""

import re
from pathlib import Path

import pytest

from simulator.thresholds.gates import parse_gate
from tests.docs.fences import ROOT, Page

PAGE = (ROOT / "docs" / "experiments.md").read_text("utf-8")


@pytest.mark.timeout(300)
def test_every_command_of_the_page_on_experiments(tmp_path: Path) -> None:
    page = Page(folder=tmp_path)
    page.play(PAGE)
    assert page.commands == 3  # blocks
    files = re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE)
    assert files
    assert set(files) <= {one.name for one in (tmp_path / "many").iterdir()}


def test_every_condition_of_the_page_is_understood() -> None:
    conditions = re.findall(r"^\| `([^`]* [<>] [^`]*)` \|", PAGE, re.MULTILINE)
    assert len(conditions) == 4
    for condition in conditions:
        assert parse_gate(condition).expression == condition
