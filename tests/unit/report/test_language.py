"""The catalogue says every text of a report in Japanese, and the page has both languages."""

import html
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.report.html import page
from simulator.report.language import Catalogue, catalogue, forms_of, speaks
from simulator.report.markup import Markup, tag
from simulator.report.source import ReportSource, read_source
from simulator.report.translated import Translated
from tests.unit.report.made_run import Wanted, make_run

SourceOf = Callable[[str], ReportSource]
KINDS = ["complete", "trouble", "repeated", "aborted", "killed"]


def known(forms: dict[str, str]) -> Catalogue:
    return Catalogue(forms, "ja")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3 of 4 thresholds met", "4 中 3"),
        ("1 of 1 threshold met.", "1 中 1。"),
        ("there was 1 burst", "一斉送信 1 回"),
        ("Miyagi and Niigata are late", "宮城、新潟は遅い"),
        ("Miyagi, Niigata and Miyagi are late", "宮城、新潟、宮城は遅い"),
        ("Unknown Place are late", "Unknown Placeは遅い"),
        ("it took 3 min 30 s", "3 分 30 秒かかった"),
        ("it took 4.41 million", "441 万かかった"),
        ("lost 0 (count==0)", "欠落 0（count==0）"),  # noqa: RUF001
        ("%{y:,.0f} people", "%{y:,.0f} 人"),
        ("− 3", "− 3"),  # noqa: RUF001
        ("deliveries.parquet", "deliveries.parquet"),
        ("Miyagi. Niigata.", "宮城。新潟。"),
        ("Miyagi. Something new.", "宮城。Something new."),
        ("5 min", "5 分"),
        (" Miyagi ", " 宮城 "),
        ("it took 5\N{NO-BREAK SPACE}min", "5\N{NO-BREAK SPACE}分かかった"),
        ("All of it", "すべて"),
        ("over Miyagi (launch Niigata)", "宮城上空（発射 Niigata）"),  # noqa: RUF001
    ],
)
def test_forms_are_recognised_and_slots_are_said_in_turn(text: str, said: str) -> None:
    forms = {
        "{n} of {n2} threshold(s) met": "{n2} 中 {n}",
        "there [was|were] {n} burst(s)": "一斉送信 {n} 回",
        "{who} are late": "{who}は遅い",
        "it took {v}": "{v}かかった",
        "it took {many}": "{many}かかった",
        "lost {n} ({x})": "欠落 {n}（{x}）",  # noqa: RUF001
        "%{y:,.0f} people": "%{y:,.0f} 人",
        "Miyagi": "宮城",
        "Niigata": "新潟",
        "All of it.": "すべて。",
        "over {who} (launch {id})": "{who}上空（発射 {id}）",  # noqa: RUF001
    }
    assert known(forms).say(text) == said


def test_what_is_not_known_stays_and_is_remembered() -> None:
    asked = known({"{who} are late": "{who}は遅い"})
    assert asked.say("Nobody knows this") == "Nobody knows this"
    assert asked.say("Some other people are late") == "Some other peopleは遅い"
    assert list(asked.unknown) == ["Nobody knows this", "Some other people"]
    assert asked.say("swarm-00017 / p99.9: 3 ms") == "swarm-00017 / p99.9: 3 ms"
    assert len(asked.unknown) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the ledger", True),
        ("launch", True),
        ("3 min", True),
        ("p99: 3 ms", False),
        ("delivery_latency{population=live}", False),
        ("max<5s", False),
        ("miyagi-3", False),
        ("QoS 1", False),
        ("10:20:30", False),
    ],
)
def test_names_code_and_numbers_are_not_words(text: str, words: bool) -> None:
    assert speaks(text) == words


