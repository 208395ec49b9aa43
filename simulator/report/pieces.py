"""The pieces that sections are made of: tables, pictures and lists as markup.

Rule of the module: every picture has a caption and stands beside a table that says the same, for
those who cannot see it; what is long is folded away or cut with its number said.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.report.drawing import Picture
from simulator.report.layout import Table
from simulator.report.markup import Child, Markup, table, tag

MOST_TABLE_ROWS = 300
MOST_OPEN_ROWS = 30
_SENTENCE = 60  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section.

    Attributes:
        anchor: its id in the page.
        title: its heading.
        parts: what stands in it.
    """

    anchor: str
    title: str
    parts: tuple[Markup | None, ...]

    def markup(self) -> Markup:
        """The section as HTML."""
        return tag(
            "section",
            tag("h2", self.title, id=f"{self.anchor}-title"),
            self.parts,
            id=self.anchor,
            aria_labelledby=f"{self.anchor}-title",
        )


def data(
    content: Table,
    cells: Mapping[int, Callable[[str], Child]] | None = None,
    *,
    total: bool = False,
) -> Markup | None:
    """A table as HTML; None if it has no rows.

    Args:
        content: the table.
        cells: how to write the cells of some columns.
        total: True if the last row is a sum.
    """
    if not content.rows:
        return None
    written = cells or {}
    shown: list[list[Child]] = [
        [written[i](cell) if i in written else cell for i, cell in enumerate(row)]
        for row in content.rows[:MOST_TABLE_ROWS]
    ]
    notes = list(content.notes)
    left = len(content.rows) - MOST_TABLE_ROWS
    if left > 0:
        notes.append(f"{left:,} further rows stand in summary.json.")
    kinds = [("total", total), ("wordy", _wordy(content))]
    return tag(
        "div",
        table(
            content.caption,
            content.head,
            shown,
            numeric=content.numeric,
            class_=" ".join(kind for kind, given in kinds if given) or None,
        ),
        [tag("p", note, class_="note") for note in notes],
    )


def _wordy(content: Table) -> bool:
    """Whether its last column holds sentences, which a narrow screen must give some room."""
    last = len(content.head) - 1
    return last not in content.numeric and any(len(row[last]) > _SENTENCE for row in content.rows)


def folded(content: Table) -> Markup | None:
    """A table, folded away under its caption if it is long."""
    if len(content.rows) <= MOST_OPEN_ROWS:
        return data(content)
    return details(f"{content.caption} ({len(content.rows):,} rows)", data(content))


def details(label: str, *parts: Markup | None, printed: bool = True) -> Markup | None:
    """Something folded away; None if there is nothing in it.

    Args:
        label: what is in it.
        parts: its content.
        printed: whether it is unfolded on paper.
    """
    if not any(parts):
        return None
    return tag("details", tag("summary", label), parts, data_print=None if printed else "no")


def facts(known: Mapping[str, str], spoken: Collection[str] = ()) -> Markup:
    """A list of names and values.

    Args:
        known: values by name; empty ones are left out.
        spoken: names whose values are words; others are names, code and settings in any language.
    """
    return tag(
        "dl",
        [
            (tag("dt", key), tag("dd", value, translate=None if key in spoken else "no"))
            for key, value in known.items()
            if value
        ],
    )


def figure(anchor: str, caption: str, picture: Picture | None) -> Markup | None:
    """A picture with its caption and its data; None if there is nothing to draw."""
    if picture is None:
        return None
    height = picture["layout"]["height"]
    return tag(
        "figure",
        tag("figcaption", caption),
        tag(
            "div",
            tag("noscript", "The picture needs scripts; the tables say the same."),
            class_="picture",
            data_figure=anchor,
            data_failed="This picture could not be drawn; the tables say the same.",
            role="group",
            aria_label=caption,
            style=f"min-height:{height}px",
        ),
        data_block(anchor, picture),
    )


def lifted(sections: Iterable[Section]) -> tuple[Markup | None, list[Section]]:
    """The first picture of a page for its first screen, and the sections that still say something.

    A picture stands in a page once: its data and its place are found by one name.
    """
    shown = [section for section in sections if any(section.parts)]
    for number, section in enumerate(shown):
        for place, part in enumerate(section.parts):
            if part is not None and part.startswith("<figure"):
                rest = (*section.parts[:place], *section.parts[place + 1 :])
                shown[number] = replace(section, parts=rest)
                return part, [one for one in shown if any(one.parts)]
    return None, shown


def data_block(anchor: str, content: Mapping[str, Any]) -> Markup:
    """Data for the page's script, which no text in it can end."""
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Inside a script element only "<" can end the element: it is written as an escape of JSON.
    safe = Markup(written.replace("<", "\\u003c"))
    return tag("script", safe, type="application/json", id=anchor)
