"""The words of the live page: complete in both languages, for all that a scenario can say."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simulator.model import simulate
from simulator.model.timeline import Timeline
from simulator.report.language import catalogue
from simulator.resources import scenario_names
from simulator.scenario import load_scenario
from simulator.service import app

JAPANESE = re.compile("[ぁ-んァ-ヶ一-龯]")
SLOT = re.compile(r"\{(\w+)\}")
# Keys that are made of a prefix and a name of the model or the API.
MADE = (
    *("stage", "event", "state", "phase", "kind", "verdict", "ledger", "group", "feed", "people"),
    *("deliveries", "problem", "note"),
)


def words(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((app.PAGE / name).read_text(encoding="utf-8"))
    return found


ENGLISH, TRANSLATED = words("texts.en.json"), words("texts.ja.json")
SCENARIOS = words("scenarios.ja.json")


@cache
def timelines() -> tuple[Timeline, ...]:
    return tuple(simulate(load_scenario(name), seed=1) for name in scenario_names())


def test_both_languages_say_the_same_things_with_the_same_figures() -> None:
    plural = {key for key in ENGLISH if key.endswith(".one")}  # Japanese has no plural
    assert set(TRANSLATED) == set(ENGLISH) - plural
    for key, text in TRANSLATED.items():
        assert set(SLOT.findall(text)) == set(SLOT.findall(ENGLISH[key])), key
    names = {"connect.own", "connect.mosquitto", "connect.python", "language.other"}
    names |= {
        "connect.websocket",
        "connect.address",
        "feed.about",
        "feed.to",
        "event.at-place",
        "deliveries.comma",
        "feed.of",
    }
    untranslated = {key for key, text in TRANSLATED.items() if not JAPANESE.search(text)}
    assert untranslated - names == set()


def test_what_the_page_asks_for_is_there_and_nothing_else() -> None:
    asked: set[str] = set()
    for path in app.PAGE.iterdir():
        if path.suffix in {".js", ".html"}:
            text = path.read_text(encoding="utf-8")
            asked |= set(re.findall(r'data-t(?:-label)?="([\w.-]+)"', text))
            asked |= set(re.findall(r'"([a-z]+(?:\.[\w-]+)+)"', text)) & set(ENGLISH)
            asked |= set(re.findall(r'\bt\("([\w.-]+)"', text))
    assert asked <= set(ENGLISH)
    unasked = {
        key
        for key in set(ENGLISH) - asked
        if not key.endswith(".one") and key.partition(".")[0] not in {*MADE, "connect", "clients"}
    }
    assert unasked == set()


def test_every_stage_and_event_of_the_shipped_scenarios_has_a_name() -> None:
    for timeline in timelines():
        for event in timeline.events:
            if event.kind == "stage":
                assert f"stage.{event.name}" in ENGLISH
            if event.kind in {"truth", "belief"}:
                assert f"event.{event.name}" in ENGLISH


def test_every_shipped_scenario_has_a_japanese_title_and_story() -> None:
    assert set(SCENARIOS["titles"]) == set(scenario_names())
    noted = {key.removeprefix("note.") for key in ENGLISH if key.startswith("note.")}
    assert "hawaii-2018" in noted <= set(scenario_names())
    for each in SCENARIOS["titles"].values():
        assert JAPANESE.search(each["title"])
        assert JAPANESE.search(each["story"])
        assert "。" in each["story"]


def test_every_note_of_the_shipped_scenarios_is_translated() -> None:
    noted = {
        re.sub(r"^Waited .*? for a free team\. ?", "", event.told)
        for timeline in timelines()
        for event in timeline.events
    } - {""}
    assert noted - set(SCENARIOS["sentences"]) == set()


@pytest.mark.parametrize("name", ["index.html", "icon.svg"])
def test_nothing_stands_in_the_page_that_its_policy_forbids(name: str) -> None:
    text = (app.PAGE / name).read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_scripts_parse_no_markup_and_know_no_other_host() -> None:
    scripts = [path for path in Path(app.PAGE).iterdir() if path.suffix == ".js"]
    assert scripts
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_the_ledger_is_told_in_the_words_of_the_report() -> None:
    known = catalogue("ja")
    told = {key for key in ENGLISH if key.startswith("ledger.")}
    told -= {"ledger.due"}  # the report knows no run that has not ended
    assert len(told) == 11
    for key in told | {"verdict.pass", "verdict.fail", "verdict.inconclusive", "people.true"}:
        assert TRANSLATED[key].partition(" {")[0] == known.say(ENGLISH[key].partition(" {")[0]), key
