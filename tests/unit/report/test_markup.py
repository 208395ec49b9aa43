"""Markup escapes everything that is not markup already."""

from dataclasses import replace

from simulator.report import pieces
from simulator.report.markup import Markup, render, table, tag


def test_text_is_escaped_and_markup_is_kept() -> None:
    assert render("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"
    assert render(Markup("<b>")) == "<b>"
    assert render(["<", Markup("<br>"), None, 7]) == "&lt;<br>7"


def test_attributes_are_escaped_and_named() -> None:
    made = tag("p", "x", class_="a", aria_label='"><script>', hidden=True, id=None, open=False)
    assert made == '<p class="a" aria-label="&quot;&gt;&lt;script&gt;" hidden>x</p>'


def test_a_void_element_has_no_end() -> None:
    assert tag("meta", charset="utf-8", name="x") == '<meta charset="utf-8" name="x">'


def test_a_table_says_what_it_is_to_a_screen_reader() -> None:
    made = table("All <of> it", ["name", "n"], [["a", "1"], ["b", "2"]], numeric=[1])
    assert "<caption><span>All &lt;of&gt; it</span></caption>" in made
    assert made.count('scope="col"') == 2
    assert made.count('scope="row"') == 2
    assert made.count('<td class="number">') == 2
    assert 'aria-label="All &lt;of&gt; it"' in made


def test_the_first_picture_of_a_page_is_lifted_to_its_first_screen() -> None:
    picture = {"data": [], "layout": {"height": 100}, "narrow": {}}
    one, two = (pieces.figure(name, name, picture) for name in ("one", "two"))
    words = tag("p", "words")
    alone = pieces.Section(anchor="alone", title="Alone", parts=(None, one))
    both = pieces.Section(anchor="both", title="Both", parts=(words, two))
    empty = pieces.Section(anchor="empty", title="Empty", parts=(None,))
    assert pieces.lifted([empty, alone, both]) == (one, [both])
    assert pieces.lifted([both, alone]) == (two, [replace(both, parts=(words,)), alone])
    assert pieces.lifted([empty]) == (None, [])
