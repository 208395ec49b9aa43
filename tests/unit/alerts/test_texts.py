import json
import re

import pytest

from simulator.alerts.texts import cap_content, cap_settings, variant, wordings
from simulator.model.timeline import AlertEvent
from simulator.resources import config_text

PLACE = ("宮城県", "Miyagi")

# IS-QZSS-DCX-004, instruction codes, as published: an independent copy of what config/ says.
OFFICIAL = {
    "launch": (
        "128",
        (
            "ミサイル発射。ミサイル発射。ミサイルが発射されたものとみられます。"
            "建物の中、又は地下に避難して下さい。"
        ),
    ),
    "passage": (
        "129",
        (
            "ミサイル通過。ミサイル通過。先程のミサイルは通過したものとみられます。"
            "避難の呼びかけを解除します。"
            "不審なものには決して近寄らず直ちに警察や消防などに連絡して下さい。"
        ),
    ),
    "fell-in-sea": (
        "130",
        (
            "先程のミサイルは、海に落下したものとみられます。避難の呼びかけを解除します。"
            "不審なものには決して近寄らず直ちに警察や消防などに連絡して下さい。"
        ),
    ),
    "not-coming": (
        "131",
        "先程のミサイルは、我が国には飛来しないものとみられます。避難の呼びかけを解除します。",
    ),
    "take-shelter": (
        "132",
        (
            "直ちに避難。直ちに避難。直ちに建物の中、又は地下に避難して下さい。"
            "ミサイルが、周辺に落下するものとみられます。直ちに避難して下さい。"
        ),
    ),
    "intercepted": (
        "133",
        (
            "先程のミサイルは、迎撃により破壊されました。ミサイルの破片の落下の可能性があります。"
            "続報を伝達しますので、引き続き屋内に避難して下さい。"
        ),
    ),
    "fell-on-land": (
        "134",
        (
            "ミサイル落下。ミサイル落下。ミサイルが、周辺に落下したものとみられます。"
            "続報を伝達しますので、引き続き屋内に避難して下さい。"
        ),
    ),
    "not-falling": (
        "135",
        "先程のミサイルは、我が国には落下しないものとみられます。避難の呼びかけを解除します。",
    ),
    "test": ("136", "これは、Jアラートのテストです。"),
}
EVERY = [*(event.value for event in AlertEvent), "correction-in-force"]


@pytest.mark.parametrize("key", OFFICIAL)
def test_official_sentence_stands_word_for_word_under_its_code(key: str) -> None:
    japanese, english = wordings(key, PLACE, None, "")
    said = japanese.description.removeprefix("【訓練】")
    said += (japanese.instruction or "").removeprefix("【訓練】")
    code, sentence = OFFICIAL[key]
    assert said == sentence
    assert cap_content(key).code == code
    assert japanese.origin == "official"
    assert english.origin == "translation"


@pytest.mark.parametrize("key", ["correction", "correction-in-force", "all-clear"])
def test_texts_of_our_own_say_so_and_have_no_code(key: str) -> None:
    assert {wording.origin for wording in wordings(key, PLACE, None, "")} == {"own"}
    assert cap_content(key).code is None


@pytest.mark.parametrize("key", EVERY)
def test_every_text_in_both_languages_begins_with_its_mark(key: str) -> None:
    for wording, mark in zip(
        wordings(key, PLACE, (7, 48), ""), ("【訓練】", "EXERCISE: "), strict=True
    ):
        texts = [wording.event, wording.headline, wording.description]
        texts += [wording.instruction] if wording.instruction else []
        for text in texts:
            assert text.startswith(mark)
            assert len(text) > len(mark)
            assert not re.search(r"[{}]", text)
    assert wordings(key, PLACE, None, "")[0].place == "宮城県"


def test_time_of_day_is_inserted_as_on_3_november_2022() -> None:
    japanese, english = wordings("passage", PLACE, (7, 48), "")
    # Reported wording of the 08:00 message (Fukui prefecture, Asahi Shimbun, inatei).
    assert "先程のミサイルは、7時48分頃、太平洋へ通過したものとみられます。" in japanese.description
    assert japanese.origin == "reported-time"
    assert "at about 07:48" in english.description


@pytest.mark.parametrize("key", ["take-shelter", "fell-in-sea", "fell-on-land"])
def test_other_times_of_day_are_marked_as_ours(key: str) -> None:
    japanese, english = wordings(key, PLACE, (16, 5), "")
    assert "16時5分頃" in japanese.description
    assert japanese.origin == "own-time"
    assert "16:05" in english.description


@pytest.mark.parametrize("key", ["launch", "not-coming", "correction", "all-clear", "test"])
def test_event_without_a_place_for_a_time_keeps_its_text(key: str) -> None:
    assert wordings(key, PLACE, (7, 48), "") == wordings(key, PLACE, None, "")


def test_reason_joins_the_description_in_its_own_language() -> None:
    japanese, english = wordings("correction", PLACE, None, "It vanished over the sea.")
    assert english.description.endswith(" in force. It vanished over the sea.")
    assert "vanished" not in japanese.description
    japanese, english = wordings("correction", PLACE, None, "日本海上空で消失した。")
    assert japanese.description.endswith("。日本海上空で消失した。")
    assert english.description.isascii()


def test_correction_says_what_remains() -> None:
    assert variant(AlertEvent.CORRECTION, in_force=True) == "correction-in-force"
    assert variant(AlertEvent.CORRECTION, in_force=False) == "correction"
    assert variant(AlertEvent.LAUNCH, in_force=True) == "launch"
    assert (
        "避難の呼びかけは継続しています"
        in wordings("correction-in-force", PLACE, None, "")[0].description
    )


def test_every_figure_and_wording_names_its_source() -> None:
    texts = json.loads(config_text("alert_texts.json"))
    used = {
        source
        for languages in texts["events"].values()
        for entry in languages.values()
        for source in (entry["text"], entry.get("stated", {}).get("text", entry["text"]))
    }
    assert used == set(texts["text"])
    assert all(entry["why"] for entry in cap_settings()["events"].values())
    assert set(cap_settings()["sources"]) == {"cap", "code", "event_code", "geocode"}
    # The marks come from the code; a file that held them could also lose them.
    assert "【訓練】" not in json.dumps(texts["events"], ensure_ascii=False)
    assert "EXERCISE" not in json.dumps(texts["events"])


def test_texts_and_content_cover_the_same_events() -> None:
    assert set(json.loads(config_text("alert_texts.json"))["events"]) == set(EVERY)
    assert set(cap_settings()["events"]) == set(EVERY)