@pytest.mark.parametrize("kind", KINDS)
def test_no_english_is_left_in_the_japanese_report(source_of: SourceOf, kind: str) -> None:
    source = source_of(kind)
    text = page(source, "ja")
    assert '<html lang="ja">' in text
    body = text[text.index("<body>") : text.index('<script type="application/json" id="other-')]
    shown = re.sub(r'(?s)<(script|pre|style)\b.*?</\1>|<dd translate="no">.*?</dd>', "", body)
    shown = re.sub(r"(?s)<button[^>]*data-language-switch.*?</button>", "", shown)
    texts = [one.strip() for one in html.unescape(re.sub(r"<[^>]+>", "\n", shown)).split("\n")]
    allowed = {"EXERCISE", "Alert", "Update", "Cancel", "Em-Net", "wire", "alertsim"}
    word = re.compile(r"(?<![\w./:{%@=<(#-])[A-Za-z][a-z]{2,}(?![\w/:@={<>]|[.-]\w)")
    named = re.compile(r"[\w.()/:#@ -]*\d")  # names of clients, files and versions
    left = [
        (found, one)
        for one in texts
        if not named.match(one)
        for found in word.findall(one)
        if found not in allowed
    ]
    assert left == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_of_a_report_is_in_the_catalogue(
    source_of: SourceOf, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = catalogue("ja")
    monkeypatch.setattr("simulator.report.html.catalogue", lambda _: asked)
    page(source_of(kind))
    assert list(asked.unknown) == []


def test_a_salvo_and_its_overlapping_deliveries_are_said_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = catalogue("ja")
    monkeypatch.setattr("simulator.report.html.catalogue", lambda _: asked)
    run = make_run(tmp_path, Wanted(scenario="salvo", subscribers=30, repeat=2, trouble=True))
    page(read_source(run))
    assert list(asked.unknown) == ["salvo"]  # the name of the scenario


def test_no_two_texts_are_said_alike_so_that_the_switch_finds_back() -> None:
    forms = forms_of("ja")
    twice = {said: n for said, n in Counter(forms.values()).items() if n > 1}
    plain = {said for said in twice if "{" not in said}
    assert plain == set()


def test_every_slot_of_a_form_stands_in_what_it_becomes() -> None:
    for form, said in forms_of("ja").items():
        slots = set(re.findall(r"(?<!%)\{(\w+)\}", form))
        assert set(re.findall(r"(?<!%)\{(\w+)\}", said)) == slots, form
        assert set(re.findall(r"%\{[^}]+\}", said)) == set(re.findall(r"%\{[^}]+\}", form)), form


def test_both_languages_stand_in_one_file(source_of: SourceOf) -> None:
    english, japanese = page(source_of("complete")), page(source_of("complete"), "ja")

    def other(text: str) -> dict[str, Any]:
        block = re.search(r'id="other-language">(.*?)</script>', text)
        assert block is not None
        found: dict[str, Any] = json.loads(block[1])
        return found

    there, back = other(english), other(japanese)
    assert (there["language"], back["language"]) == ("ja", "en")
    assert there["texts"]["The ledger"] == "配信台帳"
    for text, said in there["texts"].items():
        assert back["texts"][said] == text
    assert len(english.encode()) < 6_000_000
    assert len(japanese.encode()) < 6_000_000


def test_what_is_not_to_be_translated_is_left_alone() -> None:
    forms = {"late": "遅延", "Late thing": "遅い物", "from late": "遅延から"}
    body = Markup(
        tag("p", "late", translate="no")
        + tag("p", "late & <late>", class_="late", aria_label="late")
        + tag("pre", tag("code", "late"))
        + tag("hr")
        + tag("p", "late", hidden=True)
        + '<script type="application/json" id="x">{"name":"late<br>from late","mode":"late",'
        '"y":["late",3,null],"title":{"text":"Late thing"}}</script>' + "<script>late</script>"
    )
    said = Translated(body, known(forms))
    assert said.body == (
        '<p translate="no">late</p><p class="late" aria-label="遅延">late &amp; &lt;late&gt;</p>'
        "<pre><code>late</code></pre><hr><p hidden>遅延</p>"
        '<script type="application/json" id="x">{"name":"遅延\\u003cbr>遅延から","mode":"late",'
        '"y":["遅延",3,null],"title":{"text":"遅い物"}}</script><script>late</script>'
    )
    assert said.pairs == {
        "late": "遅延",
        "late<br>from late": "遅延<br>遅延から",
        "Late thing": "遅い物",
    }


def test_every_reason_of_a_bottleneck_is_said() -> None:
    asked = catalogue("ja")
    slow = "swarm: one turn of its loop took 588 ms, more than 250 ms"
    late = "publisher: one of 9 alerts left 120 ms late, more than 100 ms"
    busy = "run: its processor was busy 97% of the time, more than 90%"
    told = "The instrument was the bottleneck: {}. It can only have made the figures longer."
    for reasons in ([slow], [slow, late], [slow, busy, late]):
        said = asked.say(told.format("; ".join(reasons)))
        assert said.count("（上限") == said.count("）") == len(reasons)  # noqa: RUF001
    assert list(asked.unknown) == []
