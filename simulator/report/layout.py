"""Plain tables: cells of text, and how they are aligned in a terminal.

Rule of the module: pure strings; columns are aligned by how wide characters are in a terminal, so
that Japanese titles do not shift them.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

INDENT: Final = "  "
_WIDE: Final = frozenset("WF")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of text.

    Attributes:
        caption: what it shows, one phrase.
        head: column heads.
        rows: cells, as many as heads.
        numeric: indexes of right-aligned columns.
        notes: sentences that belong below it.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


def wrapped(title: str, sentences: Iterable[str], width: int = 96) -> list[str]:
    """Lines of at most a width: a title, then each sentence indented and broken at spaces."""
    lines = [title]
    for sentence in sentences:
        line = INDENT
        for word in sentence.split():
            if display_width(line) + display_width(word) + 1 > width and line.strip():
                lines.append(line.rstrip())
                line = INDENT * 2
            line += word + " "
        lines.append(line.rstrip())
    return lines


def display_width(text: str) -> int:
    """Columns that a text takes in a terminal: East Asian wide characters take two.

    Source: Unicode Standard Annex 11, East Asian Width.
    """
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in _WIDE else 1
        for c in text
    )


def printable(text: str) -> str:
    """Text without control characters, which could move a terminal's cursor or hide lines."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def table_text(table: Table) -> str:
    """A table as aligned lines under its caption; empty if it has no rows."""
    if not table.rows:
        return ""
    cells = [[printable(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(display_width(row[i]) for row in cells) for i in range(len(table.head))]
    lines = [table.caption, _line(cells[0], widths, table.numeric)]
    lines.append(INDENT + "-" * (sum(widths) + 2 * (len(widths) - 1)))
    lines += [_line(row, widths, table.numeric) for row in cells[1:]]
    for note in table.notes:
        lines += wrapped("", [note])[1:]
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int], numeric: frozenset[int]) -> str:
    padded = []
    for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
        room = " " * (width - display_width(cell))
        padded.append(room + cell if index in numeric else cell + room)
    return (INDENT + "  ".join(padded)).rstrip()
