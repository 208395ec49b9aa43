"""A page in another language, and the switch between two languages in one file.

Rule of the module: the body of a page goes in and comes out with the same elements; texts, labels
and the words in pictures go through the catalogue. What stands in ``translate="no"``, in code, in
styles and in scripts other than data stays as it is.
"""

import html
import json
from html.parser import HTMLParser
from typing import Any, Final

from simulator.report.language import Catalogue
from simulator.report.markup import Markup

_SPOKEN_ATTRIBUTES: Final = frozenset({"aria-label", "data-done", "data-selected", "data-failed"})
_SILENT: Final = frozenset({"code", "pre", "script", "style"})
_VOID: Final = frozenset({"br", "col", "hr", "meta"})
# Keys of a picture whose text is read by people; report.js has the same list.
_SPOKEN_KEYS: Final = frozenset(
    {"text", "name", "hovertemplate", "ticktext", "x", "y", "categoryarray", "customdata"}
)
_MARK: Final = "<"


class Translated:
    """A body in another language.

    Args:
        body: markup of our own.
        catalogue: of the language.

    Attributes:
        body: the same in the language.
        pairs: English texts and what became of them; those that stay as they are left out.
    """

    def __init__(self, body: Markup, catalogue: Catalogue) -> None:
        self.pairs: dict[str, str] = {}
        self._catalogue = catalogue
        reader = _Reader(self)
        reader.feed(body)
        reader.close()
        self.body = Markup("".join(reader.written))

    def said(self, text: str) -> str:
        """A text in the language, remembered with its origin."""
        found = self._catalogue.say(text)
        if found != text:
            self.pairs[text] = found
        return found

    def picture(self, data: str) -> str:
        """The data of a picture with its words in the language."""
        content = self._painted(json.loads(data), "")
        written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return written.replace(_MARK, "\\u003c")

    def _painted(self, value: Any, key: str) -> Any:  # noqa: ANN401  (plotly's own attributes)
        if isinstance(value, dict):
            return {name: self._painted(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self._painted(one, key) for one in value]
        if isinstance(value, str) and key in _SPOKEN_KEYS:
            return self._label(value)
        return value

    def _label(self, text: str) -> str:
        """A label, of which plotly.js reads some as HTML; words in it one by one."""
        pieces = _tagged(text)
        found = "".join(
            piece if piece.startswith(_MARK) else self._catalogue.say(piece) for piece in pieces
        )
        if found != text:
            self.pairs[text] = found
        return found


def _tagged(text: str) -> list[str]:
    """Text and elements of a label, one after the other."""
    pieces, rest = [], text
    while _MARK in rest and ">" in rest:
        before, _, tail = rest.partition(_MARK)
        inside, _, rest = tail.partition(">")
        pieces += [before, f"<{inside}>"]
    return [piece for piece in [*pieces, rest] if piece]


class _Reader(HTMLParser):
    """Writes what it reads, with texts in the language."""

    def __init__(self, owner: Translated) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self._owner = owner
        self._open: list[tuple[str, bool]] = []
        self._data = False

    @property
    def _quiet(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins: its spoken attributes are said in the language."""
        known = dict(attrs)
        quiet = self._quiet or tag in _SILENT or known.get("translate") == "no"
        parts = [tag]
        for name, value in attrs:
            if value is None:
                parts.append(name)
                continue
            spoken = name in _SPOKEN_ATTRIBUTES and not self._quiet
            said = self._owner.said(value) if spoken else value
            parts.append(f'{name}="{html.escape(said)}"')
        self.written.append(f"<{' '.join(parts)}>")
        if tag not in _VOID:
            self._open.append((tag, quiet))
        self._data = tag == "script" and known.get("type") == "application/json"

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        self._open.pop()
        self._data = False
        self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Text, or the data of a picture."""
        if self._data:
            self.written.append(self._owner.picture(data))
        elif self._open and self._open[-1][0] in {"script", "style"}:
            self.written.append(data)
        else:
            self.written.append(html.escape(data if self._quiet else self._owner.said(data)))
