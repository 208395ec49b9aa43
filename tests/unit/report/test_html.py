"""The page is one closed file: nothing fetched, everything escaped, in the order of the report."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from simulator.report.html import page
from simulator.report.source import ReportSource
from tests.unit.report.conftest import HOSTILE

SourceOf = Callable[[str], ReportSource]
VOID = {"br", "col", "hr", "meta"}
KINDS = ["complete", "trouble", "hostile", "repeated", "aborted", "killed"]
MEGABYTE = 1_000_000


class Page(HTMLParser):
    """What a reader of the page finds: text, elements, and whether every element is closed."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts[-1] += data
        elif self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


PageOf = Callable[[str], str]


def library() -> str:
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_every_element_is_closed(page_of: PageOf, kind: str) -> None:
    assert Page(page_of(kind)).open == []


@pytest.mark.parametrize("kind", ["repeated", "trouble"])
def test_one_copy_of_the_library_and_little_data(page_of: PageOf, kind: str) -> None:
    text = page_of(kind)
    assert text.count(library()) == 1
    assert len(text.encode()) - len(library().encode()) < MEGABYTE


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_ours_names_an_address_that_could_be_fetched(page_of: PageOf, kind: str) -> None:
    ours = Page(page_of(kind).replace(library(), ""))
    fetching = {"src", "href", "action", "poster", "data", "srcset", "background"}
    for tag, attrs in ours.elements:
        for name in fetching & set(attrs):
            assert (attrs[name] or "").startswith("#"), f"<{tag} {name}={attrs[name]!r}>"
    assert "@import" not in page_of(kind).replace(library(), "")
    assert not re.search(r"url\(", page_of(kind).replace(library(), ""))


def policy_of(text: str) -> dict[str, list[str]]:
    (content,) = (
        attrs["content"] or ""
        for attrs in Page(text).attributes("meta")
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    directives = [directive.split() for directive in content.split(";")]
    return {name: values for name, *values in directives}


def test_the_policy_forbids_requests_and_every_script_but_ours(page_of: PageOf) -> None:
    text = page_of("hostile")
    policy = policy_of(text)
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert "connect-src" not in policy  # falls back to default-src: none
    run = [
        script
        for (tag, attrs), script in zip(
            [element for element in Page(text).elements if element[0] == "script"],
            Page(text).scripts,
            strict=True,
        )
        if attrs.get("type") != "application/json"
    ]
    digests = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in run
    ]
    assert policy["script-src"] == digests
    assert len(run) == 2


def test_the_policy_comes_before_anything_it_rules(page_of: PageOf) -> None:
    text = page_of("complete")
    assert text.index("Content-Security-Policy") < text.index("<style") < text.index("<script")


def test_hostile_names_are_text_and_nothing_else(page_of: PageOf) -> None:
    text = page_of("hostile")
    found = Page(text)
    assert HOSTILE in found.text
    assert "<script>alert(1)" not in text.replace(library(), "")
    assert not found.attributes("img")
    assert found.attributes("title") == [{}]
    assert "<img src=x>" in found.text  # the client ids, as they are


def test_the_sections_stand_in_the_order_of_the_report(page_of: PageOf) -> None:
    sections = [attrs["id"] for attrs in Page(page_of("trouble")).attributes("section")]
    assert sections == [
        "verdict",
        "ledger",
        "timeline",
        "latency",
        "lead-time",
        "losses",
        "quality",
        "provenance",
    ]
    links = [attrs["href"] for attrs in Page(page_of("trouble")).attributes("a")]
    assert links == [f"#{section}" for section in sections]


@pytest.mark.parametrize("kind", ["complete", "trouble", "repeated"])
def test_every_table_has_a_caption_and_scopes(page_of: PageOf, kind: str) -> None:
    found = Page(page_of(kind))
    assert len(found.attributes("table")) == len(found.attributes("caption")) > 10
    assert all(attrs.get("scope") in {"col", "row"} for attrs in found.attributes("th"))


