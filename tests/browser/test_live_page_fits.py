"""The live page for everybody: accessible, two languages, phone and desktop, light and dark."""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.live import finished, live, served
from tests.browser.test_report_page import DESKTOP, PHONE
from tests.service.client import Served

__all__ = ["finished", "served"]
pytestmark = pytest.mark.browser

SMALL = (360, 740)
TOKEN = "a-token-of-sixteen"  # noqa: S105  # of a service that lives for one test
# Names, thresholds and code stay as they are in any language.
_KEPT = re.compile(
    r"\w+[<>=]+\w+|alertsim|mosquitto_sub|Python|paho-mqtt|MQTT|WebSocket|JSON|EXERCISE|English|JST|UTC|ICBM|ms\b|"
    r"\d{8}t\w+-\w+"
)


def views(finished: str) -> Iterator[tuple[str, str]]:
    yield "list", ""
    yield "exercise", finished


def settled(page: Page, run: str) -> None:
    if run:
        expect(page.locator("#verdict")).to_be_visible()
        expect(page.locator(".marks .mark")).to_have_count(3)
    else:
        expect(page.locator("#runs li")).not_to_have_count(0)
    expect(page.locator("#connect pre")).to_have_count(3)
    page.wait_for_timeout(600)  # what fades in has its colours then


@pytest.mark.npm
@pytest.mark.parametrize(
    "look",
    [
        {"size": DESKTOP, "scheme": "light", "language": "en"},
        {"size": PHONE, "scheme": "dark", "language": "en"},
        {"size": PHONE, "scheme": "light", "language": "ja"},
        {"size": DESKTOP, "scheme": "dark", "language": "ja"},
    ],
    ids=lambda look: "-".join(map(str, look.values())),
)
def test_axe_finds_no_serious_fault(
    browser: Browser,
    served: Served,
    finished: str,
    npm_modules: Path,
    look: dict[str, Any],
) -> None:
    axe = (npm_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    for _, run in views(finished):
        with live(browser, served, run=run, **look) as (page, _):
            settled(page, run)
            page.evaluate(axe)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert len(found["passes"]) > 20
            grave = [
                (each["id"], node["target"], node["failureSummary"])
                for each in found["violations"]
                if each["impact"] in {"serious", "critical"}
                for node in each["nodes"]
            ]
            assert grave == []


def test_no_view_is_wider_than_the_smallest_phone_and_all_say_that_it_is_an_exercise(
    browser: Browser, served: Served, finished: str
) -> None:
    for (_, run), language in product(views(finished), ("en", "ja")):
        with live(browser, served, run=run, size=SMALL, language=language) as (page, _):
            settled(page, run)
            assert page.evaluate("document.documentElement.scrollWidth") <= SMALL[0]
            assert page.title().startswith("【訓練】 EXERCISE")
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
            banner = page.locator(".exercise")
            expect(banner).to_contain_text("【訓練】 EXERCISE")
            box = banner.bounding_box()
            assert box is not None
            assert box["y"] == 0  # however far the page is scrolled


def test_the_japanese_page_says_nothing_in_english(
    browser: Browser, served: Served, finished: str
) -> None:
    for _, run in views(finished):
        with live(browser, served, run=run, language="ja") as (page, _):
            settled(page, run)
            assert page.get_attribute("html", "lang") == "ja"
            said = page.evaluate(
                """() => [...document.querySelectorAll("body *")].filter((node) =>
                  node.offsetParent && !node.closest("code, pre, [lang=en]"))
                  .flatMap((node) => [...node.childNodes].filter((child) => child.nodeType === 3))
                  .map((text) => text.textContent.trim()).filter(Boolean)"""
            )
            assert len(said) > 20
            english = [each for each in said if re.search("[A-Za-z]{2}", _KEPT.sub("", each))]
            assert english == []


def test_colours_follow_the_system_until_somebody_chooses(browser: Browser, served: Served) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    with live(browser, served, scheme="dark") as (page, _):
        dark = page.evaluate(background)
        page.get_by_role("button", name="Light colours").click()
        light = page.evaluate(background)
        assert light != dark
        page.reload()
        page.wait_for_selector("html[data-ready=yes]")
        assert page.evaluate(background) == light
        page.emulate_media(color_scheme="light")
        page.get_by_role("button", name="Dark colours").click()
        assert page.evaluate(background) == dark


def test_the_language_changes_without_leaving_the_exercise(
    browser: Browser, served: Served, finished: str
) -> None:
    with live(browser, served, run=finished) as (page, _):
        page.get_by_role("link", name="日本語").click()
        expect(page.locator("#run-title")).to_contain_text("2022年11月3日")
        expect(page.locator("#verdict-title")).to_have_text("合格")
        assert page.locator("#places tbody th").all_inner_texts() == ["宮城県", "山形県", "新潟県"]
        assert finished in page.url


def test_the_page_can_be_left_by_keyboard(browser: Browser, served: Served, finished: str) -> None:
    with live(browser, served, run=finished) as (page, _):
        page.evaluate("document.activeElement.blur()")
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate(
                    "document.activeElement.id || document.activeElement.className"
                    " || document.activeElement.tagName"
                )
            )
            if reached[-1] == "BODY":
                break
        assert reached[0] == "skip"
        assert {"brand", "language", "theme", "back"} <= set(reached)
        assert reached[-1] == "BODY"  # past the last one the browser's own follows


def test_a_service_with_a_token_asks_for_it_once(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.run.processes import Alertsim  # noqa: PLC0415

    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    process = Alertsim(
        ("serve", "--port=0", f"--out={tmp_path / 's'}", f"--token-file={tmp_path / 'token'}"),
        tmp_path,
        0,
    )
    try:
        served = Served(process, tmp_path / "s", TOKEN)
        context = browser.new_context()
        page = context.new_page()
        page.goto(served.url)
        page.get_by_label("Token", exact=True).fill("wrong-token-entirely")
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#ask-problem")).to_contain_text("not the one")
        page.get_by_label("Token", exact=True).fill(TOKEN)
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#scenario option[value='salvo']")).to_have_count(1)
        kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert TOKEN not in kept
        assert json.loads(kept)[2] == ""
        context.close()
        served.http.close()
    finally:
        process.process.terminate()
        process.wait(30)
