"""Every command of the README works, in its order, in an empty directory; every link leads on."""

import re
from pathlib import Path

import pytest

from tests.docs.fences import COMMANDS, ROOT, Page, blocks_of, skipped

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.timeout(300)
def test_every_command_of_the_readme(tmp_path: Path) -> None:
    page = Page(folder=tmp_path)
    page.play(README)
    assert page.commands == 7  # blocks
    assert len(page.background) == 2  # the service, and a publisher that waits for its client
    assert len(list((tmp_path / "measured").iterdir())) == 1


def test_what_the_readme_does_not_run_runs_elsewhere() -> None:
    assert list(skipped(README)) == [
        "continuous integration calls these two",
        "a complete project with this test is run by tests/run",
    ]
    pipeline = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    called = next(each for each in blocks_of(README) if each.language in COMMANDS).body
    assert called.split("\n")[:2] == ["make run", "make test"]
    assert all(f"\n{line}" in pipeline for line in called.splitlines())


def test_the_readme_fits_a_reader() -> None:
    assert len(README.splitlines()) < 130
    assert README.count("![") == README.count("](docs/images/") <= 2


def test_every_link_of_the_readme_and_docs_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "config" / "README.md"]:
        if "node_modules" in page.parts:
            continue
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