def test_every_picture_has_its_data_a_caption_and_a_name(page_of: PageOf) -> None:
    found = Page(page_of("complete"))
    places = [a for a in found.attributes("div") if "data-figure" in a]
    assert [a["data-figure"] for a in places] == [
        "chain-picture",
        "ledger-picture",
        "prefecture-picture",
        "life-picture",
        "percentile-picture",
        "heat-picture",
        "over-time-picture",
        "lead-picture",
    ]
    assert all(a["role"] == "group" and a["aria-label"] for a in places)
    assert len(found.attributes("figcaption")) == len(places)
    data = [s for s in found.scripts if s.startswith('{"data":')]
    assert len(data) == len(places)
    for block in data:
        assert set(json.loads(block)) == {"data", "layout", "narrow"}
        assert "<" not in block


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_says_that_it_is_an_exercise(page_of: PageOf, kind: str) -> None:
    found = Page(page_of(kind))
    assert "【訓練】 EXERCISE: " in page_of(kind).split("<title>")[1].split("</title>")[0]
    assert "【訓練】 EXERCISE · simulated messages only" in found.text
    assert "none of them was, or stands for, a real warning" in found.text


def test_the_first_screen_answers_three_questions(page_of: PageOf) -> None:
    text = Page(page_of("complete")).text
    positions = [
        text.index(part)
        for part in (
            "Did it pass?",
            "Passed",
            "Who was warned in time?",
            "Where did the time go?",
            "Verdict and thresholds",
        )
    ]
    assert positions == sorted(positions)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("aborted", "ended by SIGINT"),
        ("killed", "it is still running, or was killed before it could say why it ended"),
    ],
)
def test_an_incomplete_run_is_loud(page_of: PageOf, kind: str, why: str) -> None:
    found = Page(page_of(kind))
    assert "INCOMPLETE RUN" in found.words
    assert why in found.text
    assert any(attrs.get("role") == "alert" for attrs in found.attributes("div"))
    assert "Passed" not in found.text


def test_a_complete_run_is_not_called_incomplete(page_of: PageOf) -> None:
    assert "INCOMPLETE" not in Page(page_of("complete")).text


def test_a_killed_run_shows_the_plan_and_what_was_written(page_of: PageOf) -> None:
    text = Page(page_of("killed")).text
    assert "200 rows of deliveries had been written" in text
    assert "Timeline per prefecture, as planned" in text
    assert "alertsim run tohoku-2022-11-03 --speed 600 --seed 7" in text


def test_the_provenance_repeats_the_run(source_of: SourceOf, page_of: PageOf) -> None:
    text = Page(page_of("complete")).text
    assert "alertsim run tohoku-2022-11-03 --speed 600 --seed 7" in text
    assert source_of("complete").timeline.digest in text
    assert "late after 10s" in text
    assert "memory bytes 25,276,514,304" in text
    assert "config" not in text.split("settings")[-1].split("broker")[0]


def test_a_foreign_client_has_its_own_line(page_of: PageOf) -> None:
    text = Page(page_of("trouble")).text
    assert "Clients that are not ours" in text
    assert "paho-1" in text
    assert "Clients that are not ours" not in Page(page_of("complete")).text


def test_what_is_folded_away_is_opened_before_it_is_drawn_for_print() -> None:
    script = files("simulator.report").joinpath("assets/report.js").read_text(encoding="utf-8")
    printing = script.split('"beforeprint"')[1].split('"afterprint"')[0]
    assert printing.index("one.open = true") < printing.index("drawAll()")


def test_figures_keep_their_units(page_of: PageOf) -> None:
    assert "Chain 11\N{NO-BREAK SPACE}min" in page_of("complete")


def test_the_same_run_gives_the_same_bytes(source_of: SourceOf) -> None:
    assert page(source_of("complete")) == page(source_of("complete"))


def test_the_first_screen_counts_people_and_says_that_they_are_modelled(page_of: PageOf) -> None:
    text = Page(page_of("complete")).text
    first = text[: text.index("Verdict and thresholds")]
    assert "None of 5.57 million people in time" in first
    assert "Modelled: 5.57" in first
    assert "none of them had been warned before the predicted arrival" in first


def test_the_command_can_be_copied(page_of: PageOf) -> None:
    found = Page(page_of("complete"))
    (button,) = [attrs for attrs in found.attributes("button") if "data-copy" in attrs]
    assert any(attrs.get("id") == button["data-copy"] for attrs in found.attributes("code"))
