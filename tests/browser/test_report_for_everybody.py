"""The report for who sees it badly or uses no mouse: axe-core finds nothing, keys reach all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.test_report_page import DESKTOP, PHONE, opened, until

pytestmark = [pytest.mark.browser, pytest.mark.npm]
PageOf = Callable[[str], Path]


def faults(page: Any, axe: str) -> list[str]:
    """What axe-core finds, each with the first place it finds it at."""
    page.evaluate(axe)  # the page's policy forbids a script element
    found = page.evaluate("axe.run(document, {iframes: false})")
    return [
        f"{one['impact']} {one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
    ]


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("trouble", ("light", DESKTOP, "en")),
        ("repeated", ("dark", PHONE, "ja")),
        ("killed", ("light", PHONE, "en")),
    ],
)
def test_axe_finds_no_fault(
    browser: Browser,
    page_of: PageOf,
    npm_modules: Path,
    kind: str,
    seen: tuple[str, tuple[int, int], str],
) -> None:
    scheme, size, language = seen
    axe = (npm_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    with opened(browser, page_of(kind), size, scheme) as (page, _):
        if language == "ja":
            page.click("[data-language-switch]")
            until(page, "document.documentElement.lang === 'ja'")
        assert faults(page, axe) == []


def test_keys_alone_reach_the_switch_the_contents_the_folds_and_the_command(
    browser: Browser, page_of: PageOf
) -> None:
    with opened(browser, page_of("complete")) as (page, _):
        reached = []
        for _ in range(120):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate(
                    "() => { const at = document.activeElement; return at.id || at.tagName +"
                    " (at.dataset.copy || at.getAttribute('href') || ''); }"
                )
            )
            if reached[-1] == "BUTTONcommand":
                break
        assert reached[0] == "BUTTON"
        assert "A#ledger" in reached
        assert "SUMMARY" in reached
        assert reached[-1] == "BUTTONcommand"
