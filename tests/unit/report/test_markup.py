"""Markup escapes everything that is not markup already."""

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
