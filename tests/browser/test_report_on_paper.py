"""The report on paper: A4, every sheet marked as an exercise, no picture cut or lost."""

import io
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PageObject, PdfReader

from tests.browser.test_report_page import opened

pytestmark = pytest.mark.browser

A4_PT, SHEET_PX, SHEET_HEIGHT_PX = (595, 842), 680, 990
PageOf = Callable[[str], Path]


def printed(page: Page) -> list[PageObject]:
    """The page as it leaves the printer, sheet by sheet."""
    return list(PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages)


def text_of(sheet: PageObject) -> str:
    """Its text, ligatures and runs of spaces taken apart."""
    return " ".join(unicodedata.normalize("NFKC", sheet.extract_text()).split())


@pytest.mark.parametrize("kind", ["trouble", "killed"])
def test_every_sheet_is_a4_numbered_and_marked_as_an_exercise(
    browser: Browser, page_of: PageOf, kind: str
) -> None:
    with opened(browser, page_of(kind)) as (page, complaints):
        sheets = printed(page)
        assert (4 if kind == "trouble" else 2) <= len(sheets) <= 20
        for number, sheet in enumerate(sheets, 1):
            box = sheet.mediabox
            assert (round(box.width), round(box.height)) == A4_PT
            text = text_of(sheet)
            assert "【訓練】 EXERCISE" in text
            assert f"{number} / {len(sheets)}" in text
        assert complaints.found == []


def test_what_is_folded_away_is_printed_but_not_the_scenario(
    browser: Browser, page_of: PageOf
) -> None:
    with opened(browser, page_of("complete")) as (page, _):
        text = " ".join(map(text_of, printed(page)))
        assert "Simulated stages before a message" in text
        assert "By effective QoS" in text
        assert "schema_version" not in text
        assert page.locator("details[open]").count() == 0


@pytest.mark.parametrize("kind", ["trouble", "repeated"])
def test_pictures_and_tables_fit_the_sheet(browser: Browser, page_of: PageOf, kind: str) -> None:
    with opened(browser, page_of(kind)) as (page, _):
        page.emulate_media(media="print")
        page.set_viewport_size({"width": SHEET_PX, "height": SHEET_HEIGHT_PX})
        page.wait_for_timeout(500)
        for figure in page.locator("figure").all():
            box = figure.bounding_box()
            assert box is not None
            assert box["height"] < SHEET_HEIGHT_PX
            assert page.evaluate(
                "(figure) => [...figure.querySelectorAll('.main-svg')].every((svg) =>"
                " svg.getBoundingClientRect().right <= figure.getBoundingClientRect().right + 1)",
                figure.element_handle(),
            )
        assert page.evaluate("document.documentElement.scrollWidth") <= SHEET_PX
        narrow = page.evaluate(
            "[...document.querySelectorAll('tbody th')].filter((cell) =>"
            " cell.textContent.length > 3 && cell.clientWidth && cell.clientWidth < 20)"
            ".map((cell) => cell.textContent)"
        )
        assert narrow == []
