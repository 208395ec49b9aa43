"""Every command, program and sample of the documentation is run as its reader would run it."""

import re
from pathlib import Path

import pytest

from simulator.delivery.runtime_file import RuntimeFile
from tests.docs.fences import ROOT, Page, blocks_of, skipped

DOCS = ROOT / "docs"
OWN_TESTS = {"experiments.md", "notebooks.md", "scale.md"}
"""Pages whose commands a test of their own runs or checks."""
PAGES = sorted(
    name
    for path in DOCS.rglob("*.md")
    if "```" in path.read_text(encoding="utf-8")
    and (name := path.relative_to(DOCS).as_posix()) not in OWN_TESTS
    and not name.startswith("reference/")
)
NEEDS_MOSQUITTO = {"how-to/measure-your-broker.md", "how-to/use-tls.md"}
NEEDS_CHROMIUM = {"how-to/japanese-and-print.md"}
REASONS = {
    "a complete project with this test is run by tests/run",
    "changes the system",
    "needs a broker on another host",
    "needs a cluster",
    "needs a container engine",
    "needs Prometheus",
    "needs the network",
}
"""Why a block may stay unrun: a new reason is a decision."""


def _marked(name: str) -> object:
    marks = [pytest.mark.mosquitto] * (name in NEEDS_MOSQUITTO)
    marks += [pytest.mark.browser] * (name in NEEDS_CHROMIUM)
    return pytest.param(name, marks=marks, id=name.removesuffix(".md"))


@pytest.mark.parametrize("name", [_marked(name) for name in PAGES])
def test_everything_on_the_page_works(name: str, tmp_path: Path) -> None:
    Page(folder=tmp_path).play((DOCS / name).read_text(encoding="utf-8"))


def test_few_blocks_stay_unrun_and_each_says_why() -> None:
    pages = [*PAGES, *sorted(OWN_TESTS)]
    unrun = [why for name in pages for why in skipped((DOCS / name).read_text(encoding="utf-8"))]
    assert set(unrun) == REASONS
    assert len(unrun) <= 12


def test_no_command_hides_in_an_indented_block() -> None:
    for path in DOCS.rglob("*.md"):
        if path != DOCS / "examples" / "README.md" and "node_modules" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"^ {4}(alertsim|python|docker|pip) ", text, re.MULTILINE), path


def test_a_page_speaks_to_its_own_broker_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, elsewhere = tmp_path / "page", tmp_path / "elsewhere"
    (page / ".runtime").mkdir(parents=True)
    elsewhere.mkdir()
    for folder, first in ((page / ".runtime", 2001), (elsewhere, 3001)):
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        ports = {"3.1.1": first, "5": first + 1}
        RuntimeFile.write(kind="embedded", ports=ports, root="alertsim", started_ns=first)
    said = Page(folder=page)
    said.play("```console\necho 18831 and 18835\necho $XDG_RUNTIME_DIR\n```\n")
    assert said.said == f"2001 and 2002\n{page / '.runtime'}\n"


def test_pages_are_read_block_by_block() -> None:
    assert len(PAGES) >= 15
    for name in PAGES:
        assert blocks_of((DOCS / name).read_text(encoding="utf-8"))
