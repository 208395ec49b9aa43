"""Whatever the names: markup, tables, documents and logs come back as what went in."""

import tempfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.report import words
from simulator.report.hlog import (
    HIGHEST_NS,
    TaggedLatencies,
    new_histogram,
    read_latency_log,
    write_latency_log,
)
from simulator.report.junit import clean
from simulator.report.layout import INDENT, Table, display_width, printable, table_text
from simulator.report.markdown import table_markdown
from simulator.report.markup import tag
from simulator.units import NS_PER_S

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


class Reader(HTMLParser):
    """Text, elements and attribute values of a fragment."""

    def __init__(self, fragment: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(anything, anything)
def test_text_and_attributes_come_back_from_markup(text: str, value: str) -> None:
    read = Reader(tag("p", text, title=value))
    assert read.text == text
    assert read.elements == [("p", [("title", value)])]


@given(st.lists(st.tuples(anything, anything), min_size=1, max_size=5))
def test_a_terminal_table_is_aligned_and_has_a_line_a_row(rows: list[tuple[str, str]]) -> None:
    table = Table(caption="c", head=("a", "b"), rows=tuple(rows), numeric=frozenset({1}))
    lines = table_text(table).split("\n")
    assert len(lines) == 3 + len(rows)
    width = display_width(lines[2])
    for line, (_, number) in zip(lines[3:], rows, strict=True):
        shown = printable(number).rstrip()
        assert line.endswith(shown)
        assert display_width(line) <= width
        assert line == "" or line.startswith(INDENT)


@given(st.lists(st.tuples(anything, anything), min_size=1, max_size=5))
def test_a_markdown_table_keeps_its_shape(rows: list[tuple[str, str]]) -> None:
    text = table_markdown(Table(caption="c", head=("a", "b"), rows=tuple(rows)))
    lines = text.split("\n")
    assert len(lines) == 4 + len(rows)
    for line in lines[2:]:
        bars = [
            index
            for index, character in enumerate(line)
            if character == "|" and (index == 0 or line[index - 1] != "\\")
        ]
        assert len(bars) == 3


@given(st.text(max_size=30))
def test_cleaned_text_can_stand_in_xml(text: str) -> None:
    element = ET.Element("x", {"y": clean(text)})
    read = ET.fromstring(ET.tostring(element, encoding="unicode"))  # noqa: S314
    assert read.get("y") == clean(text)


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_share_says_all_or_none_only_of_all_or_none(part: int, whole: int) -> None:
    part = min(part, whole)
    text = words.share(part, whole)
    assert (text == "100 %") == (part == whole)
    assert (text == "0 %") == (part == 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["live", "retained", "queued"]),
            st.integers(0, 20 * NS_PER_S),
            st.integers(-NS_PER_S, 2 * HIGHEST_NS),
        ),
        max_size=60,
    )
)
def test_every_latency_is_in_the_log_or_counted_beside_it(
    samples: list[tuple[str, int, int]],
) -> None:
    populations = []
    for name in ("live", "retained", "queued"):
        chosen = [(at, value) for tag_, at, value in samples if tag_ == name]
        populations.append(
            TaggedLatencies(
                tag=name,
                intended_ns=np.array([at for at, _ in chosen], dtype=np.int64),
                latency_ns=np.array([value for _, value in chosen], dtype=np.int64),
            )
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "latency.hlog"
        write_latency_log(path, populations, start_ns=0, start_unix_ns=10**18)
        read = read_latency_log(path)
    for population in populations:
        values = population.latency_ns
        found = read[population.tag]
        kept = values[(values >= 0) & (values <= HIGHEST_NS)]
        assert found.negatives == int((values < 0).sum())
        assert found.beyond == int((values > HIGHEST_NS).sum())
        expected = new_histogram()
        for value in kept:
            expected.record_value(int(value))
        assert found.histogram.get_total_count() == len(kept)
        assert found.histogram.encode() == expected.encode()
