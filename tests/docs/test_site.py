"""The documentation as a site: built without a warning, whole, and at home on the reader's disk."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOADING = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("link", "href"),
}
LONG = {"validation.md", "benchmarks.md", "decisions.md"}  # generated, or a list that grows


class _Page(HTMLParser):
    """What a page loads when it is opened, and images without a text in their place."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        passive = tag == "link" and given.get("rel") in {"canonical", "next", "prev"}
        if not passive:
            self.loads += [value or "" for name, value in attrs if (tag, name) in LOADING]
        if tag == "img" and not given.get("alt"):
            self.silent.append(given.get("src") or "?")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    assert "not included in the" not in built.stderr
    return folder


def test_no_page_asks_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for path in pages:
        page = _Page()
        page.feed(path.read_text(encoding="utf-8"))
        assert page.loads
        assert not [each for each in page.loads if re.match(r"(https?:)?//", each)], path
        assert not page.silent, path
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", style.read_text(encoding="utf-8"))


def test_the_search_index_holds_every_kind_of_page(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    for words in ("lead time", "mqtts://", "alertsim_delivery_latency_seconds"):
        assert words in index


def test_what_is_no_page_stays_out(site: Path) -> None:
    assert not list(site.glob("*.py"))
    assert not list(site.rglob("node_modules"))
    assert (site / "examples" / "receipt_client_paho.py").is_file()
    assert (site / "reference" / "asyncapi.yaml").is_file()


def test_pages_written_by_hand_are_short() -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        name = path.relative_to(ROOT / "docs").as_posix()
        if name.startswith("reference/") or name in LONG or "node_modules" in name:
            continue
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 210, name
