"""The page in a real browser, offline: it draws, fits the screen, complains about nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

pytestmark = pytest.mark.browser

DESKTOP, PHONE = (1280, 900), (390, 844)
PageOf = Callable[[str], Path]


class Complaints:
    """What a page did that an offline report must not do."""

    def __init__(self, page: Page) -> None:
        self.found: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("dialog", lambda dialog: self.found.append(f"dialog: {dialog.message}"))

    def _console(self, message: ConsoleMessage) -> None:
        self.found.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.found.append(f"request: {request.url}")


@contextmanager
def opened(
    browser: Browser, path: Path, size: tuple[int, int] = DESKTOP, scheme: Any = "light"
) -> Iterator[tuple[Page, Complaints]]:
    """The page, drawn, in a context without a network."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, offline=True, color_scheme=scheme
    )
    try:
        page = context.new_page()
        complaints = Complaints(page)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        yield page, complaints
    finally:
        context.close()


def until(page: Page, expression: str, timeout_ms: int = 30_000) -> None:
    """Wait until an expression is true. The page's policy forbids the library's own waiting."""
    for _ in range(timeout_ms // 100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never became true: {expression}")


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("complete", PHONE),
        ("hostile", DESKTOP),
        ("hostile", PHONE),
        ("repeated", DESKTOP),
        ("killed", PHONE),
    ],
)
def test_the_page_draws_offline_without_a_complaint_and_fits(
    browser: Browser, page_of: PageOf, kind: str, size: tuple[int, int]
) -> None:
    with opened(browser, page_of(kind), size) as (page, complaints):
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        places = page.query_selector_all("[data-figure]")
        assert len(places) == (3 if kind == "killed" else 8)
        for place in places:
            name = place.get_attribute("data-figure")
            marks = ".overplot .trace path, .heatmaplayer image"
            drawn = place.evaluate("(p, marks) => p.querySelectorAll(marks).length", marks)
            assert drawn > 0, f"{name} has no marks"
            box = place.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size[0]
            assert place.evaluate("p => p.querySelector('.main-svg').clientWidth") <= box["width"]
        assert complaints.found == []


def test_no_button_would_send_the_figures_anywhere(browser: Browser, page_of: PageOf) -> None:
    with opened(browser, page_of("complete")) as (page, _):
        titles = page.eval_on_selector_all(
            ".modebar-btn", "buttons => buttons.map(each => each.getAttribute('data-title'))"
        )
        assert set(titles) == {"Download plot as a PNG"}


def test_pictures_do_not_cover_what_follows_them(browser: Browser, page_of: PageOf) -> None:
    for size in (DESKTOP, PHONE):
        with opened(browser, page_of("trouble"), size) as (page, _):
            overlaps = page.evaluate(
                """() => [...document.querySelectorAll('[data-figure]')].filter((place) => {
                  const drawn = place.querySelector('.main-svg').getBoundingClientRect();
                  const next = place.closest('figure').nextElementSibling;
                  return next && drawn.bottom > next.getBoundingClientRect().top + 1;
                }).map((place) => place.dataset.figure)"""
            )
            assert overlaps == []


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)`` (WCAG 2.2)."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_readers_setting_and_stays_legible(
    browser: Browser, page_of: PageOf, scheme: str
) -> None:
    with opened(browser, page_of("trouble"), scheme=scheme) as (page, complaints):
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (luminance(ground) > 0.5) == (scheme == "light")
        for selector in ("h1", "p", ".meta", "caption", "a", ".picture .xtick text"):
            colour = page.evaluate(
                "(s) => { const style = getComputedStyle(document.querySelector(s));"
                " return s.includes('tick') ? style.fill : style.color; }",
                selector,
            )
            assert contrast(colour, ground) >= 4.5, f"{selector} {colour} on {ground}"
        assert complaints.found == []


def test_pictures_change_with_the_setting_and_the_width(browser: Browser, page_of: PageOf) -> None:
    with opened(browser, page_of("complete")) as (page, complaints):
        fill = "getComputedStyle(document.querySelector('.picture .xtick text')).fill"
        before = page.evaluate(fill)
        page.emulate_media(color_scheme="dark")
        until(page, f"{fill} !== {before!r}")
        life = "[data-figure=life-picture]"
        assert page.locator(f"{life} .annotation-text").count() > 5
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        until(
            page,
            f"document.querySelector('{life}').dataset.narrow === 'true' &&"
            f" !document.querySelector('{life} .annotation-text')",
        )
        until(page, f"document.documentElement.scrollWidth <= {PHONE[0]}")
        assert complaints.found == []


