"""An exercise started, watched, left, found again and stopped on the live page."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from simulator.service.fold import Fold
from tests.browser.live import (
    CALM,
    TOLD,
    Wire,
    ended,
    finished,
    live,
    served,
    states,
    stopped,
    subscriber,
)
from tests.browser.test_report_page import until
from tests.service.client import Served

__all__ = ["finished", "served"]
pytestmark = pytest.mark.browser
FOUNDING = ("miyagi", "yamagata", "niigata")


def test_an_exercise_is_started_watched_to_its_verdict_and_its_report_opened(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    siren = subscriber(served, "siren-7", tmp_path)
    try:
        siren.wait_for("listening")
        with live(browser, served) as (page, complaints):
            page.select_option("#scenario", "tohoku-2022-11-03")
            page.select_option("#speed", "600")
            page.fill("#subscribers", "400")  # three messages each, and nine to the siren
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")  # the button comes next, and starts it

            page.wait_for_selector("[data-planned=yes]", timeout=30_000)
            expect(page.locator("#run-title")).to_be_focused()
            assert page.inner_text("#run-state") in {"Starting", "Playing"}
            ended(page)

            for slug in FOUNDING:
                assert states(page, slug) == ["part", "warn", "lifted", "corrected"]
            assert states(page, "osaka") == ["none"] or states(page, "osaka") == []
            assert page.inner_text("#clock-now") == "09:24:00"
            assert page.inner_text("#clock-alerts") == "9 / 9"
            table = page.inner_text("#places tbody")
            assert table.count("Correction") == table.count("\N{MINUS SIGN}2\u00a0min") == 3

            assert page.locator("#chain li").count() == 10
            assert page.locator("#chain li.guessed").count() == 8
            widths = page.eval_on_selector_all("#chain i", "bars => bars.map(b => b.style.width)")
            assert set(widths) == {"100%"}

            assert _latency(page)[0] == "1,209"
            expect(page.locator("#ledger")).to_contain_text("delivered")
            counted = page.eval_on_selector_all(
                "#ledger > div",
                "rows => Object.fromEntries(rows.map(r => [...r.children].map("
                "c => c.textContent)))",
            )
            assert counted["expected"] == counted["delivered"] == "1,209"
            assert counted["lost"] == counted["queued"] == "0"
            assert all(figure in page.inner_text("#verdict-took") for figure in _latency(page))

            row = page.locator("#clients tbody tr", has_text="siren-7").locator("th, td")
            _, presence, received, latest, slowest = row.all_inner_texts()
            assert presence.strip() == "online"
            assert received == "9"
            assert {latest[-1], slowest[-1]} == {"s"}

            assert page.inner_text("#verdict-title") == "Passed"
            assert "1,209 of 1,209 expected" in page.inner_text("#verdict-sentence")
            assert "the warning came 2 min after" in page.inner_text("#verdict-warned")
            assert page.title().startswith("【訓練】 EXERCISE")
            with page.context.expect_page() as opened:
                page.click("#verdict-links a.primary")
            report = opened.value
            report.wait_for_selector("html[data-ready=yes]", timeout=60_000)
            assert report.title().startswith("【訓練】 EXERCISE")
            assert complaints.found == []
    finally:
        siren.process.terminate()
        siren.wait(20)


def _latency(page: Page) -> list[str]:
    return page.locator("#latency dd").all_inner_texts()


def test_a_page_that_is_loaded_again_shows_the_same_and_stops_the_exercise(
    browser: Browser, served: Served, finished: str
) -> None:
    run = served.start(**CALM | {"speed": 60})  # ten seconds to the next messages
    served.wait_for(run, "running")
    with live(browser, served, run=run) as (page, _):
        until(page, "document.querySelectorAll('.place[data-state=warn]').length === 3")
        told = "#places td.told"
        before = page.locator(told).all_inner_texts()
        page.reload()
        until(page, "document.querySelectorAll('.place[data-state=warn]').length === 3")
        assert page.locator(told).all_inner_texts() == before == ["Missile launch information"] * 3
        assert page.inner_text("#clock-alerts") == "3 / 9"

        page.click(".back")
        playing = page.locator("#runs li", has=page.locator(f"a[href='#run={run}']"))
        expect(playing).to_contain_text("Playing")
        over = page.locator("#runs li", has=page.locator(f"a[href='#run={finished}']"))
        expect(over).to_contain_text("Passed")
        expect(over.get_by_role("link", name="Report")).to_be_visible()

        playing.get_by_role("link").first.click()
        page.get_by_role("button", name="Stop").click()
        ended(page)
        assert page.inner_text("#run-state") == "Stopped early"
        assert page.locator(".place[data-state=warn]").count() == 3
        expect(page.locator("#stop")).to_be_hidden()


def test_a_lost_connection_is_told_and_its_return_too(browser: Browser, served: Served) -> None:
    run = served.start(**CALM | {"speed": 60})
    served.wait_for(run, "running")
    with (
        closing(Wire(served.url)) as wire,
        live(browser, served, run=run, url=wire.url) as (page, complaints),
    ):
        complaints.expected = ("ERR_",)
        wire.cut()
        expect(page.locator("#lost")).to_contain_text("is lost", timeout=20_000)
        wire.mend()
        expect(page.locator("#lost")).to_contain_text("is back", timeout=20_000)
        until(page, "document.querySelectorAll('.place[data-state=lifted]').length === 3")
    stopped(served, run)


def test_an_exercise_that_waits_for_its_turn_says_so_and_can_be_given_up(
    browser: Browser, served: Served
) -> None:
    playing = [served.start(**CALM | {"speed": 1}) for _ in range(2)]  # as many as may
    waiting = served.start(**CALM)
    with live(browser, served) as (page, _):
        page.locator(f"#runs a[href='#run={waiting}']").click()
        expect(page.locator("#run-state")).to_have_text("Waiting")
        expect(page.locator("#run-wait")).to_contain_text("other exercises are playing")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#run-state")).to_have_text("Stopped early", timeout=20_000)
        expect(page.locator("#verdict-links")).to_contain_text("no report")
        expect(page.locator("#run-wait")).to_be_hidden()
    for run in playing:
        stopped(served, run)


def test_updates_that_were_skipped_are_told(
    browser: Browser, served: Served, finished: str
) -> None:
    frames = [{"type": "snapshot", "n": 1}, {"type": "dropped", "dropped": 2}]
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in frames)
    with live(browser, served) as (page, _):
        page.route("**/events", lambda route: route.fulfill(body=body))
        page.evaluate(
            """() => { window.told = []; new MutationObserver(() => window.told.push(
              document.getElementById("lost").textContent)).observe(
              document.getElementById("lost"), { childList: true }); }"""
        )
        page.evaluate("run => { location.hash = `run=${run}`; }", finished)
        until(page, "window.told.some((text) => text.startsWith('2 updates were skipped'))")


def test_what_is_not_counted_yet_is_a_dash_and_queued_deliveries_are_told_apart(
    browser: Browser, served: Served
) -> None:
    first = {"owed": 9, "sent": 0, "due": 0, "delivered": 0, "late": 0, "queued": 0}
    first |= {"duplicates": 0, "unexpected": 0, "reconnects": 0}
    later = first | {"sent": 1, "due": 6, "delivered": 5, "late": 1, "queued": 2}
    with live(browser, served) as (page, _):
        told = [page.evaluate(_COUNTED, each) for each in (None, first, later)]
        heads = page.evaluate(_HEADED)  # after one drawing, as of an exercise that has ended
    dash = "\N{EN DASH}"
    assert [each["expected"] for each in told] == [dash, "9", "9"]
    for each in told[:2]:
        assert {value for key, value in each.items() if key != "expected"} == {dash, _NOT_YET}
    keys = ("expected so far", "delivered", "late", "queued", "duplicates", "said")
    said = [told[2][key] for key in keys]
    assert said == ["6", "2", "1", "2", "0", "1 delivery is outstanding."]
    assert len(heads["of the table"]) == 5
    assert heads["of the row"] == heads["of the table"]


_NOT_YET = "Not yet counted: no message has been sent."
_COUNTED = """async (progress) => {
  const { showDeliveries } = await import("/page/figures.js");
  const { fresh } = await import("/page/fold.js");
  const { formats } = await import("/page/format.js");
  showDeliveries({ ...fresh(), progress }, formats("en"));
  const rows = document.querySelectorAll("#latency > div, #ledger > div");
  const told = Object.fromEntries([...rows].map((row) => [...row.children].map(
    (child) => child.textContent)));
  return { ...told, said: document.getElementById("ledger-sentence").textContent };
}"""
_HEADED = """async () => {
  const { showClients } = await import("/page/figures.js");
  const { formats } = await import("/page/format.js");
  const client = { client: "siren", online: true, received: 1, last_ns: "1", worst_ns: "1" };
  showClients({ progress: { clients: [client] } }, formats("en"));
  const table = document.getElementById("clients");
  return {
    "of the table": [...table.tHead.rows[0].cells].map((cell) => cell.textContent),
    "of the row": [...table.tBodies[0].rows[0].cells].map((cell) => cell.dataset.label),
  };
}"""


@pytest.mark.parametrize(
    ("language", "typed", "said"),
    [
        ("en", "10000000", "from 0 to 20,000"),
        ("ja", "many", "0から20,000まで"),
        ("en", "-1", "whole"),
    ],
)
def test_what_cannot_be_played_is_said_at_its_field_before_it_is_asked_for(
    browser: Browser, served: Served, language: str, typed: str, said: str
) -> None:
    with live(browser, served, language=language) as (page, _):
        page.fill("#subscribers", typed)
        page.click("#go")
        expect(page.locator("#subscribers-problem")).to_contain_text(said)
        expect(page.locator("#subscribers")).to_be_focused()
        assert page.get_attribute("#subscribers", "aria-invalid") == "true"
        described = page.get_attribute("#subscribers", "aria-describedby")
        assert "subscribers-problem" in str(described).split()
        page.fill("#subscribers", "5")
        assert page.get_attribute("#subscribers", "aria-invalid") == "false"
        expect(page.locator("#subscribers-problem")).to_be_empty()


def test_what_the_service_refuses_is_said_in_the_language_of_the_page(
    browser: Browser, served: Served
) -> None:
    with live(browser, served, language="ja") as (page, complaints):
        complaints.expected = ("503",)
        body = {"type": "urn:alertsim:problem:queue-full", "detail": "100 runs wait already"}
        page.route(
            "**/runs",
            lambda route: route.fulfill(status=503, body=json.dumps(body | {"status": 503})),
        )
        page.click("#go")
        expect(page.locator("#form-problem")).to_contain_text("待機中の訓練が多すぎます")


def test_an_exercise_that_is_not_there_is_said_in_words_with_the_way_back(
    browser: Browser, served: Served, finished: str
) -> None:
    with live(browser, served) as (page, complaints):
        complaints.expected = ("404",)
        page.evaluate("location.hash = 'run=nowhere'")
        expect(page.locator("#run-problem")).to_contain_text("There is no such exercise here")
        expect(page.locator("#run-title")).to_have_text("No such exercise")
        for hidden in ("#run-state", "#run-wait", "#stop", ".clock", ".board"):
            expect(page.locator(hidden)).to_be_hidden()
        page.locator("#run-problem").get_by_role("link").click()
        expect(page.locator("#start-title")).to_be_focused()

        held: list[Route] = []  # an answer that comes when another exercise is shown
        page.route("**/runs/nowhere", lambda route: held.insert(0, route))
        with page.expect_request("**/runs/nowhere"):
            page.evaluate("location.hash = 'run=nowhere'")
        page.evaluate("run => { location.hash = `run=${run}`; }", finished)
        expect(page.locator("#verdict")).to_be_visible()
        with page.expect_response("**/runs/nowhere"):
            held[0].fulfill(status=404, body='{"status": 404}')
        page.wait_for_timeout(200)
        expect(page.locator("#run-problem")).to_be_hidden()
        expect(page.locator("#run-state")).to_be_visible()


def test_nobody_warned_and_no_launch_are_said_in_words(browser: Browser, served: Served) -> None:
    nobody = served.start(scenario="akita-2016-08-03", speed=3000, subscribers=5)
    drill = served.start(scenario="drill-minimal", speed=3000, subscribers=5)
    served.wait_for(nobody, "complete")
    served.wait_for(drill, "complete")
    with live(browser, served, run=nobody) as (page, _):
        expect(page.locator("#places-none")).to_be_visible()
        expect(page.locator("#people-of")).to_contain_text("nobody is warned")
    with live(browser, served, run=drill) as (page, _):
        expect(page.locator("#chain-none")).to_be_visible()
        expect(page.locator("#clock-from")).to_have_text("Since the beginning")
        expect(page.locator("#places-at")).to_have_text("Sent (JST)")
        expect(page.locator("#feed")).not_to_contain_text("Meanwhile")
        expect(page.locator("#legend")).to_contain_text("Test message")


def test_what_happens_to_one_of_several_launches_says_of_which(
    browser: Browser, served: Served
) -> None:
    with live(browser, served) as (page, _):
        several, alone = (page.evaluate(_NEWS, count) for count in (2, 1))
    assert several == ["Arrival: Miyagi, Second", "Launch: Second", "Launch: First"]
    assert alone == ["Arrival: Miyagi", "Launch"]


_NEWS = """async (count) => {
  const { showFeed } = await import("/page/board.js");
  const { arriving, fresh } = await import("/page/fold.js");
  const { formats, zoned } = await import("/page/format.js");
  const truth = (number, name, launch, note, prefecture = null) =>
    ({ number, kind: "truth", name, at_ns: String(number * 60e9), launch, note, prefecture });
  const launches = [truth(1, "launch", "a", "First"), truth(2, "launch", "b", "Second")];
  const events = launches.slice(2 - count);
  events.push(truth(3, "arrival", "b", "", "miyagi"));
  const prefectures = [{ slug: "miyagi", name_en: "Miyagi" }];
  const plan = { events, alerts: [], speed: 1, prefectures };
  if (arriving(plan, 180e9) !== "Second") throw new Error("of another launch");
  const zone = zoned("2026-03-10T14:00:00+09:00");
  return showFeed({ ...fresh(), plan }, 999e9, zone, formats("en")).map((item) => item.text);
}"""


def test_a_page_that_comes_late_ends_where_one_that_saw_everything_does(
    browser: Browser, served: Served
) -> None:
    told = [json.dumps(each).encode() for each in TOLD]
    with live(browser, served) as (page, _):
        shown = []
        for late in (0, 1, len(told) // 2, len(told) - 1):
            fold = Fold()
            for line in told[:late]:
                fold.add(line)
            texts = [fold.snapshot().decode(), *(line.decode() for line in told[late:])]
            texts.insert(2, '{"type":"unheard-of","n":0,"what":[1]}')
            shown.append(page.evaluate(_FOLDED, texts))
        assert shown[0] == shown[1] == shown[2] == shown[3]
        assert shown[0] == {
            "latest": [["miyagi", "passage"], ["niigata", "launch"]],
            "received": 7,
            "spread": 12,
            "outcome": "pass",
        }


_FOLDED = """async (texts) => {
  const { fold, fresh, latest, received, spread } = await import("/page/fold.js");
  const state = texts.map((text) => JSON.parse(text)).reduce(fold, fresh());
  return {
    latest: [...latest(state)].map(([slug, alert]) => [slug, alert.event]),
    received: received(state, "miyagi", "launch"),
    spread: spread(state).reduce((one, other) => one + other),
    outcome: state.end.outcome,
  };
}"""
