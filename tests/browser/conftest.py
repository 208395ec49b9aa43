"""A real browser without a network, and pages to open in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from simulator.report import regenerate
from tests.unit.report.conftest import KINDS
from tests.unit.report.made_run import make_run

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Path of ``report.html`` of a kind of run."""
    made: dict[str, Path] = {}

    def page(kind: str) -> Path:
        if kind not in made:
            wanted, killed = KINDS[kind]
            run = make_run(tmp_path_factory.mktemp(kind), wanted, killed=killed)
            made[kind] = regenerate(run).page
        return made[kind]

    return page