def test_the_policy_stops_a_script_that_is_not_ours(
    browser: Browser, page_of: PageOf, tmp_path: Path
) -> None:
    text = page_of("complete").read_text(encoding="utf-8")
    planted = tmp_path / "planted.html"
    planted.write_text(
        text.replace(
            "<main>",
            "<main><script>document.title = 'owned'</script>"
            "<img src='http://127.0.0.1:9/x.png' onerror=\"document.title='owned'\">",
        ),
        encoding="utf-8",
    )
    with opened(browser, planted) as (page, complaints):
        assert page.title() != "owned"
        assert any("Content Security Policy" in complaint for complaint in complaints.found)


def test_a_picture_that_fails_does_not_take_the_others_with_it(
    browser: Browser, page_of: PageOf, tmp_path: Path
) -> None:
    text = page_of("complete").read_text(encoding="utf-8")
    start = text.index('<script type="application/json" id="chain-picture">')
    broken = tmp_path / "broken.html"
    broken.write_text(text[:start] + text[start:].replace('{"data":', "{", 1), encoding="utf-8")
    with opened(browser, broken) as (page, complaints):
        drawn = page.evaluate(
            "[...document.querySelectorAll('[data-figure]')].map((p) => p.dataset.drawn)"
        )
        assert drawn == ["no", *["yes"] * 7]
        assert "could not be drawn" in page.inner_text("[data-figure=chain-picture]")
        assert any("chain-picture" in complaint for complaint in complaints.found)


def test_without_scripts_the_tables_say_the_same(browser: Browser, page_of: PageOf) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    try:
        page = context.new_page()
        page.goto(page_of("trouble").as_uri())
        text = page.inner_text("body")
        assert "INCOMPLETE" not in text
        assert "The picture needs scripts; the tables say the same." in text
        assert "Every expected delivery, accounted for" in text
    finally:
        context.close()


def test_the_incomplete_banner_is_on_the_first_screen(browser: Browser, page_of: PageOf) -> None:
    with opened(browser, page_of("killed"), PHONE) as (page, _):
        box = page.locator(".alarm").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < PHONE[1] / 2


def test_the_verdict_is_on_the_first_screen(browser: Browser, page_of: PageOf) -> None:
    with opened(browser, page_of("complete")) as (page, _):
        for answer in page.locator(".answer .headline").all():
            box = answer.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < DESKTOP[1]


def test_the_page_prints_light_and_whole(browser: Browser, page_of: PageOf) -> None:
    with opened(browser, page_of("complete"), scheme="dark") as (page, _):
        page.emulate_media(media="print", color_scheme="dark")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert luminance(ground) > 0.9
        until(
            page,
            "getComputedStyle(document.querySelector('.picture .xtick text')).fill"
            " === 'rgb(22, 25, 29)'",
        )
        assert page.pdf()[:5] == b"%PDF-"


def test_the_switch_shows_the_page_in_japanese_and_back(browser: Browser, page_of: PageOf) -> None:
    with opened(browser, page_of("trouble")) as (page, complaints):
        english = page.locator("h2, p, table").all_inner_texts()
        ticks = "[...document.querySelectorAll('[data-figure=chain-picture] .ytick text')]"
        drawn = f"{ticks}.map((tick) => tick.textContent)"
        assert "The ledger" in english
        until(page, f"{drawn}.includes('satellite')")
        page.click("[data-language-switch]")
        until(page, f"{drawn}.includes('衛星')")
        japanese = page.locator("h2, p, table").all_inner_texts()
        assert page.get_attribute("html", "lang") == "ja"
        assert page.title().startswith("【訓練】 EXERCISE: 2022年")
        assert "配信台帳" in japanese
        assert "The ledger" not in japanese
        page.keyboard.press("Enter")  # the button keeps the focus
        until(page, f"{drawn}.includes('satellite')")
        assert page.locator("h2, p, table").all_inner_texts() == english
        assert complaints.found == []


def test_the_address_chooses_the_language(browser: Browser, page_of: PageOf) -> None:
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        page.goto(page_of("killed").as_uri() + "?lang=ja")
        page.wait_for_selector("html[data-ready=yes][lang=ja]", timeout=60_000)
        assert "未完了の実行" in page.inner_text(".alarm")
    finally:
        context.close()


def test_the_command_is_copied_or_selected(browser: Browser, page_of: PageOf) -> None:
    with opened(browser, page_of("complete")) as (page, _):
        button = page.locator("[data-copy]")
        button.click()
        until(page, "document.querySelector('[data-copy]').textContent !== 'Copy'")
        assert button.inner_text() in {"Copied", "Selected: press Ctrl+C"}
        until(page, "document.querySelector('[data-copy]').textContent === 'Copy'")
