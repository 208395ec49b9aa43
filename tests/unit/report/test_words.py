"""Figures and names are written one way."""

import pytest

from simulator.report import words
from simulator.units import NS_PER_H, NS_PER_MIN, NS_PER_MS, NS_PER_S


def test_names_of_prefectures() -> None:
    assert words.prefecture("miyagi") == "Miyagi"
    assert words.prefecture("atlantis") == "atlantis"


@pytest.mark.parametrize(
    ("names", "phrase"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcdefgh"), "a, b, c, d, e and 3 more"),
    ],
)
def test_names_as_a_phrase(names: list[str], phrase: str) -> None:
    assert words.listed(names) == phrase


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 s"),
        (11 * NS_PER_MIN, "11 min"),
        (NS_PER_H + 30 * NS_PER_S, "1 h 30 s"),
        (-90 * NS_PER_S, "\N{MINUS SIGN}1 min 30 s"),
        (1_500 * NS_PER_MS, "1.5 s"),
        (100 * NS_PER_S, "1 min 40 s"),
    ],
)
def test_spans(ns: int | None, text: str) -> None:
    assert words.span(ns) == text


def test_lead_times_are_signed() -> None:
    assert words.lead(-120 * NS_PER_S - 2_700_000) == "\N{MINUS SIGN}120.0 s"
    assert words.lead(15_200 * NS_PER_MS) == "+15.2 s"
    assert words.lead(None) == "\N{EN DASH}"
    assert words.precision(60 * NS_PER_S) == "± 60 s"
    assert words.precision(0) == ""


def test_measured_durations() -> None:
    assert words.measured(2_710_000) == "2.71 ms"
    assert words.measured(-2_710_000, signed=True) == "\N{MINUS SIGN}2.71 ms"
    assert words.measured(5, signed=True) == "+5 ns"
    assert words.measured(None) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "\N{EN DASH}"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 10_000_000, "0.01 %"),
        (9_999_999, 10_000_000, "99.99 %"),
        (1, 3, "33.33 %"),
    ],
)
def test_a_share_never_rounds_to_all_or_none(part: int, whole: int, text: str) -> None:
    assert words.share(part, whole) == text


def test_counts_with_their_nouns() -> None:
    assert words.plural(1, "copy", "copies") == "1 copy"
    assert words.plural(1200, "copy", "copies") == "1,200 copies"
    assert words.plural(2, "row") == "2 rows"


def test_moments() -> None:
    assert words.moment("2026-11-22T15:04:44.983030+00:00") == "2026-11-22 15:04:44 UTC"
    assert words.moment("2026-11-22T15:04:44+09:00") == "2026-11-22 15:04:44 UTC+09:00"
    assert words.moment("2026-11-22T15:04:44") == "2026-11-22 15:04:44"
    assert words.moment("soon") == "soon"


def test_typographic_signs_can_be_made_plain() -> None:
    assert words.plain_minus("\N{MINUS SIGN}1 \N{EN DASH}") == "-1 -"
