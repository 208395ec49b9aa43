"""Runs for the report's tests, each made once: they are only read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.report.html import page
from simulator.report.source import ReportSource, read_source
from tests.unit.report.made_run import ABORTED, Wanted, make_run

HOSTILE = "<script>alert(1)</script>\"'&\u202e</title>|*x*"

KINDS: dict[str, tuple[Wanted, bool]] = {
    "complete": (Wanted(), False),
    "trouble": (Wanted(trouble=True, foreign="paho-1"), False),
    "hostile": (
        Wanted(trouble=True, title=HOSTILE, foreign=HOSTILE, client_prefix="<img src=x>"),
        False,
    ),
    "repeated": (Wanted(repeat=12), False),
    "aborted": (Wanted(ending=ABORTED), False),
    "killed": (Wanted(), True),
}


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The run directory of a kind; not to be changed."""
    made: dict[str, Path] = {}

    def run(kind: str) -> Path:
        if kind not in made:
            wanted, killed = KINDS[kind]
            made[kind] = make_run(tmp_path_factory.mktemp(kind), wanted, killed=killed)
        return made[kind]

    return run


@pytest.fixture(scope="session")
def source_of(run_of: Callable[[str], Path]) -> Callable[[str], ReportSource]:
    """The run of a kind, read."""
    read: dict[str, ReportSource] = {}

    def source(kind: str) -> ReportSource:
        if kind not in read:
            read[kind] = read_source(run_of(kind))
        return read[kind]

    return source


@pytest.fixture(scope="session")
def page_of(source_of: Callable[[str], ReportSource]) -> Callable[[str], str]:
    """The page of a kind of run, as text."""
    made: dict[str, str] = {}

    def made_page(kind: str) -> str:
        if kind not in made:
            made[kind] = page(source_of(kind))
        return made[kind]

    return made_page
